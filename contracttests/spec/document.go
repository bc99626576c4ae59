// Package spec reads an OpenAPI 3.1 document, once. It says what the document declares of each operation, and it holds
// the compiled schemas that judge values.
//
// It works for any document: it must not import anything of organizations, nor the packages that use it.
package spec

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/datamodel"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// Document is what an OpenAPI document declares. Nothing in it changes after Load, so it is safe for concurrent use.
type Document struct {
	Operations []*Operation // in the document's order

	// checkParameters is a function, and not the library's validator: every package that imports spec would otherwise
	// compile the types of the library again, which takes a quarter of a minute for each.
	checkParameters func(*http.Request) []ParameterProblem

	routes []route
}

// Operation is what the document says of one operation.
type Operation struct {
	ID     string // operationId, empty where the document gives none
	Method string
	Path   string // the template, as the document writes it

	Parameters []*Header    // header parameters
	Body       *RequestBody // nil where no request body is declared
	Responses  []*Response
}

// RequestBody is what a request can carry.
type RequestBody struct {
	Required bool
	Content  []*MediaType
}

// Response is what the document says of one status.
type Response struct {
	Status  string // such as 200 or 4XX, or DEFAULT
	Headers []*Header
	Content []*MediaType // empty where no body is declared
}

// MediaType is a body of one media type, or of a range of media types.
type MediaType struct {
	Name   string
	Schema *Compiled // nil where the document gives none
}

// Header is a header of a response, or a header parameter of a request.
type Header struct {
	Name     string // as the document writes it
	Key      string // the canonical name
	Required bool
	Schema   *Compiled // nil where the document gives none
}

// Compiled is the schema of a body or a header, with what judges values by it.
type Compiled struct {
	*Schema // as the document declares it

	// Rules judges values. For a response it also refuses members that the document does not declare.
	Rules    *jsonschema.Schema
	Nullable bool // Rules accept null
}

// String returns the operationId, or method and path template where there is none.
func (o *Operation) String() string {
	if o.ID != "" {
		return o.ID
	}
	return o.Method + " " + o.Path
}

// Response returns what an operation declares of a status, or nil. An exact status comes before its class, such as 4XX,
// and the class before default.
func (o *Operation) Response(status int) *Response {
	for _, key := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "DEFAULT"} {
		if r := o.response(key); r != nil {
			return r
		}
	}
	return nil
}

func (o *Operation) response(key string) *Response {
	i := slices.IndexFunc(o.Responses, func(r *Response) bool { return r.Status == key })
	if i < 0 {
		return nil
	}
	return o.Responses[i]
}

// Header returns the header of a canonical name, or nil where the response declares none.
func (r *Response) Header(key string) *Header {
	i := slices.IndexFunc(r.Headers, func(h *Header) bool { return h.Key == key })
	if i < 0 {
		return nil
	}
	return r.Headers[i]
}

// Load reads a document in YAML or JSON. It fails if the document is not OpenAPI 3.1, cannot be read, or has a schema
// that cannot be compiled. Requests are judged by the document as it is, responses by its closed copy.
func Load(document []byte) (*Document, error) {
	closed, err := CloseResponses(document)
	if err != nil {
		return nil, err
	}
	open, root, err := model(document)
	if err != nil {
		return nil, fmt.Errorf("loading the document: %w", err)
	}
	strict, _, err := model(closed)
	if err != nil {
		return nil, fmt.Errorf("loading the closed copy of the document: %w", err)
	}
	b := newBuilder(root)
	operations := b.operations(open, strict)
	if err := b.finish(); err != nil {
		return nil, err
	}
	return &Document{
		Operations:      operations,
		checkParameters: parameterCheck(open),
		routes:          newRoutes(operations, servers(open)),
	}, nil
}

// model returns the library's model of a document, and the document's YAML.
func model(document []byte) (*v3.Document, *yaml.Node, error) {
	settings := datamodel.NewDocumentConfiguration()
	settings.Logger = slog.New(slog.DiscardHandler) // what matters comes back as an error
	doc, err := libopenapi.NewDocumentWithConfiguration(slices.Clone(document), settings)
	if err != nil {
		return nil, nil, err
	}
	if v := doc.GetVersion(); !strings.HasPrefix(v, "3.1.") {
		return nil, nil, fmt.Errorf("it is OpenAPI %.80q, not 3.1", v)
	}
	built, err := doc.BuildV3Model()
	if err != nil {
		return nil, nil, err
	}
	if built.Model.Paths == nil {
		return nil, nil, errors.New("it has no paths")
	}
	return &built.Model, doc.GetSpecInfo().RootNode, nil
}

// ignored reports whether OpenAPI ignores a header parameter of this canonical name.
func ignored(key string) bool {
	return key == "Accept" || key == "Content-Type" || key == "Authorization"
}

// setHeader adds a header. It replaces an earlier one of the same name.
func setHeader(all []*Header, h *Header) []*Header {
	all = slices.DeleteFunc(all, func(other *Header) bool { return other.Key == h.Key })
	return append(all, h)
}

func newHeader(name string, required bool, schema *Compiled) *Header {
	return &Header{Name: name, Key: http.CanonicalHeaderKey(name), Required: required, Schema: schema}
}
