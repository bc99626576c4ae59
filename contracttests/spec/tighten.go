package spec

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

const SchemaPrefix = "#/components/schemas/"

// Tighten returns a copy of the document whose response schemas refuse undeclared members.
//
// Schemas are open by default, so a response may carry anything beside what is declared; an internal identifier, for
// one. The copy closes every object schema that lists its members and does not say what else it takes. It serves to
// judge responses alone: in requests, what is open must stay open, and they are judged by the document as it is.
//
// Closing a schema is not closing each of its parts: what allOf combines has to be open in the parts, or the parts
// refuse each other's members. So a component has up to three forms in the copy: closed under its own name, open at
// its own level but closed below it where it is a part, and verbatim where it is a test (not, if, contains).
func Tighten(document []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("reading the document: it is not an object")
	}
	top, err := Expand(root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	t := newTightener(Field(Field(top, "components"), "schemas"))
	t.responses(top)
	t.components()
	out, err := yaml.Marshal(top)
	if err != nil {
		return nil, fmt.Errorf("writing the tightened document: %w", err)
	}
	return out, nil
}

// form says how a schema is rewritten.
type form int

const (
	closedForm   form = iota // refuses undeclared members, at its own level and below
	partForm                 // open at its own level, closed below
	verbatimForm             // as it is
)

type tightener struct {
	schemas   *yaml.Node            // components/schemas, nil where there are none
	originals map[string]*yaml.Node // the components as they were
	suffixes  map[form]string       // appended to the name of a component for its other forms
	wanted    []variant             // other forms that are referred to and not yet written
	known     map[variant]bool
}

type variant struct {
	name string
	form form
}

func newTightener(schemas *yaml.Node) *tightener {
	t := &tightener{schemas: schemas, originals: map[string]*yaml.Node{}, known: map[variant]bool{}}
	dashes := "--"
	for name, schema := range Fields(schemas) {
		t.originals[name] = schema
		for strings.HasSuffix(name, dashes+"part") || strings.HasSuffix(name, dashes+"verbatim") {
			dashes += "-"
		}
	}
	t.suffixes = map[form]string{partForm: dashes + "part", verbatimForm: dashes + "verbatim"}
	return t
}

// responses closes the schemas that responses state in place, wherever a response can stand.
func (t *tightener) responses(top *yaml.Node) {
	components := Field(top, "components")
	for _, response := range Fields(Field(components, "responses")) {
		t.response(response)
	}
	for _, items := range []*yaml.Node{Field(top, "paths"), Field(components, "pathItems")} {
		for _, item := range Fields(items) {
			for _, operation := range Fields(item) {
				for _, response := range Fields(Field(operation, "responses")) {
					t.response(response)
				}
			}
		}
	}
}

func (t *tightener) response(response *yaml.Node) {
	for _, media := range Fields(Field(response, "content")) {
		if schema := Field(media, "schema"); schema != nil {
			SetField(media, "schema", t.rewrite(schema, closedForm))
		}
	}
}

// components closes every component and then adds the other forms that are in use.
func (t *tightener) components() {
	for name, schema := range Fields(t.schemas) {
		SetField(t.schemas, name, t.rewrite(schema, closedForm))
	}
	for len(t.wanted) > 0 {
		next := t.wanted[0]
		t.wanted = t.wanted[1:]
		SetField(t.schemas, next.name+t.suffixes[next.form], t.rewrite(t.originals[next.name], next.form))
	}
}

// reference returns the reference to the given form of what a reference names.
func (t *tightener) reference(ref string, want form) string {
	name, ok := strings.CutPrefix(ref, SchemaPrefix)
	if !ok || want == closedForm || t.originals[name] == nil {
		return ref
	}
	if v := (variant{name, want}); !t.known[v] {
		t.known[v] = true
		t.wanted = append(t.wanted, v)
	}
	return ref + t.suffixes[want]
}

// rewrite returns a copy of a schema in the given form.
func (t *tightener) rewrite(schema *yaml.Node, want form) *yaml.Node {
	if schema.Kind != yaml.MappingNode {
		return schema // true or false
	}
	parts := want
	atOnce := want == closedForm && t.closesInParts(schema)
	if want == closedForm && !atOnce {
		parts = partForm
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: schema.Tag, Line: schema.Line, Column: schema.Column}
	for key, value := range Fields(schema) {
		SetField(out, key, t.keyword(key, value, parts, below(want)))
	}
	if want == closedForm && !atOnce {
		t.shut(schema, out)
	}
	return out
}

