package judge

import (
	"net/http"

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
	if c.elsewhere() {
		return nil
	}
	if c.op == nil {
		c.add(Violation{Rule: RuleOperationUndeclared, Expected: "a path and method of the document", Got: c.name})
		return tidied(c.found)
	}
	h := Canonical(x.Request.Header)
	c.parameters(h)
	decoded := c.requestBody(c.op.Body, x.Request.Body, h)
	c.apply(v.requests, x, decoded)
	return tidied(c.found)
}

// requestBody judges the body of a request. It returns the decoded body, or nil where nothing can be decoded.
func (c *collector) requestBody(declared *spec.RequestBody, sent []byte, h http.Header) any {
	switch {
	case declared == nil:
		if len(sent) > 0 {
			c.add(Violation{Rule: RuleBodyUndeclared, Expected: "no body", Got: count(len(sent), "byte")})
		}
		return nil
	case len(sent) == 0 && !declared.Required:
		return nil
	}
	return c.body(declared.Content, sent, h)
}
