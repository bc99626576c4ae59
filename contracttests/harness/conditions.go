package harness

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

var (
	// tagList is the grammar of RFC 9110, sections 5.6.1 and 8.8.3. Each byte that is not UTF-8 counts as a character.
	tagList = regexp.MustCompile(`^(\*|([ \t,]|(W/)?"[^\x00-\x20"\x7F]*"[ \t]*(,|$))*)$`)
	oneTag  = regexp.MustCompile(`(W/)?"[^\x00-\x20"\x7F]*"`)
)

// ReplaceTags returns the value of a condition with each of its tags changed.
func ReplaceTags(condition string, change func(tag string) string) string {
	return oneTag.ReplaceAllStringFunc(condition, change)
}

// Condition is the value of If-Match or If-None-Match.
type Condition struct {
	Given bool
	Any   bool     // "*"
	Tags  []string // as written, weak ones with W/
}

// ReadCondition reads the values of a header. It returns false if they are malformed.
func ReadCondition(values []string) (c Condition, ok bool) {
	if len(values) == 0 {
		return Condition{}, true
	}
	text := strings.Trim(strings.Join(values, ", "), " \t")
	return Condition{Given: true, Any: text == "*", Tags: oneTag.FindAllString(text, -1)}, tagList.MatchString(text)
}

// Matches compares strongly for If-Match and weakly for If-None-Match (RFC 9110, section 13.1).
func (c Condition) Matches(etag string, weakly bool) bool {
	if c.Any {
		return true
	}
	for _, tag := range c.Tags {
		if tag == etag || weakly && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// precondition checks that the status follows from the request's conditions and the response's ETag. It does not check
// a successful change: the response has the new ETag, and the conditions are about the old one.
func precondition(op spec.Operation, x judge.Exchange, _ any) []judge.Violation {
	asked, answered := judge.Canonical(x.Request.Header), judge.Canonical(x.Response.Header)
	match, ok := ReadCondition(asked["If-Match"])
	none, alsoOK := ReadCondition(asked["If-None-Match"])
	etag := answered.Get("ETag")
	if !ok || !alsoOK || etag == "" {
		return nil
	}
	want := http.StatusOK
	switch {
	case match.Given && !match.Matches(etag, false):
		want = http.StatusPreconditionFailed
	case none.Given && none.Matches(etag, true):
		want = http.StatusPreconditionFailed
		if op.Method == http.MethodGet {
			want = http.StatusNotModified
		}
	}
	status := x.Response.Status
	judged := status == http.StatusOK || status == http.StatusNotModified || status == http.StatusPreconditionFailed
	changed := op.Method != http.MethodGet && status == http.StatusOK
	if !judged || changed || status == want {
		return nil
	}
	return []judge.Violation{{
		Rule: RulePrecondition, Header: "ETag", Expected: fmt.Sprintf("status %d by the conditions of the request",
			want), Got: fmt.Sprintf("status %d", status),
	}}
}
