package judge_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// kind is one kind of thing that a document may declare, with exchanges that are right and wrong.
type kind struct {
	name     string
	document string // what follows the head of a document
	cases    []kindCase
}

// kindCase is one response, or one request if status is 0. Header lines and body follow in exchange, after an empty
// line.
type kindCase struct {
	request string // method and URL
	status  int
	headers string // one a line
	body    string
	want    []judge.Rule
}

// answers is a document whose GET /a answers 200 with such a schema, in JSON.
func answers(schema, components string) string {
	return "paths: {/a: {get: {responses: {'200': {description: d, content: {application/json: {schema: " + schema +
		"}}}}}}}\n" +
		"components: {schemas: {" + components + "}}\n"
}

// bodies returns cases of GET /a: each body of right is right, each of wrong breaks the rules.
func bodies(right []string, wrong map[string][]judge.Rule) []kindCase {
	var all []kindCase
	for _, body := range right {
		all = append(all, kindCase{"GET /a", 200, "", body, nil})
	}
	for body, want := range wrong {
		all = append(all, kindCase{"GET /a", 200, "", body, want})
	}
	return all
}

var (
	isSchema     = rules(judge.RuleSchema)
	isUndeclared = rules(judge.RulePropertyUndeclared)
	isParameter  = rules(judge.RuleParameter)
	isOperation  = rules(judge.RuleOperationUndeclared)
	isMedia      = rules(judge.RuleMediaType)
	isType       = rules(judge.RuleContentType)
	isUndecoded  = rules(judge.RuleBodyNotDecoded)
)

type wrong = map[string][]judge.Rule

