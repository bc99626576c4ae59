package contracttests

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rulesAndMutants names, for each check of the validator that one answer can break, a mutant that no other check of it
// catches.
var rulesAndMutants = []struct {
	rule   Rule
	mutant string
	method string
	status int
}{
	{RuleStatusUndeclared, "status-201", http.MethodPatch, 200},
	{RuleMediaType, "media-type-text", http.MethodGet, 200},
	{RuleContentType, "media-type-latin-1", http.MethodGet, 200},
	{RuleContentLength, "length-wrong", http.MethodGet, 200},
	{RuleBodyEmpty, "body-empty", http.MethodGet, 200},
	{RuleBodyBlank, "body-blank", http.MethodGet, 200},
	{RuleBodyNull, "body-null", http.MethodGet, 200},
	{RuleBodyOn304, "body-with-304", http.MethodGet, 304},
	{RuleJSONMalformed, "body-truncated", http.MethodGet, 200},
	{RuleJSONTrailingData, "body-with-trailing-data", http.MethodGet, 200},
	{RuleJSONInvalidUTF8, "text-not-utf-8", http.MethodGet, 200},
	{RuleJSONLoneSurrogate, "text-half-a-surrogate", http.MethodGet, 200},
	{RuleJSONDuplicateMember, "member-twice", http.MethodGet, 200},
	{RuleJSONNumberInexact, "credits-beyond-precision", http.MethodGet, 200},
	{RuleJSONIntegerForm, "credits-with-point", http.MethodGet, 200},
	{RuleSchema, "credits-text", http.MethodGet, 200},
	{RuleSchemaFormat, "email-malformed", http.MethodGet, 200},
	{RulePropertyUndeclared, "internal-id-member", http.MethodGet, 200},
	{RuleDateTimeForm, "time-in-lower-case", http.MethodGet, 200},
	{RuleHeaderMissing, "tag-missing", http.MethodGet, 200},
	{RuleHeaderRepeated, "cache-control-twice", http.MethodGet, 200},
	{RuleHeaderType, "retry-after-text", http.MethodGet, 429},
	{RuleHeaderSchema, "tag-weak", http.MethodPatch, 200},
	{RuleHeaderUndeclared, "header-cookie", http.MethodGet, 200},
	{RuleHeaderValue, "request-id-with-blank", http.MethodGet, 200},
	{RuleErrorStatusMismatch, "error-status-differs", http.MethodGet, 401},
	{RuleSuccessNotFalse, "success-true", http.MethodGet, 401},
	{RuleErrorType, "error-type-of-another", http.MethodPatch, 403},
	{RuleErrorCode, "error-code-undeclared", http.MethodGet, 401},
	{RuleErrorMessageEmpty, "error-message-empty", http.MethodGet, 401},
	{RuleDetailEmpty, "detail-empty", http.MethodPatch, 422},
	{RuleDetailLocation, "problem-location-of-query", http.MethodPatch, 422},
	{RuleDetailText, "problem-message-empty", http.MethodPatch, 422},
	{RuleTimestamps, "updated-before-created", http.MethodGet, 200},
	{RuleRateLimitHeaders, "remaining-missing", http.MethodGet, 200},
	{RulePrecondition, "tag-of-304-differs", http.MethodGet, 304},
	{RuleCredentialEchoed, "key-in-header", http.MethodGet, 200},
}

// TestEachRuleCounts takes the checks of the validator away one by one: each time a mutant that was caught gets through.
func TestEachRuleCounts(t *testing.T) {
	t.Parallel()
	mutants := Mutants()
	for _, c := range rulesAndMutants {
		t.Run(string(c.rule), func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(mutants, func(m Mutant) bool { return m.Name == c.mutant })
			if i < 0 {
				t.Fatalf("there is no mutant %s", c.mutant)
			}
			right := rightExchange(c.method, c.status)
			check := Check{Name: "one exchange", Run: func(s *Session) { s.Send(right.Request) }}
			subject := cannedSubject(mutants[i], right.Response)
			if failures := Run(t.Context(), subject, check); len(failures) == 0 {
				t.Errorf("the validator does not catch %s", c.mutant)
			}
			subject.Validator = subject.Validator.without(c.rule)
			for _, failure := range Run(t.Context(), subject, check) {
				t.Errorf("without the rule %s is still caught: %s", c.mutant, failure)
			}
		})
	}
}

// cannedSubject is a service that gives one right answer, with a mutant before it.
func cannedSubject(mutant Mutant, answer Response) *Subject {
	canned := func(answer Response) Target {
		return TargetFunc(func(context.Context, Request) (Response, error) {
			answer := answer
			answer.Header = answer.Header.Clone()
			return answer, nil
		})
	}
	world := &World{Direct: canned(rightExchange(http.MethodGet, http.StatusOK).Response)}
	return &Subject{Name: mutant.Name, Target: mutant.Wrap(world, canned(answer)), Validator: organizationValidator()}
}

// TestCannedServiceIsRight: what the mutants are stood before has no fault of its own.
func TestCannedServiceIsRight(t *testing.T) {
	t.Parallel()
	for _, mutant := range HarmlessMutants() {
		for _, c := range rulesAndMutants {
			right := rightExchange(c.method, c.status)
			subject := cannedSubject(mutant, right.Response)
			check := Check{Name: mutant.Name, Run: func(s *Session) { s.Send(right.Request) }}
			for _, failure := range Run(t.Context(), subject, check) {
				t.Errorf("%s %d: %s", c.method, c.status, failure)
			}
		}
	}
}

// TestMutantsLeaveOthersAlone: a mutant that is about some requests passes all others on as they are, and their answers
// back.
func TestMutantsLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	get, patch := rightExchange(http.MethodGet, http.StatusOK), rightExchange(http.MethodPatch, http.StatusOK)
	patch.Request.Body = []byte(` {"organization_name": "Northwind", "metadata": {"b":[1.50], "a":1} , "rate_limits":{"data":7}} `)
	for _, mutant := range Mutants() {
		particular := mutant.Group == GroupAcceptance || mutant.Group == GroupSecurity
		if !particular || mutant.Name == "key-in-header" { // which is about every answer
			continue
		}
		for _, x := range []Exchange{get, patch} {
			var passed Request
			answer := TargetFunc(func(_ context.Context, r Request) (Response, error) {
				passed = r
				return x.Response, nil
			})
			got, err := mutant.Wrap(&World{Direct: answer}, answer).Send(t.Context(), x.Request)
			if diff := cmp.Diff(x, Exchange{passed, got}); diff != "" || err != nil {
				t.Errorf("%s changes a %s that it is not about (-want +got): %v\n%s", mutant.Name, x.Request.Method, err, diff)
			}
		}
	}
}
