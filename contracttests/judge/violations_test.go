package judge_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// wrongCase is one departure of a response and the rules that it breaks, no more and no less.
type wrongCase struct {
	name   string
	status int
	change fixture.ExchangeChange
	want   []judge.Rule
}

func wrongCases() []wrongCase {
	return slices.Concat(wrongMembers(), wrongValues(), wrongEnvelopes(), wrongJSON(), wrongHTTP(), wrongHeaders(),
		wrongMeanings())
}

// TestWrong: each departure is found by its own rule, in GET and PATCH alike, and only by that: without the check for
// the rule it passes.
func TestWrong(t *testing.T) {
	t.Parallel()
	cases := wrongCases()
	if len(cases) < 100 {
		t.Errorf("%d cases, want 100 at least", len(cases))
	}
	v := harness.Validator()
	for i, c := range cases {
		t.Run(strconv.Itoa(i)+" "+c.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodPatch} {
				if !slices.Contains(fixture.DeclaredStatuses(method), c.status) {
					continue
				}
				x := fixture.RightExchange(method, c.status)
				c.change(t, &x)
				if diff := cmp.Diff(c.want, fixture.RulesOf(v.Check(x))); diff != "" {
					t.Errorf("%s: broken rules (-want +got):\n%s%s", method, diff, lines(v.Check(x)))
				}
				wantSilent(t, v.Without(c.want...).Check(x))
			}
		})
	}
}

// TestEveryRuleIsBroken: there is no check that no case needs.
func TestEveryRuleIsBroken(t *testing.T) {
	t.Parallel()
	broken := map[judge.Rule]bool{
		judge.RuleParameter: true, judge.RuleSecurity: true, // TestRequestHeaders
		judge.RuleBodyUnreadable: true,                                                                 // TestRoundTripperBrokenBody
		judge.RuleBodyOn204:      true, judge.RuleBodyUndeclared: true, judge.RuleBodyNotDecoded: true, // TestForeign
		judge.RuleMemberWriteOnly: true, judge.RuleMore: true, // TestKinds, TestManyViolations
	}
	for _, c := range wrongCases() {
		for _, rule := range c.want {
			broken[rule] = true
		}
	}
	for _, c := range slices.Concat(wrongRequests(), wrongPatches()) {
		for _, rule := range c.want {
			broken[rule] = true
		}
	}
	for _, rule := range declaredRules(t) {
		if !broken[rule] {
			t.Errorf("no case breaks the rule %s", rule)
		}
	}
}

// declaredRules reads the rules from the source, so that none can be forgotten here.
func declaredRules(t *testing.T) []judge.Rule {
	t.Helper()
	var rules []judge.Rule
	for _, file := range []string{"violation.go", "../harness/rules.go", "../harness/requests.go"} {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Rule") {
				return true
			}
			name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, judge.Rule(name))
			return true
		})
	}
	if len(rules) < 40 {
		t.Fatalf("only %d rules were read", len(rules))
	}
	return rules
}

