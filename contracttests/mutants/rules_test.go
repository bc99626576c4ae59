package mutants

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// HarmlessMutants returns mutants that change nothing, each in one of the ways in which the others work. A suite that
// catches one of them has caught the tool and not a departure.
func HarmlessMutants() []Mutant {
	rebuild := func(body []byte) []byte {
		if o, ok := readRawObject(body); ok && len(body) <= harness.MaxBodyBytes {
			return o.text()
		}
		return body
	}
	return group("", []mutant{
		{"harmless-pass", "passes everything on", sends((*call).send)},
		{"harmless-request", "copies requests", requests(func(*call) {})},
		{"harmless-answer", "copies answers", answers(func(*call, *judge.Response) {})},
		{"harmless-members", "takes organizations apart and puts them together", answerText(onAll, rebuild)},
		{"harmless-update", "takes updates apart and puts them together", updateText(rebuild)},
		{"harmless-tags", "translates tags to themselves",
			retagging(func(_ *call, _ rawObject, tag string) string { return tag })},
		{"harmless-loss", "looks at every update and loses nothing", losing()},
		{"harmless-replay", "answers reads with the record of before that is still the same",
			knowing(func(c *call, out *judge.Response) {
				if len(c.before) > 0 && c.Method == http.MethodGet && out.Status == http.StatusOK &&
					tagOf(*out) == c.tagBefore {
					(&shown{body: c.before.text(), tag: c.tagBefore}).put(out)
				}
			})},
	})
}

// rulesAndMutants names a mutant for each rule of the validator that one answer can break. No other rule catches the
// mutant.
var rulesAndMutants = []struct {
	rule   judge.Rule
	mutant string
	method string
	status int
}{
	{judge.RuleStatusUndeclared, "status-201", http.MethodPatch, 200},
	{judge.RuleMediaType, "media-type-problem", http.MethodGet, 401},
	{judge.RuleContentType, "media-type-latin-1", http.MethodGet, 200},
	{judge.RuleContentLength, "length-wrong", http.MethodGet, 200},
	{judge.RuleBodyEmpty, "body-empty", http.MethodGet, 200},
	{judge.RuleBodyBlank, "body-blank", http.MethodGet, 200},
	{judge.RuleBodyNull, "body-null", http.MethodGet, 200},
	{judge.RuleBodyOn304, "body-with-304", http.MethodGet, 304},
	{judge.RuleJSONMalformed, "not-a-number", http.MethodGet, 200},
	{judge.RuleJSONTrailingData, "body-with-trailing-data", http.MethodGet, 200},
	{judge.RuleJSONInvalidUTF8, "text-not-utf-8", http.MethodGet, 200},
	{judge.RuleJSONLoneSurrogate, "text-half-a-surrogate", http.MethodGet, 200},
	{judge.RuleJSONDuplicateMember, "limit-twice", http.MethodGet, 200},
	{judge.RuleJSONNumberInexact, "credits-beyond-precision", http.MethodGet, 200},
	{judge.RuleJSONIntegerForm, "credits-with-point", http.MethodGet, 200},
	{judge.RuleSchema, "credits-text", http.MethodGet, 200},
	{judge.RuleSchemaFormat, "email-malformed", http.MethodGet, 200},
	{judge.RulePropertyUndeclared, "null-member", http.MethodGet, 200},
	{judge.RuleDateTimeForm, "time-in-lower-case", http.MethodGet, 200},
	{judge.RuleHeaderMissing, "tag-missing", http.MethodGet, 200},
	{judge.RuleHeaderRepeated, "cache-control-twice", http.MethodGet, 200},
	{judge.RuleHeaderType, "retry-after-text", http.MethodGet, 429},
	{judge.RuleHeaderSchema, "tag-weak", http.MethodPatch, 200},
	{judge.RuleHeaderUndeclared, "header-cookie", http.MethodGet, 200},
	{judge.RuleHeaderValue, "request-id-with-blank", http.MethodGet, 200},
	{harness.RuleErrorStatusMismatch, "error-status-differs", http.MethodGet, 401},
	{harness.RuleSuccessNotFalse, "success-true", http.MethodGet, 401},
	{harness.RuleErrorType, "error-type-of-another", http.MethodPatch, 403},
	{harness.RuleErrorCode, "error-code-undeclared", http.MethodGet, 401},
	{harness.RuleErrorMessageEmpty, "error-message-empty", http.MethodGet, 401},
	{harness.RuleDetailEmpty, "detail-empty", http.MethodPatch, 422},
	{harness.RuleDetailLocation, "problem-location-of-query", http.MethodPatch, 422},
	{harness.RuleDetailText, "problem-message-empty", http.MethodPatch, 422},
	{harness.RuleDetailTwice, "validation-errors-cut", http.MethodPatch, 422},
	{harness.RuleRetryDetails, "window-in-seconds", http.MethodGet, 429},
	{harness.RuleTimestamps, "updated-before-created", http.MethodGet, 200},
	{harness.RuleRateLimitHeaders, "remaining-missing", http.MethodGet, 200},
	{harness.RulePrecondition, "tag-of-304-differs", http.MethodGet, 304},
	{harness.RuleCredentialEchoed, "key-in-header", http.MethodGet, 200},
}

