package bodies

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// schemaReader makes bodySchemas of a document. What it does not understand it remembers as a gap.
type schemaReader struct {
	top   *yaml.Node
	known map[string]*bodySchema // by pointer; schemas refer to each other in circles
	gaps  []string
}

// readBodySchema returns the schema of the JSON body of an operation, and what of it is not understood.
func readBodySchema(document []byte, op spec.Operation) (*bodySchema, []string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(root.Content) != 1 {
		return nil, nil, fmt.Errorf("reading the document: it is empty")
	}
	top, err := spec.Expand(root.Content[0])
	if err != nil {
		return nil, nil, fmt.Errorf("reading the document: %w", err)
	}
	r := &schemaReader{top: top, known: map[string]*bodySchema{}}
	at := judge.Pointer([]string{"paths", op.Path, strings.ToLower(op.Method), "requestBody"})
	body, at := r.resolve(r.node(at), at)
	for name := range spec.Fields(spec.Field(body, "content")) {
		if judge.IsJSON(name) {
			s := r.schema(at + judge.Pointer([]string{"content", name, "schema"}))
			return s, r.gaps, nil
		}
	}
	return nil, nil, fmt.Errorf("the document has no JSON body for %s %s", op.Method, op.Path)
}

func (r *schemaReader) gap(at, format string, args ...any) {
	r.gaps = append(r.gaps, at+": "+fmt.Sprintf(format, args...))
}

var tokenUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// node returns what is at a pointer into the document, nil where nothing is.
func (r *schemaReader) node(at string) *yaml.Node {
	node := r.top
	for token := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		token = tokenUnescapes.Replace(token)
		if node != nil && node.Kind == yaml.SequenceNode {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node.Content) {
				return nil
			}
			node = node.Content[i]
			continue
		}
		node = spec.Field(node, token)
	}
	return node
}

// resolve follows the references that OpenAPI allows in the place of a whole object.
func (r *schemaReader) resolve(node *yaml.Node, at string) (*yaml.Node, string) {
	for range 10 {
		ref := spec.Field(node, "$ref")
		if ref == nil || !strings.HasPrefix(ref.Value, "#/") {
			break
		}
		at = strings.TrimPrefix(ref.Value, "#")
		node = r.node(at)
	}
	return node, at
}

// schema reads the schema at a pointer.
func (r *schemaReader) schema(at string) *bodySchema {
	if s := r.known[at]; s != nil {
		return s
	}
	s := &bodySchema{at: at}
	r.known[at] = s
	node := r.node(at)
	switch {
	case node == nil:
		r.gap(at, "there is no such schema")
	case node.Kind == yaml.ScalarNode && (node.Value == "true" || node.Value == "false"):
		truth := node.Value == "true"
		s.anyway = &truth
	case node.Kind != yaml.MappingNode:
		r.gap(at, "a schema is an object, true or false")
	}
	for name, value := range spec.Fields(node) {
		r.keyword(s, name, value)
	}
	return s
}

// annotationKeywords say nothing about which values are valid.
var annotationKeywords = map[string]bool{
	"title": true, "description": true, "default": true, "examples": true, "example": true, "deprecated": true,
	"writeOnly": true, "$comment": true, "externalDocs": true, "xml": true, "discriminator": true, "contentMediaType": true,
	"contentEncoding": true, "$defs": true,
}

func (r *schemaReader) keyword(s *bodySchema, name string, value *yaml.Node) {
	if annotationKeywords[name] || strings.HasPrefix(name, "x-") {
		return
	}
	for _, read := range []func(*bodySchema, string, *yaml.Node) bool{
		r.valueKeyword, r.stringKeyword, r.numberKeyword, r.arrayKeyword, r.objectKeyword, r.partKeyword,
	} {
		if read(s, name, value) {
			return
		}
	}
	r.gap(s.at, "the keyword %s is not understood", name)
}

func (r *schemaReader) valueKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	switch name {
	case "type":
		s.types = texts(value)
	case "enum":
		for _, node := range value.Content {
			s.enum = append(s.enum, r.value(s.at, node))
		}
	case "const":
		constant := r.value(s.at, value)
		s.constant = &constant
	default:
		return false
	}
	return true
}

func (r *schemaReader) stringKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	switch name {
	case "minLength":
		s.minLength = r.count(s.at, value)
	case "maxLength":
		s.maxLength = r.count(s.at, value)
	case "pattern":
		s.pattern = r.regexp(s.at, value.Value)
	case "format":
		s.format = value.Value
		if !knownFormat(value.Value) {
			r.gap(s.at, "the format %s is not understood", value.Value)
		}
	default:
		return false
	}
	return true
}

