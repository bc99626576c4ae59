package coverage

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// coverageBuilder reads out of a document what there is to cover.
type coverageBuilder struct {
	top        *yaml.Node
	schemas    map[string]*coveredSchema // of responses, by name
	ordered    []*coveredSchema
	unmeasured map[string]bool
}

func (b *coverageBuilder) operation(compiled *spec.DeclaredOperation, item, declared *yaml.Node) *coveredOperation {
	op := &coveredOperation{Operation: compiled.Operation, contract: compiled, undeclared: map[int]int64{}}
	for status, response := range spec.Fields(spec.Field(declared, "responses")) {
		if key := strings.ToUpper(status); compiled.Responses[key] != nil { // and no extension
			op.statuses = append(op.statuses, b.status(op, key, b.resolve(response)))
		}
	}
	for _, list := range []*yaml.Node{spec.Field(item, "parameters"), spec.Field(declared, "parameters")} {
		if list == nil {
			continue
		}
		for _, p := range list.Content {
			b.parameter(op, b.resolve(p))
		}
	}
	for media, content := range spec.Fields(spec.Field(b.resolve(spec.Field(declared, "requestBody")), "content")) {
		if schema := spec.Field(content, "schema"); schema != nil && mediaIsJSON(media) {
			root := b.root(schema)
			op.bodies = append(op.bodies, &coveredBody{media, schemaName(schema, op.String()+" request"), root})
		}
	}
	return op
}

func (b *coverageBuilder) status(op *coveredOperation, key string, declared *yaml.Node) *coveredStatus {
	s := &coveredStatus{key: key}
	for name, h := range spec.Fields(spec.Field(declared, "headers")) {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			continue // OpenAPI has it ignored
		}
		required := spec.Field(b.resolve(h), "required")
		s.headers = append(s.headers, &coveredHeader{name: name, required: required != nil && required.Value == "true"})
	}
	for media, content := range spec.Fields(spec.Field(declared, "content")) {
		m := coveredMedia{name: media}
		if schema := spec.Field(content, "schema"); schema != nil && mediaIsJSON(media) {
			m.schema = b.schema(schemaName(schema, op.String()+" "+key), schema)
		}
		s.media = append(s.media, m)
	}
	return s
}

// schema returns the schema of that name, which is shared by all that refer to it.
func (b *coverageBuilder) schema(name string, schema *yaml.Node) *coveredSchema {
	if s := b.schemas[name]; s != nil {
		return s
	}
	s := &coveredSchema{name, b.root(schema)}
	b.schemas[name] = s
	b.ordered = append(b.ordered, s)
	return s
}

func (b *coverageBuilder) root(schema *yaml.Node) *coveredPlace {
	root := newCoveredPlace("", "")
	b.read(root, schema, nil)
	root.complete()
	return root
}

// parameter adds a header parameter, in place of one of the same name that the path declares.
func (b *coverageBuilder) parameter(op *coveredOperation, declared *yaml.Node) {
	name := spec.Field(declared, "name")
	if name == nil {
		return
	}
	key := http.CanonicalHeaderKey(name.Value)
	compiled := op.contract.Asked[key]
	if compiled == nil || spec.Field(declared, "in") == nil || spec.Field(declared, "in").Value != "header" {
		return
	}
	p := &coveredParameter{contract: compiled, key: key, place: newCoveredPlace("", name.Value)}
	p.place.required = compiled.Required
	if schema := spec.Field(declared, "schema"); schema != nil {
		b.read(p.place, schema, nil)
	}
	p.place.complete()
	if slices.Contains(p.place.types, "string") || len(p.place.types) == 0 {
		p.place.drop("type") // every header is a text
	}
	op.asked = slices.DeleteFunc(op.asked, func(other *coveredParameter) bool { return other.key == key })
	op.asked = append(op.asked, p)
}

// resolve follows references within the document. What leads nowhere is nil; newContract has refused such documents.
func (b *coverageBuilder) resolve(node *yaml.Node) *yaml.Node {
	for range maxReferences {
		ref := spec.Field(node, "$ref")
		if ref == nil {
			return node
		}
		node = b.target(ref.Value)
	}
	return nil
}

// maxReferences bounds how far references to references are followed.
const maxReferences = 100

var referenceUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

func (b *coverageBuilder) target(ref string) *yaml.Node {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	node := b.top
	for token := range strings.SplitSeq(path, "/") {
		node = spec.Field(node, referenceUnescapes.Replace(token))
	}
	return node
}

// schemaName returns the name of the component that a schema refers to, and otherwise the given one.
func schemaName(schema *yaml.Node, otherwise string) string {
	if ref := spec.Field(schema, "$ref"); ref != nil {
		return ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
	}
	return otherwise
}

// mediaIsJSON reports whether a declared media type or range can stand for JSON.
func mediaIsJSON(declared string) bool {
	return judge.IsJSON(declared) || declared == "application/*" || declared == "*/*"
}

