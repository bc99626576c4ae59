package judge

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"organizations-api/contracttests/spec"
)

// CheckRequest returns every departure of the request from the document, sorted, and nothing if the request conforms. A
// service has to accept a body that conforms. It has to refuse any other body: as unreadable if a rule is broken whose
// name begins with json-, body-, content- or media-, and as invalid otherwise.
//
// Undeclared members are allowed where the schemas leave them open. Undeclared headers and query parameters are
// allowed.
func (v *Validator) CheckRequest(x Exchange) []Violation {
	c := v.collect(x, 0)
	if c.op == nil {
		c.add(Violation{Rule: RuleOperationUndeclared, Expected: "a path and method of the document", Got: c.name})
		return tidied(c.found)
	}
	h := Canonical(x.Request.Header)
	c.parameters(x.Request, h)
	decoded := c.requestBody(c.op.Body, x.Request.Body, h)
	c.apply(v.requests, x, decoded)
	return tidied(c.found)
}

// parameters judges header parameters itself. The library judges the other parameters and the presence of credentials.
// The library would take an empty header for an absent one, and it strips quotes before it matches a pattern, so that
// it would refuse every entity tag.
func (c *collector) parameters(r Request, h http.Header) {
	for _, p := range c.op.Parameters {
		c.headerParameter(p, h[p.Key])
	}
	request, err := http.NewRequest(r.Method, r.URL, nil)
	if err != nil {
		c.add(Violation{Rule: RuleParameter, Expected: "a request that can be read", Got: Clip(err.Error(), MaxText)})
		return
	}
	request.URL.Path = strings.TrimPrefix(request.URL.Path, c.base) // the library does not know every base path
	request.URL.RawPath = ""
	request.Header = h
	for _, p := range c.v.Document.CheckParameters(request) {
		rule := RuleParameter
		if p.Security {
			rule = RuleSecurity
		}
		c.add(Violation{Rule: rule, Header: p.Name, Expected: "what the document says", Got: p.Message})
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
	value, ok := ParseHeader(declared.Schema.Place(), text)
	if !ok {
		refused.Expected = strings.Join(declared.Schema.Place().Types(), " or ")
		c.add(refused)
		return
	}
	for _, f := range Failures(declared.Schema, value) {
		refused.Keyword, refused.Expected = f.Keyword, f.expected
		c.add(refused)
	}
}

// requestBody judges the body of a request. It returns the decoded body, or nil where nothing can be decoded.
func (c *collector) requestBody(declared *spec.RequestBody, sent []byte, h http.Header) any {
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
	m := c.mediaType(declared.Content, lowered(h["Content-Type"]))
	if m == nil {
		return nil
	}
	return c.content(m, sent)
}

// lowered writes media types in lower case. HTTP lets clients write them in any case.
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
