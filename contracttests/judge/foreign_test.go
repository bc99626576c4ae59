package judge_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

func foreignValidator(t *testing.T) *judge.Validator {
	t.Helper()
	document, err := os.ReadFile("../testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := judge.New(document)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestForeign: the judge knows nothing of one document; it has to be right about any.
func TestForeign(t *testing.T) {
	t.Parallel()
	v := foreignValidator(t)
	const (
		pet  = "GET /api/pets/7"
		tree = "GET /api/pets/7/tree"
		mine = "GET /api/pets/mine"
		any  = "GET /api/pets/any"
	)
	undeclared, schema := rules(judge.RulePropertyUndeclared), rules(judge.RuleSchema)
	cases := []struct {
		name    string
		request string
		status  int
		header  string // "Name: value" lines
		body    string
		want    []judge.Rule
	}{
		{"composed", pet, 200, "X-Fresh: true", `{"name":"a","count":1,"friend":{"name":"b"}}`, nil},
		{"composed, extra", pet, 200, "X-Fresh: true", `{"name":"a","count":1,"extra":1}`, undeclared},
		{"composed, extra below", pet, 200, "X-Fresh: true", `{"name":"a","count":1,"friend":{"name":"b","count":1}}`,
			undeclared},
		{"composed, part is wrong", pet, 200, "X-Fresh: true", `{"name":7,"count":1}`, schema},
		{"composed, part is missing", pet, 200, "X-Fresh: true", `{"name":"a"}`, schema},
		{"int64", pet, 200, "X-Fresh: true", `{"name":"a","count":9223372036854775807}`, nil},
		{"beyond int64", pet, 200, "X-Fresh: true", `{"name":"a","count":9223372036854775808}`,
			rules(judge.RuleSchemaFormat)},
		{"int32", any, 200, "", `{"small":-2147483648}`, nil},
		{"beyond int32", any, 200, "", `{"small":-2147483649}`, rules(judge.RuleSchemaFormat)},
		{"header list", pet, 200, "X-Fresh: true\nX-Tags: 1, 2", `{"name":"a","count":1}`, nil},
		{"header list in lines", pet, 200, "X-Fresh: true\nX-Tags: 1\nX-Tags: 2", `{"name":"a","count":1}`, nil},
		{"header list too long", pet, 200, "X-Fresh: true\nX-Tags: 1,2,3", `{"name":"a","count":1}`,
			rules(judge.RuleHeaderSchema)},
		{"header list of text", pet, 200, "X-Fresh: true\nX-Tags: a", `{"name":"a","count":1}`,
			rules(judge.RuleHeaderSchema)},
		{"header boolean", pet, 200, "X-Fresh: yes", `{"name":"a","count":1}`, rules(judge.RuleHeaderType)},
		{"header number", pet, 200, "X-Fresh: false\nX-Ratio: 0.5", `{"name":"a","count":1}`, nil},
		{"header number too large", pet, 200, "X-Fresh: false\nX-Ratio: 1.5", `{"name":"a","count":1}`,
			rules(judge.RuleHeaderSchema)},
		{"header missing", pet, 200, "", `{"name":"a","count":1}`, rules(judge.RuleHeaderMissing)},
		{"range of statuses", pet, 418, "", `{"title":"x"}`, nil},
		{"range of media types", pet, 404, "Content-Type: application/problem+json", `{"title":"x"}`, nil},
		{"range, extra", pet, 404, "Content-Type: application/problem+json", `{"detail":"x"}`, undeclared},
		{"default text", pet, 500, "Content-Type: text/plain", `short`, nil},
		{"default text too long", pet, 500, "Content-Type: text/plain", `too long`, schema},
		{"bytes", pet, 500, "Content-Type: application/octet-stream", "\xff", nil},
		{"image with a schema", pet, 500, "Content-Type: image/png", "\xff", rules(judge.RuleBodyNotDecoded)},
		{"no body with 204", "DELETE /api/pets/7", 204, "Content-Type:", "", nil},
		{"body with 204", "DELETE /api/pets/7", 204, "", "{}", rules(judge.RuleBodyOn204)},
		{"content length with 204", "DELETE /api/pets/7", 204, "Content-Length: 0", "", rules(judge.RuleContentLength)},
		{"no body where none is declared", "DELETE /api/pets/7", 200, "", "", nil},
		{"body where none is declared", "DELETE /api/pets/7", 200, "", "{}", rules(judge.RuleBodyUndeclared)},
		{"without the base path", "GET /pets/7", 200, "", "{}", rules(judge.RuleOperationUndeclared)},
		{"template takes one segment", "GET /api/pets/7/8", 200, "", "{}", rules(judge.RuleOperationUndeclared)},
		{"circle", tree, 200, "",
			`{"value":1,"children":[{"value":0.5,"children":[]}],"parent":{"value":2,"parent":null}}`, nil},
		{"circle, null", tree, 200, "", `null`, nil},
		{"circle, extra", tree, 200, "", `{"value":1,"children":[{"value":0.5,"extra":1}]}`, undeclared},
		{"circle, extra in an alternative", tree, 200, "",
			`{"value":1,"parent":{"value":1,"parent":{"value":2,"extra":1}}}`, undeclared},
		{"circle, not a multiple", tree, 200, "", `{"value":0.3}`, schema},
		{"circle, inexact", tree, 200, "", `{"value":9007199254740993}`, rules(judge.RuleJSONNumberInexact)},
		{"literal path before template", mine, 200, "", `{"name":"a"}`, nil},
		{"alternative", mine, 200, "", `{"count":1}`, nil},
		{"both alternatives", mine, 200, "", `{"count":1,"name":"a"}`, schema},
		{"alternative, extra", mine, 200, "", `{"count":1,"extra":"a"}`, undeclared},
		{"no alternative", mine, 200, "", `[]`, schema},
		{"reference in company", any, 200, "", `{"named":{"name":"a"},"more":{"name":"a","extra":1}}`, nil},
		{"reference in company, extra", any, 200, "", `{"named":{"name":"a","extra":1}}`, undeclared},
		{"reference with members, extra", any, 200, "", `{"more":{"name":"a","extra":1,"other":1}}`, undeclared},
		{"free object", any, 200, "", `{"free":{"x":1e400}}`, nil},
		{"map", any, 200, "", `{"map":{"a":{"name":"a"}}}`, nil},
		{"map, extra", any, 200, "", `{"map":{"a":{"name":"a","b":1}}}`, undeclared},
		{"open by intent", any, 200, "", `{"open":{"a":1,"b":1e400}}`, nil},
		{"open by intent, wrong", any, 200, "", `{"open":{"a":"1"}}`, schema},
		{"not, met", any, 200, "", `{"shut":{"count":1}}`, nil},
		{"not, tests the open schema", any, 200, "", `{"shut":{"name":"a","count":1}}`, schema},
		{"list", any, 200, "", `{"list":[1,{"name":"a"}]}`, nil},
		{"list, extra", any, 200, "", `{"list":[1,{"name":"a","b":1}]}`, undeclared},
		{"list, equal items", any, 200, "", `{"list":[1,{"name":"a"},{"name":"a"}]}`, schema},
		{"condition, then", any, 200, "", `{"when":{"kind":"a","a":1}}`, nil},
		{"condition, else", any, 200, "", `{"when":{"kind":"b","b":1}}`, nil},
		{"condition, the other's", any, 200, "", `{"when":{"kind":"b","a":1}}`, undeclared},
		{"pattern", any, 200, "", `{"x":{"x-a":1.5}}`, nil},
		{"pattern, extra", any, 200, "", `{"x":{"y-a":1.5}}`, undeclared},
		{"pattern, inexact", any, 200, "", `{"x":{"x-a":0.1234567890123456789}}`, rules(judge.RuleJSONNumberInexact)},
		{"inline, extra", any, 200, "", `{"extra":1}`, undeclared},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := v.Check(foreignExchange(c.request, c.status, c.header, c.body))
			if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(found)); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s%s", diff, lines(found))
			}
		})
	}
}

