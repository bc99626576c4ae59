package judge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// requestCase is a PATCH and the rules that it breaks; none if it has to be accepted.
type requestCase struct {
	name string
	body string
	want []judge.Rule
}

func rightRequests() []requestCase {
	return []requestCase{
		{"nothing", `{}`, nil},
		{"everything", fixture.WholeUpdate, nil},
		{"everything null", `{"organization_name":null,"billing_email":null,"metadata":null,` +
			`"rate_limits":null,"logo_url":null,"notifications_email":null,"default_llm_credentials":null,` +
			`"rate_limit_overrides":null,"nsfw_check_enabled":null,"nsfw_fail_closed":null}`, nil},
		{"undeclared member", `{"internal_id":"x","account_type":7}`, nil},
		{"undeclared rate limit, as the schema is shared with responses and open",
			`{"rate_limits":{"burst":0,"search":1}}`, nil},
		{"no rate limit", `{"rate_limits":{}}`, nil},
		{"bounds", `{"rate_limits":{"search":1,"data":1000000000}}`, nil},
		{"bounds of overrides", `{"rate_limit_overrides":{"search":1,"data":1000000000}}`, nil},
		{"one limit in two forms", `{"rate_limits":{"search":50},"rate_limit_overrides":{"search":5e1}}`, nil},
		{"limits, and null for the other name", `{"rate_limits":{"search":5},"rate_limit_overrides":null}`, nil},
		{"integer with a point", `{"rate_limits":{"search":5.0}}`, nil},
		{"integer with an exponent", `{"rate_limits":{"search":1E+2}}`, nil},
		{"one character", `{"organization_name":"é"}`, nil},
		{"100 characters beyond the BMP", `{"organization_name":"` + strings.Repeat("😀", 100) + `"}`, nil},
		{"U+FFFD", `{"organization_name":"�\ufffd"}`, nil},
		{"2048 characters", `{"logo_url":"` + strings.Repeat("x", 2048) + `"}`, nil},
		{"any metadata", `{"metadata":{"":null,"a":-1.7976931348623157e308,"c2":1e-999999999,` +
			`"b":1234567890123456789012345,"c":[[{}]],"é":"😀"}}`, nil},
		{"32 levels", `{"metadata":{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}`, nil},
		{"65536 bytes", `{"metadata": { "a" : "` + strings.Repeat("x", 65_536-8) + `" } }`, nil},
		{"white space around", " \r\n\t{} \r\n\t", nil},
	}
}

func wrongRequests() []requestCase {
	schema, format := rules(judge.RuleSchema), rules(judge.RuleSchemaFormat)
	disagree, mail := rules(harness.RuleNamesDisagree), rules(harness.RuleMailHost)
	tooBig := rules(harness.RuleNumberTooBig)
	return []requestCase{
		{"empty", ``, rules(judge.RuleBodyEmpty)},
		{"blank", ` `, rules(judge.RuleBodyBlank)},
		{"null", `null`, schema},
		{"array", `[]`, schema},
		{"text", `"{}"`, schema},
		{"name empty", `{"organization_name":""}`, schema},
		{"name of 101 characters", `{"organization_name":"` + strings.Repeat("é", 101) + `"}`, schema},
		{"name as number", `{"organization_name":1}`, schema},
		{"email", `{"billing_email":"nobody"}`, format},
		{"empty email", `{"notifications_email":""}`, format},
		{"email as object", `{"billing_email":{}}`, schema},
		{"metadata as array", `{"metadata":[]}`, schema},
		{"rate limit 0", `{"rate_limits":{"search":0}}`, schema},
		{"rate limit 1000000001", `{"rate_limits":{"search":1000000001}}`, schema},
		{"override 1000000001", `{"rate_limit_overrides":{"search":1000000001}}`, schema},
		{"override 0", `{"rate_limit_overrides":{"search":0}}`, schema},
		{"NSFW setting as text", `{"nsfw_check_enabled":"true"}`, schema},
		{"two limits", `{"rate_limits":{"search":5},"rate_limit_overrides":{"search":6}}`, disagree},
		{"no limits and a limit", `{"rate_limits":{},"rate_limit_overrides":{"search":6}}`, disagree},
		{"1e400 in metadata", `{"metadata":{"a":1e400}}`, tooBig},
		{"-1e400 deep in metadata", `{"metadata":{"a":[{"b":-1e400}]}}`, tooBig},
		{"email at a reserved host", `{"billing_email":"a@host.test"}`, mail},
		{"email at a reserved label", `{"notifications_email":"a@ab--c.example"}`, mail},
		{"rate limit 1e400", `{"rate_limits":{"search":1e400}}`, schema},
		{"rate limit 1e999999999", `{"rate_limits":{"search":1e999999999}}`, schema},
		{"rate limit 1e-999999999", `{"rate_limits":{"search":1e-999999999}}`, schema},
		{"rate limit 1.5", `{"rate_limits":{"search":1.5}}`, schema},
		{"rate limit that a float64 takes for 1", `{"rate_limits":{"search":1.00000000000000000001}}`, schema},
		{"rate limit null", `{"rate_limits":{"search":null}}`, schema},
		{"logo empty", `{"logo_url":""}`, schema},
		{"logo of 2049 characters", `{"logo_url":"` + strings.Repeat("x", 2049) + `"}`, schema},
		{"credential as number", `{"default_llm_credentials":{"a":1}}`, schema},
		{"credential as null", `{"default_llm_credentials":{"a":null}}`, schema},
		{"cut off", `{`, rules(judge.RuleJSONMalformed)},
		{"two values", `{}{}`, rules(judge.RuleJSONTrailingData)},
		{"twice", `{"metadata":null,"metadata":null}`, rules(judge.RuleJSONDuplicateMember)},
		{"invalid UTF-8", "{\"x\":\"\xff\"}", rules(judge.RuleJSONInvalidUTF8)},
		{"lone surrogate", `{"x":"\ud800"}`, rules(judge.RuleJSONLoneSurrogate)},
		{"33 levels", `{"metadata":{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}}`,
			rules(harness.RuleLimitDepth)},
		{"65537 bytes", `{"metadata":{"a":"` + strings.Repeat("x", 65_537-8) + `"}}`, rules(harness.RuleLimitBytes)},
		{"65537 bytes of credentials", `{"default_llm_credentials":{"a":"` + strings.Repeat("x", 65_537-8) + `"}}`,
			rules(harness.RuleLimitBytes)},
		{"262145 bytes", `{}` + strings.Repeat(" ", 262_143), rules(harness.RuleBodyTooLarge)},
	}
}

