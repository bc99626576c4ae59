package bodies

import (
	"slices"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// foreignBody has the keywords that the generator understands, in combinations that the service's own document lacks.
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
      properties:
        id: {$ref: '#/components/schemas/Code'}
        kind: {enum: [small, 'LARGE', 7, null, true, [1]]}
        ratio: {type: number, minimum: 0, maximum: 1.5}
        step: {type: [integer, 'null'], minimum: -9}
        word: {anyOf: [{type: string, minLength: 5}, {type: string, maxLength: 3}, {type: integer}]}
        tags: {type: array, items: {type: string, minLength: 1}}
        codes: {type: array, items: {$ref: '#/components/schemas/Code'}}
        grid: {type: array, items: {type: array, items: {type: integer, maximum: 5}}}
        labels: {type: object, additionalProperties: {type: integer}}
        shape:
          anyOf:
            - {type: object, required: [radius], properties: {radius: {type: number, minimum: 0}}, additionalProperties: false}
            - {type: object, required: [width, height], properties: {width: {type: number}, height: {type: number}}, additionalProperties: false}
        tree: {$ref: '#/components/schemas/Node'}
    Node:
      type: object
      required: [value]
      properties:
        value: {type: integer}
        children: {type: array, items: {$ref: '#/components/schemas/Node'}}
`

// TestForeignBodies: the generator and the judge agree on documents that neither was made for.
func TestForeignBodies(t *testing.T) {
	t.Parallel()
	v, err := judge.New([]byte(foreignBody))
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(v.Document.Operation("PUT", "/things/{id}"), BodyLimits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range g.Gaps() {
		t.Errorf("gap: %s", gap)
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
	for _, keyword := range strings.Fields(`type enum pattern minLength maxLength minimum maximum required additionalProperties`) {
		if !shown[keyword][Valid] || !shown[keyword][Invalid] {
			t.Errorf("%s is shown as %v only", keyword, shown[keyword])
		}
	}
}

// TestGaps: the generator states what it does not understand or cannot show.
func TestGaps(t *testing.T) {
	t.Parallel()
	operation := func(schema string) *spec.Operation {
		text := "openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: " + schema + "}}}}}}\n"
		document, err := spec.Load([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return document.Operation("POST", "/a")
	}
	cases := map[string]struct{ schema, gap string }{
		"unknown keyword below": {`{properties: {a: {type: string, colour: red}}}`, "colour"},
		"unknown keyword in":    {`{anyOf: [{additionalProperties: {items: {type: string, colour: red}}}]}`, "colour"},
		"unknown format":        {`{type: string, format: colour}`, "the format colour"},
		"huge bound":            {`{type: string, maxLength: 1000000000}`, "beyond what is tried"},
		"nothing is refused":    {`{type: [array, string, number, boolean, object, 'null']}`, "no invalid body shows type"},
		"nothing is long":       {`{properties: {a: {type: string, enum: [a, b], minLength: 3}}}`, "no valid body shows enum"},
		"two descriptions":      {`{properties: {a: {type: string}}, anyOf: [{properties: {a: {type: string}}}]}`, "several schemas describe the member a"},
	}
	for name, value := range map[string]string{
		"allOf": "[{type: object}]", "oneOf": "[{type: object}]", "not": "{const: 1}", "if": "{type: object}", "const": "{}",
		"exclusiveMinimum": "1", "exclusiveMaximum": "1", "multipleOf": "2", "contains": "{}", "prefixItems": "[{}]",
		"minItems": "1", "maxItems": "1", "uniqueItems": "true", "minProperties": "1", "maxProperties": "1",
		"patternProperties": "{a: {}}", "propertyNames": "{minLength: 1}", "dependentRequired": "{a: [b]}",
		"dependentSchemas": "{a: {}}", "unevaluatedProperties": "false", "readOnly": "true",
	} {
		cases["keyword "+name] = struct{ schema, gap string }{"{" + name + ": " + value + "}", "the keyword " + name + " is not understood"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, err := New(operation(c.schema), BodyLimits{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(g.Gaps(), func(gap string) bool { return strings.Contains(gap, c.gap) }) {
				t.Errorf("gaps %q, want one with %q", g.Gaps(), c.gap)
			}
		})
	}
	if _, err := New(operation(`{type: string, enum: [1]}`), BodyLimits{}); err == nil {
		t.Error("New took a schema with no valid body")
	}
	if _, err := New(nil, BodyLimits{}); err == nil {
		t.Error("New took an operation that does not exist")
	}
}
