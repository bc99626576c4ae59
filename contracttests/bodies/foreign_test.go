package bodies

import (
	"slices"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// foreignBody has the keywords that the service's own document lacks, and combinations of them.
const foreignBody = `
openapi: 3.1.0
info: {title: Foreign, version: "1"}
paths:
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    put:
      operationId: put
      requestBody: {$ref: '#/components/requestBodies/Thing'}
      responses: {'204': {description: Done.}}
components:
  requestBodies:
    Thing: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
  schemas:
    Code: {type: string, pattern: '^[a-z]{2,}-[0-9]+$', minLength: 5, maxLength: 12}
    Thing:
      type: object
      required: [id, kind]
      additionalProperties: false
      minProperties: 3
      maxProperties: 20
      properties:
        id: {$ref: '#/components/schemas/Code'}
        kind: {enum: [small, 'LARGE', 7, null, true, [1]]}
        version: {const: 2.50}
        word: {const: word}
        ratio: {type: number, exclusiveMinimum: 0, exclusiveMaximum: 1.5}
        step: {type: [integer, 'null'], multipleOf: 3, minimum: -9}
        coarse: {type: number, multipleOf: 0.25}
        small: {type: integer, format: int32}
        big: {type: integer, format: int64}
        when: {type: string, format: date-time}
        day: {type: string, format: date}
        key: {type: string, format: uuid}
        link: {type: string, format: uri}
        host: {anyOf: [{type: string, format: ipv4}, {type: string, format: ipv6}, {type: string, format: hostname, maxLength: 30}]}
        tags: {type: array, items: {type: string, minLength: 1}, minItems: 2, maxItems: 4, uniqueItems: true}
        pair: {type: array, prefixItems: [{type: integer}, {$ref: '#/components/schemas/Code'}], items: false}
        some: {type: array, contains: {type: integer, minimum: 5}}
        labels: {type: object, propertyNames: {pattern: '^[a-z]+$'}, additionalProperties: {type: integer}, minProperties: 1}
        dated: {type: object, patternProperties: {'^x-': {type: boolean}}, additionalProperties: false}
        card: {type: object, properties: {number: {type: string}, code: {type: string}}, dependentRequired: {number: [code]}}
        shape:
          oneOf:
            - {type: object, required: [radius], properties: {radius: {type: number, minimum: 0}}, additionalProperties: false}
            - {type: object, required: [width, height], properties: {width: {type: number}, height: {type: number}}, additionalProperties: false}
        both:
          allOf:
            - {type: object, required: [a], properties: {a: {type: integer}}}
            - {type: object, required: [b], properties: {b: {type: string, maxLength: 3}}}
        text: {type: string, not: {const: forbidden}}
        choice:
          type: object
          required: [on]
          properties: {on: {type: boolean}}
          if: {properties: {on: {const: true}}}
          then: {required: [level]}
        tree: {$ref: '#/components/schemas/Node'}
    Node:
      type: object
      required: [value]
      properties:
        value: {type: integer}
        children: {type: array, items: {$ref: '#/components/schemas/Node'}}
`

var foreignPut = spec.Operation{ID: "put", Method: "PUT", Path: "/things/{id}"}

// TestForeignBodies: the generator and the judge agree on documents that neither was made for.
func TestForeignBodies(t *testing.T) {
	t.Parallel()
	g, err := New([]byte(foreignBody), foreignPut, BodyLimits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range g.Gaps() {
		t.Errorf("gap: %s", gap)
	}
	v, err := judge.New([]byte(foreignBody))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]map[Belief]bool{}
	disagree := 0
	judge := func(c Case) {
		r := harness.NewRequest("PUT", "", c.Body)
		r.URL = "/things/a"
		if want := OracleVerdict(v, r); want.Belief != c.Belief {
			if disagree++; disagree <= 10 {
				t.Errorf("%s (%.200q): the generator takes it for %s, the validator for %s", c.Name, c.Body, c.verdict(), want)
			}
		}
	}
	for _, c := range g.Cases() {
		judge(c)
		if shown[c.Keyword] == nil {
			shown[c.Keyword] = map[Belief]bool{}
		}
		shown[c.Keyword][c.Belief] = true
	}
	for number := range 2000 {
		judge(g.Combination(1, number))
	}
	for _, keyword := range strings.Fields(`type enum const pattern format minLength maxLength minimum exclusiveMinimum exclusiveMaximum multipleOf
		minItems maxItems uniqueItems contains required minProperties maxProperties propertyNames additionalProperties dependentRequired`) {
		if !shown[keyword][Valid] || !shown[keyword][Invalid] {
			t.Errorf("%s is shown as %v only", keyword, shown[keyword])
		}
	}
}

// TestGaps: what the generator does not understand or cannot show it says.
func TestGaps(t *testing.T) {
	t.Parallel()
	document := func(schema string) []byte {
		return []byte("openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: " + schema + "}}}}}}\n")
	}
	cases := map[string]struct{ schema, gap string }{
		"unknown keyword":       {`{type: object, unevaluatedProperties: false}`, "unevaluatedProperties"},
		"unknown keyword below": {`{properties: {a: {type: string, colour: red}}}`, "colour"},
		"unknown format":        {`{type: string, format: colour}`, "the format colour"},
		"dangling reference":    {`{properties: {a: {$ref: '#/components/schemas/Nothing'}}}`, "no such schema"},
		"foreign reference":     {`{properties: {a: {$ref: 'https://a.example/b'}}}`, "leads out of the document"},
		"bad pattern":           {`{type: string, pattern: '(?=a)'}`, "the pattern"},
		"huge bound":            {`{type: string, maxLength: 1000000000}`, "beyond what is tried"},
		"nothing is refused":    {`{type: [array, string, number, boolean, object, 'null']}`, "no invalid body shows type"},
		"nothing is long":       {`{properties: {a: {type: string, enum: [a, b], minLength: 3}}}`, "no valid body shows enum"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, err := New(document(c.schema), spec.Operation{Method: "POST", Path: "/a"}, BodyLimits{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(g.Gaps(), func(gap string) bool { return strings.Contains(gap, c.gap) }) {
				t.Errorf("gaps %q, want one with %q", g.Gaps(), c.gap)
			}
		})
	}
	for name, schema := range map[string]string{"no valid body": `false`, "endless": `{type: object, required: [a], properties: {a: {$ref: '#/paths/~1a/post/requestBody/content/application~1json/schema'}}}`} {
		if _, err := New(document(schema), spec.Operation{Method: "POST", Path: "/a"}, BodyLimits{}); err == nil {
			t.Errorf("NewGenerator took a schema with %s", name)
		}
	}
	if _, err := New(document(`{}`), spec.Operation{Method: "GET", Path: "/a"}, BodyLimits{}); err == nil {
		t.Error("NewGenerator took an operation that is not there")
	}
}
