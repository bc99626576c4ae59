package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// quickSchemas are schemas of all that quick knows, and of what it does not know.
var quickSchemas = []string{
	`true`, `false`, `{}`, `{type: string}`, `{type: [string, 'null']}`, `{type: integer}`, `{type: number}`,
	`{type: boolean}`, `{type: object}`, `{type: array}`, `{enum: [a, b]}`, `{enum: [a, null, 7, true]}`,
	`{const: a}`, `{const: null}`, `{const: 7}`, `{const: a, enum: [b]}`,
	`{type: integer, minimum: 2, maximum: 7}`, `{minimum: 1.5}`, `{exclusiveMinimum: 2}`,
	`{multipleOf: 3}`, `{type: integer, format: int32}`, `{type: integer, format: int64}`, `{minLength: 2}`,
	`{maxLength: 2}`, `{pattern: '^a'}`, `{pattern: '^(?!a)'}`, `{format: date-time}`, `{format: email}`,
	`{minItems: 2}`, `{maxItems: 1}`, `{items: {type: string}}`, `{items: false}`,
	`{prefixItems: [{type: string}]}`, `{prefixItems: [true], items: {type: integer}}`, `{uniqueItems: true}`,
	`{contains: {type: string}}`, `{required: [a]}`, `{properties: {a: {type: string}}}`, `{minProperties: 1}`,
	`{properties: {a: true}, additionalProperties: false}`, `{additionalProperties: {type: string}}`,
	`{additionalProperties: true}`, `{properties: {a: {type: object, properties: {b: true}}}}`,
	`{patternProperties: {'^a': {type: string}}}`, `{propertyNames: {maxLength: 1}}`,
	`{properties: {a: {writeOnly: true}}}`, `{properties: {a: {$ref: '#/components/schemas/W'}}}`,
	`{$ref: '#/components/schemas/Tree'}`, `{allOf: [{required: [a]}, {properties: {a: {type: string}}}]}`,
	`{anyOf: [{type: string}, {type: 'null'}]}`,
	`{anyOf: [{properties: {a: {type: object}}}, {properties: {a: {properties: {b: true}}}}]}`,
	`{anyOf: [{$ref: '#/components/schemas/Tree'}, {type: 'null'}]}`,
	`{allOf: [{properties: {a: true}}, {properties: {b: true}}]}`, `{oneOf: [{type: string}, {maxLength: 1}]}`,
	`{not: {type: string}}`, `{if: {type: string}, then: {minLength: 2}}`, `{dependentRequired: {a: [b]}}`,
	`{dependentSchemas: {a: {required: [b]}}}`, `{properties: {a: true}, unevaluatedProperties: false}`,
	`{type: string, nullable: true}`, `{$ref: '#/components/schemas/Tree', required: [b]}`,
}

var quickValues = []string{
	`null`, `true`, `""`, `"a"`, `"b"`, `"ab"`, `"abc"`, `"ä"`, `"äöü"`, `"2026-01-05T09:30:00Z"`,
	`"2026-13-05T09:30:00Z"`, `"a@b.example"`, `"a@"`, `0`, `-0`, `1`, `2`, `3`, `7`, `8`, `1.0`, `1.5`, `2e0`,
	`2147483647`, `2147483648`, `-2147483649`, `9223372036854775808`, `1e400`, `123456789012345678`, `[]`, `["a"]`,
	`["a","a"]`, `[1]`, `["a",1]`, `[null,2]`, `{}`, `{"a":"x"}`, `{"a":1}`, `{"b":"x"}`, `{"a":"x","b":"y"}`,
	`{"a":{}}`, `{"a":{"b":1}}`, `{"a":{"c":1}}`, `{"ab":"x"}`, `{"ab":1}`, `{"name":"x"}`, `{"name":1}`,
	`{"children":[{"name":"x"}]}`, `{"children":[{"name":"x","b":1}]}`, `{"children":[{"children":[{"name":2}]}]}`,
	`{"a":null}`, `{"a":"x","c":1}`,
}

// TestQuickAgrees: what quick accepts, the engine accepts. The judge has the test for members that are not declared.
func TestQuickAgrees(t *testing.T) {
	t.Parallel()
	document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n"
	for i, schema := range quickSchemas {
		content := "{application/json: {schema: " + schema + "}}"
		document += fmt.Sprintf("  /s%d: {get: {responses: {'200': {description: d, content: %s}}}}\n", i, content)
	}
	document += `components: {schemas: {W: {type: string, writeOnly: true}, Tree: {type: object, properties: {name: {type: string},
      children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}}}`
	read, err := Load([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	accepted, right := 0, 0
	for i, op := range read.Operations {
		s := op.Responses[0].Content[0].Schema
		if s.Rules == nil {
			t.Fatalf("%s is not compiled: %v", quickSchemas[i], read.Warnings)
		}
		for _, text := range quickValues {
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			var value any
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if number, ok := value.(json.Number); ok {
				value = BoundedNumber(number)
			}
			fits := s.Rules.Validate(value) == nil
			if fits {
				right++
			}
			for _, listed := range []bool{false, true} {
				if s.quick.accepts(value, listed, 0) {
					accepted++
					if !fits {
						t.Errorf("quick accepts %s by %s, listed = %v, and the engine refuses it", text,
							quickSchemas[i], listed)
					}
				}
			}
		}
	}
	if accepted < right/2 {
		t.Errorf("quick accepts %d values of %d that are right", accepted, right)
	}
}

// TestQuickKnowsSchema: quick looks at every field that the engine's schema has. A new one has to be added to
// unknownToQuick, or to the ones here that neither accept nor refuse a value.
func TestQuickKnowsSchema(t *testing.T) {
	t.Parallel()
	without := strings.Fields("DraftVersion Location ID Anchor RecursiveAnchor DynamicAnchor Title Description " +
		"Default Comment " +
		"ReadOnly WriteOnly Examples Deprecated")
	known := strings.Fields("Bool Ref Types Enum Const AllOf AnyOf Format Required Properties " +
		"AdditionalProperties MinItems MaxItems " +
		"Items2020 MinLength MaxLength Pattern Minimum Maximum")
	typ := reflect.TypeFor[jsonschema.Schema]()
	for i := range typ.NumField() {
		field := typ.Field(i)
		if !field.IsExported() || slices.Contains(without, field.Name) || slices.Contains(known, field.Name) {
			continue
		}
		s := &jsonschema.Schema{}
		set := reflect.ValueOf(s).Elem().Field(i)
		switch field.Type.Kind() {
		case reflect.Pointer:
			set.Set(reflect.New(field.Type.Elem()))
		case reflect.Slice:
			set.Set(reflect.MakeSlice(field.Type, 1, 1))
		case reflect.Map:
			set.Set(reflect.MakeMap(field.Type))
		case reflect.Bool:
			set.SetBool(true)
		case reflect.Interface:
			set.Set(reflect.ValueOf(true))
		default:
			t.Fatalf("%s is of the kind %s", field.Name, field.Type.Kind())
		}
		if !unknownToQuick(s) {
			t.Errorf("quick does not look at %s", field.Name)
		}
	}
}