// rightPatches are bodies of application/merge-patch+json.
func rightPatches() []requestCase {
	return []requestCase{
		{"nothing", `{}`, nil},
		{"everything", fixture.WholeUpdate, nil},
		{"everything null that may be", `{"billing_email":null,"metadata":null,"rate_limits":null,` +
			`"rate_limit_overrides":null,"logo_url":null,"notifications_email":null,"default_llm_credentials":null,` +
			`"nsfw_check_enabled":null,"nsfw_fail_closed":null}`, nil},
		{"members null", `{"metadata":{"a":null},"rate_limits":{"metadata":null,"data":null,"search":null,` +
			`"upload":null,"compute":null},"default_llm_credentials":{"a":null}}`, nil},
		{"bounds", `{"rate_limits":{"search":1,"data":1000000000}}`, nil},
		{"null in two names", `{"rate_limits":{"search":null},"rate_limit_overrides":{"search":null}}`, nil},
		{"undeclared member", `{"internal_id":null,"rate_limits":{"burst":0}}`, nil},
	}
}

func wrongPatches() []requestCase {
	schema, disagree := rules(judge.RuleSchema), rules(harness.RuleNamesDisagree)
	return []requestCase{
		{"empty", ``, rules(judge.RuleBodyEmpty)},
		{"null", `null`, schema},
		{"array", `[]`, schema},
		{"name null", `{"organization_name":null}`, schema},
		{"name empty", `{"organization_name":""}`, schema},
		{"email", `{"billing_email":"nobody"}`, rules(judge.RuleSchemaFormat)},
		{"rate limit 0", `{"rate_limits":{"search":0}}`, schema},
		{"rate limit 1000000001", `{"rate_limits":{"search":1000000001}}`, schema},
		{"override 1000000001", `{"rate_limit_overrides":{"search":1000000001}}`, schema},
		{"credential as number", `{"default_llm_credentials":{"a":1}}`, schema},
		{"NSFW setting as text", `{"nsfw_fail_closed":"true"}`, schema},
		{"null and no limits", `{"rate_limits":null,"rate_limit_overrides":{}}`, disagree},
		{"null and a limit", `{"rate_limits":{"search":null},"rate_limit_overrides":{"search":1}}`, disagree},
		{"cut off", `{`, rules(judge.RuleJSONMalformed)},
		{"twice", `{"metadata":null,"metadata":null}`, rules(judge.RuleJSONDuplicateMember)},
		{"1e400 in metadata", `{"metadata":{"a":1e400}}`, rules(harness.RuleNumberTooBig)},
		{"email at a reserved host", `{"billing_email":"a@host.test"}`, rules(harness.RuleMailHost)},
		{"33 levels", `{"metadata":{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}}`,
			rules(harness.RuleLimitDepth)},
	}
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	testRequestBodies(t, "application/json", append(rightRequests(), wrongRequests()...))
}

