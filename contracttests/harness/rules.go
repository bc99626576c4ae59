package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
	"organizations-api/shared/openapi"
)

// No schema states these rules of the organizations API. The document states them in words, or clients rely on them.
const (
	RuleErrorStatusMismatch judge.Rule = "error-status-mismatch" // the status in an error is not that of the answer
	RuleSuccessNotFalse     judge.Rule = "success-not-false"
	RuleErrorType           judge.Rule = "error-type" // not the type that goes with the status
	RuleErrorCode           judge.Rule = "error-code" // not a code that goes with the status
	RuleErrorMessageEmpty   judge.Rule = "error-message-empty"
	RuleDetailEmpty         judge.Rule = "detail-empty" // a validation error that names no problem
	RuleDetailLocation      judge.Rule = "detail-location"
	RuleDetailText          judge.Rule = "detail-text"
	RuleDetailTwice         judge.Rule = "detail-twice" // the two lists of problems differ
	RuleRetryDetails        judge.Rule = "retry-details"
	RuleTimestamps          judge.Rule = "timestamps" // not UTC, or updated before it was created
	RuleRateLimitHeaders    judge.Rule = "rate-limit-headers"
	RulePrecondition        judge.Rule = "precondition" // the status does not follow from If-Match, If-None-Match and ETag
	RuleCredentialEchoed    judge.Rule = "credential-echoed"
)

// Validator returns the judge of the organizations API, which is made once. It knows the document and the rules of this
// file.
var Validator = sync.OnceValue(func() *judge.Validator {
	v, err := judge.New(openapi.YAML)
	if err != nil {
		panic(err) // the document is part of the program
	}
	return v.With(OrganizationRules()...).WithRequest(OrganizationRequestRules()...)
})

// BehindGateway returns the judge of the service behind an HTTP API, which adds a header.
func BehindGateway() *judge.Validator { return Validator().AllowHeaders("Apigw-Requestid") }

// OrganizationRules returns the rules for responses.
func OrganizationRules() []judge.RuleFunc {
	return []judge.RuleFunc{errorBody, validationBody, retryDetails, timestamps, rateLimitHeaders, precondition,
		credentialEcho}
}

// ErrorMeaning is the meaning of the body of an error with a certain status.
type ErrorMeaning struct {
	Type  string
	Codes []string // the codes to choose from
}

// ErrorMeanings returns the meanings of errors by status.
func ErrorMeanings() map[int]ErrorMeaning {
	return map[int]ErrorMeaning{
		400: {"BadRequestError", []string{"request_malformed", "body_malformed", "body_too_large",
			"media_type_unsupported"}},
		401: {"UnauthorizedError", []string{"api_key_missing", "api_key_invalid", "api_key_revoked",
			"api_key_expired"}},
		403: {"ForbiddenError", []string{"permission_required"}},
		404: {"NotFoundError", []string{"organization_not_found", "route_not_found"}},
		412: {"PreconditionFailedError", []string{"version_mismatch"}},
		422: {"ValidationError", []string{"validation_failed"}},
		429: {"TooManyRequestsError", []string{"rate_limited"}},
		500: {"InternalServerError", []string{"internal"}},
		503: {"ServiceUnavailableError", []string{"store_unavailable"}},
	}
}

// errorBody judges an ErrorResponse, and the same members of an HTTPValidationError. The schema reports members that
// are missing or of another type.
func errorBody(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	body, ok := decoded.(map[string]any)
	if !ok || x.Response.Status < 400 {
		return nil
	}
	var found []judge.Violation
	status := strconv.Itoa(x.Response.Status)
	if got, ok := body["status"].(json.Number); ok && got.String() != status {
		found = append(found, judge.Violation{Rule: RuleErrorStatusMismatch, Pointer: "/status", Expected: status,
			Got: got.String()})
	}
	if success, ok := body["success"].(bool); ok && success {
		found = append(found, judge.Violation{Rule: RuleSuccessNotFalse, Pointer: "/success", Expected: "false",
			Got: "true"})
	}
	if detail, ok := body["error"].(map[string]any); ok {
		found = append(found, errorDetail(x.Response.Status, detail)...)
	}
	return found
}

func errorDetail(status int, detail map[string]any) []judge.Violation {
	var found []judge.Violation
	if message, ok := detail["message"].(string); ok && strings.TrimSpace(message) == "" {
		found = append(found, judge.Violation{Rule: RuleErrorMessageEmpty, Pointer: "/error/message",
			Expected: "a message", Got: "a blank string"})
	}
	want, known := ErrorMeanings()[status]
	if !known {
		return found
	}
	if typ, ok := detail["type"].(string); ok && typ != want.Type {
		found = append(found, judge.Violation{Rule: RuleErrorType, Pointer: "/error/type", Expected: want.Type,
			Got: judge.Describe(typ, nil)})
	}
	if code, ok := detail["code"].(string); ok && !slices.Contains(want.Codes, code) {
		found = append(found, judge.Violation{
			Rule: RuleErrorCode, Pointer: "/error/code", Expected: "one of " + strings.Join(want.Codes, ", "),
			Got: judge.Describe(code, nil),
		})
	}
	return found
}

