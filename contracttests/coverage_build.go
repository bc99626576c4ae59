package contracttests

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// coverageBuilder reads out of a document what there is to cover.
type coverageBuilder struct {
	top        *yaml.Node
	schemas    map[string]*coveredSchema // of responses, by name
	ordered    []*coveredSchema
	unmeasured map[string]bool
}

func (b *coverageBuilder) operation(compiled *operationContract, item, declared *yaml.Node) *coveredOperation {
	op := &coveredOperation{Operation: compiled.Operation, contract: compiled, undeclared: map[int]int64{}}
	for status, response := range fields(field(declared, "responses")) {
		if key := strings.ToUpper(status); compiled.responses[key] != nil { // and no extension
			op.statuses = append(op.statuses, b.status(op, key, b.resolve(response)))
		}
	}
	for _, list := range []*yaml.Node{field(item, "parameters"), field(declared, "parameters")} {
		if list == nil {
			continue
		}
		for _, p := range list.Content {
			b.parameter(op, b.resolve(p))
		}
	}
	for media, content := range fields(field(b.resolve(field(declared, "requestBody")), "content")) {
		if schema := field(content, "schema"); schema != nil && mediaIsJSON(media) {
			root := b.root(schema)
			op.bodies = append(op.bodies, &coveredBody{media, schemaName(schema, op.String()+" request"), root})
		}
	}
	return op
}

func (b *coverageBuilder) status(op *coveredOperation, key string, declared *yaml.Node) *coveredStatus {
	s := &coveredStatus{key: key}
	for name, h := range fields(field(declared, "headers")) {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			continue // OpenAPI has it ignored
		}
		required := field(b.resolve(h), "required")
		s.headers = append(s.headers, &coveredHeader{name: name, required: required != nil && required.Value == "true"})
	}
	for media, content := range fields(field(declared, "content")) {
		m := coveredMedia{name: media}
		if schema := field(content, "schema"); schema != nil && mediaIsJSON(media) {
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
	name := field(declared, "name")
	if name == nil {
		return
	}
	key := http.CanonicalHeaderKey(name.Value)
	compiled := op.contract.asked[key]
	if compiled == nil || field(declared, "in") == nil || field(declared, "in").Value != "header" {
		return
	}
	p := &coveredParameter{contract: compiled, key: key, place: newCoveredPlace("", name.Value)}
	p.place.required = compiled.required
	if schema := field(declared, "schema"); schema != nil {
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
		ref := field(node, "$ref")
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
		node = field(node, referenceUnescapes.Replace(token))
	}
	return node
}

// schemaName returns the name of the component that a schema refers to, and otherwise the given one.
func schemaName(schema *yaml.Node, otherwise string) string {
	if ref := field(schema, "$ref"); ref != nil {
		return ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
	}
	return otherwise
}

// mediaIsJSON reports whether a declared media type or range can stand for JSON.
func mediaIsJSON(declared string) bool {
	return isJSON(declared) || declared == "application/*" || declared == "*/*"
}

// mediaMatches reports whether a body of the given Content-Type is JSON of a declared media type or range.
func mediaMatches(declared, contentType string) bool {
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil || !isJSON(name) {
		return false
	}
	prefix, ranged := strings.CutSuffix(strings.ToLower(declared), "*")
	return strings.EqualFold(declared, name) || ranged && (prefix == "*/" || strings.HasPrefix(name, prefix))
}

// unmeasuredAt names a keyword that Coverage has no measure for.
func unmeasuredAt(p *coveredPlace, keyword string) string {
	return fmt.Sprintf("%s at %s", keyword, p.where())
}