// TestViolation: what a report says, word for word.
func TestViolation(t *testing.T) {
	t.Parallel()
	const get = "get_organization_v1_organizations_get "
	cases := []struct {
		status int
		change fixture.ExchangeChange
		want   []string
	}{
		{200, fixture.WithMember(`"internal_id":"int_7"`), []string{
			get + `200: property-undeclared at /internal_id: got a string of 5 bytes, want no such member`,
		}},
		{200, fixture.InOrder(fixture.WithSwap(`"search":60`, `"search":0`),
			fixture.WithSwap(`,"credit_count":100000`, ``)), []string{
			get + `200: schema at /credit_count: got nothing, want a value`,
			get + `200: schema at /rate_limits/search: got 0, want at least 1`,
		}},
		{200, fixture.WithSwap(`"https://logo.example/x"`, `{"a":1}`), []string{
			get + `200: schema at /logo_url: got an object of 1 member, want null or string`,
		}},
		{200, fixture.WithSwap(`"billing@northwind.example"`, `"nobody"`), []string{
			get + `200: schema-format at /billing_email: got "nobody", want the format email`,
		}},
		{200, fixture.WithSwap(`"sk-abcdefgh"`, `17`), []string{
			get + `200: schema at /default_llm_credentials/open.ai: got a number, want string`,
		}},
		{200, fixture.WithHeader("X-RateLimit-Reset", "soon"), []string{
			get + `200: header-type at header X-RateLimit-Reset: got "soon", want integer`,
		}},
		{418, fixture.WithBody(""), []string{
			get + `418: status-undeclared: got 418, want one of 200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503`,
		}},
		{401, fixture.WithSwap(`"status":401`, `"status":403`), []string{
			get + `401: error-status-mismatch at /status: got 403, want 401`,
		}},
	}
	for _, c := range cases {
		x := fixture.RightExchange(http.MethodGet, c.status)
		c.change(t, &x)
		got := []string{}
		for _, v := range harness.Validator().Check(x) {
			got = append(got, v.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("violations (-want +got):\n%s", diff)
		}
	}
}

// TestViolationIsFitToShow: however wrong a response is, a report stays short, on one line, and free of credentials.
func TestViolationIsFitToShow(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é\n", 100_000)
	changes := map[string]fixture.ExchangeChange{
		"long text":       fixture.WithSwap(`"pro"`, fmt.Sprintf("%q", long)),
		"long name":       fixture.WithMember(fmt.Sprintf(`%q:1`, long)),
		"key as value":    fixture.WithSwap(`"pro"`, `"sk_live_zzzzzzzzzzzz"`),
		"key as name":     fixture.WithMember(`"sk_live_zzzzzzzzzzzz":1`),
		"key undeclared":  fixture.WithMember(`"token":"zzzzzzzzzzzz"`),
		"key in a header": fixture.WithHeader("X-Key", "sk_live_zzzzzzzzzzzz"),
		"key in another":  fixture.WithHeader("Cache-Control", "Bearer zzzzzzzzzzzz"),
		"credential":      fixture.WithSwap(`"sk-abcdefgh"`, `["zzzzzzzzzzzz"]`),
		"escapes":         fixture.WithSwap(`"pro"`, `"\u001b[31m\u2028"`),
		"long header":     fixture.WithHeader("ETag", long),
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := fixture.RightExchange(http.MethodGet, 200)
			change(t, &x)
			found := harness.Validator().Check(x)
			if len(found) == 0 {
				t.Error("no violation")
			}
			for _, v := range found {
				text := v.String()
				if len(text) > 700 || strings.ContainsAny(text, "\n\x1b\u2028") || strings.Contains(text, "zzzz") {
					t.Errorf("%d bytes: %q", len(text), text)
				}
			}
		})
	}
}

func lines(found []judge.Violation) string {
	var out strings.Builder
	for _, v := range found {
		out.WriteString("\t" + v.String() + "\n")
	}
	return out.String()
}

func rules(rules ...judge.Rule) []judge.Rule { return rules }

// problem is one problem of a 422, each part as JSON. A part that is "" is left out.
type problem struct{ loc, msg, typ string }

// tooSmall is the problem of fixture.ValidationError.
var tooSmall = problem{`["body","rate_limits","data"]`, `"Input should be greater than or equal to 1"`, `"greater_than_equal"`}

// withProblems replaces the problems of a 422, in both of its shapes.
func withProblems(problems ...problem) fixture.ExchangeChange {
	return withTwoLists(problems, problems)
}