func TestMergePatches(t *testing.T) {
	t.Parallel()
	testRequestBodies(t, harness.MergePatchType, append(rightPatches(), wrongPatches()...))
}

func testRequestBodies(t *testing.T, mediaType string, cases []requestCase) {
	v := harness.Validator()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := fixture.RightExchange(http.MethodPatch, 200)
			x.Request.Header.Set("Content-Type", mediaType)
			x.Request.Body = []byte(c.body)
			if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(v.CheckRequest(x))); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s%s", diff, lines(v.CheckRequest(x)))
			}
			wantSilent(t, v.Without(c.want...).CheckRequest(x))
		})
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	header := func(name string, values ...string) func(*judge.Request) {
		return func(r *judge.Request) {
			delete(r.Header, name)
			if len(values) > 0 {
				r.Header[name] = values
			}
		}
	}
	content, parameter := rules(judge.RuleContentType), rules(judge.RuleParameter)
	cases := []struct {
		name   string
		change func(*judge.Request)
		want   []judge.Rule
	}{
		{"tag", header("If-Match", `"v1"`), nil},
		{"tags", header("If-Match", `"v1", W/"v2" ,"",*`), parameter},
		{"weak tag", header("If-None-Match", `W/"v1"`), nil},
		{"tags in lines", header("If-None-Match", `"v1"`, `"v2"`), nil},
		{"any", header("If-None-Match", `*`), nil},
		{"number", header("If-Match", `123`), parameter},
		{"no quotes", header("If-Match", `v1`), parameter},
		{"no tag at all", header("If-Match", ``), nil},
		{"4097 characters", header("If-Match", `"`+strings.Repeat("x", 4095)+`"`), parameter},
		{"4096 characters", header("If-Match", `"`+strings.Repeat("x", 4094)+`"`), nil},
		{"no key", header("Authorization"), rules(judge.RuleSecurity)},
		{"another scheme", header("Authorization", "Basic abcdefgh"), rules(judge.RuleSecurity)},
		{"undeclared header", header("Traceparent", "x"), nil},
		{"undeclared cookie", header("Cookie", "a=b"), nil},
		{"no content type", header("Content-Type"), content},
		{"charset", header("Content-Type", "application/json; charset=UTF-8"), nil},
		{"case", header("Content-Type", "Application/JSON"), nil},
		{"another charset", header("Content-Type", "application/json; charset=latin1"), content},
		{"merge patch", header("Content-Type", harness.MergePatchType), nil},
		{"merge patch with a charset", header("Content-Type", harness.MergePatchType+"; charset=UTF-8"), nil},
		{"merge patch in another charset", header("Content-Type", harness.MergePatchType+"; charset=latin1"), content},
		{"another patch", header("Content-Type", "application/json-patch+json"), rules(judge.RuleMediaType)},
		{"another type", header("Content-Type", "text/plain"), rules(judge.RuleMediaType)},
		{"another method", func(r *judge.Request) { r.Method = "PUT" }, rules(judge.RuleOperationUndeclared)},
		{"GET with a body", func(r *judge.Request) { r.Method = "GET" }, rules(judge.RuleBodyUndeclared)},
		{"URL that is none", func(r *judge.Request) { r.URL = "%zz" }, rules(judge.RuleOperationUndeclared)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := fixture.RightExchange(http.MethodPatch, 200)
			c.change(&x.Request)
			found := harness.Validator().CheckRequest(x)
			if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(found)); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s%s", diff, lines(found))
			}
			if strings.Contains(lines(found), "abcdefgh") {
				t.Errorf("a credential shows: %s", lines(found))
			}
		})
	}
}

// TestPointer: a refusal points at the broken place, a missing member at where it should be.
func TestPointer(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"rate_limits":{"search":0}}`:            "/rate_limits/search",
		`{"organization_name":7}`:                 "/organization_name",
		`{"default_llm_credentials":{"a/b~c":7}}`: "/default_llm_credentials/a~1b~0c",
		`[]`:                                   "",
		`{"metadata":{"a":[0,{"b":1,"b":1}]}}`: "/metadata/a/1/b",
		`{"metadata":{"a":["\ud800"]}}`:        "/metadata/a/0",
		`{"metadata":{"a":{"b":[[[[[[[[[[[[[[[[[[[[[[[[`: "/metadata/a/b" + strings.Repeat("/0", 24),
	}
	for body, want := range cases {
		x := fixture.RightExchange(http.MethodPatch, 200)
		x.Request.Body = []byte(body)
		found := harness.Validator().CheckRequest(x)
		if len(found) != 1 || found[0].Pointer != want {
			t.Errorf("CheckRequest(%s) = %v, want one violation at %q", body, found, want)
		}
	}
}
