package judge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/judge"
)

// wording is one wrong exchange of a document, and what the report says about it, one line a violation.
type wording struct {
	name     string
	document string
	exchange kindCase
	want     string
}

func inBody(name, schema, body, want string) wording {
	return wording{name, answers(schema, tree), kindCase{"GET /a", 200, "", body, nil}, want}
}

func inRequest(name, parameter, url, want string) wording {
	document := "paths: {'/a{p}': {get: {parameters: [" + parameter + "], responses: {}}}}\n"
	return wording{name, document, kindCase{"GET " + url, 0, "", "", nil}, want}
}

// tree is the component N, whose objects are closed and have children of the same kind.
const tree = `B: {type: object, properties: {id: {type: integer}}}, N: {allOf: [{$ref: '#/components/schemas/B'}, ` +
	`{type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/N'}}}}], ` +
	`unevaluatedProperties: false}, Open: {allOf: [{$ref: '#/components/schemas/B'}, {type: object, properties: ` +
	`{children: {type: array, items: {$ref: '#/components/schemas/Open'}}}}]}`

func bodyWordings() []wording {
	const extra = "property-undeclared at /children/0/x: got a number, want no such member"
	return []wording{
		inBody("an extra member in a child", `{$ref: '#/components/schemas/Open'}`,
			`{"id":1,"children":[{"id":2,"x":1}]}`, extra),
		inBody("an extra member in a closed child", `{$ref: '#/components/schemas/N'}`,
			`{"id":1,"children":[{"id":2,"x":1}]}`, extra),
		inBody("an extra member beside a closed child with one", `{$ref: '#/components/schemas/N'}`,
			`{"id":1,"y":1,"children":[{"id":2,"x":1}]}`,
			extra+"\nproperty-undeclared at /y: got a number, want no such member"),
		inBody("an extra member beside a missing one",
			`{type: object, properties: {a: {}}, required: [a], unevaluatedProperties: false}`, `{"x":1}`,
			"schema at /a: got nothing, want a value\nproperty-undeclared at /x: got a number, want no such member"),
		inBody("the same in a part",
			`{allOf: [{type: object, properties: {a: {}}, required: [a]}], unevaluatedProperties: false}`, `{"x":1}`,
			"schema at /a: got nothing, want a value\nproperty-undeclared at /x: got a number, want no such member"),
		inBody("minLength", `{minLength: 1}`, `""`, "schema: got 0 characters, want at least 1 character"),
		inBody("maxLength", `{maxLength: 2}`, `"abc"`, "schema: got 3 characters, want at most 2 characters"),
		inBody("minItems", `{minItems: 2}`, `[1]`, "schema: got an array of 1 item, want at least 2 items"),
		inBody("minProperties", `{minProperties: 1}`, `{}`,
			"schema: got an object of 0 members, want at least 1 member"),
		inBody("contains", `{contains: {type: string}}`, `[1]`, "schema: got none, want at least 1 item matching contains"),
		inBody("minContains", `{contains: {type: integer}, minContains: 2}`, `[1]`,
			"schema: got 1, want at least 2 items matching contains"),
		inBody("maxContains", `{contains: {type: integer}, maxContains: 1}`, `[1,2]`,
			"schema: got 2, want at most 1 item matching contains"),
		inBody("not", `{not: {type: string}}`, `"a"`, `schema: got "a", want no value that the schema of not accepts`),
		inBody("an object as a constant", `{const: {a: 1}}`, `{"b":1}`,
			`schema: got an object of 1 member, want {"a":1}`),
		inBody("a list in an enum", `{enum: [a, [1]]}`, `[2]`, `schema: got an array of 1 item, want one of "a", [1]`),
		inBody("alternatives that differ in a constant",
			`{oneOf: [{properties: {type: {const: cat}}}, {properties: {type: {const: dog}}}]}`, `{"type":"cow"}`,
			`schema at /type: got "cow", want "cat" or "dog"`),
	}
}

func requestWordings() []wording {
	path := `{name: p, in: path, required: true, schema: {type: string, maxLength: 1}}, `
	return []wording{
		inRequest("a query", path+`{name: ids, in: query, schema: {type: integer}}`, "/ab?ids=x",
			`parameter at query parameter ids: got "x", want integer`),
		inRequest("a limit", path+`{name: ids, in: query, schema: {type: integer, minimum: 2}}`, "/ab?ids=1",
			`parameter at query parameter ids: got "1", want at least 2`),
		inRequest("an item", path+`{name: ids, in: query, schema: {type: array, items: {type: integer}}}`,
			"/ab?ids=1&ids=x", `parameter at /1 of query parameter ids: got "x", want integer`),
		inRequest("a member", path+`{name: o, in: query, style: deepObject, schema: {type: object, required: [a, b], `+
			`properties: {a: {type: integer}}}}`, "/ab?o[a]=x",
			"parameter at /a of query parameter o: got \"x\", want integer\n"+
				"parameter at /b of query parameter o: got nothing, want a value"),
		inRequest("a secret member", path+`{name: token, in: query, style: deepObject, schema: {type: object, `+
			`properties: {a: {maxLength: 1}}}}`, "/ab?token[a]=xyz",
			"parameter at /a of query parameter token: got a string of 1 byte, want at most 1 character"),
		inRequest("no JSON", path+`{name: j, in: query, content: {application/json: {schema: {type: integer}}}}`,
			"/ab?j=%7B", `parameter at query parameter j: got "{", want a JSON text`),
		inRequest("the path", path, "/abc",
			"parameter at path parameter p: got \"bc\", want at most 1 character"),
		inRequest("a cookie", path+`{name: c, in: cookie, required: true, schema: {}}`, "/ab",
			"parameter at cookie parameter c: got nothing, want the parameter"),
		inRequest("a header", path+`{name: X-C, in: header, required: true, schema: {}}`, "/ab",
			"parameter at header X-C: got nothing, want the header"),
		{"credentials", "paths: {/a: {get: {security: [{k: []}], responses: {}}}}\ncomponents: {securitySchemes: {k: " +
			"{type: apiKey, in: query, name: s}}}\n", kindCase{"GET /a", 0, "", "", nil},
			"security at query parameter s: got none of that kind, want credentials as the document says"},
	}
}

