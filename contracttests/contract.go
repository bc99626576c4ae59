package contracttests

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

// contract is a document made ready for judging: every schema compiled, nothing left to be done or shared later.
type contract struct {
	routes  []pathRoute
	library validator.Validator // of the document as it is; judges parameters and credentials
}

// operationContract is what the document says of one operation.
type operationContract struct {
	Operation
	responses map[string]*responseContract // by status, "4XX" and "default"
	asked     map[string]*headerContract   // header parameters, by canonical name
	body      *bodyContract                // nil where no request body is declared
}

type responseContract struct {
	headers map[string]*headerContract // by canonical name
	media   []mediaContract            // none where no body is declared
}

type bodyContract struct {
	required bool
	media    []mediaContract
}

type mediaContract struct {
	name   string
	schema *compiledSchema // nil where the document gives none
}

type headerContract struct {
	name     string // as the document writes it
	required bool
	schema   *compiledSchema // nil where the document gives none
}

// newContract compiles a document. Requests are judged by it as it is, responses by its tightened copy.
func newContract(document []byte) (*contract, error) {
	tight, err := tighten(document)
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
	return &contract{
		routes:  newRoutes(operations, servers(asked)),
		library: validator.NewValidatorFromV3Model(asked, append(formats(), config.WithoutRequestBodyValidation())...),
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

func (b *builder) operations(asked, answered *v3.Document) []*operationContract {
	var all []*operationContract
	for path, item := range answered.Paths.PathItems.FromOldest() {
		requested := asked.Paths.PathItems.GetOrZero(path)
		for method, op := range item.GetOperations().FromOldest() {
			o := Operation{ID: op.OperationId, Method: strings.ToUpper(method), Path: path}
			request := requested.GetOperations().GetOrZero(method)
			all = append(all, &operationContract{
				Operation: o,
				responses: b.responses(o, op.Responses),
				asked:     b.headerParameters(o, slices.Concat(requested.Parameters, request.Parameters)),
				body:      b.body(o, request.RequestBody),
			})
		}
	}
	return all
}

func (b *builder) responses(op Operation, declared *v3.Responses) map[string]*responseContract {
	all := map[string]*responseContract{}
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

func (b *builder) response(op Operation, status string, declared *v3.Response) *responseContract {
	where := fmt.Sprintf("%s %s", op, status)
	r := &responseContract{headers: map[string]*headerContract{}, media: b.media(where, declared.Content, schema_validation.SchemaValidationPurposeResponseBody)}
	for name, h := range declared.Headers.FromOldest() {
		key := http.CanonicalHeaderKey(name)
		if key == "Content-Type" {
			continue // the media types say it; OpenAPI has it ignored here
		}
		r.headers[key] = b.header(where+" header "+name, name, h)
	}
	return r
}

func (b *builder) header(where, name string, declared *v3.Header) *headerContract {
	h := &headerContract{name: name, required: declared.Required}
	if orderedmap.Len(declared.Content) > 0 {
		b.problem(where, errors.New("a header with content, not schema, is not supported"))
	}
	if declared.Schema != nil {
		h.schema = b.schema(where, declared.Schema, schema_validation.SchemaValidationPurposeResponseBody)
	}
	if h.schema != nil && slices.Contains(h.schema.shape.types(), "object") {
		b.problem(where, errors.New("a header of type object is not supported"))
	}
	return h
}

// headerParameters compiles the header parameters of an operation, the later of two with one name.
func (b *builder) headerParameters(op Operation, declared []*v3.Parameter) map[string]*headerContract {
	all := map[string]*headerContract{}
	for _, p := range declared {
		key := http.CanonicalHeaderKey(p.Name)
		if p.In != "header" || key == "Accept" || key == "Content-Type" || key == "Authorization" {
			continue // OpenAPI has the three ignored
		}
		h := &headerContract{name: p.Name, required: p.Required != nil && *p.Required}
		if p.Schema != nil {
			h.schema = b.schema(fmt.Sprintf("%s parameter %s", op, p.Name), p.Schema, schema_validation.SchemaValidationPurposeRequestBody)
		}
		all[key] = h
	}
	return all
}

func (b *builder) body(op Operation, declared *v3.RequestBody) *bodyContract {
	if declared == nil {
		return nil
	}
	required := declared.Required
	return &bodyContract{
		required: required != nil && *required,
		media:    b.media(fmt.Sprintf("%s request body", op), declared.Content, schema_validation.SchemaValidationPurposeRequestBody),
	}
}

func (b *builder) media(where string, declared *orderedmap.Map[string, *v3.MediaType], purpose schema_validation.SchemaValidationPurpose) []mediaContract {
	var all []mediaContract
	for name, m := range declared.FromOldest() {
		entry := mediaContract{name: name}
		if m.Schema != nil {
			entry.schema = b.schema(where+" "+name, m.Schema, purpose)
		}
		all = append(all, entry)
	}
	return all
}

func (b *builder) schema(where string, proxy *base.SchemaProxy, purpose schema_validation.SchemaValidationPurpose) *compiledSchema {
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

// response returns what an operation says of a status, the exact status before its class and the class before default.
func (o *operationContract) response(status int) *responseContract {
	for _, key := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "DEFAULT"} {
		if r := o.responses[key]; r != nil {
			return r
		}
	}
	return nil
}
