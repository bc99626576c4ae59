package contracttests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	validator "github.com/pb33f/libopenapi-validator"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"

	"organizations-api/shared/openapi"
)

// TestDocument holds the document against the schema of OpenAPI 3.1 itself, on a copy of its own: the library changes
// what it judges.
func TestDocument(t *testing.T) {
	t.Parallel()
	doc, err := libopenapi.NewDocument(append([]byte(nil), openapi.YAML...))
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, found := v.ValidateDocument(); !ok {
		for _, e := range found {
			t.Errorf("%s: %s", e.Message, e.Reason)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	want := []Operation{
		{ID: "get_organization_v1_organizations_get", Method: "GET", Path: organizationsPath},
		{ID: "update_organization_v1_organizations_patch", Method: "PATCH", Path: organizationsPath},
	}
	if diff := cmp.Diff(want, organizationValidator().Operations()); diff != "" {
		t.Errorf("Operations (-want +got):\n%s", diff)
	}
	if op, ok := organizationValidator().Operation(Request{Method: "PATCH", URL: organizationsPath}); !ok || op != want[1] {
		t.Errorf("Operation(PATCH) = %v, %v", op, ok)
	}
}

// TestRightStatuses: a correct exchange of every declared status is silent, in both halves.
func TestRightStatuses(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, code := range declaredStatuses(method) {
			t.Run(fmt.Sprintf("%s %d", method, code), func(t *testing.T) {
				t.Parallel()
				x := rightExchange(method, code)
				wantSilent(t, organizationValidator().Check(x))
				wantSilent(t, organizationValidator().CheckRequest(x))
			})
		}
	}
}

func wantSilent(t *testing.T, found []Violation) {
	t.Helper()
	for _, v := range found {
		t.Errorf("unexpected: %s", v)
	}
}

// TestRight: what is unusual and yet correct.
func TestRight(t *testing.T) {
	t.Parallel()
	metadata := func(value string) exchangeChange { return withSwap(`"metadata":{"region":"eu"}`, `"metadata":`+value) }
	nothing := inOrder(
		withSwap(`"https://logo.example/x"`, "null"), withSwap(`"billing@northwind.example"`, "null"),
		withSwap(`"news@northwind.example"`, "null"), withSwap(`[{"name":"Ada"}]`, "null"), withSwap(`"ext_1"`, "null"),
		withSwap(`"https://api.example"`, "null"),
	)
	cases := []struct {
		name           string
		status         int
		exchangeChange exchangeChange
	}{
		{"everything null that may be", 200, nothing},
		{"required members alone", 200, withBody(`{"organization_id":"","organization_name":"","account_type":"free","credit_count":0,"rate_limits":{},"created_at":"2026-01-05T09:30:00Z","updated_at":"2026-01-05T09:30:00Z"}`)},
		{"every tier", 200, withSwap(`"pro"`, `"enterprise"`)},
		{"negative credits, the schema has no bound", 200, withSwap(`100000`, `-9007199254740991`)},
		{"bounds of rate limits", 200, withSwap(`"search":60`, `"search":1000000`)},
		{"numbers beyond a float64 in metadata", 200, metadata(`{"a":1e400,"b":-1e400,"c":1e-999999999,"d":1e999999999}`)},
		{"25 digits in metadata", 200, metadata(`{"a":1234567890123456789012345,"b":0.1234567890123456789012345}`)},
		{"numbers of any form in metadata", 200, metadata(`{"a":5.0,"b":5e0,"c":-0,"d":9007199254740993,"e":[1E+2]}`)},
		{"text of any kind in metadata", 200, metadata(`{"":"","👍":"😀 \ud83d\ude00 \ufffd �","\u0000":"\u0000","a/b~c":"\"\\\/\b\f\n\r\t"}`)},
		{"values of any kind in metadata", 200, metadata(`{"a":null,"b":[],"c":{},"d":[null,[true,{"":false}]]}`)},
		{"names of the model in metadata", 200, metadata(`{"internal_id":1,"organization_id":null,"rate_limits":{"metadata":"x"}}`)},
		{"times in metadata are free", 200, metadata(`{"created_at":"2026-01-05t09:30:60z"}`)},
		{"empty metadata", 200, metadata(`{}`)},
		{"deep metadata", 200, metadata(`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`)},
		{"credentials with odd names", 200, withSwap(`{"open.ai":"sk-abcdefgh"}`, `{"":"","é":"x"}`)},
		{"users without members", 200, withSwap(`[{"name":"Ada"}]`, `[{},{"n":1e400}]`)},
		{"no users", 200, withSwap(`[{"name":"Ada"}]`, `[]`)},
		{"times without a fraction", 200, withSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"2026-01-05T09:30:00Z"`)},
		{"white space around", 200, inOrder(withBody("\r\n\t "+wholeOrganization+"\n"), withHeader("Content-Length"))},
		{"charset", 200, withHeader("Content-Type", "application/json; charset=utf-8")},
		{"charset in upper case", 200, withHeader("Content-Type", "application/json;charset=UTF-8")},
		{"no limits enforced", 200, inOrder(withHeader("X-RateLimit-Limit"), withHeader("X-RateLimit-Remaining"), withHeader("X-RateLimit-Reset"))},
		{"headers of a server and of CORS", 200, inOrder(withHeader("Connection", "close"), withHeader("Vary", "Origin"), withHeader("Access-Control-Allow-Origin", "*"))},
		{"Vary in two lines", 200, withHeader("Vary", "Origin", "Accept")},
		{"a header name in lower case", 200, func(_ *testing.T, x *Exchange) {
			delete(x.Response.Header, "Etag")
			x.Response.Header["etag"] = []string{version1}
		}},
		{"condition that holds", 200, inOrder(withAsk("If-Match", `"v0", "v1"`), withAsk("If-None-Match", `"v0"`))},
		{"condition that any version meets", 200, withAsk("If-Match", "*")},
		{"not modified by a weak tag", 304, withAsk("If-None-Match", `W/"v1"`)},
		{"not modified by any", 304, withAsk("If-None-Match", "*")},
		{"no code", 401, withSwap(`,"code":"api_key_missing"`, ``)},
		{"null code", 401, withSwap(`"api_key_missing"`, `null`)},
		{"no success", 401, withSwap(`"success":false,`, ``)},
		{"details", 400, withSwap(`"details":null`, `"details":{"limit":1e400,"":[]}`)},
		{"index in a location", 422, withSwap(`"data"`, `0`)},
		{"header in a location", 422, withSwap(`["body","rate_limits","data"]`, `["header","if-match"]`)},
		{"two problems", 422, withSwap(`]}`, `,{"loc":["body"],"msg":"m","type":"t"}]}`)},
		{"HEAD", 200, inOrder(func(_ *testing.T, x *Exchange) { x.Request.Method, x.Response.Body = "HEAD", nil })},
		{"query that nobody declared", 200, func(_ *testing.T, x *Exchange) { x.Request.URL += "?a=b" }},
		{"absolute URL", 200, func(_ *testing.T, x *Exchange) { x.Request.URL = "https://api.example" + organizationsPath }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := rightExchange(http.MethodGet, c.status)
			c.exchangeChange(t, &x)
			wantSilent(t, organizationValidator().Check(x))
		})
	}
}

// TestAllowHeaders: a Validator that is derived from another leaves that as it was.
func TestAllowHeaders(t *testing.T) {
	t.Parallel()
	x := rightExchange(http.MethodGet, 200)
	x.Response.Header.Set("X-Amzn-Trace-Id", "x")
	x.Response.Header.Set("Server", "x")
	strict := organizationValidator()
	wantSilent(t, strict.AllowHeaders("x-amzn-*", "server").Check(x))
	if got := strict.AllowHeaders("Server").Check(x); len(got) != 1 || got[0].Header != "X-Amzn-Trace-Id" {
		t.Errorf("Check = %v, want one violation of X-Amzn-Trace-Id", got)
	}
	if got := strict.Check(x); len(got) != 2 {
		t.Errorf("Check = %v, want two violations", got)
	}
}