// below returns the form of what a schema says about members and items.
func below(own form) form {
	if own == verbatimForm {
		return verbatimForm
	}
	return closedForm
}

// keyword rewrites the schemas within the value of a keyword: parts judge the same value as the schema itself, the
// others judge members or items of it.
func (t *tightener) keyword(key string, value *yaml.Node, parts, below form) *yaml.Node {
	switch key {
	case "properties", "patternProperties":
		return t.each(value, below)
	case "additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems":
		return t.rewrite(value, below)
	case "prefixItems":
		return t.each(value, below)
	case "allOf", "anyOf", "oneOf", "dependentSchemas":
		return t.each(value, parts)
	case "then", "else":
		return t.rewrite(value, parts)
	case "if", "not", "contains", "propertyNames":
		return t.rewrite(value, verbatimForm)
	case "$ref":
		out := *value
		out.Value = t.reference(value.Value, parts)
		return &out
	default:
		return value
	}
}

// each rewrites the schemas that a mapping or a list holds.
func (t *tightener) each(node *yaml.Node, want form) *yaml.Node {
	out := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Line: node.Line, Column: node.Column}
	for i, child := range node.Content {
		if node.Kind == yaml.SequenceNode || i%2 == 1 {
			child = t.rewrite(child, want)
		}
		out.Content = append(out.Content, child)
	}
	return out
}

// shut adds what refuses undeclared members, unless the schema says itself what else it takes.
func (t *tightener) shut(schema, out *yaml.Node) {
	if Field(schema, "additionalProperties") != nil || Field(schema, "unevaluatedProperties") != nil {
		return
	}
	if !t.listsMembers(schema, map[string]bool{}) {
		return
	}
	keyword := "additionalProperties"
	if len(t.partsOf(schema)) > 0 {
		keyword = "unevaluatedProperties"
	}
	SetField(out, keyword, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
}

// closesInParts reports whether closing each part of a schema closes the schema. That holds for a mere reference, and
// for alternatives of which one at most lists members, such as a reference or null.
func (t *tightener) closesInParts(schema *yaml.Node) bool {
	if Field(schema, "properties") != nil || Field(schema, "patternProperties") != nil {
		return false
	}
	listing := 0
	for _, p := range t.partsOf(schema) {
		switch {
		case p.keyword == "anyOf" || p.keyword == "oneOf" || p.keyword == "$ref":
			if t.listsMembers(p.schema, map[string]bool{}) {
				listing++
			}
		default:
			return false
		}
	}
	ref, alternatives := Field(schema, "$ref") != nil, len(t.partsOf(schema)) > 1
	return listing <= 1 && !(ref && alternatives)
}

type schemaPart struct {
	keyword string
	schema  *yaml.Node
}

// partsOf returns the schemas that judge the same value together with this one.
func (t *tightener) partsOf(schema *yaml.Node) []schemaPart {
	var parts []schemaPart
	for _, key := range []string{"allOf", "anyOf", "oneOf", "dependentSchemas"} {
		node := Field(schema, key)
		if node == nil {
			continue
		}
		for i, child := range node.Content {
			if node.Kind == yaml.SequenceNode || i%2 == 1 {
				parts = append(parts, schemaPart{key, child})
			}
		}
	}
	for _, key := range []string{"if", "then", "else"} {
		if node := Field(schema, key); node != nil {
			parts = append(parts, schemaPart{key, node})
		}
	}
	if ref := Field(schema, "$ref"); ref != nil {
		if target := t.originals[strings.TrimPrefix(ref.Value, SchemaPrefix)]; target != nil {
			parts = append(parts, schemaPart{"$ref", target})
		}
	}
	return parts
}

// listsMembers reports whether a schema or a part of it names members. seen holds the references that were followed.
func (t *tightener) listsMembers(schema *yaml.Node, seen map[string]bool) bool {
	if Field(schema, "properties") != nil || Field(schema, "patternProperties") != nil {
		return true
	}
	if ref := Field(schema, "$ref"); ref != nil {
		if seen[ref.Value] {
			return false
		}
		seen[ref.Value] = true
	}
	for _, p := range t.partsOf(schema) {
		if t.listsMembers(p.schema, seen) {
			return true
		}
	}
	return false
}
