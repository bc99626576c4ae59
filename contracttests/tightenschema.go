package contracttests

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

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
	for key, value := range fields(schema) {
		setField(out, key, t.keyword(key, value, parts, below(want)))
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
	if field(schema, "additionalProperties") != nil || field(schema, "unevaluatedProperties") != nil {
		return
	}
	if !t.listsMembers(schema, map[string]bool{}) {
		return
	}
	keyword := "additionalProperties"
	if len(t.partsOf(schema)) > 0 {
		keyword = "unevaluatedProperties"
	}
	setField(out, keyword, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
}

// closesInParts reports whether closing each part of a schema closes the schema. That holds for a mere reference, and
// for alternatives of which one at most lists members, such as a reference or null.
func (t *tightener) closesInParts(schema *yaml.Node) bool {
	if field(schema, "properties") != nil || field(schema, "patternProperties") != nil {
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
	ref, alternatives := field(schema, "$ref") != nil, len(t.partsOf(schema)) > 1
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
		node := field(schema, key)
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
		if node := field(schema, key); node != nil {
			parts = append(parts, schemaPart{key, node})
		}
	}
	if ref := field(schema, "$ref"); ref != nil {
		if target := t.originals[strings.TrimPrefix(ref.Value, schemaPrefix)]; target != nil {
			parts = append(parts, schemaPart{"$ref", target})
		}
	}
	return parts
}

// listsMembers reports whether a schema or a part of it names members. seen holds the references that were followed.
func (t *tightener) listsMembers(schema *yaml.Node, seen map[string]bool) bool {
	if field(schema, "properties") != nil || field(schema, "patternProperties") != nil {
		return true
	}
	if ref := field(schema, "$ref"); ref != nil {
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