// mediaMatches reports whether a body of the given Content-Type is JSON of a declared media type or range.
func mediaMatches(declared, contentType string) bool {
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil || !judge.IsJSON(name) {
		return false
	}
	prefix, ranged := strings.CutSuffix(strings.ToLower(declared), "*")
	return strings.EqualFold(declared, name) || ranged && (prefix == "*/" || strings.HasPrefix(name, prefix))
}

// unmeasuredAt names a keyword that Coverage has no measure for.
func unmeasuredAt(p *coveredPlace, keyword string) string {
	return fmt.Sprintf("%s at %s", keyword, p.where())
}

// read adds what a schema says to a place. References in following lead here and are not followed again.
func (b *coverageBuilder) read(into *coveredPlace, schema *yaml.Node, following []string) {
	if ref := spec.Field(schema, "$ref"); ref != nil && !slices.Contains(following, ref.Value) {
		b.read(into, b.target(ref.Value), append(slices.Clone(following), ref.Value))
	}
	for key, value := range spec.Fields(schema) {
		switch key {
		case "allOf", "anyOf", "oneOf":
			for _, part := range value.Content {
				b.read(into, part, following)
			}
		case "then", "else":
			b.read(into, value, following)
		case "properties":
			for name, member := range spec.Fields(value) {
				b.read(into.member(name), member, following)
			}
		case "items", "additionalProperties", "unevaluatedProperties":
			b.open(into, key, value, following)
		case "prefixItems":
			for _, item := range value.Content {
				b.open(into, "items", item, following)
			}
		default:
			b.keyword(into, key, value)
		}
	}
}

// open adds what a schema says of all items, or of members without a property of their own. A schema that takes
// everything describes no place.
func (b *coverageBuilder) open(into *coveredPlace, key string, value *yaml.Node, following []string) {
	if value.Kind != yaml.MappingNode {
		switch {
		case value.Value == "false" && key == "items":
			b.unmeasured[unmeasuredAt(into, "items false")] = true
		case value.Value == "false":
			into.keywords = append(into.keywords, newCoveredKeyword(key, value))
		}
		return
	}
	if len(value.Content) == 0 {
		return
	}
	slot := &into.rest
	if key == "items" {
		slot = &into.items
	}
	if *slot == nil {
		*slot = into.child("*")
	}
	b.read(*slot, value, following)
}

func (b *coverageBuilder) keyword(into *coveredPlace, key string, value *yaml.Node) {
	switch {
	case key == "type":
		into.addTypes(value)
	case key == "enum":
		into.addEnum(value)
		into.keywords = append(into.keywords, newCoveredKeyword(key, value))
	case key == "required":
		for _, name := range value.Content {
			into.member(name.Value).required = true
			into.keywords = append(into.keywords, newCoveredKeyword(key, name))
		}
	case key == "uniqueItems" && value.Value != "true":
	case measuredKeywords[key]:
		into.keywords = append(into.keywords, newCoveredKeyword(key, value))
	case !silentKeywords[key] && !strings.HasPrefix(key, "x-"):
		b.unmeasured[unmeasuredAt(into, key)] = true
	}
}

func (p *coveredPlace) addTypes(value *yaml.Node) {
	names := value.Content
	if value.Kind == yaml.ScalarNode {
		names = []*yaml.Node{value}
	}
	for _, name := range names {
		if !slices.Contains(p.types, name.Value) {
			p.types = append(p.types, name.Value)
		}
	}
}

func (p *coveredPlace) addEnum(value *yaml.Node) {
	for _, one := range value.Content {
		known := func(v *coveredValue) bool { return v.key == nodeKey(one) }
		if one.Kind == yaml.ScalarNode && !slices.ContainsFunc(p.enum, known) {
			p.enum = append(p.enum, &coveredValue{text: one.Value, key: nodeKey(one)})
		}
	}
}

// measuredKeywords judge a value on their own, and the judge of schemas names them in its refusals.
var measuredKeywords = map[string]bool{
	"const": true, "contains": true, "dependentRequired": true, "exclusiveMaximum": true, "exclusiveMinimum": true,
	"format": true, "maxItems": true, "maxLength": true, "maxProperties": true, "maximum": true, "minItems": true,
	"minLength": true, "minProperties": true, "minimum": true, "multipleOf": true, "not": true, "pattern": true,
	"propertyNames": true, "uniqueItems": true,
}

// silentKeywords accept and refuse nothing.
var silentKeywords = map[string]bool{
	"$anchor": true, "$comment": true, "$defs": true, "$id": true, "$ref": true, "$schema": true, "contentEncoding": true,
	"contentMediaType": true, "default": true, "deprecated": true, "description": true, "discriminator": true,
	"example": true, "examples": true, "externalDocs": true, "if": true, "readOnly": true, "title": true,
	"writeOnly": true, "xml": true,
}
