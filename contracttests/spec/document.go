// Package spec reads an OpenAPI 3.1 document, once. It returns the declarations for each operation, and compiled
// schemas that judge values.
//
// It works for any document: it must not import anything of organizations, nor the packages that use it.
package spec

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is the declarations of an OpenAPI document. Nothing in it changes after Load, so it is safe for concurrent
// use.
type Document struct {
	Operations []*Operation // in the document's order

	// Warnings name what cannot be judged because the document is wrong there, or uses what this package does not know.
	// All else is judged. A warning costs the schema that it names, in the operation that it names.
	Warnings []Warning

	routes []route
}

// Warning says that a part of a document cannot be judged, and why.
type Warning struct {
	Where string // the operation with the part of it, such as getPet 200
	Text  string
}

// String returns the warning on one line.
func (w Warning) String() string { return w.Where + ": " + w.Text }

// Operation is the declaration of one operation.
type Operation struct {
	ID     string // operationId, empty where the document gives none
	Method string
	Path   string // the template, as the document writes it

	Parameters []*Header    // header parameters
	Inputs     []*Parameter // path, query and cookie parameters
	Security   []Credentials
	Body       *RequestBody // nil where no request body is declared
	Responses  []*Response

	bases []base
}

// RequestBody is the declaration of a request's body.
type RequestBody struct {
	Required bool
	Content  []*MediaType
}

// Response is the declaration of one status.
type Response struct {
	Status  string // such as 200 or 4XX, or DEFAULT
	Headers []*Header
	Content []*MediaType // empty where no body is declared
}

// MediaType is a body of one media type, or of a range of media types.
type MediaType struct {
	Name       string            // in lower case and without parameters
	Parameters map[string]string // such as charset, nil where there are none
	Schema     *Compiled         // nil where the document gives none
	Encoding   map[string]Encoding
}

// String returns the media type as it stands in a Content-Type header.
func (m *MediaType) String() string {
	out := m.Name
	for _, name := range slices.Sorted(keys(m.Parameters)) {
		out += "; " + name + "=" + m.Parameters[name]
	}
	return out
}

// Encoding says how a form encodes a member.
type Encoding struct {
	ContentType string // "" where the member's type decides
	Style       string // "" is form
	Explode     bool
}

// Header is a header of a response, or a header parameter of a request.
type Header struct {
	Name     string // as the document writes it
	Key      string // the canonical name
	Required bool
	Explode  bool      // members of an object are written name=value
	JSON     bool      // the value is a JSON text
	Schema   *Compiled // nil where the document gives none
}

// Parameter is a parameter in the path, the query or a cookie.
type Parameter struct {
	Name     string
	In       string // path, query or cookie
	Required bool
	Style    string
	Explode  bool
	JSON     bool      // the value is a JSON text
	Schema   *Compiled // nil where the document gives none
}

// Credentials are the credentials that one alternative of an operation's security needs together. It may need none.
type Credentials []Credential

// Credential is one kind of credential.
type Credential struct {
	In     string // header, query or cookie; "" where the document does not say what a request shows of it
	Name   string // of the header, parameter or cookie
	Scheme string // what the header begins with, such as Bearer; "" if that does not matter
}

// Compiled is the schema of a body or a header, with functions that judge values by it.
type Compiled struct {
	*Schema // as the document declares it

	Rules    *jsonschema.Schema // judges values; nil if the schema cannot be compiled, which Document.Warnings says
	Nullable bool               // Rules accept null
	Closed   bool               // of a response: members that the document does not declare are refused
}

// String returns the operationId. If there is none, it returns the method and the path template.
func (o *Operation) String() string {
	if o.ID != "" {
		return o.ID
	}
	return o.Method + " " + o.Path
}

// Response returns the operation's declaration for a status, or nil. An exact status comes before its class, such as
// 4XX, and the class before default.
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

// Header returns the header with a canonical name, or nil if the response does not declare it.
func (r *Response) Header(key string) *Header {
	i := slices.IndexFunc(r.Headers, func(h *Header) bool { return h.Key == key })
	if i < 0 {
		return nil
	}
	return r.Headers[i]
}

// Load reads a document in YAML or JSON. It returns an error if the document cannot be read or is not OpenAPI 3.1. If
// only one part is wrong, that part is left out, and Document.Warnings names it.
func Load(document []byte) (*Document, error) {
	if v := writtenVersion.FindSubmatch(document[:min(len(document), 4096)]); v != nil {
		if err := checkVersion(string(v[1])); err != nil { // at once, as a document can be large
			return nil, err
		}
	}
	top, err := Tree(document)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(text(top, "openapi")); err != nil {
		return nil, err
	}
	b := newBuilder(top)
	operations := b.operations()
	b.finish()
	return &Document{Operations: operations, Warnings: b.warnings, routes: newRoutes(operations)}, nil
}

// writtenVersion matches the version near the beginning of a document. The version is at the top level: only the brace
// of the document may come before it on its line.
var writtenVersion = regexp.MustCompile(`(?m)(?:^|\A\s*\{\s*)["']?(?:openapi|swagger)["']?[ \t]*:[ \t]*["']?(\d[\w.-]*)`)

func checkVersion(version string) error {
	if strings.HasPrefix(version, "3.1.") {
		return nil
	}
	if version == "" {
		return fmt.Errorf("the document is not OpenAPI 3.1: it has no openapi version")
	}
	return fmt.Errorf("the document is OpenAPI %.80s, and only 3.1 can be judged by: upgrade it first", version)
}

// ignored reports whether OpenAPI ignores a header parameter of this canonical name.
func ignored(key string) bool {
	return key == "Accept" || key == "Content-Type" || key == "Authorization"
}

// setHeader adds a header. It replaces an earlier one of the same name.
func setHeader(all []*Header, h *Header) []*Header {
	h.Key = http.CanonicalHeaderKey(h.Name)
	all = slices.DeleteFunc(all, func(other *Header) bool { return other.Key == h.Key })
	return append(all, h)
}
