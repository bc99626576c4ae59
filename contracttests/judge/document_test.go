package judge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	liberrors "github.com/pb33f/libopenapi-validator/errors"
	"pgregory.net/rapid"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
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
	want := []string{
		"get_organization_v1_organizations_get GET " + harness.Path,
		"update_organization_v1_organizations_patch PATCH " + harness.Path,
	}
	document := harness.Validator().Document
	var got []string
	for _, op := range document.Operations {
		got = append(got, op.ID+" "+op.Method+" "+op.Path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Operations (-want +got):\n%s", diff)
	}
	if op, variables := document.Find("PATCH", harness.Path); op != document.Operations[1] || len(variables) > 0 {
		t.Errorf("Find(PATCH) = %v, %q", op, variables)
	}
	for _, w := range document.Warnings {
		t.Errorf("the document has a part that is not judged: %s", w)
	}
	if op := document.Operation("PATCH", harness.Path); op != document.Operations[1] {
		t.Errorf("Operation(PATCH) = %v", op)
	}
}

// TestRightStatuses: a correct exchange of every declared status is silent, in both halves.
func TestRightStatuses(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, code := range fixture.DeclaredStatuses(method) {
			t.Run(fmt.Sprintf("%s %d", method, code), func(t *testing.T) {
				t.Parallel()
				x := fixture.RightExchange(method, code)
				wantSilent(t, harness.Validator().Check(x))
				wantSilent(t, harness.Validator().CheckRequest(x))
			})
		}
	}
}

func wantSilent(t *testing.T, found []judge.Violation) {
	t.Helper()
	for _, v := range found {
		t.Errorf("unexpected: %s", v)
	}
}

