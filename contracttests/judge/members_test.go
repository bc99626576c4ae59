package judge

import (
	"fmt"
	"testing"

	"organizations-api/contracttests/spec"
)

// TestAcceptsAgrees: what a schema of a response accepts without a closer look has no member that is not declared, and
// none that only requests have.
func TestAcceptsAgrees(t *testing.T) {
	t.Parallel()
	schemas := []string{
		`{}`, `{type: object}`, `{properties: {a: true}}`, `{properties: {a: true}, additionalProperties: true}`,
		`{properties: {a: {type: string, writeOnly: true}}}`, `{properties: {a: {$ref: '#/components/schemas/W'}}}`,
		`{properties: {a: {properties: {b: true}}}}`, `{items: {properties: {a: true}}}`,
		`{additionalProperties: {properties: {b: true}}}`,
		`{allOf: [{properties: {a: true}}, {properties: {b: true}}]}`,
		`{allOf: [{properties: {a: true}}, {required: [a]}]}`,
		`{allOf: [{properties: {a: {type: object}}}, {properties: {a: {properties: {b: true}}}}]}`,
		`{anyOf: [{properties: {a: {type: object}}}, {properties: {a: {properties: {b: true}}}}]}`,
		`{anyOf: [{properties: {a: true}}, {type: 'null'}]}`, `{anyOf: [{type: object}, {properties: {a: true}}]}`,
		`{anyOf: [{type: object, properties: {a: true}}, {type: array, items: {properties: {b: true}}}]}`,
		`{properties: {a: true}, anyOf: [{properties: {b: true}}, {type: 'null'}]}`,
		`{$ref: '#/components/schemas/Tree'}`,
		`{$ref: '#/components/schemas/Tree', properties: {c: true}}`,
		`{properties: {a: {anyOf: [{$ref: '#/components/schemas/W'}, {type: 'null'}]}}}`,
	}
	values := []string{
		`null`, `"x"`, `{}`, `{"a":1}`, `{"a":"x"}`, `{"a":null}`, `{"b":1}`, `{"a":1,"b":2}`, `{"a":{}}`,
		`{"a":{"b":1}}`, `{"a":{"c":1}}`, `[]`,
		`[{"a":1}]`, `[{"b":1}]`, `{"name":"x"}`, `{"children":[{"name":"x"}]}`, `{"children":[{"c":"x"}]}`,
		`{"c":{"d":1}}`, `{"c":1,"name":"x"}`,
	}
	document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n"
	for i, schema := range schemas {
		content := "{application/json: {schema: " + schema + "}}"
		document += fmt.Sprintf("  /s%d: {get: {responses: {'200': {description: d, content: %s}}}}\n", i, content)
	}
	document += `components: {schemas: {W: {type: string, writeOnly: true}, Tree: {type: object, properties: {name: {type: string},
      children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}}}`
	read, err := spec.Load([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	accepted, clean := 0, 0
	for i, op := range read.Operations {
		s := op.Responses[0].Content[0].Schema
		for _, text := range values {
			value, _, _ := ReadJSON([]byte(text))
			found := append(refusals(s, value), undeclared(s.Rules, value, false)...)
			if len(found) == 0 {
				clean++
			}
			if s.Accepts(value) {
				accepted++
				if len(found) > 0 {
					t.Errorf("%s is accepted by %s, and a closer look finds %+v", text, schemas[i], found)
				}
			}
		}
	}
	if accepted < clean/2 {
		t.Errorf("%d values are accepted of %d that are clean", accepted, clean)
	}
}