// schemaKinds are what a schema can say.
func schemaKinds() []kind {
	return []kind{
		{"nullable is an unknown keyword of 3.1", answers(`{type: string, nullable: true}`, ""),
			bodies([]string{`"a"`}, wrong{`null`: rules(judge.RuleBodyNull), `1`: isSchema})},
		{"unknown keywords and annotations of any form",
			answers(`{type: integer, colour: [x], examples: {a: 1}, example: {$ref: 1}, xml: {}, x-y: 1, default: {}}`,
				""),
			bodies([]string{`1`}, wrong{`"a"`: isSchema})},
		{"lookahead", answers(`{type: string, pattern: '^(?!x)'}`, ""),
			bodies([]string{`"a"`}, wrong{`"x"`: isSchema})},
		{"lookahead as Pydantic writes it for Decimal",
			answers(`{type: string, pattern: '^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$'}`, ""),
			bodies([]string{`"1.5"`, `"-0.5"`}, wrong{`"-"`: isSchema, `"x"`: isSchema})},
		{"escapes of ECMA-262", answers(`{type: string, pattern: '^[\u00e9]$'}`, ""),
			bodies([]string{`"é"`}, wrong{`"e"`: isSchema})},
		{"repeats beyond RE2's limit", answers(`{type: string, pattern: '^a{1,2048}$'}`, ""),
			bodies([]string{`"aa"`, `"` + strings.Repeat("a", 2048) + `"`},
				wrong{`"` + strings.Repeat("a", 2049) + `"`: isSchema, `"b"`: isSchema})},
		{"backreference", answers(`{type: string, pattern: '^(.)\1$'}`, ""),
			bodies([]string{`"aa"`}, wrong{`"ab"`: isSchema})},
		{"name patterns beyond RE2", answers(`{type: object, patternProperties: {'^(?!x)': {type: integer}}}`, ""),
			bodies([]string{`{"a":1}`}, wrong{`{"a":"1"}`: isSchema, `{"x":1}`: isUndeclared})},
		{"alternatives that a value fits twice",
			answers(`{oneOf: [{required: [x], properties: {x: {type: object, properties: {a: {}}}}}, {required: `+
				`[x], properties: {x: {type: object, properties: {b: {}}}}}]}`, ""),
			bodies(nil, wrong{`{"x":{"a":1}}`: isSchema})},
		{"members declared by two parts",
			answers(`{allOf: [{properties: {links: {type: object, properties: {self: {}}}}}, {properties: {links: `+
				`{type: object, properties: {origin: {}}}}}]}`, ""),
			bodies([]string{`{"links":{"self":"/a"}}`, `{"links":{"self":"/a","origin":"/"}}`},
				wrong{`{"links":{"next":1}}`: isUndeclared})},
		{"a member that properties refine",
			answers(`{allOf: [{$ref: '#/components/schemas/P'}], properties: {p: {properties: {b: {}}}}}`,
				`P: {type: object, properties: {p: {type: object, properties: {a: {}}}}}`),
			bodies([]string{`{"p":{"a":1,"b":1}}`}, wrong{`{"p":{"c":1}}`: isUndeclared})},
		{"two lists of alternatives",
			answers(`{allOf: [{anyOf: [{properties: {a: {}}}]}, {anyOf: [{properties: {b: {}}}]}]}`, ""),
			bodies([]string{`{"a":1,"b":1}`}, wrong{`{"c":1}`: isUndeclared})},
		{"alternatives that only ask for members",
			answers(`{type: object, properties: {a: {}, b: {}}, anyOf: [{required: [a]}, {required: [b]}]}`, ""),
			bodies([]string{`{"a":1}`, `{"a":1,"b":1}`}, wrong{`{}`: isSchema, `{"a":1,"c":1}`: isUndeclared})},
		{"a free alternative", answers(`{anyOf: [{type: object, properties: {a: {}}}, {type: object}]}`, ""),
			bodies([]string{`{"a":1}`, `{"b":1}`}, nil)},
		{"a reference with siblings at the root",
			answers(`{$ref: '#/components/schemas/P', properties: {one: {type: integer}}}`,
				`P: {type: object, properties: {p: {type: integer}}}`),
			bodies([]string{`{"p":1,"one":1}`}, wrong{`{"p":1,"two":1}`: isUndeclared, `{"one":"a"}`: isSchema})},
		{"unevaluatedProperties beside a reference and alternatives",
			answers(`{$ref: '#/components/schemas/P', oneOf: [{properties: {a: {type: integer}}, required: [a]}, `+
				`{properties: {b: {}}, required: [b]}], unevaluatedProperties: false}`,
				`P: {type: object, properties: {p: {type: integer}}}`),
			bodies([]string{`{"p":1,"a":1}`}, wrong{`{"p":1,"a":1,"c":1}`: isUndeclared})},
		{"an extra member beside a missing one",
			answers(`{type: object, properties: {a: {}}, required: [a], unevaluatedProperties: false}`, ""),
			bodies(nil, wrong{`{"x":1}`: rules(judge.RulePropertyUndeclared, judge.RuleSchema)})},
		{"closed by itself", answers(`{type: object, additionalProperties: false}`, ""),
			bodies([]string{`{}`}, wrong{`{"a":1}`: isUndeclared})},
		{"a map", answers(`{type: object, additionalProperties: {type: integer}}`, ""),
			bodies([]string{`{"a":1}`}, wrong{`{"a":"1"}`: isSchema})},
		{"unevaluatedProperties with a schema",
			answers(`{type: object, properties: {a: {}}, unevaluatedProperties: {type: object, properties: {b: {}}}}`,
				""),
			bodies([]string{`{"a":1,"x":{"b":1}}`}, wrong{`{"x":{"c":1}}`: isUndeclared, `{"x":1}`: isSchema})},
		{"a condition that names what it asks",
			answers(`{if: {properties: {kind: {const: a}}, required: [kind]}, then: {properties: {a: {}}}, else: `+
				`{properties: {kind: {}, b: {}}}}`, ""),
			bodies([]string{`{"kind":"a","a":1}`, `{"kind":"b","b":1}`}, wrong{`{"kind":"a","b":1}`: isUndeclared})},
		{"dependentSchemas", answers(`{type: object, properties: {a: {}}, dependentSchemas: {a: {properties: {b: `+
			`{}}}}}`, ""),
			bodies([]string{`{"a":1,"b":1}`}, wrong{`{"b":1}`: isUndeclared})},
		{"tuples and items", answers(`{type: array, prefixItems: [{type: object, properties: {a: {}}}], items: `+
			`{type: object, properties: {b: {}}}}`, ""),
			bodies([]string{`[{"a":1},{"b":1}]`}, wrong{`[{"b":1}]`: isUndeclared, `[{"a":1},{"a":1}]`: isUndeclared})},
		{"a discriminator", answers(`{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: `+
			`'#/components/schemas/Dog'}], discriminator: {propertyName: type}}`,
			`Cat: {type: object, required: [type], properties: {type: {const: cat}, lives: {}}}, Dog: {type: `+
				`object, required: [type], properties: {type: {enum: [dog]}, tricks: {}}}`),
			bodies([]string{`{"type":"cat","lives":9}`},
				wrong{`{"type":"dog","lives":9}`: isUndeclared, `{"type":"cow"}`: isSchema})},
		{"a recursive part", answers(`{$ref: '#/components/schemas/N'}`,
			`B: {type: object, properties: {id: {type: integer}}}, N: {allOf: [{$ref: '#/components/schemas/B'}, `+
				`{type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/N'}}}}]}`),
			bodies([]string{`{"id":1,"children":[{"id":2}]}`},
				wrong{`{"id":1,"children":[{"id":2,"x":1}]}`: isUndeclared})},
		{"writeOnly in a response",
			answers(`{type: object, required: [id, password], properties: {id: {type: integer}, password: {type: `+
				`string, writeOnly: true}}}`, ""),
			bodies([]string{`{"id":1}`}, wrong{`{"id":1,"password":"p"}`: rules(judge.RuleMemberWriteOnly)})},
		{"writeOnly by a reference",
			answers(`{type: object, properties: {s: {$ref: '#/components/schemas/S'}}, required: [s]}`,
				`S: {type: string, writeOnly: true}`),
			bodies([]string{`{}`}, wrong{`{"s":"p"}`: rules(judge.RuleMemberWriteOnly)})},
		{"identifiers and anchors",
			answers(`{type: object, properties: {a: {$ref: '#thing'}, b: {$ref: 'https://x.example/y'}}}`,
				`A: {$anchor: thing, type: integer}, B: {$id: 'https://x.example/y', type: object, properties: {c: `+
					`{$ref: '#/$defs/c'}}, $defs: {c: {type: boolean}}}`),
			bodies([]string{`{"a":1,"b":{"c":true}}`},
				wrong{`{"a":"1"}`: isSchema, `{"b":{"c":1}}`: isSchema, `{"b":{"d":1}}`: isUndeclared})},
		{"references to places within", answers(`{$ref: '#/components/schemas/P/properties/p%2Fq'}`,
			`P: {type: object, properties: {p/q: {type: integer}}}`),
			bodies([]string{`1`}, wrong{`"a"`: isSchema})},
		{"merge keys", "x: &x {type: object, properties: {a: {type: integer}}}\n" +
			answers(`{<<: *x, required: [a]}`, ""),
			bodies([]string{`{"a":1}`}, wrong{`{}`: isSchema, `{"a":"1"}`: isSchema, `{"a":1,"b":1}`: isUndeclared})},
		{"a draft that the schema names", answers(`{$ref: '#/components/schemas/T'}`,
			`T: {$schema: 'http://json-schema.org/draft-07/schema#', type: array, items: [{type: integer}]}`),
			bodies([]string{`[1]`}, wrong{`["a"]`: isSchema})},
		{"64 bits without a sign", answers(`{type: integer, format: uint64}`, ""),
			bodies([]string{`18446744073709551615`}, nil)},
		{"true and false", answers(`{type: object, properties: {a: true, b: false}}`, ""),
			bodies([]string{`{"a":1}`}, wrong{`{"b":1}`: isSchema})},
	}
}