// validationBody judges an HTTPValidationError.
func validationBody(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	body, ok := decoded.(map[string]any)
	if !ok || x.Response.Status != http.StatusUnprocessableEntity {
		return nil
	}
	items, isList := body["detail"].([]any)
	if len(items) == 0 && (isList || body["detail"] == nil) {
		return []judge.Violation{{Rule: RuleDetailEmpty, Pointer: "/detail", Expected: "at least one problem",
			Got: judge.Describe(body["detail"], nil)}}
	}
	found := sameProblems(body, items)
	for i, item := range items {
		if problem, ok := item.(map[string]any); ok {
			found = append(found, validationProblem(judge.Pointer([]string{"detail", strconv.Itoa(i)}), problem)...)
		}
	}
	return found
}

// sameProblems judges the second shape of a validation error, which the schema does not restrict. It must be there, and
// list the problems of the first shape.
func sameProblems(body map[string]any, items []any) []judge.Violation {
	detail, _ := body["error"].(map[string]any)
	details, _ := detail["details"].(map[string]any)
	var want, got [][3]any
	for _, item := range items {
		problem, _ := item.(map[string]any)
		want = append(want, [3]any{problem["type"], problem["loc"], problem["msg"]})
	}
	listed, _ := details["validation_errors"].([]any)
	for _, item := range listed {
		problem, _ := item.(map[string]any)
		got = append(got, [3]any{problem["type"], problem["location"], problem["message"]})
	}
	missing := body["success"] == nil || body["status"] == nil || detail == nil
	if !missing && reflect.DeepEqual(want, got) {
		return nil
	}
	return []judge.Violation{{
		Rule: RuleDetailTwice, Pointer: "/error/details/validation_errors",
		Expected: "the envelope of all errors, with the problems of detail",
		Got:      judge.Describe(details["validation_errors"], nil),
	}}
}

// retryDetails judges the details of a 429: its window, and the seconds of Retry-After once more.
func retryDetails(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	if x.Response.Status != http.StatusTooManyRequests {
		return nil
	}
	body, _ := decoded.(map[string]any)
	detail, _ := body["error"].(map[string]any)
	details, _ := detail["details"].(map[string]any)
	var found []judge.Violation
	header := judge.Canonical(x.Response.Header).Get("Retry-After")
	var seconds any = json.Number(header)
	if _, err := strconv.Atoi(header); err != nil {
		seconds = details["retry_after"] // the header's schema reports it
	}
	for name, want := range map[string]any{"window": "1m", "retry_after": seconds} {
		if got := details[name]; !reflect.DeepEqual(got, want) {
			found = append(found, judge.Violation{
				Rule: RuleRetryDetails, Pointer: "/error/details/" + name,
				Expected: fmt.Sprint(want), Got: judge.Describe(got, nil),
			})
		}
	}
	return found
}

func validationProblem(where string, problem map[string]any) []judge.Violation {
	var found []judge.Violation
	if loc, ok := problem["loc"].([]any); ok && (len(loc) == 0 || loc[0] != "body" && loc[0] != "header") {
		found = append(found, judge.Violation{
			Rule: RuleDetailLocation, Pointer: where + "/loc", Expected: `a path that begins with "body" or "header"`,
			Got: judge.Describe(judge.ValueAt(loc, []string{"0"}), nil),
		})
	}
	for _, name := range []string{"msg", "type"} {
		if text, ok := problem[name].(string); ok && strings.TrimSpace(text) == "" {
			found = append(found, judge.Violation{Rule: RuleDetailText, Pointer: where + "/" + name,
				Expected: "a text", Got: "a blank string"})
		}
	}
	return append(found, problemWords(where, problem)...)
}

// problemTexts has the types of problems, and how Pydantic 2 words each in strict mode.
var problemTexts = map[string]*regexp.Regexp{
	"string_type": regexp.MustCompile(`^Input should be a valid string$`),
	"bool_type":   regexp.MustCompile(`^Input should be a valid boolean$`),
	"int_type":    regexp.MustCompile(`^Input should be a valid integer$`),
	"dict_type":   regexp.MustCompile(`^Input should be a valid dictionary$`),
	"model_attributes_type": regexp.MustCompile(`^Input should be a valid dictionary or object to extract fields ` +
		`from$`),
	"string_too_short":        regexp.MustCompile(`^String should have at least 1 character$`),
	"string_too_long":         regexp.MustCompile(`^String should have at most [1-9]\d* characters$`),
	"string_pattern_mismatch": regexp.MustCompile(`^String should match pattern '.+'$`),
	"greater_than_equal":      regexp.MustCompile(`^Input should be greater than or equal to -?\d+$`),
	"less_than_equal":         regexp.MustCompile(`^Input should be less than or equal to -?\d+$`),
	"value_error":             regexp.MustCompile(`^(Value error, |value is not a valid email address: ).+$`),
}

