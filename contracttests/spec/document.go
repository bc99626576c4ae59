package spec

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	neturl "net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"
)

// version is what the library calls OpenAPI 3.1.
const version = 3.1

// Document is a document made ready for judging: every schema compiled, nothing left to be done or shared later.
type Document struct {
	Routes  []pathRoute
	Library validator.Validator // of the document as it is; judges parameters and credentials
}

// DeclaredOperation is what the document says of one operation.
type DeclaredOperation struct {
	Operation
	Responses map[string]*DeclaredResponse // by status, "4XX" and "default"
	Asked     map[string]*Header           // header parameters, by canonical name
	Body      *DeclaredBody                // nil where no request body is declared
}

type DeclaredResponse struct {
	Headers map[string]*Header // by canonical name
	Media   []Media            // none where no body is declared
}

type DeclaredBody struct {
	Required bool
	Media    []Media
}

type Media struct {
	Name   string
	Schema *Schema // nil where the document gives none
}

type Header struct {
	Name     string // as the document writes it
	Required bool
	Schema   *Schema // nil where the document gives none
}

// NewDocument compiles a document. Requests are judged by it as it is, responses by its tightened copy.
func NewDocument(document []byte) (*Document, error) {
	tight, err := Tighten(document)
	if err != nil {
		return nil, err
	}
	asked, err := load(document)
	if err != nil {
		return nil, fmt.Errorf("loading the document: %w", err)
	}
	answered, err := load(tight)
	if err != nil {
		return nil, fmt.Errorf("loading the tightened document: %w", err)
	}
	b := builder{options: config.NewValidationOptions(formats()...)}
	operations := b.operations(asked, answered)
	if len(b.problems) > 0 {
		return nil, errors.Join(b.problems...)
	}
	return &Document{
		Routes:  newRoutes(operations, servers(asked)),
		Library: validator.NewValidatorFromV3Model(asked, append(formats(), config.WithoutRequestBodyValidation())...),
	}, nil
}

// formats has formats asserted, those of OpenAPI's integers too, which the library does not know.
func formats() []config.Option {
	return []config.Option{
		config.WithFormatAssertions(),
		config.WithCustomFormat("int32", integerFormat(32)),
		config.WithCustomFormat("int64", integerFormat(64)),
	}
}

// load reads an OpenAPI 3.1 document.
func load(document []byte) (*v3.Document, error) {
	settings := datamodel.NewDocumentConfiguration()
	settings.Logger = slog.New(slog.DiscardHandler) // what matters comes back as an error
	doc, err := libopenapi.NewDocumentWithConfiguration(slices.Clone(document), settings)
	if err != nil {
		return nil, err
	}
	if v := doc.GetVersion(); !strings.HasPrefix(v, "3.1.") {
		return nil, fmt.Errorf("it is OpenAPI %.80q, not 3.1", v)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		return nil, err
	}
	if model.Model.Paths == nil {
		return nil, errors.New("it has no paths")
	}
	return &model.Model, nil
}

// servers returns the base paths of a document's servers.
func servers(doc *v3.Document) []string {
	bases := []string{}
	for _, server := range doc.Servers {
		url := server.URL
		for name, variable := range server.Variables.FromOldest() {
			url = strings.ReplaceAll(url, "{"+name+"}", variable.Default)
		}
		path := ""
		if u, err := neturl.Parse(url); err == nil {
			path = u.Path
		}
		bases = append(bases, strings.TrimRight(path, "/"))
	}
	if len(bases) == 0 {
		bases = append(bases, "")
	}
	slices.Sort(bases)
	return slices.Compact(bases)
}

// builder compiles what the library has read, and collects the problems.
type builder struct {
	options  *config.ValidationOptions
	problems []error
}

func (b *builder) operations(asked, answered *v3.Document) []*DeclaredOperation {
	var all []*DeclaredOperation
	for path, item := range answered.Paths.PathItems.FromOldest() {
		requested := asked.Paths.PathItems.GetOrZero(path)
		for method, op := range item.GetOperations().FromOldest() {
			o := Operation{ID: op.OperationId, Method: strings.ToUpper(method), Path: path}
			request := requested.GetOperations().GetOrZero(method)
			all = append(all, &DeclaredOperation{
				Operation: o,
				Responses: b.responses(o, op.Responses),
				Asked:     b.headerParameters(o, slices.Concat(requested.Parameters, request.Parameters)),
				Body:      b.body(o, request.RequestBody),
			})
		}
	}
	return all
}

