package judge

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"organizations-api/contracttests/spec"
)

// RuleFunc is a further check of one half of an exchange, for what a schema cannot say. decoded is the body of that
// half as a tree of map[string]any, []any, string, json.Number, bool and nil; it is nil too where there is no body or
// none that can be read. A function leaves Operation and Status of its violations empty; they are filled in.
type RuleFunc func(op spec.Operation, x Exchange, decoded any) []Violation

// Validator judges exchanges by one document. It is safe for concurrent use and never changes: With, WithRequest
// and AllowHeaders return another one, at little cost.
type Validator struct {
	Document *spec.Document
	rules    []RuleFunc // of responses
	asked    []RuleFunc // of requests
	allowed  []string   // canonical names of response headers that need no declaration; "X-*" stands for all that begin so
	disabled map[Rule]bool
}

// standardHeaders belong to HTTP and to servers rather than to an operation.
var standardHeaders = []string{
	"Access-Control-*", "Connection", "Content-Length", "Content-Type", "Date", "Keep-Alive", "Vary",
}

// New returns a Validator for an OpenAPI 3.1 document, in YAML or JSON. It fails if the document cannot be
// read or one of its schemas cannot be compiled. It does not judge the document itself.
func New(document []byte) (*Validator, error) {
	c, err := spec.NewDocument(document)
	if err != nil {
		return nil, err
	}
	return &Validator{Document: c, allowed: standardHeaders}, nil
}

// With returns a Validator that applies the given rules too, to responses of declared operations and statuses.
func (v *Validator) With(rules ...RuleFunc) *Validator {
	out := *v
	out.rules = slices.Concat(v.rules, rules)
	return &out
}

// WithRequest returns a Validator that applies the given rules too, to requests of declared operations.
func (v *Validator) WithRequest(rules ...RuleFunc) *Validator {
	out := *v
	out.asked = slices.Concat(v.asked, rules)
	return &out
}

// AllowHeaders returns a Validator that takes further response headers without a declaration. A name that ends in an
// asterisk stands for every name that begins so.
func (v *Validator) AllowHeaders(names ...string) *Validator {
	out := *v
	out.allowed = slices.Concat(v.allowed, names)
	return &out
}

// Operations returns the operations of the document, in its order of paths and methods.
func (v *Validator) Operations() []spec.Operation {
	seen := map[spec.Operation]bool{}
	for _, r := range v.Document.Routes {
		for _, op := range r.Operations {
			seen[op.Operation] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b spec.Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
}

// Operation returns the operation that a request belongs to, and false where the document has none.
func (v *Validator) Operation(request Request) (spec.Operation, bool) {
	op, _ := v.Document.Find(request.Method, request.Path())
	if op == nil {
		return spec.Operation{}, false
	}
	return op.Operation, true
}

// Without returns a Validator that lacks the named checks. It is there to prove that each of them is needed.
func (v *Validator) Without(rules ...Rule) *Validator {
	out := *v
	out.disabled = map[Rule]bool{}
	maps.Copy(out.disabled, v.disabled)
	for _, rule := range rules {
		out.disabled[rule] = true
	}
	return &out
}

// Check returns every departure of the response from the document, sorted; nothing if there is none. The request is
// not judged, it only says what the response answers: requests that are wrong on purpose deserve right responses.
func (v *Validator) Check(x Exchange) []Violation {
	c := v.collect(x, x.Response.Status)
	if c.op == nil {
		c.add(Violation{Rule: RuleOperationUndeclared, Expected: "a path and method of the document", Got: c.name})
		return tidied(c.found)
	}
	declared := c.declared(x.Response.Status)
	if declared == nil {
		return tidied(c.found)
	}
	h := Canonical(x.Response.Header)
	c.headers(declared, h)
	c.contentLength(x, h)
	decoded := c.responseBody(declared, x, h)
	c.apply(v.rules, x, decoded)
	return tidied(c.found)
}

// collector gathers the violations of one half of an exchange.
type collector struct {
	v      *Validator
	op     *spec.DeclaredOperation // nil if the document has none
	base   string                  // what precedes the path template in the request's path
	name   string
	status int
	found  []Violation
}

func (v *Validator) collect(x Exchange, status int) *collector {
	op, base := v.Document.Find(x.Request.Method, x.Request.Path())
	c := &collector{v: v, op: op, base: base, status: status}
	if c.op != nil {
		c.name = c.op.String()
	} else {
		path := x.Request.Path()
		c.name = Clip(x.Request.Method+" "+path, MaxText)
	}
	return c
}

// add records a violation, and sees to it that its texts can be shown to anybody.
func (c *collector) add(found Violation) {
	if c.v.disabled[found.Rule] {
		return
	}
	found.Operation, found.Status = c.name, c.status
	found.Pointer = Clip(found.Pointer, MaxPointer)
	found.Header = Clip(found.Header, MaxValue)
	found.Expected = Clip(found.Expected, MaxText)
	found.Got = Clip(found.Got, MaxText)
	c.found = append(c.found, found)
}

func (c *collector) apply(rules []RuleFunc, x Exchange, decoded any) {
	for _, rule := range rules {
		for _, found := range rule(c.op.Operation, x, decoded) {
			c.add(found)
		}
	}
}

// declared returns what the document says of a status, or records that it says nothing.
func (c *collector) declared(status int) *spec.DeclaredResponse {
	if status < 200 || status > 599 {
		c.add(Violation{Rule: RuleStatusInvalid, Expected: "a final status, 200 to 599", Got: strconv.Itoa(status)})
		return nil
	}
	declared := c.op.Response(status)
	if declared == nil {
		c.add(Violation{Rule: RuleStatusUndeclared, Expected: "one of " + strings.Join(spec.SortedKeys(c.op.Responses), ", "), Got: strconv.Itoa(status)})
	}
	return declared
}