// problemWords judges the type of a problem, and whether the message is the one that goes with it.
func problemWords(where string, problem map[string]any) []judge.Violation {
	typ, _ := problem["type"].(string)
	msg, _ := problem["msg"].(string)
	if typ == "" || msg == "" {
		return nil // reported by others
	}
	want, known := problemTexts[typ]
	switch {
	case !known:
		return []judge.Violation{{Rule: RuleDetailText, Pointer: where + "/type", Expected: "a type of Pydantic 2",
			Got: judge.Describe(typ, nil)}}
	case !want.MatchString(msg):
		return []judge.Violation{{Rule: RuleDetailText, Pointer: where + "/msg", Expected: "a match of " +
			want.String(),
			Got: judge.Describe(msg, nil)}}
	default:
		return nil
	}
}

// timestamps judges the times of an organization. It ignores texts that are not times, because the schema reports them.
func timestamps(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	body, ok := decoded.(map[string]any)
	if !ok || x.Response.Status != http.StatusOK {
		return nil
	}
	var found []judge.Violation
	times := map[string]time.Time{}
	for _, name := range []string{"created_at", "updated_at"} {
		text, _ := body[name].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			continue
		}
		times[name] = at
		if !strings.HasSuffix(text, "Z") {
			found = append(found, judge.Violation{Rule: RuleTimestamps, Pointer: "/" + name,
				Expected: "a time in UTC, with Z", Got: judge.Describe(text, nil)})
		}
	}
	if len(times) == 2 && times["updated_at"].Before(times["created_at"]) {
		found = append(found, judge.Violation{
			Rule: RuleTimestamps, Pointer: "/updated_at", Expected: "no time before created_at",
			Got: judge.Describe(body["updated_at"], nil),
		})
	}
	return found
}

// rateLimitHeaders judges the four headers together. All of them or none must be there, and they must not contradict
// each other.
func rateLimitHeaders(_ spec.Operation, x judge.Exchange, _ any) []judge.Violation {
	h := judge.Canonical(x.Response.Header)
	names := []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"}
	var missing []string
	for _, name := range names {
		if len(h.Values(name)) == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) == len(names) {
		return nil
	}
	var found []judge.Violation
	for _, name := range missing {
		found = append(found, judge.Violation{Rule: RuleRateLimitHeaders, Header: name,
			Expected: "all four headers or none", Got: "nothing"})
	}
	if window := h.Get(names[3]); window != "" && window != "60" {
		found = append(found, judge.Violation{Rule: RuleRateLimitHeaders, Header: names[3], Expected: "60",
			Got: judge.Describe(window, nil)})
	}
	limit, errLimit := strconv.Atoi(h.Get(names[0]))
	remaining, errRemaining := strconv.Atoi(h.Get(names[1]))
	most := limit
	if x.Response.Status == http.StatusTooManyRequests {
		most = 0
	}
	if errLimit == nil && errRemaining == nil && remaining > most {
		found = append(found, judge.Violation{Rule: RuleRateLimitHeaders, Header: names[1],
			Expected: fmt.Sprintf("at most %d", most), Got: strconv.Itoa(remaining)})
	}
	return found
}

// credentialEcho reports the caller's own key in the answer, unless the caller sent it in the body.
func credentialEcho(_ spec.Operation, x judge.Exchange, _ any) []judge.Violation {
	token, ok := BearerToken(judge.Canonical(x.Request.Header).Get("Authorization"))
	if !ok || bytes.Contains(x.Request.Body, []byte(token)) {
		return nil
	}
	var found []judge.Violation
	if bytes.Contains(x.Response.Body, []byte(token)) {
		found = append(found, judge.Violation{Rule: RuleCredentialEchoed, Expected: "nothing of the caller's key",
			Got: "the key in the body"})
	}
	h := judge.Canonical(x.Response.Header)
	for name, values := range h {
		if slices.ContainsFunc(values, func(value string) bool { return strings.Contains(value, token) }) {
			found = append(found, judge.Violation{Rule: RuleCredentialEchoed, Header: name,
				Expected: "nothing of the caller's key", Got: "the key"})
		}
	}
	return found
}

// BearerToken returns the key in an Authorization header. It returns false for another scheme, and for keys so short
// that they occur in an answer by chance.
func BearerToken(authorization string) (string, bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && len(token) >= 8
}
