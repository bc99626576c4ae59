package spec

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

// version is the library's number of OpenAPI 3.1.
const version = 3.1

// The purposes that schemas are compiled for: they differ in readOnly and writeOnly.
const (
	forRequest  = schema_validation.SchemaValidationPurposeRequestBody
	forResponse = schema_validation.SchemaValidationPurposeResponseBody
)

// builder makes operations from the library's model. It collects all problems, so that an author sees them at once.
type builder struct {
	reader
	options *config.ValidationOptions
	compile []func() // what is left to compile
}

func newBuilder(root *yaml.Node) *builder {
	return &builder{reader: newReader(root), options: config.NewValidationOptions(formats()...)}
}

// operations reads requests from the open model. Responses are compiled from the strict one, which has the same paths.
func (b *builder) operations(open, strict *v3.Document) []*Operation {
	var all []*Operation
	for path, item := range open.Paths.PathItems.FromOldest() {
		closed := strict.Paths.PathItems.GetOrZero(path).GetOperations()
		for method, declared := range item.GetOperations().FromOldest() {
			op := &Operation{ID: declared.OperationId, Method: strings.ToUpper(method), Path: path}
			op.Parameters = b.parameters(op, slices.Concat(item.Parameters, declared.Parameters))
			op.Body = b.body(op, declared.RequestBody)
			op.Responses = b.responses(op, declared.Responses, closed.GetOrZero(method).Responses)
			all = append(all, op)
		}
	}
	return all
}

// parameters returns the header parameters. One of the operation replaces one of its path that has the same name.
func (b *builder) parameters(op *Operation, declared []*v3.Parameter) []*Header {
	var all []*Header
	for _, p := range declared {
		if p.In != "header" || ignored(http.CanonicalHeaderKey(p.Name)) {
			continue
		}
		where := fmt.Sprintf("%s parameter %s", op, p.Name)
		schema := b.schema(where, p.Schema, p.Schema, forRequest)
		all = setHeader(all, newHeader(p.Name, p.Required != nil && *p.Required, schema))
	}
	return all
}

func (b *builder) body(op *Operation, declared *v3.RequestBody) *RequestBody {
	if declared == nil {
		return nil
	}
	return &RequestBody{
		Required: declared.Required != nil && *declared.Required,
		Content:  b.content(op.String()+" request", declared.Content, declared.Content, forRequest),
	}
}

func (b *builder) responses(op *Operation, open, strict *v3.Responses) []*Response {
	if open == nil {
		return nil
	}
	var all []*Response
	for status, declared := range open.Codes.FromOldest() {
		all = append(all, b.response(op, strings.ToUpper(status), declared, strict.Codes.GetOrZero(status)))
	}
	if open.Default != nil {
		all = append(all, b.response(op, "DEFAULT", open.Default, strict.Default))
	}
	return all
}

func (b *builder) response(op *Operation, status string, open, strict *v3.Response) *Response {
	where := op.String() + " " + status
	r := &Response{Status: status, Content: b.content(where, open.Content, strict.Content, forResponse)}
	for name, declared := range open.Headers.FromOldest() {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			continue // the media types say it; OpenAPI ignores the header
		}
		r.Headers = setHeader(r.Headers, b.header(where+" header "+name, name, declared))
	}
	return r
}

func (b *builder) header(where, name string, declared *v3.Header) *Header {
	if orderedmap.Len(declared.Content) > 0 {
		b.problem(where, errors.New("a header with content instead of a schema is not supported"))
	}
	h := newHeader(name, declared.Required, b.schema(where, declared.Schema, declared.Schema, forResponse))
	if h.Schema != nil && h.Schema.declares("object") {
		b.problem(where, errors.New("a header of type object is not supported"))
	}
	return h
}

type mediaTypes = orderedmap.Map[string, *v3.MediaType]

func (b *builder) content(where string, open, strict *mediaTypes, purpose schema_validation.SchemaValidationPurpose) []*MediaType {
	var all []*MediaType
	for name, m := range open.FromOldest() {
		schema := b.schema(where, m.Schema, strict.GetOrZero(name).Schema, purpose)
		all = append(all, &MediaType{Name: name, Schema: schema})
	}
	return all
}

// schema reads a schema from the open model, to be compiled from the strict one. It returns nil where there is none.
func (b *builder) schema(where string, open, strict *base.SchemaProxy, purpose schema_validation.SchemaValidationPurpose) *Compiled {
	if open == nil {
		return nil
	}
	s := &Compiled{Schema: b.declared(where, open)}
	b.compile = append(b.compile, func() {
		built, err := strict.BuildSchema()
		if err != nil {
			b.problem(where, err)
			return
		}
		result, err := schema_validation.CompileSchemaForValidation(built, purpose, b.options, version)
		if err != nil {
			b.problem(where, err)
			return
		}
		s.Rules = result.CompiledSchema
		s.Nullable = s.Rules.Validate(nil) == nil
	})
	return s
}

// declared reads a schema where the model has it: a reference, or the YAML itself.
func (b *builder) declared(where string, proxy *base.SchemaProxy) *Schema {
	if proxy.IsReference() && !proxy.IsTransformedRefWithSiblings() {
		return b.reference(where, proxy.GetReference())
	}
	return b.read(where, proxy.GetValueNode())
}

// finish compiles the schemas, once all are read: compiling changes the YAML that they are read from. It returns all
// problems.
func (b *builder) finish() error {
	for _, compile := range b.compile {
		compile()
	}
	b.reader.finish()
	return errors.Join(b.problems...)
}