func (b *builder) responses(op Operation, declared *v3.Responses) map[string]*DeclaredResponse {
	all := map[string]*DeclaredResponse{}
	if declared == nil {
		return all
	}
	for status, r := range declared.Codes.FromOldest() {
		all[strings.ToUpper(status)] = b.response(op, status, r)
	}
	if declared.Default != nil {
		all["DEFAULT"] = b.response(op, "default", declared.Default)
	}
	return all
}

func (b *builder) response(op Operation, status string, declared *v3.Response) *DeclaredResponse {
	where := fmt.Sprintf("%s %s", op, status)
	r := &DeclaredResponse{Headers: map[string]*Header{}, Media: b.media(where, declared.Content, schema_validation.SchemaValidationPurposeResponseBody)}
	for name, h := range declared.Headers.FromOldest() {
		key := http.CanonicalHeaderKey(name)
		if key == "Content-Type" {
			continue // the media types say it; OpenAPI has it ignored here
		}
		r.Headers[key] = b.header(where+" header "+name, name, h)
	}
	return r
}

func (b *builder) header(where, name string, declared *v3.Header) *Header {
	h := &Header{Name: name, Required: declared.Required}
	if orderedmap.Len(declared.Content) > 0 {
		b.problem(where, errors.New("a header with content, not schema, is not supported"))
	}
	if declared.Schema != nil {
		h.Schema = b.schema(where, declared.Schema, schema_validation.SchemaValidationPurposeResponseBody)
	}
	if h.Schema != nil && slices.Contains(h.Schema.Shape.Types(), "object") {
		b.problem(where, errors.New("a header of type object is not supported"))
	}
	return h
}

// headerParameters compiles the header parameters of an operation, the later of two with one name.
func (b *builder) headerParameters(op Operation, declared []*v3.Parameter) map[string]*Header {
	all := map[string]*Header{}
	for _, p := range declared {
		key := http.CanonicalHeaderKey(p.Name)
		if p.In != "header" || key == "Accept" || key == "Content-Type" || key == "Authorization" {
			continue // OpenAPI has the three ignored
		}
		h := &Header{Name: p.Name, Required: p.Required != nil && *p.Required}
		if p.Schema != nil {
			h.Schema = b.schema(fmt.Sprintf("%s parameter %s", op, p.Name), p.Schema, schema_validation.SchemaValidationPurposeRequestBody)
		}
		all[key] = h
	}
	return all
}

func (b *builder) body(op Operation, declared *v3.RequestBody) *DeclaredBody {
	if declared == nil {
		return nil
	}
	required := declared.Required
	return &DeclaredBody{
		Required: required != nil && *required,
		Media:    b.media(fmt.Sprintf("%s request body", op), declared.Content, schema_validation.SchemaValidationPurposeRequestBody),
	}
}

func (b *builder) media(where string, declared *orderedmap.Map[string, *v3.MediaType], purpose schema_validation.SchemaValidationPurpose) []Media {
	var all []Media
	for name, m := range declared.FromOldest() {
		entry := Media{Name: name}
		if m.Schema != nil {
			entry.Schema = b.schema(where+" "+name, m.Schema, purpose)
		}
		all = append(all, entry)
	}
	return all
}

func (b *builder) schema(where string, proxy *base.SchemaProxy, purpose schema_validation.SchemaValidationPurpose) *Schema {
	declared, err := proxy.BuildSchema()
	if err != nil {
		b.problem(where, err)
		return nil
	}
	result, err := schema_validation.CompileSchemaForValidation(declared, purpose, b.options, version)
	if err != nil {
		b.problem(where, err)
		return nil
	}
	return newSchema(result.CompiledSchema)
}

func (b *builder) problem(where string, err error) {
	b.problems = append(b.problems, fmt.Errorf("compiling %s: %w", where, err))
}

// Response returns what an operation says of a status, the exact status before its class and the class before default.
func (o *DeclaredOperation) Response(status int) *DeclaredResponse {
	for _, key := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "DEFAULT"} {
		if r := o.Responses[key]; r != nil {
			return r
		}
	}
	return nil
}

// Operation says which operation of the document an exchange belongs to.
type Operation struct {
	ID     string // operationId, empty where the document gives none
	Method string
	Path   string // the template, as the document writes it
}

// String returns the operationId, or method and path template where there is none.
func (o Operation) String() string {
	if o.ID != "" {
		return o.ID
	}
	return o.Method + " " + o.Path
}

func SortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