// withTwoLists replaces the problems of a 422: those of detail, and those of error.details.validation_errors.
func withTwoLists(detail, listed []problem) fixture.ExchangeChange {
	list := func(problems []problem, loc, msg, typ string) string {
		var items []string
		for _, p := range problems {
			var members []string
			for _, m := range [][2]string{{loc, p.loc}, {msg, p.msg}, {typ, p.typ}} {
				if m[1] != "" {
					members = append(members, `"`+m[0]+`":`+m[1])
				}
			}
			items = append(items, "{"+strings.Join(members, ",")+"}")
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return fixture.InOrder(
		fixture.WithSwap(
			`[{"type":"greater_than_equal","location":["body","rate_limits","data"],`+
				`"message":"Input should be greater than or equal to 1"}]`,
			list(listed, "location", "message", "type"),
		),
		fixture.WithSwap(detailOfOne, list(detail, "loc", "msg", "type")),
	)
}

// detailOfOne is the detail of fixture.ValidationError.
const detailOfOne = `[{"loc":["body","rate_limits","data"],` +
	`"msg":"Input should be greater than or equal to 1","type":"greater_than_equal"}]`

// withDetail replaces detail by a value that lists nothing, and empties the second list.
func withDetail(value string) fixture.ExchangeChange {
	return fixture.InOrder(withProblems(), fixture.WithSwap(`"detail":[]`, `"detail":`+value))
}

// wrongMembers: members that are missing, undeclared, or null where they must not be.
func wrongMembers() []wrongCase {
	var cases []wrongCase
	required := map[string]string{
		"organization_id": `"organization_id":"org_1",`, "organization_name": `"organization_name":"Northwind",`,
		"account_type": `"account_type":"pro",`, "credit_count": `"credit_count":100000,`,
		"created_at":  `"created_at":"2026-01-05T09:30:00.000000Z",`,
		"updated_at":  `"updated_at":"2026-01-05T09:30:00.000000Z",`,
		"rate_limits": `"rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},`,
	}
	for _, name := range slices.Sorted(maps.Keys(required)) {
		cases = append(cases, wrongCase{"without " + name, 200, fixture.WithSwap(required[name], ""),
			rules(judge.RuleSchema)})
	}
	notNull := []string{
		`"organization_id":"org_1"`, `"organization_name":"Northwind"`, `"account_type":"pro"`, `"credit_count":100000`,
		`"auto_billing_enabled":false`, `"billing_cycle_start":1`, `"current_month_usage":0`,
		`"metadata":{"region":"eu"}`,
		`"nsfw_check_enabled":true`, `"nsfw_fail_closed":false`,
		`"default_llm_credentials":{"open.ai":"sk-abcdefgh"}`, `"created_at":"2026-01-05T09:30:00.000000Z"`,
		`"data":60`,
	}
	for _, text := range notNull {
		name, _, _ := strings.Cut(text, ":")
		cases = append(cases, wrongCase{"null " + name, 200, fixture.WithSwap(text, name+":null"),
			rules(judge.RuleSchema)})
	}
	undeclared := rules(judge.RulePropertyUndeclared)
	return append(cases,
		wrongCase{"internal_id", 200, fixture.WithMember(`"internal_id":"int_1"`), undeclared},
		wrongCase{"null internal_id", 200, fixture.WithMember(`"internal_id":null`), undeclared},
		wrongCase{"empty name", 200, fixture.WithMember(`"":1`), undeclared},
		wrongCase{"case variant", 200, fixture.WithMember(`"Organization_id":"org_1"`), undeclared},
		wrongCase{"undeclared rate limit", 200, fixture.WithSwap(`"data":60`, `"data":60,"burst":1`), undeclared},
		wrongCase{"undeclared in an error", 401, fixture.WithSwap(`"details":null`, `"details":null,"stack":"x"`),
			undeclared},
		wrongCase{"undeclared beside an error", 401, fixture.WithMember(`"trace":"x"`), undeclared},
		wrongCase{"undeclared in a problem", 422, fixture.WithSwap(`{"loc":`, `{"input":"x","loc":`), undeclared},
		wrongCase{
			"undeclared in the error of a 422", 422, fixture.WithSwap(`"code":`, `"stack":"x","code":`), undeclared,
		},
		wrongCase{"undeclared beside problems", 422, fixture.WithMember(`"body":{}`), undeclared},
		wrongCase{"the whole body once more", 200, fixture.WithMember(`"data":` + fixture.WholeOrganization),
			undeclared},
		wrongCase{"error without status", 401, fixture.WithSwap(`"status":401,`, ``), rules(judge.RuleSchema)},
		wrongCase{"error without message", 401, fixture.WithSwap(`"message":"It failed.",`, ``),
			rules(judge.RuleSchema)},
		wrongCase{"error without type", 401, fixture.WithSwap(`"type":"UnauthorizedError",`, ``),
			rules(judge.RuleSchema)},
		wrongCase{"error is null", 401, fixture.WithBody(`{"success":false,"status":401,"error":null}`),
			rules(judge.RuleSchema)},
		wrongCase{"success is null", 401, fixture.WithSwap(`"success":false`, `"success":null`),
			rules(judge.RuleSchema)},
		wrongCase{
			"problem without loc", 422, withProblems(problem{"", tooSmall.msg, tooSmall.typ}),
			rules(judge.RuleSchema),
		},
		wrongCase{
			"problem without msg", 422, withProblems(problem{tooSmall.loc, "", tooSmall.typ}),
			rules(judge.RuleSchema),
		},
		wrongCase{
			"problem without type", 422, withProblems(problem{tooSmall.loc, tooSmall.msg, ""}),
			rules(judge.RuleSchema),
		},
		wrongCase{
			"error of a 422 without message", 422, fixture.WithSwap(`"message":"It does not fit.",`, ``),
			rules(judge.RuleSchema),
		},
	)
}

// wrongValues: values of the wrong type, format or size.
func wrongValues() []wrongCase {
	schema, format := rules(judge.RuleSchema), rules(judge.RuleSchemaFormat)
	created := func(text string) fixture.ExchangeChange {
		return fixture.WithSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"`+text+`"`)
	}
	billing := func(text string) fixture.ExchangeChange { return fixture.WithSwap(`billing@northwind.example`, text) }
	return []wrongCase{
		{"number as id", 200, fixture.WithSwap(`"org_1"`, `1`), schema},
		{"boolean as name", 200, fixture.WithSwap(`"Northwind"`, `true`), schema},
		{"number as logo", 200, fixture.WithSwap(`"https://logo.example/x"`, `1`), schema},
		{"array as logo", 200, fixture.WithSwap(`"https://logo.example/x"`, `[]`), schema},
		{"tier that is none", 200, fixture.WithSwap(`"pro"`, `"platinum"`), schema},
		{"tier in another case", 200, fixture.WithSwap(`"pro"`, `"Pro"`), schema},
		{"tier as number", 200, fixture.WithSwap(`"pro"`, `1`), schema},
		{"credits as text", 200, fixture.WithSwap(`100000`, `"100000"`), schema},
		{"credits with a fraction", 200, fixture.WithSwap(`100000`, `1.5`), schema},
		{"metadata as array", 200, fixture.WithSwap(`{"region":"eu"}`, `[]`), schema},
		{"metadata as text", 200, fixture.WithSwap(`{"region":"eu"}`, `"{}"`), schema},
		{"email as number", 200, fixture.WithSwap(`"billing@northwind.example"`, `1`), schema},
		{"email without @", 200, billing("billing"), format},
		{"email without a local part", 200, billing(" @northwind.example"), format},
		{"empty email", 200, billing(""), format},
		{"rate limits as array", 200, fixture.WithSwap(`"metadata":100,"data":60,"search":60,"upload":30,"compute":30`,
			`"data":[]`), schema},
		{"rate limit 0", 200, fixture.WithSwap(`"data":60`, `"data":0`), schema},
		{"rate limit -1", 200, fixture.WithSwap(`"data":60`, `"data":-1`), schema},
		{"rate limit -1000001", 200, fixture.WithSwap(`"data":60`, `"data":-1000001`), schema},
		{"rate limit as text", 200, fixture.WithSwap(`"data":60`, `"data":"60"`), schema},
		{"rate limit with a fraction", 200, fixture.WithSwap(`"data":60`, `"data":60.5`), schema},
		{"text as boolean", 200, fixture.WithSwap(`"auto_billing_enabled":false`, `"auto_billing_enabled":"false"`),
			schema},
		{"0 as boolean", 200, fixture.WithSwap(`"auto_billing_enabled":false`, `"auto_billing_enabled":0`), schema},
		{
			"text as NSFW setting", 200, fixture.WithSwap(`"nsfw_fail_closed":false`, `"nsfw_fail_closed":"false"`),
			schema,
		},
		{"cycle as text", 200, fixture.WithSwap(`"billing_cycle_start":1`, `"billing_cycle_start":"1"`), schema},
		{"usage as boolean", 200, fixture.WithSwap(`"current_month_usage":0`, `"current_month_usage":false`), schema},
		{"users as object", 200, fixture.WithSwap(`[{"name":"Ada"}]`, `{}`), schema},
		{"user as text", 200, fixture.WithSwap(`[{"name":"Ada"}]`, `["Ada"]`), schema},
		{"user as null", 200, fixture.WithSwap(`[{"name":"Ada"}]`, `[null]`), schema},
		{"provider id as number", 200, fixture.WithSwap(`"ext_1"`, `1`), schema},
		{"credential as null", 200, fixture.WithSwap(`"sk-abcdefgh"`, `null`), schema},
		{"credential as number", 200, fixture.WithSwap(`"sk-abcdefgh"`, `1`), schema},
		{"API URL as boolean", 200, fixture.WithSwap(`"https://api.example"`, `false`), schema},
		{"time as number", 200, fixture.WithSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`,
			`"created_at":1767605400`), schema},
		{"time without a zone", 200, created("2026-01-05T09:30:00"), format},
		{"time with a blank for T", 200, created("2026-01-05 09:30:00Z"), format},
		{"date alone", 200, created("2026-01-05"), format},
		{"month 13", 200, created("2026-13-05T09:30:00Z"), format},
		{"no time at all", 200, created("now"), format},
		{"error status as text", 401, fixture.WithSwap(`"status":401`, `"status":"401"`), schema},
		{"success as text", 401, fixture.WithSwap(`"success":false`, `"success":"false"`), schema},
		{"error as text", 401, fixture.WithBody(`{"status":401,"error":"It failed."}`), schema},
		{"message as number", 401, fixture.WithSwap(`"It failed."`, `1`), schema},
		{"code as number", 401, fixture.WithSwap(`"api_key_missing"`, `1`), schema},
		{"details as text", 401, fixture.WithSwap(`"details":null`, `"details":"x"`), schema},
		{"detail as object", 422, withDetail(`{}`), schema},
		{"detail as text", 422, withDetail(`"It failed."`), schema},
		{"loc as text", 422, withProblems(problem{`"body"`, tooSmall.msg, tooSmall.typ}), schema},
		{"boolean in loc", 422, withProblems(problem{`["body",true]`, tooSmall.msg, tooSmall.typ}), schema},
		{"fraction in loc", 422, withProblems(problem{`["body",0.5]`, tooSmall.msg, tooSmall.typ}), schema},
		{"msg as null", 422, withProblems(problem{tooSmall.loc, `null`, tooSmall.typ}), schema},
	}
}