// TestEachRuleCounts takes the rules of the validator away one by one. Each time a mutant that was caught gets through.
func TestEachRuleCounts(t *testing.T) {
	t.Parallel()
	mutants := All()
	for _, c := range rulesAndMutants {
		t.Run(string(c.rule), func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(mutants, func(m Mutant) bool { return m.Name == c.mutant })
			if i < 0 {
				t.Fatalf("there is no mutant %s", c.mutant)
			}
			right := fixture.RightExchange(c.method, c.status)
			check := harness.Check{Name: "one exchange", Run: func(s *harness.Session) { s.Send(right.Request) }}
			subject := cannedSubject(mutants[i], right.Response)
			if failures := harness.Run(t.Context(), subject, check); len(failures) == 0 {
				t.Errorf("the validator does not catch %s", c.mutant)
			}
			subject.Validator = subject.Validator.Without(c.rule)
			for _, failure := range harness.Run(t.Context(), subject, check) {
				t.Errorf("without the rule %s is still caught: %s", c.mutant, failure)
			}
		})
	}
}

// TestMembersAreJudged spoils each member of an organization and each header of an answer by itself. No member may have
// another type, and no required one and no header may be left out.
func TestMembersAreJudged(t *testing.T) {
	t.Parallel()
	judged := func(name string, wrap mutation, method string, status int) {
		right := fixture.RightExchange(method, status)
		check := harness.Check{Name: name, Run: func(s *harness.Session) { s.Send(right.Request) }}
		subject := cannedSubject(Mutant{Name: name, Wrap: wrap}, right.Response)
		if failures := harness.Run(t.Context(), subject, check); len(failures) == 0 {
			t.Errorf("%s %d: nothing is wrong with %s", method, status, name)
		}
	}
	for _, name := range declared().required {
		judged(name+" missing", record(without(name)), http.MethodGet, http.StatusOK)
	}
	for _, name := range declared().members {
		judged(name+" of another type", record(with(name, "[[]]")), http.MethodGet, http.StatusOK)
	}
	for _, c := range rulesAndMutants {
		for name := range fixture.RightExchange(c.method, c.status).Response.Header {
			if name != "Date" && name != "Content-Length" { // which belong to HTTP, not to the document
				judged(name+" missing", answerHeader(onAll, name), c.method, c.status)
			}
		}
	}
}

// cannedSubject is a service that gives one right answer, with a mutant before it.
func cannedSubject(mutant Mutant, answer judge.Response) *harness.Subject {
	canned := func(answer judge.Response) harness.Target {
		return harness.TargetFunc(func(context.Context, judge.Request) (judge.Response, error) {
			answer := answer
			answer.Header = answer.Header.Clone()
			return answer, nil
		})
	}
	world := &World{Direct: canned(fixture.RightExchange(http.MethodGet, http.StatusOK).Response)}
	return &harness.Subject{Name: mutant.Name, Target: mutant.Wrap(world, canned(answer)),
		Validator: harness.Validator()}
}

// TestCannedServiceIsRight: the canned service that the mutants are put in front of has no fault of its own.
func TestCannedServiceIsRight(t *testing.T) {
	t.Parallel()
	for _, mutant := range HarmlessMutants() {
		for _, c := range rulesAndMutants {
			right := fixture.RightExchange(c.method, c.status)
			subject := cannedSubject(mutant, right.Response)
			check := harness.Check{Name: mutant.Name, Run: func(s *harness.Session) { s.Send(right.Request) }}
			for _, failure := range harness.Run(t.Context(), subject, check) {
				t.Errorf("%s %d: %s", c.method, c.status, failure)
			}
		}
	}
}

// TestMutantsLeaveOthersAlone: a mutant that is about some requests changes nothing of the others and of their answers.
func TestMutantsLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	get, patch := fixture.RightExchange(http.MethodGet, http.StatusOK),
		fixture.RightExchange(http.MethodPatch, http.StatusOK)
	patch.Request.Body = []byte(` {"organization_name": "Northwind", "metadata": {"b":[1.50], "a":1} , ` +
		`"rate_limits":{"data":7}} `)
	for _, mutant := range All() {
		particular := mutant.Group == GroupAcceptance || mutant.Group == GroupSecurity
		if !particular || mutant.Name == "key-in-header" { // which is about every answer
			continue
		}
		for _, x := range []judge.Exchange{get, patch} {
			var passed judge.Request
			answer := harness.TargetFunc(func(_ context.Context, r judge.Request) (judge.Response, error) {
				passed = r
				return x.Response, nil
			})
			got, err := mutant.Wrap(&World{Direct: answer}, answer).Send(t.Context(), x.Request)
			if diff := cmp.Diff(x, judge.Exchange{Request: passed, Response: got}); diff != "" || err != nil {
				t.Errorf("%s changes a %s that it is not about (-want +got): %v\n%s", mutant.Name, x.Request.Method,
					err, diff)
			}
		}
	}
}
