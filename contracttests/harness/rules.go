package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// The rules of this repository's API: what its document says in words, or what clients may take for granted, and no
// schema states.
const (
	RuleErrorStatusMismatch judge.Rule = "error-status-mismatch" // the status in an error is not that of the answer
	RuleSuccessNotFalse     judge.Rule = "success-not-false"
	RuleErrorType           judge.Rule = "error-type" // not the type that goes with the status
	RuleErrorCode           judge.Rule = "error-code" // not a code that goes with the status
	RuleErrorMessageEmpty   judge.Rule = "error-message-empty"
	RuleDetailEmpty         judge.Rule = "detail-empty" // a validation error that names no problem
	RuleDetailLocation      judge.Rule = "detail-location"
	RuleDetailText          judge.Rule = "detail-text"
	RuleTimestamps          judge.Rule = "timestamps" // not UTC, or updated before it was created
	RuleRateLimitHeaders    judge.Rule = "rate-limit-headers"
	RulePrecondition        judge.Rule = "precondition" // the status does not follow from If-Match, If-None-Match and ETag
	RuleCredentialEchoed    judge.Rule = "credential-echoed"

	RuleBodyTooLarge judge.Rule = "body-too-large" // of a request only, as are the limits
	RuleLimitBytes   judge.Rule = "limit-bytes"
	RuleLimitDepth   judge.Rule = "limit-depth"
)

// OrganizationRules returns the rules for responses.
func OrganizationRules() []judge.RuleFunc {
	return []judge.RuleFunc{errorBody, validationBody, timestamps, rateLimitHeaders, precondition, credentialEcho}
}

// OrganizationRequestRules returns the rules for requests: the limits that the document states in words.
func OrganizationRequestRules() []judge.RuleFunc {
	return []judge.RuleFunc{bodyLimits}
}

// errorMeaning says what the document has an error of a status say.
type errorMeaning struct {
	typ   string
	Codes []string
}

func ErrorMeanings() map[int]errorMeaning {
	return map[int]errorMeaning{
		400: {"BadRequestError", []string{"request_malformed", "body_malformed", "body_too_large", "media_type_unsupported"}},
		401: {"UnauthorizedError", []string{"api_key_missing", "api_key_invalid", "api_key_revoked", "api_key_expired"}},
		403: {"ForbiddenError", []string{"permission_required"}},
		404: {"NotFoundError", []string{"organization_not_found", "route_not_found"}},
		412: {"PreconditionFailedError", []string{"version_mismatch"}},
		429: {"TooManyRequestsError", []string{"rate_limited"}},
		500: {"InternalServerError", []string{"internal"}},
		503: {"ServiceUnavailableError", []string{"store_unavailable"}},
	}
}

// errorBody judges an ErrorResponse. Members that are missing or of another type are left to the schema.
func errorBody(_ spec.Operation, x judge.Exchange, decoded any) []judge.Violation {
	body, ok := decoded.(map[string]any)
	if !ok || x.Response.Status < 400 || x.Response.Status == http.StatusUnprocessableEntity {
		return nil
	}
	var found []judge.Violation
	status := strconv.Itoa(x.Response.Status)
	if got, ok := body["status"].(json.Number); ok && got.String() != status {
		found = append(found, judge.Violation{Rule: RuleErrorStatusMismatch, Pointer: "/status", Expected: status, Got: got.String()})
	}
	if success, ok := body["success"].(bool); ok && success {
		found = append(found, judge.Violation{Rule: RuleSuccessNotFalse, Pointer: "/success", Expected: "false", Got: "true"})
	}
	if detail, ok := body["error"].(map[string]any); ok {
		found = append(found, errorDetail(x.Response.Status, detail)...)
	}
	return found
}