// TestWording: a report names the part that is wrong, and only that, and says what is wrong with it.
func TestWording(t *testing.T) {
	t.Parallel()
	for _, c := range append(bodyWordings(), requestWordings()...) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := judge.New([]byte("openapi: 3.1.0\n" + c.document))
			if err != nil {
				t.Fatal(err)
			}
			x := foreignExchange(c.exchange.request, c.exchange.status, "", c.exchange.body)
			found := v.Check(x)
			if c.exchange.status == 0 {
				found = v.CheckRequest(x)
			}
			var got []string
			for _, one := range found {
				_, text, _ := strings.Cut(one.String(), ": ")
				got = append(got, text)
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStricterThanTheStandards: each of these is right by OpenAPI, JSON Schema and HTTP. The judge refuses it by a rule
// of its own at most, and does not without that rule.
func TestStricterThanTheStandards(t *testing.T) {
	t.Parallel()
	const number, moment, object = `{type: integer}`, `{type: string, format: date-time}`, `{type: object}`
	cases := []struct {
		name, media, schema, header, body string
		rule                              judge.Rule // "" if it is right with all rules
	}{
		{"an integer with a point", "application/json", number, "", `1.0`, judge.RuleJSONIntegerForm},
		{"an integer with an exponent", "application/json", number, "", `1e3`, judge.RuleJSONIntegerForm},
		{"2^60", "application/json", number, "", `1152921504606846976`, judge.RuleJSONNumberInexact},
		{"20 digits", "application/json", number, "", `12345678901234567890`, judge.RuleJSONNumberInexact},
		{"2^60 of 64 bits", "application/json", `{type: integer, format: int64}`, "", `1152921504606846976`, ""},
		{"64 bits without a sign", "application/json", `{type: integer, format: uint64}`, "",
			`18446744073709551615`, ""},
		{"a fraction of many digits", "application/json", `{type: number}`, "", `0.1234567890123456789`,
			judge.RuleJSONNumberInexact},
		{"a leap second", "application/json", moment, "", `"2016-12-31T23:59:60Z"`, judge.RuleDateTimeForm},
		{"t", "application/json", moment, "", `"2026-01-05t09:30:00Z"`, judge.RuleDateTimeForm},
		{"z", "application/json", moment, "", `"2026-01-05T09:30:00z"`, judge.RuleDateTimeForm},
		{"upper case", "application/json", number, "Content-Type: Application/JSON", `1`, judge.RuleContentType},
		{"a charset of JSON", "application/json", number, "Content-Type: application/json; charset=iso-8859-1", `1`,
			judge.RuleContentType},
		{"a profile", "application/json", number, "Content-Type: application/json; profile=x", `1`,
			judge.RuleContentType},
		{"an empty text", "text/plain", `{type: string}`, "Content-Type: text/plain", "", ""},
		{"a charset of a text", "text/plain", `{type: string}`, "Content-Type: text/plain; charset=iso-8859-1", "a", ""},
		{"a header beyond the document", "application/json", number, "Server: x", `1`, judge.RuleHeaderUndeclared},
		{"a member beyond the schema", "application/json", `{type: object, properties: {a: {}}}`, "", `{"b":1}`,
			judge.RulePropertyUndeclared},
		{"a member given twice", "application/json", object, "", `{"a":1,"a":1}`, judge.RuleJSONDuplicateMember},
		{"half of a pair", "application/json", `{type: string}`, "", `"\ud800"`, judge.RuleJSONLoneSurrogate},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := judge.New([]byte("openapi: 3.1.0\n" + operation("content: {"+c.media+": {schema: "+c.schema+"}}")))
			if err != nil {
				t.Fatal(err)
			}
			x := foreignExchange("GET /a", 200, c.header, c.body)
			wantSilent(t, v.Without(c.rule).Check(x))
			if found := v.Check(x); c.rule == "" && len(found) > 0 ||
				c.rule != "" && (len(found) != 1 || found[0].Rule != c.rule) {
				t.Errorf("Check found, want one of the rule %q:\n%s", c.rule, lines(found))
			}
		})
	}
}
