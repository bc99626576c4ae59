package contracttests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wrongCase is one departure of a response and the rules that it breaks, no more and no less.
type wrongCase struct {
	name   string
	status int
	change exchangeChange
	want   []Rule
}

func wrongCases() []wrongCase {
	return slices.Concat(wrongMembers(), wrongValues(), wrongEnvelopes(), wrongJSON(), wrongHTTP(), wrongHeaders(), wrongMeanings())
}

// TestWrong: each departure is found by its own rule, in GET and PATCH alike, and only by that: without the check for
// the rule it passes.
func TestWrong(t *testing.T) {
	t.Parallel()
	cases := wrongCases()
	if len(cases) < 100 {
		t.Errorf("%d cases, want 100 at least", len(cases))
	}
	v := organizationValidator()
	for i, c := range cases {
		t.Run(strconv.Itoa(i)+" "+c.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodPatch} {
				if !slices.Contains(declaredStatuses(method), c.status) {
					continue
				}
				x := rightExchange(method, c.status)
				c.change(t, &x)
				if diff := cmp.Diff(c.want, rulesOf(v.Check(x))); diff != "" {
					t.Errorf("%s: broken rules (-want +got):\n%s%s", method, diff, lines(v.Check(x)))
				}
				wantSilent(t, v.without(c.want...).Check(x))
			}
		})
	}
}

// TestEveryRuleIsBroken: there is no check of responses that no case needs.
func TestEveryRuleIsBroken(t *testing.T) {
	t.Parallel()
	broken := map[Rule]bool{
		RuleParameter: true, RuleSecurity: true, RuleBodyTooLarge: true, RuleLimitBytes: true, RuleLimitDepth: true, // TestWrongRequests
		RuleBodyUnreadable: true,                                                     // TestRoundTripperBrokenBody
		RuleBodyOn204:      true, RuleBodyUndeclared: true, RuleBodyNotDecoded: true, // TestForeign
	}
	for _, c := range wrongCases() {
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
func declaredRules(t *testing.T) []Rule {
	t.Helper()
	var rules []Rule
	for _, file := range []string{"violation.go", "organization_rules.go"} {
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
			rules = append(rules, Rule(name))
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
		change exchangeChange
		want   []string
	}{
		{200, withMember(`"internal_id":"int_7"`), []string{
			get + `200: property-undeclared at /internal_id: got a string of 5 bytes, want no such member`,
		}},
		{200, inOrder(withSwap(`"search":60`, `"search":0`), withSwap(`,"credit_count":100000`, ``)), []string{
			get + `200: schema at /credit_count: got nothing, want a value`,
			get + `200: schema at /rate_limits/search: got 0, want at least 1`,
		}},
		{200, withSwap(`"https://logo.example/x"`, `{"a":1}`), []string{
			get + `200: schema at /logo_url: got an object of 1 members, want null or string`,
		}},
		{200, withSwap(`"billing@northwind.example"`, `"nobody"`), []string{
			get + `200: schema-format at /billing_email: got "nobody", want the format email`,
		}},
		{200, withSwap(`"sk-abcdefgh"`, `17`), []string{
			get + `200: schema at /default_llm_credentials/open.ai: got a number, want string`,
		}},
		{200, withHeader("X-RateLimit-Reset", "soon"), []string{
			get + `200: header-type at header X-RateLimit-Reset: got "soon", want integer`,
		}},
		{418, withBody(""), []string{
			get + `418: status-undeclared: got 418, want one of 200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503`,
		}},
		{401, withSwap(`"status":401`, `"status":403`), []string{
			get + `401: error-status-mismatch at /status: got 403, want 401`,
		}},
	}
	for _, c := range cases {
		x := rightExchange(http.MethodGet, c.status)
		c.change(t, &x)
		got := []string{}
		for _, v := range organizationValidator().Check(x) {
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
	changes := map[string]exchangeChange{
		"long text":       withSwap(`"pro"`, fmt.Sprintf("%q", long)),
		"long name":       withMember(fmt.Sprintf(`%q:1`, long)),
		"key as value":    withSwap(`"pro"`, `"sk_live_zzzzzzzzzzzz"`),
		"key as name":     withMember(`"sk_live_zzzzzzzzzzzz":1`),
		"key undeclared":  withMember(`"token":"zzzzzzzzzzzz"`),
		"key in a header": withHeader("X-Key", "sk_live_zzzzzzzzzzzz"),
		"key in another":  withHeader("Cache-Control", "Bearer zzzzzzzzzzzz"),
		"credential":      withSwap(`"sk-abcdefgh"`, `["zzzzzzzzzzzz"]`),
		"escapes":         withSwap(`"pro"`, `"\u001b[31m\u2028"`),
		"long header":     withHeader("ETag", long),
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := rightExchange(http.MethodGet, 200)
			change(t, &x)
			found := organizationValidator().Check(x)
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

func lines(found []Violation) string {
	var out strings.Builder
	for _, v := range found {
		out.WriteString("\t" + v.String() + "\n")
	}
	return out.String()
}