func foreignExchange(request string, status int, header, body string) judge.Exchange {
	method, path, _ := strings.Cut(request, " ")
	h := http.Header{}
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		h.Add(name, strings.TrimSpace(value))
	}
	if h["Content-Type"] == nil {
		h.Set("Content-Type", "application/json")
	}
	return judge.Exchange{Request: judge.Request{Method: method, URL: path},
		Response: judge.Response{Status: status, Header: h, Body: []byte(body)}}
}

// TestForeignRequests: requests are judged by the open schemas, whatever responses share with them.
func TestForeignRequests(t *testing.T) {
	t.Parallel()
	v := foreignValidator(t)
	cases := []struct {
		name, request, body string
		want                []judge.Rule
	}{
		{"whole", "PUT /api/pets/7", `{"name":"a","count":1}`, nil},
		{"undeclared members", "PUT /api/pets/7", `{"name":"a","count":1,"x":1,"friend":{"name":"b","y":1}}`, nil},
		{"wrong member", "PUT /api/pets/7", `{"name":1,"count":1}`, rules(judge.RuleSchema)},
		{"body is optional", "PUT /api/pets/7", ``, nil},
		{"path parameter", "PUT /api/pets/0", ``, rules(judge.RuleParameter)},
		{"path parameter of another type", "PUT /api/pets/x", ``, rules(judge.RuleParameter)},
		{"query parameter", "GET /api/pets/7?limit=10", ``, nil},
		{"query parameter too large", "GET /api/pets/7?limit=11", ``, rules(judge.RuleParameter)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(c.request, " ")
			x := judge.Exchange{Request: judge.Request{Method: method, URL: path, Header: http.Header{},
				Body: []byte(c.body)}}
			if c.body != "" {
				x.Request.Header.Set("Content-Type", "application/json")
			}
			found := v.CheckRequest(x)
			if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(found)); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s%s", diff, lines(found))
			}
		})
	}
}