// wrongEnvelopes: bodies of another kind than is due.
func wrongEnvelopes() []wrongCase {
	both := rules(judge.RulePropertyUndeclared, judge.RuleSchema)
	another := []judge.Rule{harness.RuleErrorCode, harness.RuleErrorStatusMismatch, harness.RuleErrorType}
	return []wrongCase{
		{"wrapped", 200, fixture.WithBody(`{"data":` + fixture.WholeOrganization + `}`), both},
		{"in an array", 200, fixture.WithBody(`[` + fixture.WholeOrganization + `]`), rules(judge.RuleSchema)},
		{"as text", 200, fixture.WithBody(strconv.Quote(fixture.WholeOrganization)), rules(judge.RuleSchema)},
		{"empty object", 200, fixture.WithBody(`{}`), rules(judge.RuleSchema)},
		{"error with 200", 200, fixture.WithBody(fixture.ErrorJSON(400)), both},
		{"organization with 401", 401, fixture.WithBody(fixture.WholeOrganization), both},
		{
			"validation error with 400", 400, fixture.WithBody(fixture.ValidationError),
			append(another, judge.RulePropertyUndeclared),
		},
		{
			"error with 422", 422, fixture.WithBody(fixture.ErrorJSON(400)),
			slices.Concat(rules(harness.RuleDetailEmpty), another),
		},
		{"envelope alone with 422", 422, fixture.WithBody(fixture.ErrorJSON(422)), rules(harness.RuleDetailEmpty)},
		{
			"detail alone with 422", 422, fixture.WithBody(`{"detail":` + detailOfOne + `}`),
			rules(harness.RuleDetailTwice),
		},
		{"true", 200, fixture.WithBody(`true`), rules(judge.RuleSchema)},
		{"7", 200, fixture.WithBody(`7`), rules(judge.RuleSchema)},
	}
}