func (r *schemaReader) numberKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	bounds := map[string]**big.Rat{
		"minimum": &s.minimum, "maximum": &s.maximum, "exclusiveMinimum": &s.above, "exclusiveMaximum": &s.below, "multipleOf": &s.multipleOf,
	}
	bound := bounds[name]
	if bound == nil {
		return false
	}
	n, ok := new(big.Rat).SetString(value.Value)
	if !ok {
		r.gap(s.at, "%s is no number", name)
		return true
	}
	*bound = n
	return true
}

func (r *schemaReader) arrayKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	at := s.at + "/" + name
	switch name {
	case "items":
		s.items = r.schema(at)
	case "contains":
		s.contains = r.schema(at)
	case "prefixItems":
		s.prefixItems = r.list(at, value)
	case "minItems":
		s.minItems = r.count(s.at, value)
	case "maxItems":
		s.maxItems = r.count(s.at, value)
	case "uniqueItems":
		s.uniqueItems = value.Value == "true"
	default:
		return false
	}
	return true
}

func (r *schemaReader) objectKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	at := s.at + "/" + name
	switch name {
	case "properties":
		for member := range spec.Fields(value) {
			s.properties = append(s.properties, bodyMember{member, r.schema(at + judge.Pointer([]string{member}))})
		}
	case "patternProperties":
		for pattern := range spec.Fields(value) {
			if re := r.regexp(s.at, pattern); re != nil {
				s.patterns = append(s.patterns, bodyPattern{re, r.schema(at + judge.Pointer([]string{pattern}))})
			}
		}
	case "additionalProperties":
		s.additional = r.schema(at)
	case "propertyNames":
		s.names = r.schema(at)
	case "required":
		s.required = texts(value)
	case "dependentRequired":
		for member, needs := range spec.Fields(value) {
			s.dependentRequired = append(s.dependentRequired, bodyDependency{member, texts(needs)})
		}
	case "minProperties":
		s.minProperties = r.count(s.at, value)
	case "maxProperties":
		s.maxProperties = r.count(s.at, value)
	default:
		return false
	}
	return true
}

func (r *schemaReader) partKeyword(s *bodySchema, name string, value *yaml.Node) bool {
	at := s.at + "/" + name
	switch name {
	case "$ref":
		if !strings.HasPrefix(value.Value, "#/") {
			r.gap(s.at, "the reference %s leads out of the document", value.Value)
			return true
		}
		s.ref = r.schema(strings.TrimPrefix(value.Value, "#"))
	case "allOf":
		s.allOf = r.list(at, value)
	case "anyOf":
		s.anyOf = r.list(at, value)
	case "oneOf":
		s.oneOf = r.list(at, value)
	case "not":
		s.not = r.schema(at)
	case "if":
		s.when = r.schema(at)
	case "then":
		s.then = r.schema(at)
	case "else":
		s.orElse = r.schema(at)
	default:
		return false
	}
	return true
}

func (r *schemaReader) list(at string, value *yaml.Node) []*bodySchema {
	all := make([]*bodySchema, len(value.Content))
	for i := range value.Content {
		all[i] = r.schema(at + "/" + strconv.Itoa(i))
	}
	return all
}

// maxCount is the longest text or list that the generator writes to show a bound.
const maxCount = 1 << 16

func (r *schemaReader) count(at string, value *yaml.Node) *int {
	n, err := strconv.Atoi(value.Value)
	if err != nil || n < 0 || n > maxCount {
		r.gap(at, "the bound %s is beyond what is tried", value.Value)
		return nil
	}
	return &n
}

func (r *schemaReader) regexp(at, pattern string) *regexp.Regexp {
	re, err := regexp.Compile(pattern)
	if err != nil {
		r.gap(at, "the pattern is not understood: %v", err)
	}
	return re
}

// value reads a value that the document states.
func (r *schemaReader) value(at string, node *yaml.Node) any {
	switch {
	case node.Kind == yaml.MappingNode:
		out := map[string]any{}
		for name, member := range spec.Fields(node) {
			out[name] = r.value(at, member)
		}
		return out
	case node.Kind == yaml.SequenceNode:
		out := []any{}
		for _, item := range node.Content {
			out = append(out, r.value(at, item))
		}
		return out
	case node.Tag == "!!null":
		return nil
	case node.Tag == "!!bool":
		return node.Value == "true"
	case node.Tag == "!!int" || node.Tag == "!!float":
		if !json.Valid([]byte(node.Value)) {
			r.gap(at, "the number %s is not understood", node.Value)
		}
		return json.Number(node.Value)
	default:
		return node.Value
	}
}

func texts(node *yaml.Node) []string {
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	var out []string
	for _, item := range node.Content {
		out = append(out, item.Value)
	}
	return out
}
