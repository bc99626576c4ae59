// Package judge judges HTTP exchanges by an OpenAPI 3.1 document, as strictly as can be.
//
// A Validator takes one request and its response as plain data. It returns every departure from the document: those
// that a schema states, and those that schema validators commonly let pass, such as an undeclared member, an empty
// body, a member that is given twice or an undeclared header. Validator.RoundTripper judges a service from the
// client's side, Validator.Middleware from the handler's side.
//
// It works for any document and it is independent of the service that it judges. Of this module it must import package
// spec only: a fault that judge and service share is a fault that nobody sees.
package judge

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"organizations-api/contracttests/spec"
)

// RuleFunc is a further check of one half of an exchange, for what a schema cannot say. decoded is the body of that
// half as a tree of map[string]any, []any, string, json.Number, bool and nil. It is also nil where there is no body or
// the body cannot be read. A function leaves Operation and Status of its violations empty; the Validator fills them
// in.
type RuleFunc func(op spec.Operation, x Exchange, decoded any) []Violation

// Validator judges exchanges by one document. It is safe for concurrent use and never changes: With, WithRequest,
// AllowHeaders and Without return a new Validator, at little cost.
type Validator struct {
	Document *spec.Document
	rules    []RuleFunc // for responses
	requests []RuleFunc // for requests
	allowed  []string   // names of response headers that need no declaration; "X-*" allows every name that begins with X-
	disabled map[Rule]bool
	hosts    []string // whose requests are judged; none is all
}

// standardHeaders belong to HTTP and to servers, not to an operation.
var standardHeaders = []string{
	"Access-Control-*", "Connection", "Content-Length", "Content-Type", "Date", "Keep-Alive", "Vary",
}

// New returns a Validator for an OpenAPI 3.1 document, in YAML or JSON. It fails where spec.Load fails. It does not
// judge the document itself.
func New(document []byte) (*Validator, error) {
	read, err := spec.Load(document)
	if err != nil {
		return nil, err
	}
	return &Validator{Document: read, allowed: standardHeaders}, nil
}

// With returns a Validator that also applies the given rules to responses of declared operations and statuses.
func (v *Validator) With(rules ...RuleFunc) *Validator {
	out := *v
	out.rules = slices.Concat(v.rules, rules)
	return &out
}

// WithRequest returns a Validator that also applies the given rules to requests of declared operations.
func (v *Validator) WithRequest(rules ...RuleFunc) *Validator {
	out := *v
	out.requests = slices.Concat(v.requests, rules)
	return &out
}

// AllowHeaders returns a Validator that accepts further response headers without a declaration. A name that ends in an
// asterisk stands for every name with that beginning.
func (v *Validator) AllowHeaders(names ...string) *Validator {
	out := *v
	out.allowed = slices.Concat(v.allowed, names)
	return &out
}

// MountedAt returns a Validator of a service whose paths begin with base, such as "/v2", whatever the servers of the
// document say. A test server that serves the paths of the document alone is at "".
func (v *Validator) MountedAt(base string) *Validator {
	out := *v
	out.Document = v.Document.MountedAt(base)
	return &out
}

// ForHosts returns a Validator that judges only requests to these hosts, such as api.example or 127.0.0.1:8080, and
// those whose URL names no host. All others are another service's, and have no violation.
func (v *Validator) ForHosts(hosts ...string) *Validator {
	out := *v
	out.hosts = slices.Concat(v.hosts, hosts)
	return &out
}

// elsewhere reports whether a request is another service's.
func (c *collector) elsewhere() bool {
	return len(c.v.hosts) > 0 && c.url.Host != "" && !slices.ContainsFunc(c.v.hosts,
		func(h string) bool { return strings.EqualFold(h, c.url.Host) })
}

// Without returns a Validator without the named checks. What the standards allow and a check refuses all the same, such
// as an integer that is written 1.0, is judged by a rule of its own: RuleJSONIntegerForm, RuleJSONNumberInexact,
// RuleDateTimeForm, RuleContentType and RuleHeaderUndeclared are the ones to switch off for a service that is free
// there.
func (v *Validator) Without(rules ...Rule) *Validator {
	out := *v
	out.disabled = map[Rule]bool{}
	maps.Copy(out.disabled, v.disabled)
	for _, rule := range rules {
		out.disabled[rule] = true
	}
	return &out
}

// Check returns every departure of the response from the document, sorted, and nothing if there is none. It does not
// judge the request, which only says what the response answers. A request that is wrong on purpose has to get a right
// response too.
func (v *Validator) Check(x Exchange) []Violation {
	c := v.collect(x, x.Response.Status)
	if c.elsewhere() {
		return nil
	}
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
	url    *url.URL          // empty if it cannot be parsed
	urlErr error             // why it cannot be parsed
	op     *spec.Operation   // nil if the document has none
	path   map[string]string // the variables of the path, as the URL writes them
	name   string
	status int
	found  []Violation
}

func (v *Validator) collect(x Exchange, status int) *collector {
	c := &collector{v: v, status: status}
	if c.url, c.urlErr = url.Parse(x.Request.URL); c.urlErr != nil {
		c.url = &url.URL{}
	}
	c.op, c.path = v.Document.Find(x.Request.Method, c.url.EscapedPath())
	if c.op != nil {
		c.name = c.op.String()
	} else {
		c.name = Clip(x.Request.Method+" "+c.url.Path, MaxText)
	}
	return c
}

// add records a violation, unless its rule is switched off.
func (c *collector) add(found Violation) {
	if c.v.disabled[found.Rule] {
		return
	}
	found.Operation, found.Status = c.name, c.status
	c.found = append(c.found, found)
}

func (c *collector) apply(rules []RuleFunc, x Exchange, decoded any) {
	for _, rule := range rules {
		for _, found := range rule(*c.op, x, decoded) {
			c.add(found)
		}
	}
}

// declared returns what the document declares of a status. If it declares nothing, it records that and returns nil.
func (c *collector) declared(status int) *spec.Response {
	if status < 200 || status > 599 {
		c.add(Violation{Rule: RuleStatusInvalid, Expected: "a final status, 200 to 599", Got: strconv.Itoa(status)})
		return nil
	}
	declared := c.op.Response(status)
	if declared == nil {
		c.add(Violation{Rule: RuleStatusUndeclared, Expected: "one of " + strings.Join(statuses(c.op), ", "),
			Got: strconv.Itoa(status)})
	}
	return declared
}

func statuses(op *spec.Operation) []string {
	var all []string
	for _, r := range op.Responses {
		all = append(all, r.Status)
	}
	return slices.Sorted(slices.Values(all))
}