func operation(text string) string {
	return "paths: {/a: {get: {responses: {'200': {description: d, " + text + "}}}}}\n"
}

// bodyKinds are bodies of other media types, and how a Content-Type names them.
func bodyKinds() []kind {
	const pet = `{type: object, required: [id], properties: {id: {type: integer, maximum: 9}, tags: {type: array, ` +
		`items: {type: string}}, file: {type: string, format: binary}, meta: {type: object, properties: {a: {type: ` +
		`integer}}}}}`
	content := func(media, rest string) string { return operation("content: {" + media + ": {schema: " + rest + "}}") }
	part := func(name, more, value string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + value + "\r\n"
	}
	form, multi := "Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data; boundary=b"
	return []kind{
		{"form", content("application/x-www-form-urlencoded", pet), []kindCase{
			{"GET /a", 200, form, `id=1&tags=x&tags=y`, nil}, {"GET /a", 200, form, `id=12`, isSchema},
			{"GET /a", 200, form, `tags=x`, isSchema},
			{"GET /a", 200, form, `id=a`, isSchema}, {"GET /a", 200, form, `id=1&x=1`, isUndeclared},
			{"GET /a", 200, form, `id=1&meta=%7B%22a%22%3A1%7D`, nil},
		}},
		{"form with encodings", operation(`content: {application/x-www-form-urlencoded: {schema: ` + pet +
			`, encoding: {tags: {explode: false}, meta: {style: deepObject}}}}`), []kindCase{
			{"GET /a", 200, form, `id=1&tags=x,y&meta[a]=1`, nil}, {"GET /a", 200, form, `id=1&meta[a]=x`, isSchema},
			{"GET /a", 200, form, `id=1&meta[b]=1`, isUndeclared},
		}},
		{"multipart", content("multipart/form-data", pet), []kindCase{
			{"GET /a", 200, multi, part("id", "", "1") + part("tags", "", "x") +
				part("file", "; filename=f\r\nContent-Type: image/png", "\xff\x00") + "--b--\r\n", nil},
			{"GET /a", 200, multi, part("id", "\r\nContent-Type: application/json", "1") +
				part("meta", "\r\nContent-Type: application/json", `{"a":1}`) + "--b--\r\n", nil},
			{"GET /a", 200, multi, part("id", "", "12") + "--b--\r\n", isSchema},
			{"GET /a", 200, multi, part("tags", "", "x") + "--b--\r\n", isSchema},
			{"GET /a", 200, multi, part("id", "", "1") + part("x", "", "1") + "--b--\r\n", isUndeclared},
			{"GET /a", 200, multi, part("id", "", "1"), isUndecoded},
			{"GET /a", 200, "Content-Type: multipart/form-data", part("id", "", "1") + "--b--\r\n", isUndecoded},
			{"GET /a", 200, multi, part("meta", "\r\nContent-Type: application/json", `{`) + "--b--\r\n", isUndecoded},
		}},
		{"other multipart", content("multipart/mixed", pet),
			[]kindCase{{"GET /a", 200, "Content-Type: multipart/mixed; boundary=b", "--b--\r\n", nil}}},
		{"XML", content("application/xml",
			`{type: object, xml: {name: pet}, required: [id], properties: {id: {type: integer, xml: {attribute: `+
				`true}}, name: {type: string, xml: {name: n}}, tags: {type: array, items: {type: string, xml: `+
				`{name: tag}}}, all: {type: array, xml: {wrapped: true}, items: {type: integer}}}}`), []kindCase{
			{"GET /a", 200, "Content-Type: application/xml",
				`<?xml version="1.0"?><pet id="1"><n>a</n><tag>x</tag><tag>y</tag><all><i>1</i><i>2</i></all></pet>`,
				nil},
			{"GET /a", 200, "Content-Type: application/xml; charset=iso-8859-1", `<pet id="1"/>`, nil},
			{"GET /a", 200, "Content-Type: application/xml", `<pet id="x"/>`, isSchema},
			{"GET /a", 200, "Content-Type: application/xml", `<pet/>`, isSchema},
			{"GET /a", 200, "Content-Type: application/xml", `<pet id="1"><all><i>a</i></all></pet>`, isSchema},
			{"GET /a", 200, "Content-Type: application/xml", `<pet id="1"><x/></pet>`, isUndeclared},
			{"GET /a", 200, "Content-Type: application/xml", `<pet id="1">`, isUndecoded},
			{"GET /a", 200, "Content-Type: application/xml", `<pet id="1"/><pet/>`, isUndecoded},
		}},
		{"XML by elements", content("text/xml", `{type: object, properties: {id: {type: integer}}}`), []kindCase{
			{"GET /a", 200, "Content-Type: text/xml", `<pet><id>1</id></pet>`, nil},
			{"GET /a", 200, "Content-Type: text/xml", `<pet><id>a</id></pet>`, isSchema},
		}},
		{"YAML", content("application/yaml", pet), []kindCase{
			{"GET /a", 200, "Content-Type: application/yaml", "id: 1\ntags: [x]\n", nil},
			{"GET /a", 200, "Content-Type: application/yaml", "id: 12\n", isSchema},
			{"GET /a", 200, "Content-Type: application/yaml", "id: [", isUndecoded},
		}},
		{"binary", content("application/pdf", `{type: string, format: binary}`),
			[]kindCase{{"GET /a", 200, "Content-Type: application/pdf", "%PDF\xff", nil}}},
		{"binary without a type", content("application/octet-stream", `{contentMediaType: application/pdf}`),
			[]kindCase{{"GET /a", 200, "Content-Type: application/octet-stream", "\xff", nil}}},
		{"a media type of a vendor", content("application/vnd.x", pet), []kindCase{
			{"GET /a", 200, "Content-Type: application/vnd.x", `{"id":1}`, nil},
			{"GET /a", 200, "Content-Type: application/vnd.x", `{"id":12}`, isSchema},
			{"GET /a", 200, "Content-Type: application/vnd.x", "\xff", isUndecoded},
		}},
		{"lines of JSON", content("application/x-ndjson", pet), []kindCase{
			{"GET /a", 200, "Content-Type: application/x-ndjson", "{\"id\":1}\n{\"id\":2}\n", nil},
			{"GET /a", 200, "Content-Type: application/x-ndjson", "{\"id\":1}\n{\"id\":12}\n", isSchema},
			{"GET /a", 200, "Content-Type: application/x-ndjson", "{\"id\":1}\n{", rules(judge.RuleJSONMalformed)},
		}},
		{"lines of JSON as a list", content("application/jsonl", `{type: array, maxItems: 1, items: `+pet+`}`),
			[]kindCase{
				{"GET /a", 200, "Content-Type: application/jsonl", "{\"id\":1}\n", nil},
				{"GET /a", 200, "Content-Type: application/jsonl", "{\"id\":1}\n{\"id\":2}\n", isSchema},
			}},
		{"events", content("text/event-stream", pet),
			[]kindCase{{"GET /a", 200, "Content-Type: text/event-stream", "data: 1\n\n", nil}}},
		{"text", content("text/plain", `{type: string, maxLength: 3}`), []kindCase{
			{"GET /a", 200, "Content-Type: text/plain", "abc", nil},
			{"GET /a", 200, "Content-Type: text/plain; charset=iso-8859-1", "abc", nil},
			{"GET /a", 200, "Content-Type: text/plain", "", nil},
			{"GET /a", 200, "Content-Type: text/plain", "abcd", isSchema},
		}},
		{"text that is a number", content("text/plain", `{type: integer, maximum: 9}`), []kindCase{
			{"GET /a", 200, "Content-Type: text/plain", "7", nil},
			{"GET /a", 200, "Content-Type: text/plain", "12", isSchema},
			{"GET /a", 200, "Content-Type: text/plain", "x", isSchema},
		}},
		{"a key with a charset", content("application/json; charset=utf-8", pet), []kindCase{
			{"GET /a", 200, "Content-Type: application/json; charset=utf-8", `{"id":1}`, nil},
			{"GET /a", 200, "Content-Type: application/json", `{"id":1}`, nil},
			{"GET /a", 200, "Content-Type: application/json; charset=utf-8", `{"id":12}`, isSchema},
			{"GET /a", 200, "Content-Type: application/json; charset=latin1", `{"id":1}`, nil},
		}},
		{"keys that differ in a parameter",
			operation(`content: {application/json; version=1: {schema: {type: integer}}, application/json; ` +
				`version=2: {schema: {type: string}}}`), []kindCase{
				{"GET /a", 200, "Content-Type: application/json; version=1", `1`, nil},
				{"GET /a", 200, "Content-Type: application/json; version=2", `"a"`, nil},
				{"GET /a", 200, "Content-Type: application/json; version=2", `1`, isSchema},
				{"GET /a", 200, "Content-Type: application/json; version=3", `1`, isMedia},
				{"GET /a", 200, "Content-Type: application/json", `1`, isMedia},
			}},
		{"JSON with other parameters", content("application/json", pet), []kindCase{
			{"GET /a", 200, "Content-Type: application/json; charset=latin1", `{"id":1}`, isType},
			{"GET /a", 200, "Content-Type: application/json; profile=x", `{"id":1}`, isType},
			{"GET /a", 200, "Content-Type: Application/JSON", `{"id":1}`, isType},
		}},
		{"gzip", content("application/json", pet), []kindCase{
			{"GET /a", 200, "Content-Encoding: gzip", zipped(`{"id":1}`), nil},
			{"GET /a", 200, "Content-Encoding: gzip", zipped(`{"id":12}`), isSchema},
			{"GET /a", 200, "Content-Encoding: gzip", `{"id":1}`, rules(judge.RuleBodyUnreadable)},
			{"GET /a", 200, "Content-Encoding: br", "\x01", nil},
		}},
		{"headers", operation(`headers: {Set-Cookie: {schema: {type: string}}, X-Object: {schema: {type: object, ` +
			`properties: {a: {type: integer}, b: {type: string}}, required: [a]}}, X-Pairs: {explode: true, schema: ` +
			`{type: object, properties: {a: {type: integer}}}}, X-Json: {content: {application/json: {schema: ` +
			`{type: object, properties: {a: {type: integer}}}}}}}`), []kindCase{
			{"GET /a", 200, "Content-Type:\nSet-Cookie: a=1\nSet-Cookie: b=2", "", nil},
			{"GET /a", 200, "X-Object: a,1,b,x\nX-Pairs: a=1\nX-Json: {\"a\":1}", "", nil},
			{"GET /a", 200, "X-Object: b,x", "", rules(judge.RuleHeaderSchema)},
			{"GET /a", 200, "X-Object: a,x", "", rules(judge.RuleHeaderSchema)},
			{"GET /a", 200, "X-Pairs: a=x", "", rules(judge.RuleHeaderSchema)},
			{"GET /a", 200, "X-Json: {\"a\":\"x\"}", "", rules(judge.RuleHeaderSchema)},
			{"GET /a", 200, "X-Json: {", "", rules(judge.RuleHeaderType)},
		}},
	}
}

