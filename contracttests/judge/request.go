package judge

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	liberrors "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/helpers"

	"organizations-api/contracttests/spec"
)

// CheckRequest returns every departure of the request from the document, sorted; nothing if it conforms. Of
// the body of a PATCH that is right otherwise it is an oracle: what conforms has to be accepted, and what does not has to
// be refused, as unreadable where a rule named json-, body-, content- or media- is broken and as invalid where another is.
//
// Members that the schemas leave open are allowed, and so are headers and query parameters that nobody declared.
func (v *Validator) CheckRequest(x Exchange) []Violation {
	c := v.collect(x, 0)
	if c.op == nil {
		c.add(Violation{Rule: RuleOperationUndeclared, Expected: "a path and method of the document", Got: c.name})
		return tidied(c.found)
	}
	h := Canonical(x.Request.Header)
	c.parameters(x.Request, h)
	decoded := c.requestBody(c.op.Body, x.Request.Body, h)
	c.apply(v.asked, x, decoded)
	return tidied(c.found)
}

// parameters judges header parameters as it does the headers of responses, and has the library judge the others and
// the presence of credentials. The library takes a header with an empty value for one that is absent,
// and the quotes off the others before it matches a pattern, which no entity tag survives.
func (c *collector) parameters(r Request, h http.Header) {
	for _, name := range spec.SortedKeys(c.op.Asked) {
		c.headerParameter(c.op.Asked[name], h[name])
	}
	request, err := http.NewRequest(r.Method, r.URL, nil)
	if err != nil {
		c.add(Violation{Rule: RuleParameter, Expected: "a request that can be read", Got: Clip(err.Error(), MaxText)})
		return
	}
	request.URL.Path = strings.TrimPrefix(request.URL.Path, c.base) // not every base path is one to the library
	request.URL.RawPath = ""
	request.Header = h
	_, found := c.v.Document.Library.ValidateHttpRequestSync(request)
	for _, e := range found {
		if e.ValidationType != helpers.ParameterValidation || e.ValidationSubType != helpers.ParameterValidationHeader {
			c.parameter(e)
		}
	}
}

func (c *collector) headerParameter(declared *spec.Header, values []string) {
	if len(values) == 0 && declared.Required {
		c.add(Violation{Rule: RuleParameter, Header: declared.Name, Expected: "the header", Got: "nothing"})
	}
	if len(values) == 0 || declared.Schema == nil {
		return
	}
	text := strings.Join(values, ", ") // what is split over lines is one list
	refused := Violation{Rule: RuleParameter, Header: declared.Name, Got: headerText(declared.Name, text)}
	value, ok := Parse(declared.Schema.Shape, text)
	if !ok {
		refused.Expected = strings.Join(declared.Schema.Shape.Types(), " or ")
		c.add(refused)
		return
	}
	for _, f := range Failures(declared.Schema, value) {
		refused.Keyword, refused.Expected = f.Keyword, f.expected
		c.add(refused)
	}
}

func (c *collector) parameter(e *liberrors.ValidationError) {
	rule := RuleParameter
	if e.ValidationType == helpers.SecurityValidation {
		rule = RuleSecurity
	}
	c.add(Violation{Rule: rule, Header: e.ParameterName, Expected: "what the document says", Got: e.Message})
}

// requestBody judges the body of a request and returns what it holds, nil where it holds nothing that can be read.
func (c *collector) requestBody(declared *spec.DeclaredBody, sent []byte, h http.Header) any {
	switch {
	case declared == nil:
		if len(sent) > 0 {
			c.add(Violation{Rule: RuleBodyUndeclared, Expected: "no body", Got: fmt.Sprintf("%d bytes", len(sent))})
		}
		return nil
	case len(sent) == 0 && !declared.Required:
		return nil
	case !c.present(sent):
		return nil
	}
	m := c.mediaType(declared.Media, lowered(h["Content-Type"]))
	if m == nil {
		return nil
	}
	return c.content(*m, sent)
}

// lowered writes media types in lower case, as HTTP allows clients to write them in any.
func lowered(values []string) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = value
		if name, parameters, err := mime.ParseMediaType(value); err == nil {
			out[i] = mime.FormatMediaType(name, parameters)
		}
	}
	return out
}