func errorDetail(status int, detail map[string]any) []judge.Violation {
	var found []judge.Violation
	if message, ok := detail["message"].(string); ok && strings.TrimSpace(message) == "" {
		found = append(found, judge.Violation{Rule: RuleErrorMessageEmpty, Pointer: "/error/message", Expected: "a message", Got: "a blank string"})
	}
	want, known := ErrorMeanings()[status]
	if !known {
		return found
	}
	if typ, ok := detail["type"].(string); ok && typ != want.typ {
		found = append(found, judge.Violation{Rule: RuleErrorType, Pointer: "/error/type", Expected: want.typ, Got: judge.Describe(typ, nil)})
	}
	if code, ok := detail["code"].(string); ok && !slices.Contains(want.Codes, code) {
		found = append(found, judge.Violation{
			Rule: RuleErrorCode, Pointer: "/error/code", Expected: "one of " + strings.Join(want.Codes, ", "), Got: judge.Describe(code, nil),
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
		return []judge.Violation{{Rule: RuleDetailEmpty, Pointer: "/detail", Expected: "at least one problem", Got: judge.Describe(body["detail"], nil)}}
	}
	var found []judge.Violation
	for i, item := range items {
		if problem, ok := item.(map[string]any); ok {
			found = append(found, validationProblem(judge.Pointer([]string{"detail", strconv.Itoa(i)}), problem)...)
		}
	}
	return found
}

func validationProblem(where string, problem map[string]any) []judge.Violation {
	var found []judge.Violation
	if loc, ok := problem["loc"].([]any); ok && (len(loc) == 0 || loc[0] != "body" && loc[0] != "header") {
		found = append(found, judge.Violation{
			Rule: RuleDetailLocation, Pointer: where + "/loc", Expected: `a path that begins with "body" or "header"`, Got: judge.Describe(judge.ValueAt(loc, []string{"0"}), nil),
		})
	}
	for _, name := range []string{"msg", "type"} {
		if text, ok := problem[name].(string); ok && strings.TrimSpace(text) == "" {
			found = append(found, judge.Violation{Rule: RuleDetailText, Pointer: where + "/" + name, Expected: "a text", Got: "a blank string"})
		}
	}
	return found
}

// timestamps judges the times of an organization. What is no time at all is left to the schema.
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
			found = append(found, judge.Violation{Rule: RuleTimestamps, Pointer: "/" + name, Expected: "a time in UTC, with Z", Got: judge.Describe(text, nil)})
		}
	}
	if len(times) == 2 && times["updated_at"].Before(times["created_at"]) {
		found = append(found, judge.Violation{
			Rule: RuleTimestamps, Pointer: "/updated_at", Expected: "no time before created_at", Got: judge.Describe(body["updated_at"], nil),
		})
	}
	return found
}

// rateLimitHeaders judges the three headers together: all or none, and none that contradicts another.
func rateLimitHeaders(_ spec.Operation, x judge.Exchange, _ any) []judge.Violation {
	h := judge.Canonical(x.Response.Header)
	names := []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
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
		found = append(found, judge.Violation{Rule: RuleRateLimitHeaders, Header: name, Expected: "all three headers or none", Got: "nothing"})
	}
	limit, errLimit := strconv.Atoi(h.Get(names[0]))
	remaining, errRemaining := strconv.Atoi(h.Get(names[1]))
	most := limit
	if x.Response.Status == http.StatusTooManyRequests {
		most = 0
	}
	if errLimit == nil && errRemaining == nil && remaining > most {
		found = append(found, judge.Violation{Rule: RuleRateLimitHeaders, Header: names[1], Expected: fmt.Sprintf("at most %d", most), Got: strconv.Itoa(remaining)})
	}
	return found
}

// credentialEcho finds the caller's own key in the answer, unless the caller had put it into the body.
func credentialEcho(_ spec.Operation, x judge.Exchange, _ any) []judge.Violation {
	token, ok := BearerToken(judge.Canonical(x.Request.Header).Get("Authorization"))
	if !ok || bytes.Contains(x.Request.Body, []byte(token)) {
		return nil
	}
	var found []judge.Violation
	if bytes.Contains(x.Response.Body, []byte(token)) {
		found = append(found, judge.Violation{Rule: RuleCredentialEchoed, Expected: "nothing of the caller's key", Got: "the key in the body"})
	}
	h := judge.Canonical(x.Response.Header)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if strings.Contains(strings.Join(h[name], "\n"), token) {
			found = append(found, judge.Violation{Rule: RuleCredentialEchoed, Header: name, Expected: "nothing of the caller's key", Got: "the key"})
		}
	}
	return found
}

func BearerToken(authorization string) (string, bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && len(token) >= 8 // shorter ones occur by chance
}