func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.String()
}

// requestKinds are where a request can go and what it can carry.
func requestKinds() []kind {
	ask := func(parameters string) string {
		return "paths: {/a: {get: {parameters: [" + parameters + "], responses: {}}}}\n"
	}
	query := func(more string) string { return ask("{name: i, in: query, " + more + "}") }
	wrongly := func(urls ...string) (all []kindCase) {
		for _, url := range urls {
			all = append(all, kindCase{"GET " + url, 0, "", "", isParameter})
		}
		return all
	}
	rightly := func(urls ...string) (all []kindCase) {
		for _, url := range urls {
			all = append(all, kindCase{"GET " + url, 0, "", "", nil})
		}
		return all
	}
	both := func(right, wrong []kindCase) []kindCase { return append(right, wrong...) }
	path := func(more string) string {
		return "paths: {'/a/{i}': {get: {parameters: [{name: i, in: path, required: true, " + more +
			"}], responses: {}}}}\n"
	}
	return []kind{
		{"an enum without a type", query(`schema: {enum: [a, b]}`), both(rightly("/a", "/a?i=a"), wrongly("/a?i=c"))},
		{"a const", query(`schema: {const: 1}`), both(rightly("/a?i=1"), wrongly("/a?i=2"))},
		{"allOf", query(`schema: {allOf: [{type: integer}, {minimum: 2}]}`),
			both(rightly("/a?i=2"), wrongly("/a?i=1", "/a?i=x"))},
		{"an integer or null", query(`schema: {anyOf: [{type: integer}, {type: 'null'}]}`),
			both(rightly("/a?i=1", "/a?i="), wrongly("/a?i=x", "/a?i=1.5"))},
		{"a number", query(`schema: {type: number}`),
			both(rightly("/a?i=1.5", "/a?i=-1e3"), wrongly("/a?i=NaN", "/a?i=0x1", "/a?i=", "/a?i=1,2"))},
		{"given twice", query(`schema: {type: integer}`), both(rightly("/a?i=1&j=2"), wrongly("/a?i=1&i=2"))},
		{"required", query(`required: true, schema: {type: string}`),
			both(rightly("/a?i=", "/a?i=x"), wrongly("/a", "/a?j=1"))},
		{"items", query(`schema: {type: array, uniqueItems: true, maxItems: 3, items: {type: integer, minimum: 2}}`),
			both(rightly("/a?i=2&i=3", "/a?i=2"), wrongly("/a?i=1", "/a?i=2&i=2", "/a?i=x", "/a?i=2&i=3&i=4&i=5"))},
		{"items of text", query(`schema: {type: array, items: {type: string, minLength: 2}}`),
			both(rightly("/a?i=aa"), wrongly("/a?i=a"))},
		{"a list with commas", query(`explode: false, schema: {type: array, items: {type: string, maxLength: 3}}`),
			both(rightly("/a?i=a,b", "/a?i=a%2Cb,c"), wrongly("/a?i=abcd,e", "/a?i=a&i=b"))},
		{"a list with pipes and one with spaces",
			ask(`{name: i, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: ` +
				`integer}}}, {name: j, in: query, style: spaceDelimited, explode: false, schema: {type: array, ` +
				`items: {type: integer}}}`),
			both(rightly("/a?i=1|2", "/a?i=1%7C2", "/a?j=1%202", "/a?j=1+2"), wrongly("/a?i=1|x", "/a?j=1%20x"))},
		{"a deep object", query(`style: deepObject, schema: {type: object, required: [a], properties: {a: {type: ` +
			`integer}, b: {type: object, properties: {c: {type: boolean}}}}}`),
			both(rightly("/a", "/a?i[a]=1&i[b][c]=true", "/a?i%5Ba%5D=1"),
				wrongly("/a?i[a]=x", "/a?i[b][c]=true", "/a?i[a]=1&i[b][c]=1"))},
		{"an object in the query", query(`schema: {type: object, properties: {a: {type: integer}}}`),
			both(rightly("/a?a=1", "/a?x=1"), wrongly("/a?a=x"))},
		{"JSON in the query",
			query(`content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}`),
			both(rightly("/a?i=%7B%22a%22%3A1%7D"), wrongly("/a?i=%7B%22a%22%3A%22x%22%7D", "/a?i=%7B"))},
		{"a cookie", ask(`{name: i, in: cookie, required: true, schema: {type: integer}}`), []kindCase{
			{"GET /a", 0, "Cookie: j=x; i=1", "", nil}, {"GET /a", 0, "Cookie: i=x", "", isParameter},
			{"GET /a", 0, "", "", isParameter}}},
		{"a header that holds JSON",
			ask(`{name: X-I, in: header, content: {application/json: {schema: {type: integer}}}}`), []kindCase{
				{"GET /a", 0, "X-I: 1", "", nil}, {"GET /a", 0, "X-I: \"a\"", "", isParameter},
				{"GET /a", 0, "X-I: {", "", isParameter}}},
		{"a path with an escaped slash", path(`schema: {type: string, maxLength: 3}`), []kindCase{
			{"GET /a/a%2Fb", 0, "", "", nil}, {"GET /a/a/b", 0, "", "", isOperation},
			{"GET /a/a%2Fbc", 0, "", "", isParameter}, {"GET /a/", 0, "", "", isOperation}}},
		{"a list in the path", path(`schema: {type: array, items: {type: integer}}`),
			both(rightly("/a/1,2"), wrongly("/a/1,x"))},
		{"a label and a matrix",
			"paths: {'/a/{i}/{j}': {get: {parameters: [{name: i, in: path, required: true, style: label, schema: " +
				"{type: integer}}, {name: j, in: path, required: true, style: matrix, explode: true, schema: {type: " +
				"array, items: {type: integer}}}], responses: {}}}}\n",
			both(rightly("/a/.1/;j=1;j=2"), wrongly("/a/.x/;j=1", "/a/.1/;j=x"))},
		{"a verb after a variable",
			"paths: {'/a/{i}': {get: {responses: {}}}, '/a/{i}:clone': {post: {responses: {}}}, '/a/b': {get: " +
				"{responses: {}}}, '/a/{i}.json': {get: {parameters: [{name: q, in: query, required: true}], " +
				"responses: {}}}}\n", []kindCase{
				{"POST /a/7:clone", 0, "", "", nil}, {"GET /a/7", 0, "", "", nil},
				{"POST /a/7", 0, "", "", isOperation},
				{"GET /a/7.json", 0, "", "", isParameter}, {"HEAD /a/b", 0, "", "", nil}}},
		{"a literal path that lacks the method",
			"paths: {'/a/{i}': {delete: {responses: {}}}, /a/b: {get: {responses: {}}}}\n",
			[]kindCase{{"DELETE /a/b", 0, "", "", nil}, {"PUT /a/b", 0, "", "", isOperation}}},
		{"servers with variables",
			"servers: [{url: 'https://x.example/{v}/{w}', variables: {v: {default: v1, enum: [v1, v2]}, w: " +
				"{default: w}}}]\npaths: {/a: {get: {responses: {}}}}\n", []kindCase{
				{"GET /v2/w/a", 0, "", "", nil}, {"GET /v1/anything/a", 0, "", "", nil},
				{"GET /v3/w/a", 0, "", "", isOperation}, {"GET /a", 0, "", "", isOperation}}},
		{"servers of a path and an operation",
			"servers: [{url: /x}]\npaths: {/a: {servers: [{url: /y}], get: {responses: {}}, put: {servers: [{url: " +
				"/z}], responses: {}}}}\n", []kindCase{
				{"GET /y/a", 0, "", "", nil}, {"PUT /z/a", 0, "", "", nil}, {"GET /x/a", 0, "", "", isOperation},
				{"PUT /y/a", 0, "", "", isOperation}}},
		{"credentials", "paths: {/a: {get: {security: [{k: []}, {b: [], q: []}], responses: {}}, put: {security: " +
			"[{}, {k: []}], responses: {}}}}\ncomponents: {securitySchemes: {k: {type: apiKey, in: cookie, name: " +
			"s}, b: {type: http, scheme: bearer}, q: {type: apiKey, in: query, name: q}}}\n", []kindCase{
			{"GET /a", 0, "Cookie: s=1", "", nil}, {"GET /a?q=1", 0, "Authorization: Bearer x", "", nil},
			{"PUT /a", 0, "", "", nil},
			{"GET /a", 0, "Authorization: Bearer x", "", rules(judge.RuleSecurity)},
			{"GET /a?q=1", 0, "Authorization: Basic x", "", rules(judge.RuleSecurity)},
			{"GET /a", 0, "", "", rules(judge.RuleSecurity)}}},
		{"readOnly in a request",
			"paths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: " +
				"'#/components/schemas/P'}}}}, responses: {'200': {description: d, content: {application/json: " +
				"{schema: {$ref: '#/components/schemas/P'}}}}}}}}\n" +
				"components: {schemas: {P: {allOf: [{$ref: '#/components/schemas/B'}, {required: [id, name]}]}, B: " +
				"{type: object, required: [id], properties: {id: {type: integer, readOnly: true}, name: {type: " +
				"string}}}}}\n", []kindCase{
				{"POST /a", 0, "Content-Type: application/json", `{"name":"a"}`, nil},
				{"POST /a", 0, "Content-Type: application/json", `{"id":1}`, isSchema},
				{"POST /a", 0, "Content-Type: application/json", `{"id":1,"name":"a"}`, nil},
				{"POST /a", 200, "", `{"name":"a"}`, isSchema}, {"POST /a", 200, "", `{"id":1,"name":"a"}`, nil}}},
		{"required and readOnly",
			"paths: {/a: {post: {requestBody: {content: {application/json: {schema: {type: object, required: [id, " +
				"name], properties: {id: {$ref: '#/components/schemas/Id'}, name: {}}}}}}, responses: " +
				"{}}}}\ncomponents: {schemas: {Id: {type: integer, readOnly: true}}}\n", []kindCase{
				{"POST /a", 0, "Content-Type: application/json", `{"name":"a"}`, nil},
				{"POST /a", 0, "Content-Type: application/json", `{"id":1}`, isSchema}}},
		{"a whole document by references",
			"paths: {/a: {$ref: '#/components/pathItems/A'}}\ncomponents: {pathItems: {A: {parameters: [{$ref: " +
				"'#/components/parameters/I'}], post: {requestBody: {$ref: '#/components/requestBodies/B'}, " +
				"responses: {'200': {$ref: '#/components/responses/R'}}}}}, parameters: {I: {name: i, in: query, " +
				"schema: {type: integer}}}, requestBodies: {B: {required: true, content: {application/json: " +
				"{schema: {type: integer}}}}}, responses: {R: {description: d, headers: {X: {$ref: " +
				"'#/components/headers/H'}}}}, headers: {H: {required: true, schema: {type: integer}}}}\n", []kindCase{
				{"POST /a?i=1", 0, "Content-Type: application/json", "1", nil},
				{"POST /a?i=x", 0, "Content-Type: application/json", "1", isParameter},
				{"POST /a", 0, "Content-Type: application/json", `"a"`, isSchema},
				{"POST /a", 0, "", "", rules(judge.RuleBodyEmpty)}, {"POST /a", 200, "X: 1", "", nil},
				{"POST /a", 200, "X: a", "", rules(judge.RuleHeaderType)},
				{"POST /a", 200, "", "", rules(judge.RuleHeaderMissing)}}},
	}
}