// wrongJSON: texts that are no I-JSON, and numbers and times in a form that readers trip over.
func wrongJSON() []wrongCase {
	malformed := rules(judge.RuleJSONMalformed)
	name := func(text string) fixture.ExchangeChange { return fixture.WithSwap(`"Northwind"`, `"`+text+`"`) }
	credits := func(text string) fixture.ExchangeChange { return fixture.WithSwap(`100000`, text) }
	created := func(text string) fixture.ExchangeChange {
		return fixture.WithSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"`+text+`"`)
	}
	inexact, form := rules(judge.RuleJSONNumberInexact), rules(judge.RuleJSONIntegerForm)
	return []wrongCase{
		{"cut off", 200, fixture.WithBody(fixture.WholeOrganization[:len(fixture.WholeOrganization)-1]), malformed},
		{"NaN", 200, credits(`NaN`), malformed},
		{"leading zero", 200, credits(`0100`), malformed},
		{"plus sign", 200, credits(`+1`), malformed},
		{"point alone", 200, credits(`1.`), malformed},
		{"single quotes", 200, fixture.WithSwap(`"pro"`, `'pro'`), malformed},
		{"trailing comma", 200, fixture.WithSwap(`"nsfw_fail_closed":false}`, `"nsfw_fail_closed":false,}`), malformed},
		{"no comma", 200, fixture.WithSwap(`"org_1",`, `"org_1"`), malformed},
		{"comment", 200, fixture.WithBody("/**/" + fixture.WholeOrganization), malformed},
		{"byte order mark", 200, fixture.WithBody("\ufeff" + fixture.WholeOrganization), malformed},
		{"raw newline in text", 200, name("North\nwind"), malformed},
		{"escape that is none", 200, name(`\x41`), malformed},
		{"short escape", 200, name(`\u00`), malformed},
		{"nesting without an end", 200, fixture.WithSwap(`{"region":"eu"}`, strings.Repeat("[", 20_000)), malformed},
		{"vertical tab as white space", 200, fixture.WithBody("\v" + fixture.WholeOrganization), malformed},
		{"HTML", 200, fixture.WithBody("<html></html>"), malformed},
		{"text after", 200, fixture.WithBody(fixture.WholeOrganization + "x"), rules(judge.RuleJSONTrailingData)},
		{"two values", 200, fixture.WithBody(fixture.WholeOrganization + fixture.WholeOrganization),
			rules(judge.RuleJSONTrailingData)},
		{"NUL after", 200, fixture.WithBody(fixture.WholeOrganization + "\x00"), rules(judge.RuleJSONTrailingData)},
		{"the same member twice", 200, fixture.WithMember(`"organization_id":"org_1"`),
			rules(judge.RuleJSONDuplicateMember)},
		{"the same member once escaped", 200, fixture.WithMember(`"\u006frganization_id":"org_1"`),
			rules(judge.RuleJSONDuplicateMember)},
		{"twice in metadata", 200, fixture.WithSwap(`"region":"eu"`, `"a":1,"a":1`),
			rules(judge.RuleJSONDuplicateMember)},
		{"empty name twice", 200, fixture.WithSwap(`"region":"eu"`, `"":1,"":1`), rules(judge.RuleJSONDuplicateMember)},
		{"invalid UTF-8", 200, name("North\xffwind"), rules(judge.RuleJSONInvalidUTF8)},
		{"Latin-1", 200, name("Caf\xe9"), rules(judge.RuleJSONInvalidUTF8)},
		{"overlong UTF-8", 200, name("\xc0\xaf"), rules(judge.RuleJSONInvalidUTF8)},
		{"surrogate in UTF-8", 200, name("\xed\xa0\x80"), rules(judge.RuleJSONInvalidUTF8)},
		{"invalid UTF-8 in a name", 200, fixture.WithSwap(`"region"`, "\"\xff\""), rules(judge.RuleJSONInvalidUTF8)},
		{"invalid UTF-8 between", 200, fixture.WithBody("{\xff" + fixture.WholeOrganization[1:]),
			rules(judge.RuleJSONInvalidUTF8)},
		{"lone high surrogate", 200, name(`\ud83d`), rules(judge.RuleJSONLoneSurrogate)},
		{"lone low surrogate", 200, name(`\ude00`), rules(judge.RuleJSONLoneSurrogate)},
		{"surrogates in the wrong order", 200, name(`\ude00\ud83d`), rules(judge.RuleJSONLoneSurrogate)},
		{"half a pair and a letter", 200, name(`\ud83d\u0041`), rules(judge.RuleJSONLoneSurrogate)},
		{"lone surrogate in metadata", 200, fixture.WithSwap(`"eu"`, `"\ud83d"`), rules(judge.RuleJSONLoneSurrogate)},
		{"5.0", 200, credits(`5.0`), form},
		{"5e0", 200, credits(`5e0`), form},
		{"1e20", 200, credits(`1e20`), form},
		{"status 401.0", 401, fixture.WithSwap(`"status":401`, `"status":401.0`),
			rules(harness.RuleErrorStatusMismatch, judge.RuleJSONIntegerForm)},
		{"2^53", 200, credits(`9007199254740992`), inexact},
		{"2^53+1", 200, credits(`9007199254740993`), inexact},
		{"25 digits", 200, credits(`-1234567890123456789012345`), inexact},
		{"rate limit 2^53", 200, fixture.WithSwap(`"data":60`, `"data":9007199254740992`), inexact},
		{"a fraction above 2^53", 200, credits(`9007199254740993.5`),
			rules(judge.RuleJSONNumberInexact, judge.RuleSchema)},
		{"a fraction of 20 places", 200, credits(`1.00000000000000000001`),
			rules(judge.RuleJSONNumberInexact, judge.RuleSchema)},
		{"1e400", 200, credits(`1e400`), form},
		{"1e999999999", 200, credits(`1e999999999`), form},
		{"1e-999999999", 200, credits(`1e-999999999`), rules(judge.RuleJSONNumberInexact, judge.RuleSchema)},
		{"lower-case t", 200, created("2026-01-05t09:30:00Z"), rules(judge.RuleDateTimeForm)},
		{"lower-case z", 200, created("2026-01-05T09:30:00z"), rules(judge.RuleDateTimeForm)},
		{"leap second", 200, created("2025-12-31T23:59:60Z"), rules(judge.RuleDateTimeForm)},
	}
}
