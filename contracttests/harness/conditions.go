package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// The limits that the document states in words.
const (
	MaxBodyBytes   = 262_144
	MaxObjectBytes = 65_536
	MaxObjectDepth = 32
)

var (
	tagList = regexp.MustCompile(`^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`)
	OneTag  = regexp.MustCompile(`(W/)?"[!#-~]*"`)
)

// Condition is one of If-Match and If-None-Match.
type Condition struct {
	Given bool
	Any   bool     // "*"
	Tags  []string // as written, weak ones with W/
}

// ReadCondition reads a header; ok is false where it is malformed and says nothing about the outcome.
func ReadCondition(values []string) (c Condition, ok bool) {
	if len(values) == 0 {
		return Condition{}, true
	}
	text := strings.Join(values, ", ")
	return Condition{Given: true, Any: text == "*", Tags: OneTag.FindAllString(text, -1)}, tagList.MatchString(text)
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

// precondition holds the status against the request's conditions and the ETag of the response, as far as one exchange
// can tell: the ETag of a change that was made is the new one, which the conditions do not speak of.
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
		Rule: RulePrecondition, Header: "ETag", Expected: fmt.Sprintf("status %d by the conditions of the request", want), Got: fmt.Sprintf("status %d", status),
	}}
}

// bodyLimits judges the sizes of a PATCH body. Sizes are those of the text as it was sent, white space aside.
func bodyLimits(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	if size := len(x.Request.Body); size > MaxBodyBytes {
		return []judge.Violation{{Rule: RuleBodyTooLarge, Expected: fmt.Sprintf("at most %d bytes", MaxBodyBytes), Got: fmt.Sprintf("%d bytes", size)}}
	}
	body, ok := decoded.(map[string]any)
	if !ok {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(x.Request.Body, &raw); err != nil {
		return nil // the reader has already said what is wrong
	}
	var found []judge.Violation
	for _, name := range []string{"metadata", "default_llm_credentials"} {
		if _, ok := body[name].(map[string]any); ok {
			found = append(found, objectLimits("/"+name, raw[name], body[name])...)
		}
	}
	return found
}

func objectLimits(where string, raw json.RawMessage, value any) []judge.Violation {
	var found []judge.Violation
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err == nil && compact.Len() > MaxObjectBytes {
		found = append(found, judge.Violation{
			Rule: RuleLimitBytes, Pointer: where, Expected: fmt.Sprintf("at most %d bytes", MaxObjectBytes), Got: fmt.Sprintf("%d bytes", compact.Len()),
		})
	}
	if levels := DepthOf(value); levels > MaxObjectDepth {
		found = append(found, judge.Violation{
			Rule: RuleLimitDepth, Pointer: where, Expected: fmt.Sprintf("at most %d levels", MaxObjectDepth), Got: fmt.Sprintf("%d levels", levels),
		})
	}
	return found
}

// DepthOf returns how many objects and arrays enclose the innermost value.
func DepthOf(value any) int {
	deepest := 0
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			deepest = max(deepest, DepthOf(member))
		}
	case []any:
		for _, item := range value {
			deepest = max(deepest, DepthOf(item))
		}
	default:
		return 0
	}
	return deepest + 1
}
