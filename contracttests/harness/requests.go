package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"mime"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// The document states these limits in words.
const (
	MaxBodyBytes   = 262_144
	MaxObjectBytes = 65_536
	MaxObjectDepth = 32
)

// MaxLimit is the highest rate limit of an update, as in the schema.
const MaxLimit = 1_000_000_000

// These rules for requests are in the words of the document about the body of a PATCH.
const (
	RuleBodyTooLarge  judge.Rule = "body-too-large"
	RuleLimitBytes    judge.Rule = "limit-bytes"
	RuleLimitDepth    judge.Rule = "limit-depth"
	RuleNumberTooBig  judge.Rule = "number-too-big" // no float64 can hold it
	RuleMailHost      judge.Rule = "mail-host"      // it is reserved
	RuleNamesDisagree judge.Rule = "names-disagree" // two names of one field have different values
)

// OrganizationRequestRules returns the rules for requests.
func OrganizationRequestRules() []judge.RuleFunc {
	return []judge.RuleFunc{bodyLimits, mailHosts, limitNames}
}

// bodyLimits judges the size of a PATCH body, the size and depth of the objects in it, and the numbers of metadata.
// White space does not count for the size of an object. In a merge patch, it judges the patch itself, because the
// result depends on the record.
func bodyLimits(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	if size := len(x.Request.Body); size > MaxBodyBytes {
		return []judge.Violation{{Rule: RuleBodyTooLarge, Expected: fmt.Sprintf("at most %d bytes", MaxBodyBytes),
			Got: fmt.Sprintf("%d bytes", size)}}
	}
	body, ok := decoded.(map[string]any)
	if !ok {
		return nil
	}
	var raw map[string]json.RawMessage
	if len(x.Request.Body) > MaxObjectBytes { // else no object in it can be too large
		if err := json.Unmarshal(x.Request.Body, &raw); err != nil {
			return nil // the reader reports it
		}
	}
	var found []judge.Violation
	for _, name := range []string{"metadata", "default_llm_credentials"} {
		if _, ok := body[name].(map[string]any); ok {
			found = append(found, objectLimits("/"+name, raw[name], body[name])...)
		}
	}
	if metadata, ok := body["metadata"].(map[string]any); ok {
		found = append(found, bigNumbers([]string{"metadata"}, metadata)...)
	}
	if len(found) > 0 && !json.Valid(x.Request.Body) {
		return nil // the reader reports it
	}
	return found
}

// bigNumbers reports the numbers in a value that overflow a float64. It may overwrite what lies behind the end of path.
func bigNumbers(path []string, value any) []judge.Violation {
	var found []judge.Violation
	switch value := value.(type) {
	case json.Number:
		if n, _ := strconv.ParseFloat(value.String(), 64); math.IsInf(n, 0) {
			found = append(found, judge.Violation{
				Rule: RuleNumberTooBig, Pointer: judge.Pointer(path), Expected: "a number that a float64 can hold",
				Got: judge.Describe(value, nil),
			})
		}
	case map[string]any:
		for name, one := range value {
			found = append(found, bigNumbers(append(path, name), one)...)
		}
	case []any:
		for i, one := range value {
			found = append(found, bigNumbers(append(path, strconv.Itoa(i)), one)...)
		}
	}
	return found
}

var reservedHost = regexp.MustCompile(`(?i)[.](arpa|invalid|local|localhost|onion|test)$`)
var reservedLabel = regexp.MustCompile(`(?i)@([^@]*[.])?([^x@.][^@.]|[^@.][^n@.])--`)

// mailHosts judges the hosts of email addresses.
func mailHosts(_ spec.Operation, _ judge.Exchange, decoded any) []judge.Violation {
	body, _ := decoded.(map[string]any)
	var found []judge.Violation
	for _, name := range []string{"billing_email", "notifications_email"} {
		if text, ok := body[name].(string); ok && (reservedHost.MatchString(text) || reservedLabel.MatchString(text)) {
			found = append(found, judge.Violation{Rule: RuleMailHost, Pointer: "/" + name,
				Expected: "a host that can receive mail", Got: judge.Describe(text, nil)})
		}
	}
	return found
}

// limitNames judges rate_limits and rate_limit_overrides together. If the schema refuses one of them, there is nothing
// to compare.
func limitNames(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	body, _ := decoded.(map[string]any)
	if reflect.DeepEqual(body["rate_limits"], body["rate_limit_overrides"]) {
		return nil // as in nearly all requests
	}
	merges := IsMergePatch(x.Request)
	values := make([]string, 2)
	for i, name := range []string{"rate_limits", "rate_limit_overrides"} {
		value, sent := body[name]
		object, isObject := value.(map[string]any)
		switch {
		case !sent, value == nil && !merges, value != nil && !isObject:
			return nil
		case value == nil:
			values[i] = "null"
		default:
			var ok bool
			if values[i], ok = limitsText(object, merges); !ok {
				return nil
			}
		}
	}
	if values[0] == values[1] {
		return nil
	}
	return []judge.Violation{{Rule: RuleNamesDisagree, Pointer: "/rate_limit_overrides",
		Expected: "the value of rate_limits", Got: "another one"}}
}

// limitsText returns the declared limits as a text that equal limits share. It returns false if the schema refuses one.
func limitsText(object map[string]any, merges bool) (string, bool) {
	var out []string
	for _, name := range []string{"metadata", "data", "search", "upload", "compute"} {
		value, sent := object[name]
		number, isNumber := value.(json.Number)
		switch {
		case !sent:
		case value == nil && merges:
			out = append(out, name+" null")
		case !isNumber:
			return "", false
		default:
			n, ok := new(big.Rat).SetString(spec.BoundedNumber(number).String())
			if !ok || !n.IsInt() || n.Cmp(big.NewRat(1, 1)) < 0 || n.Cmp(big.NewRat(MaxLimit, 1)) > 0 {
				return "", false
			}
			out = append(out, name+" "+n.RatString())
		}
	}
	return strings.Join(out, ","), true
}

// MergePatchType is the media type of a JSON Merge Patch (RFC 7396).
const MergePatchType = "application/merge-patch+json"

// IsMergePatch reports whether the body of a request is a JSON Merge Patch.
func IsMergePatch(r judge.Request) bool {
	name, _, err := mime.ParseMediaType(judge.Canonical(r.Header).Get("Content-Type"))
	return err == nil && name == MergePatchType
}

func objectLimits(where string, raw json.RawMessage, value any) []judge.Violation {
	var found []judge.Violation
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err == nil && compact.Len() > MaxObjectBytes {
		found = append(found, judge.Violation{
			Rule: RuleLimitBytes, Pointer: where, Expected: fmt.Sprintf("at most %d bytes", MaxObjectBytes),
			Got: fmt.Sprintf("%d bytes", compact.Len()),
		})
	}
	if levels := DepthOf(value); levels > MaxObjectDepth {
		found = append(found, judge.Violation{
			Rule: RuleLimitDepth, Pointer: where, Expected: fmt.Sprintf("at most %d levels", MaxObjectDepth),
			Got: fmt.Sprintf("%d levels", levels),
		})
	}
	return found
}

// DepthOf returns the nesting of a decoded value: how many objects and arrays are inside each other.
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