// TestBadDocuments: what is no OpenAPI 3.1 document is refused at once, and the error says why.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1,
			c-1, c-1, c-1, c-1)
	}
	cases := []struct{ name, document, why string }{
		{"empty", "", "not an object"},
		{"not an object", "[]", "not an object"},
		{"no YAML", "\t{", "reading the document"},
		{"3.0", "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n", "OpenAPI 3.0.3, and only 3.1"},
		{"3.0 in JSON", `{ "openapi": "3.0.3", "paths": {} `, "OpenAPI 3.0.3, and only 3.1"},
		{"3.0 after much else", `{"x": "` + strings.Repeat("x", 5000) + `", "openapi": "3.0.3"}`,
			"OpenAPI 3.0.3, and only 3.1"},
		{"3.2", "openapi: 3.2.0\n", "OpenAPI 3.2.0, and only 3.1"},
		{"Swagger", "swagger: '2.0'\ninfo: {title: t, version: '1'}\npaths: {}\n", "OpenAPI 2.0, and only 3.1"},
		{"no version", "paths: {}\n", "no openapi version"},
		{"endless alias", "openapi: 3.1.0\nx: &x {y: *x}\n", "alias"},
		{"aliases that multiply", "openapi: 3.1.0\n" + bomb, "alias"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := judge.New([]byte(c.document)); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("New = %v, want an error that says %q", err, c.why)
			}
		})
	}
}

// TestWarnings: what is wrong in one place costs that place, which a warning names, and nothing else.
func TestWarnings(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, schema, why string }{
		{"bad pattern", `{type: string, pattern: '('}`, "pattern"},
		{"bad pattern in a member", `{type: object, properties: {a: {type: string, pattern: '('}}}`, "pattern"},
		{"bad name pattern", `{type: object, patternProperties: {'(': {}}}`, "regex"},
		{"dangling", `{$ref: '#/components/schemas/Nothing'}`, "leads nowhere"},
		{"dangling below", `{type: object, properties: {a: {$ref: '#/components/schemas/Bad'}}}`, "leads nowhere"},
		{"unknown type", `{type: text}`, "type"},
		{"another document", `{$ref: 'https://a.example/b'}`, "another document"},
		{"another file", `{$ref: './b.yaml'}`, "another document"},
		{"tuple of an older draft", `{type: array, items: [{type: string}]}`, "items"},
		{"bound of 3.0", `{type: integer, minimum: 1, exclusiveMinimum: true}`, "exclusiveMinimum"},
		{"reference of an older draft", `{$recursiveRef: '#'}`, "$recursiveRef"},
		{"no schema", `text`, "no schema"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := judge.New([]byte(`
openapi: 3.1.0
paths:
  /bad: {get: {operationId: bad, responses: {'200': {description: d, content: {application/json: {schema: ` + c.schema + `}}}}}}
  /good: {get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Good'}}}}}}}
components:
  schemas:
    Good: {type: object, properties: {a: {type: integer}}}
    Bad: {$ref: '#/components/schemas/Nothing'}
`))
			if err != nil {
				t.Fatal(err)
			}
			if w := v.Document.Warnings; len(w) != 1 || w[0].Where != "bad 200 application/json" ||
				!strings.Contains(w[0].Text, c.why) {
				t.Errorf("Warnings = %v, want one of bad 200 that says %q", w, c.why)
			}
			wantSilent(t, v.Check(foreignExchange("GET /bad", 200, "", `{"a":"anything"}`)))
			wantSilent(t, v.Check(foreignExchange("GET /good", 200, "", `{"a":1}`)))
			for request, want := range map[string]judge.Rule{"GET /good": judge.RuleSchema,
				"GET /bad": judge.RuleStatusUndeclared} {
				status := map[judge.Rule]int{judge.RuleSchema: 200, judge.RuleStatusUndeclared: 404}[want]
				if got := fixture.RulesOf(v.Check(foreignExchange(request, status, "", `{"a":"x"}`))); len(got) != 1 ||
					got[0] != want {
					t.Errorf("%s %d breaks %v, want %s", request, status, got, want)
				}
			}
		})
	}
}

// TestNoPaths: a document of webhooks alone is read. It declares no exchange.
func TestNoPaths(t *testing.T) {
	t.Parallel()
	v, err := judge.New([]byte("openapi: 3.1.0\nwebhooks: {}\n"))
	if err != nil || len(v.Document.Warnings) != 1 {
		t.Fatalf("New = %v, %v, want one warning", v, err)
	}
}
