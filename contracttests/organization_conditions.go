package contracttests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// The limits that the document states in words.
const (
	maxBodyBytes   = 262_144
	maxObjectBytes = 65_536
	maxObjectDepth = 32
)

var (
	tagList = regexp.MustCompile(`^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`)
	oneTag  = regexp.MustCompile(`(W/)?"[!#-~]*"`)
)

// condition is one of If-Match and If-None-Match.
type condition struct {
	given bool
	any   bool     // "*"
	tags  []string // as written, weak ones with W/
}

// readCondition reads a header; ok is false where it is malformed and says nothing about the outcome.
func readCondition(values []string) (c condition, ok bool) {
	if len(values) == 0 {
		return condition{}, true
	}
	text := strings.Join(values, ", ")
	return condition{given: true, any: text == "*", tags: oneTag.FindAllString(text, -1)}, tagList.MatchString(text)
}

// matches compares strongly for If-Match and weakly for If-None-Match (RFC 9110, section 13.1).
func (c condition) matches(etag string, weakly bool) bool {
	if c.any {
		return true
	}
	for _, tag := range c.tags {
		if tag == etag || weakly && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// precondition holds the status against the request's conditions and the ETag of the response, as far as one exchange
// can tell: the ETag of a change that was made is the new one, which the conditions do not speak of.
func precondition(op Operation, x Exchange, _ any) []Violation {
	asked, answered := canonical(x.Request.Header), canonical(x.Response.Header)
	match, ok := readCondition(asked["If-Match"])
	none, alsoOK := readCondition(asked["If-None-Match"])
	etag := answered.Get("ETag")
	if !ok || !alsoOK || etag == "" {
		return nil
	}
	want := http.StatusOK
	switch {
	case match.given && !match.matches(etag, false):
		want = http.StatusPreconditionFailed
	case none.given && none.matches(etag, true):
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
	return []Violation{{
		Rule: RulePrecondition, Header: "ETag", Expected: fmt.Sprintf("status %d by the conditions of the request", want), Got: fmt.Sprintf("status %d", status),
	}}
}

// bodyLimits judges the sizes of a PATCH body. Sizes are those of the text as it was sent, white space aside.
func bodyLimits(_ Operation, x Exchange, decoded any) []Violation {
	if size := len(x.Request.Body); size > maxBodyBytes {
		return []Violation{{Rule: RuleBodyTooLarge, Expected: fmt.Sprintf("at most %d bytes", maxBodyBytes), Got: fmt.Sprintf("%d bytes", size)}}
	}
	body, ok := decoded.(map[string]any)
	if !ok {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(x.Request.Body, &raw); err != nil {
		return nil // the reader has already said what is wrong
	}
	var found []Violation
	for _, name := range []string{"metadata", "default_llm_credentials"} {
		if _, ok := body[name].(map[string]any); ok {
			found = append(found, objectLimits("/"+name, raw[name], body[name])...)
		}
	}
	return found
}

func objectLimits(where string, raw json.RawMessage, value any) []Violation {
	var found []Violation
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err == nil && compact.Len() > maxObjectBytes {
		found = append(found, Violation{
			Rule: RuleLimitBytes, Pointer: where, Expected: fmt.Sprintf("at most %d bytes", maxObjectBytes), Got: fmt.Sprintf("%d bytes", compact.Len()),
		})
	}
	if levels := depthOf(value); levels > maxObjectDepth {
		found = append(found, Violation{
			Rule: RuleLimitDepth, Pointer: where, Expected: fmt.Sprintf("at most %d levels", maxObjectDepth), Got: fmt.Sprintf("%d levels", levels),
		})
	}
	return found
}

// depthOf returns how many objects and arrays enclose the innermost value.
func depthOf(value any) int {
	deepest := 0
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			deepest = max(deepest, depthOf(member))
		}
	case []any:
		for _, item := range value {
			deepest = max(deepest, depthOf(item))
		}
	default:
		return 0
	}
	return deepest + 1
}