// TestKinds holds the judge to what the specifications say of each kind, in YAML and in JSON.
func TestKinds(t *testing.T) {
	t.Parallel()
	total := 0
	for _, k := range append(append(schemaKinds(), bodyKinds()...), requestKinds()...) {
		total += len(k.cases)
		for _, form := range []string{"YAML", "JSON"} {
			t.Run(k.name+" "+form, func(t *testing.T) {
				t.Parallel()
				k.judge(t, form)
			})
		}
	}
	t.Logf("%d exchanges, each in both forms", total)
}

func (k kind) judge(t *testing.T, form string) {
	text := []byte("openapi: 3.1.0\ninfo: {title: t, version: '1'}\n" + k.document)
	if form == "JSON" {
		text = asJSON(t, text)
	}
	v, err := judge.New(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range v.Document.Warnings {
		t.Errorf("warning: %s", w)
	}
	v = v.AllowHeaders("Content-Encoding")
	for i, c := range k.cases {
		x := foreignExchange(c.request, c.status, c.headers, c.body)
		check := v.Check
		if c.status == 0 {
			x.Request.Header, x.Request.Body = x.Response.Header, []byte(c.body)
			check = v.CheckRequest
		}
		if strings.Contains(c.headers, "Content-Type:\n") || c.status == 0 && c.body == "" {
			delete(x.Response.Header, "Content-Type")
		}
		found := check(x)
		if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(found)); diff != "" {
			t.Errorf("%d: %s %d %q %.80q: broken rules (-want +got):\n%s%s", i, c.request, c.status, c.headers, c.body,
				diff, lines(found))
		}
	}
}

