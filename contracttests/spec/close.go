package spec

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// CloseResponses returns a copy of the document whose response schemas refuse undeclared members.
//
// Schemas are open by default. A response may therefore carry anything beside what is declared, an internal identifier
// for one. The copy closes every object schema that lists its members and does not say itself what else it takes. Only
// responses are judged by the copy. In requests, what is open must stay open.
//
// To close a schema is not to close each of its parts: the parts of allOf would refuse each other's members. A
// component therefore has up to three forms in the copy. Under its own name it is closed. Where it is a part, it is
// open at its own level and closed below. Where it is a test (not, if, contains), it is as in the document.
func CloseResponses(document []byte) ([]byte, error) {
	top, err := Tree(document)
	if err != nil {
		return nil, err
	}
	c := newCloser(Field(Field(top, "components"), "schemas"))
	c.responses(top)
	c.components()
	out, err := yaml.Marshal(top)
	if err != nil {
		return nil, fmt.Errorf("writing the closed copy of the document: %w", err)
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

type closer struct {
	schemas   *yaml.Node            // components/schemas, nil where there are none
	originals map[string]*yaml.Node // the components as they were
	suffixes  map[form]string       // what the other forms append to the name of a component
	wanted    []variant             // other forms that something refers to and that are not yet written
	known     map[variant]bool
}

type variant struct {
	name string
	form form
}

func newCloser(schemas *yaml.Node) *closer {
	c := &closer{schemas: schemas, originals: map[string]*yaml.Node{}, known: map[variant]bool{}}
	dashes := "--"
	for name, schema := range Fields(schemas) {
		c.originals[name] = schema
		for strings.HasSuffix(name, dashes+"part") || strings.HasSuffix(name, dashes+"verbatim") {
			dashes += "-"
		}
	}
	c.suffixes = map[form]string{partForm: dashes + "part", verbatimForm: dashes + "verbatim"}
	return c
}

// responses closes the schemas that stand in responses, wherever the document can have a response.
func (c *closer) responses(top *yaml.Node) {
	components := Field(top, "components")
	for _, response := range Fields(Field(components, "responses")) {
		c.response(response)
	}
	for _, items := range []*yaml.Node{Field(top, "paths"), Field(components, "pathItems")} {
		for _, item := range Fields(items) {
			for _, operation := range Fields(item) {
				for _, response := range Fields(Field(operation, "responses")) {
					c.response(response)
				}
			}
		}
	}
}

func (c *closer) response(response *yaml.Node) {
	for _, media := range Fields(Field(response, "content")) {
		if schema := Field(media, "schema"); schema != nil {
			SetField(media, "schema", c.rewrite(schema, closedForm))
		}
	}
}

// components closes every component. It then adds the other forms that are in use.
func (c *closer) components() {
	for name, schema := range Fields(c.schemas) {
		SetField(c.schemas, name, c.rewrite(schema, closedForm))
	}
	for len(c.wanted) > 0 {
		next := c.wanted[0]
		c.wanted = c.wanted[1:]
		SetField(c.schemas, next.name+c.suffixes[next.form], c.rewrite(c.originals[next.name], next.form))
	}
}

// reference returns a reference to the wanted form of the component that ref names.
func (c *closer) reference(ref string, want form) string {
	name, ok := strings.CutPrefix(ref, SchemaPrefix)
	if !ok || want == closedForm || c.originals[name] == nil {
		return ref
	}
	if v := (variant{name, want}); !c.known[v] {
		c.known[v] = true
		c.wanted = append(c.wanted, v)
	}
	return ref + c.suffixes[want]
}

// rewrite returns a copy of a schema in the given form.
func (c *closer) rewrite(schema *yaml.Node, want form) *yaml.Node {
	if schema.Kind != yaml.MappingNode {
		return schema // true or false
	}
	parts := want
	inParts := want == closedForm && c.closesInParts(schema)
	if want == closedForm && !inParts {
		parts = partForm
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: schema.Tag, Line: schema.Line, Column: schema.Column}
	for key, value := range Fields(schema) {
		SetField(out, key, c.keyword(key, value, parts, below(want)))
	}
	if want == closedForm && !inParts {
		c.closeSchema(schema, out)
	}
	return out
}

// below returns the form of the schemas that judge members and items.
func below(own form) form {
	if own == verbatimForm {
		return verbatimForm
	}
	return closedForm
}

// keyword rewrites the schemas in the value of a keyword. Those that judge the same value as the schema itself take the
// form parts. Those that judge its members and items take the form below.
func (c *closer) keyword(key string, value *yaml.Node, parts, below form) *yaml.Node {
	switch key {
	case "properties", "patternProperties":
		return c.each(value, below)
	case "additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems":
		return c.rewrite(value, below)
	case "prefixItems":
		return c.each(value, below)
	case "allOf", "anyOf", "oneOf", "dependentSchemas":
		return c.each(value, parts)
	case "then", "else":
		return c.rewrite(value, parts)
	case "if", "not", "contains", "propertyNames":
		return c.rewrite(value, verbatimForm)
	case "$ref":
		out := *value
		out.Value = c.reference(value.Value, parts)
		return &out
	default:
		return value
	}
}

// each rewrites the schemas in a mapping or a list.
func (c *closer) each(node *yaml.Node, want form) *yaml.Node {
	out := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Line: node.Line, Column: node.Column}
	for i, child := range node.Content {
		if node.Kind == yaml.SequenceNode || i%2 == 1 {
			child = c.rewrite(child, want)
		}
		out.Content = append(out.Content, child)
	}
	return out
}

// closeSchema adds the keyword that refuses undeclared members, unless the schema says itself what else it takes.
func (c *closer) closeSchema(schema, out *yaml.Node) {
	if Field(schema, "additionalProperties") != nil || Field(schema, "unevaluatedProperties") != nil {
		return
	}
	if !c.listsMembers(schema, map[string]bool{}) {
		return
	}
	keyword := "additionalProperties"
	if len(c.partsOf(schema)) > 0 {
		keyword = "unevaluatedProperties"
	}
	SetField(out, keyword, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
}

// closesInParts reports whether closing each part of a schema closes the schema. That holds for a mere reference. It
// holds for alternatives too if at most one of them lists members, such as a reference or null.
func (c *closer) closesInParts(schema *yaml.Node) bool {
	if Field(schema, "properties") != nil || Field(schema, "patternProperties") != nil {
		return false
	}
	listing := 0
	for _, p := range c.partsOf(schema) {
		switch {
		case p.keyword == "anyOf" || p.keyword == "oneOf" || p.keyword == "$ref":
			if c.listsMembers(p.schema, map[string]bool{}) {
				listing++
			}
		default:
			return false
		}
	}
	ref, alternatives := Field(schema, "$ref") != nil, len(c.partsOf(schema)) > 1
	return listing <= 1 && !(ref && alternatives)
}

type schemaPart struct {
	keyword string
	schema  *yaml.Node
}

// partsOf returns the schemas that judge the same value together with the given one.
func (c *closer) partsOf(schema *yaml.Node) []schemaPart {
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
		if target := c.originals[strings.TrimPrefix(ref.Value, SchemaPrefix)]; target != nil {
			parts = append(parts, schemaPart{"$ref", target})
		}
	}
	return parts
}

// listsMembers reports whether a schema or a part of it names members. seen holds the references already followed.
func (c *closer) listsMembers(schema *yaml.Node, seen map[string]bool) bool {
	if Field(schema, "properties") != nil || Field(schema, "patternProperties") != nil {
		return true
	}
	if ref := Field(schema, "$ref"); ref != nil {
		if seen[ref.Value] {
			return false
		}
		seen[ref.Value] = true
	}
	for _, p := range c.partsOf(schema) {
		if c.listsMembers(p.schema, seen) {
			return true
		}
	}
	return false
}
