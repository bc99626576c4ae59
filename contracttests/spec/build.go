package spec

import (
	"fmt"
	"iter"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// builder makes the operations from the tree of a document. It collects all problems, so that the author sees them at
// once.
type builder struct {
	reader
	top      *yaml.Node
	compiler *compiler
	compile  []func() // what is left to compile, once all schemas are read
	quickly  quickly
}

func newBuilder(top *yaml.Node) *builder {
	return &builder{reader: newReader(top), top: top, compiler: newCompiler(top), quickly: quickly{}}
}

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// methods are the names of operations in a path item.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (b *builder) operations() []*Operation {
	paths := Field(b.top, "paths")
	if paths == nil {
		b.warn("paths", "the document has none, so that no exchange is declared")
	}
	var all []*Operation
	for path, item := range Fields(paths) {
		if !strings.HasPrefix(path, "/") {
			continue // an extension
		}
		item = b.resolved(path, item)
		for method, declared := range Fields(item) {
			if slices.Contains(methods, method) {
				all = append(all, b.operation(path, method, item, declared))
			}
		}
	}
	return all
}

func (b *builder) operation(path, method string, item, declared *yaml.Node) *Operation {
	op := &Operation{ID: text(declared, "operationId"), Method: strings.ToUpper(method), Path: path}
	b.parameters(op, slices.Concat(items(Field(item, "parameters")), items(Field(declared, "parameters"))))
	op.Security = b.security(op, declared)
	op.Body = b.body(op, Field(declared, "requestBody"))
	for status, response := range Fields(Field(declared, "responses")) {
		if !strings.HasPrefix(status, "x-") {
			op.Responses = append(op.Responses, b.response(op, strings.ToUpper(status), response))
		}
	}
	for _, servers := range []*yaml.Node{Field(declared, "servers"), Field(item, "servers"), Field(b.top, "servers")} {
		if op.bases = newBases(servers); len(op.bases) > 0 {
			break
		}
	}
	if len(op.bases) == 0 {
		op.bases = []base{literalBase("")}
	}
	return op
}

// resolved follows the references of a part of the document that is not a schema. If a reference leads nowhere, the
// part is left out, and a warning names it.
func (b *builder) resolved(where string, node *yaml.Node) *yaml.Node {
	found := Resolve(b.top, node)
	if found == nil && node != nil {
		b.warn(where, fmt.Sprintf("the reference %.80q leads nowhere in this document", text(node, "$ref")))
	}
	return found
}

// parameters reads parameters. A parameter of the operation replaces one of its path with the same name and place.
func (b *builder) parameters(op *Operation, declared []*yaml.Node) {
	for _, node := range declared {
		p := b.resolved(op.String()+" parameter", node)
		name, in := text(p, "name"), text(p, "in")
		where := fmt.Sprintf("%s %s parameter %s", op, in, name)
		required := isTrue(Field(p, "required"))
		switch in {
		case "header":
			if ignored(http.CanonicalHeaderKey(name)) {
				continue
			}
			h := &Header{Name: name, Required: required, Explode: isTrue(Field(p, "explode"))}
			h.Schema, h.JSON = b.described(where, p, forRequest)
			op.Parameters = setHeader(op.Parameters, h)
		case "path", "query", "cookie":
			read := &Parameter{Name: name, In: in, Required: required, Style: text(p, "style")}
			if read.Style == "" {
				read.Style = map[string]string{"path": "simple", "query": "form", "cookie": "form"}[in]
			}
			explode := Field(p, "explode")
			read.Explode = isTrue(explode) || explode == nil && read.Style == "form"
			read.Schema, read.JSON = b.described(where, p, forRequest)
			same := func(other *Parameter) bool { return other.Name == name && other.In == in }
			op.Inputs = append(slices.DeleteFunc(op.Inputs, same), read)
		}
	}
}