// TestMounted: a service may be anywhere, and other services are not judged.
func TestMounted(t *testing.T) {
	t.Parallel()
	v, err := judge.New([]byte("openapi: 3.1.0\nservers: [{url: 'https://x.example/v1'}]\npaths: {/a: {get: " +
		"{responses: {'204': {description: d}}}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name      string
		validator *judge.Validator
		url       string
		want      []judge.Rule
	}{
		{"as the document says", v, "/v1/a", nil},
		{"not there", v, "/a", isOperation},
		{"at the root", v.MountedAt(""), "/a", nil},
		{"at the root, not there", v.MountedAt("/"), "/v1/a", isOperation},
		{"below a base", v.MountedAt("/x/y/"), "http://127.0.0.1:80/x/y/a", nil},
		{"another host, if any is judged", v, "https://other.example/a", isOperation},
		{"another host", v.ForHosts("x.example"), "https://other.example/a", nil},
		{"the host", v.ForHosts("y.example", "X.example"), "https://x.example/a", isOperation},
		{"no host", v.ForHosts("x.example"), "/a", isOperation},
	}
	for _, c := range cases {
		x := judge.Exchange{Request: judge.Request{Method: "GET", URL: c.url, Header: http.Header{}},
			Response: judge.Response{Status: 204}}
		for half, found := range map[string][]judge.Violation{"response": c.validator.Check(x),
			"request": c.validator.CheckRequest(x)} {
			if diff := cmp.Diff(append([]judge.Rule{}, c.want...), fixture.RulesOf(found)); diff != "" {
				t.Errorf("%s, %s: broken rules (-want +got):\n%s", c.name, half, diff)
			}
		}
	}
}

// TestManyViolations: a report is bounded, the same each time, and says how much it leaves out.
func TestManyViolations(t *testing.T) {
	t.Parallel()
	v, err := judge.New([]byte("openapi: 3.1.0\n" +
		answers(`{type: array, items: {allOf: [{type: object, properties: {a: {}}}], unevaluatedProperties: false}}`,
			"")))
	if err != nil {
		t.Fatal(err)
	}
	const items = 2000
	body := "[" + strings.TrimSuffix(strings.Repeat(`{"x":1},`, items), ",") + "]"
	found := v.Check(foreignExchange("GET /a", 200, "", body))
	if len(found) != judge.MaxViolations+1 {
		t.Fatalf("%d violations, want %d and one that counts the others", len(found), judge.MaxViolations)
	}
	if last := found[judge.MaxViolations]; last.Rule != judge.RuleMore ||
		last.Got != fmt.Sprintf("%d more", items-judge.MaxViolations) {
		t.Errorf("the last is %s", last)
	}
	if diff := cmp.Diff(lines(found), lines(v.Check(foreignExchange("GET /a", 200, "", body)))); diff != "" {
		t.Errorf("the same exchange reads otherwise (-first +second):\n%s", diff)
	}
}