// TestRight: what is unusual and yet correct.
func TestRight(t *testing.T) {
	t.Parallel()
	metadata := func(value string) fixture.ExchangeChange {
		return fixture.WithSwap(`"metadata":{"region":"eu"}`, `"metadata":`+value)
	}
	nothing := fixture.InOrder(
		fixture.WithSwap(`"https://logo.example/x"`, "null"), fixture.WithSwap(`"billing@northwind.example"`, "null"),
		fixture.WithSwap(`"news@northwind.example"`, "null"), fixture.WithSwap(`[{"name":"Ada"}]`, "null"),
		fixture.WithSwap(`"ext_1"`, "null"),
		fixture.WithSwap(`"https://api.example"`, "null"),
	)
	cases := []struct {
		name           string
		status         int
		exchangeChange fixture.ExchangeChange
	}{
		{"everything null that may be", 200, nothing},
		{"required members alone", 200,
			fixture.WithBody(`{"organization_id":"","organization_name":"","account_type":"free","credit_count":0,"rate_limits":{},"created_at":"2026-01-05T09:30:00Z","updated_at":"2026-01-05T09:30:00Z"}`)},
		{"every tier", 200, fixture.WithSwap(`"pro"`, `"enterprise"`)},
		{"negative credits, the schema has no bound", 200, fixture.WithSwap(`100000`, `-9007199254740991`)},
		{"bounds of rate limits", 200, fixture.WithSwap(`"data":60,"search":60`, `"data":1,"search":9007199254740991`)},
		{"numbers beyond a float64 in metadata", 200,
			metadata(`{"a":1e400,"b":-1e400,"c":1e-999999999,"d":1e999999999}`)},
		{"25 digits in metadata", 200, metadata(`{"a":1234567890123456789012345,"b":0.1234567890123456789012345}`)},
		{"numbers of any form in metadata", 200, metadata(`{"a":5.0,"b":5e0,"c":-0,"d":9007199254740993,"e":[1E+2]}`)},
		{"text of any kind in metadata", 200,
			metadata(`{"":"","👍":"😀 \ud83d\ude00 \ufffd �","\u0000":"\u0000","a/b~c":"\"\\\/\b\f\n\r\t"}`)},
		{"values of any kind in metadata", 200, metadata(`{"a":null,"b":[],"c":{},"d":[null,[true,{"":false}]]}`)},
		{"names of the model in metadata", 200,
			metadata(`{"internal_id":1,"organization_id":null,"rate_limits":{"metadata":"x"}}`)},
		{"times in metadata are free", 200, metadata(`{"created_at":"2026-01-05t09:30:60z"}`)},
		{"empty metadata", 200, metadata(`{}`)},
		{"deep metadata", 200, metadata(`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`)},
		{"credentials with odd names", 200, fixture.WithSwap(`{"open.ai":"sk-abcdefgh"}`, `{"":"","é":"x"}`)},
		{"users without members", 200, fixture.WithSwap(`[{"name":"Ada"}]`, `[{},{"n":1e400}]`)},
		{"no users", 200, fixture.WithSwap(`[{"name":"Ada"}]`, `[]`)},
		{"times without a fraction", 200, fixture.WithSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`,
			`"created_at":"2026-01-05T09:30:00Z"`)},
		{"white space around", 200, fixture.InOrder(fixture.WithBody("\r\n\t "+fixture.WholeOrganization+"\n"),
			fixture.WithHeader("Content-Length"))},
		{"charset", 200, fixture.WithHeader("Content-Type", "application/json; charset=utf-8")},
		{"charset in upper case", 200, fixture.WithHeader("Content-Type", "application/json;charset=UTF-8")},
		{"no limits enforced", 200, fixture.InOrder(
			fixture.WithHeader("X-RateLimit-Limit"), fixture.WithHeader("X-RateLimit-Remaining"),
			fixture.WithHeader("X-RateLimit-Reset"), fixture.WithHeader("X-RateLimit-Window"),
		)},
		{"headers of a server and of CORS", 200, fixture.InOrder(fixture.WithHeader("Connection", "close"),
			fixture.WithHeader("Vary", "Origin"), fixture.WithHeader("Access-Control-Allow-Origin", "*"))},
		{"Vary in two lines", 200, fixture.WithHeader("Vary", "Origin", "Accept")},
		{"a header name in lower case", 200, func(_ *testing.T, x *judge.Exchange) {
			delete(x.Response.Header, "Etag")
			x.Response.Header["etag"] = []string{fixture.Version1}
		}},
		{"condition that holds", 200, fixture.InOrder(fixture.WithAsk("If-Match", `"v0", "v1"`),
			fixture.WithAsk("If-None-Match", `"v0"`))},
		{"condition that any version meets", 200, fixture.WithAsk("If-Match", "*")},
		{"not modified by a weak tag", 304, fixture.WithAsk("If-None-Match", `W/"v1"`)},
		{"not modified by any", 304, fixture.WithAsk("If-None-Match", "*")},
		{"no code", 401, fixture.WithSwap(`,"code":"api_key_missing"`, ``)},
		{"null code", 401, fixture.WithSwap(`"api_key_missing"`, `null`)},
		{"no success", 401, fixture.WithSwap(`"success":false,`, ``)},
		{"details", 400, fixture.WithSwap(`"details":null`, `"details":{"limit":1e400,"":[]}`)},
		{"index in a location", 422, withProblems(problem{`["body","rate_limits",0]`, tooSmall.msg, tooSmall.typ})},
		{"header in a location", 422, withProblems(problem{`["header","if-match"]`, tooSmall.msg, tooSmall.typ})},
		{"two problems", 422, withProblems(tooSmall, problem{`["body"]`, `"Value error, it is wrong"`, `"value_error"`})},
		{"HEAD", 200, fixture.InOrder(func(_ *testing.T, x *judge.Exchange) {
			x.Request.Method,
				x.Response.Body = "HEAD", nil
		})},
		{"query that nobody declared", 200, func(_ *testing.T, x *judge.Exchange) { x.Request.URL += "?a=b" }},
		{"absolute URL", 200, func(_ *testing.T, x *judge.Exchange) {
			x.Request.URL = "https://api.example" +
				harness.Path
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := fixture.RightExchange(http.MethodGet, c.status)
			c.exchangeChange(t, &x)
			wantSilent(t, harness.Validator().Check(x))
		})
	}
}

// TestAllowHeaders: a Validator that is derived from another leaves that as it was.
func TestAllowHeaders(t *testing.T) {
	t.Parallel()
	x := fixture.RightExchange(http.MethodGet, 200)
	x.Response.Header.Set("X-Amzn-Trace-Id", "x")
	x.Response.Header.Set("Server", "x")
	strict := harness.Validator()
	wantSilent(t, strict.AllowHeaders("x-amzn-*", "server").Check(x))
	if got := strict.AllowHeaders("Server").Check(x); len(got) != 1 || got[0].Header != "X-Amzn-Trace-Id" {
		t.Errorf("Check = %v, want one violation of X-Amzn-Trace-Id", got)
	}
	if got := strict.Check(x); len(got) != 2 {
		t.Errorf("Check = %v, want two violations", got)
	}
}

// TestNoLaxerThanTheLibrary holds this package against a validator that was written apart from it. What that refuses of
// a response is refused here too.
func TestNoLaxerThanTheLibrary(t *testing.T) {
	t.Parallel()
	doc, err := libopenapi.NewDocument(bytes.Clone(openapi.YAML))
	if err != nil {
		t.Fatal(err)
	}
	library, errs := validator.NewValidator(doc, config.WithFormatAssertions(),
		config.WithRejectUnsupportedBodyContent())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	refused := func(x judge.Exchange) bool {
		request, err := http.NewRequest(x.Request.Method, x.Request.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response := &http.Response{StatusCode: x.Response.Status, Header: x.Response.Header, Body: http.NoBody}
		if len(x.Response.Body) > 0 {
			response.Body = io.NopCloser(bytes.NewReader(x.Response.Body))
		}
		_, found := library.ValidateHttpResponse(request, response)
		return slices.ContainsFunc(found, func(e *liberrors.ValidationError) bool {
			return e.ParameterName != "etag" // it takes the quotes off header values before it matches the pattern
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		x := fixture.RightExchange(rapid.SampledFrom([]string{"GET", "PATCH"}).Draw(t, "method"),
			rapid.SampledFrom([]int{200, 401, 422}).Draw(t, "status"))
		x.Response.Body = mutatedJSON(t)
		x.Response.Header.Del("Content-Length")
		if !refused(x) || len(harness.Validator().Check(x)) > 0 {
			return
		}
		if value, _, _ := judge.ReadJSON(x.Response.Body); !beyondFloat64(value) {
			t.Fatalf("the library refuses what Check takes: %s", x.Response.Body)
		}
	})
}

// beyondFloat64 reports whether a value holds a number that the library cannot read. Metadata may.
func beyondFloat64(value any) bool {
	switch value := value.(type) {
	case json.Number:
		_, err := value.Float64()
		return err != nil
	case []any:
		return slices.ContainsFunc(value, beyondFloat64)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), beyondFloat64)
	default:
		return false
	}
}

// asJSON returns a YAML document as JSON, with an escape that YAML reads otherwise.
func asJSON(t *testing.T, document []byte) []byte {
	t.Helper()
	top, err := spec.Tree(document)
	if err != nil {
		t.Fatal(err)
	}
	value, ok := spec.Plain(top).(map[string]any)
	if !ok {
		t.Fatal("the document is no object")
	}
	value["x-escape"] = json.RawMessage(`"\ud83d\ude00 \/"`)
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