// described returns the schema of a parameter or a header. It also returns whether the value is a JSON text.
func (b *builder) described(where string, node *yaml.Node, p purpose) (*Compiled, bool) {
	for media, content := range Fields(Field(node, "content")) {
		name, _, err := mime.ParseMediaType(media)
		isJSON := err == nil && (name == "application/json" || strings.HasSuffix(name, "+json"))
		if !isJSON {
			return nil, false // any text
		}
		return b.schema(where, Field(content, "schema"), p), true
	}
	return b.schema(where, Field(node, "schema"), p), false
}

// security reads which credentials an operation needs.
func (b *builder) security(op *Operation, declared *yaml.Node) []Credentials {
	wanted := Field(declared, "security")
	if wanted == nil {
		wanted = Field(b.top, "security")
	}
	var all []Credentials
	for _, alternative := range items(wanted) {
		together := Credentials{}
		for name := range Fields(alternative) {
			scheme := Field(Field(Field(b.top, "components"), "securitySchemes"), name)
			together = append(together, credential(b.resolved(op.String()+" security "+name, scheme)))
		}
		all = append(all, together)
	}
	return all
}

func credential(scheme *yaml.Node) Credential {
	switch strings.ToLower(text(scheme, "type")) {
	case "apikey":
		return Credential{In: text(scheme, "in"), Name: text(scheme, "name")}
	case "http":
		return Credential{In: "header", Name: "Authorization", Scheme: text(scheme, "scheme")}
	default:
		return Credential{}
	}
}

func (b *builder) body(op *Operation, declared *yaml.Node) *RequestBody {
	if declared == nil {
		return nil
	}
	declared = b.resolved(op.String()+" request", declared)
	return &RequestBody{
		Required: isTrue(Field(declared, "required")),
		Content:  b.content(op.String()+" request", declared, forRequest),
	}
}

func (b *builder) response(op *Operation, status string, declared *yaml.Node) *Response {
	where := op.String() + " " + status
	declared = b.resolved(where, declared)
	r := &Response{Status: status, Content: b.content(where, declared, forResponse)}
	for name, header := range Fields(Field(declared, "headers")) {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			continue // the media types say it; OpenAPI ignores the header
		}
		at := where + " header " + name
		header = b.resolved(at, header)
		h := &Header{Name: name, Required: isTrue(Field(header, "required")), Explode: isTrue(Field(header, "explode"))}
		h.Schema, h.JSON = b.described(at, header, forHeader)
		r.Headers = setHeader(r.Headers, h)
	}
	return r
}

func (b *builder) content(where string, declared *yaml.Node, p purpose) []*MediaType {
	var all []*MediaType
	for written, media := range Fields(Field(declared, "content")) {
		media = b.resolved(where, media)
		m := &MediaType{Name: strings.ToLower(written), Encoding: encodings(Field(media, "encoding"))}
		if name, parameters, err := mime.ParseMediaType(written); err == nil {
			m.Name, m.Parameters = name, parameters
		}
		m.Schema = b.schema(where+" "+m.Name, Field(media, "schema"), p)
		all = append(all, m)
	}
	return all
}

func encodings(declared *yaml.Node) map[string]Encoding {
	var all map[string]Encoding
	for member, e := range Fields(declared) {
		if all == nil {
			all = map[string]Encoding{}
		}
		style, explode := text(e, "style"), Field(e, "explode")
		all[member] = Encoding{
			ContentType: text(e, "contentType"), Style: style,
			Explode: isTrue(explode) || explode == nil && (style == "" || style == "form"),
		}
	}
	return all
}

// schema reads a schema, and marks it to be compiled. It returns nil if there is no schema.
func (b *builder) schema(where string, node *yaml.Node, p purpose) *Compiled {
	if node == nil {
		return nil
	}
	s := &Compiled{Schema: b.read(where, node), Closed: p == forResponse}
	b.compile = append(b.compile, func() {
		rules, err := b.compiler.compile(node, p)
		if err != nil {
			b.warn(where, "no value is judged, as "+err.Error())
			return
		}
		s.Rules, s.Nullable, s.quick = rules, rules.Validate(nil) == nil, b.quickly.of(rules)
	})
	return s
}

// finish compiles the schemas, once all are read.
func (b *builder) finish() {
	for _, compile := range b.compile {
		compile()
	}
	b.reader.finish()
}
