package coverage

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// Coverage counts what of a document a number of exchanges has exercised. It says nothing on whether the exchanges were
// right, which is a Validator's business, except that what a wrong service accepts or refuses does not count as shown.
//
// What must have been exercised, and is missing otherwise:
//
//   - Of each operation, every declared status.
//   - Of each response schema, every property, and all that items or undeclared members have in common, with a value,
//     and where it can be null with null; every value of an enum. That a property is absent is counted and not asked
//     for: it is the service's choice to send everything, and no caller can bring about anything else.
//   - Of the response headers, each one that is required in every answer that declares it, the others in one at least:
//     whether they come depends on the operator's settings more than on the request.
//   - Of each request body that was accepted, every property with a value, with null where it can be null, and absent
//     where it may be; every value of an enum; every header parameter given and, where it may be, not given.
//   - Of each keyword of a request's schemas, both sides. A bound has to be shown by the value that just fits and the
//     one that just does not, as far as there are such: lengths, counts and whole numbers. A refusal counts for a
//     keyword if nothing but the place of that keyword is wrong with the request.
//
// What a service never does though the document lets it can be waived, with a reason that the report shows.
//
// Alternatives (anyOf, oneOf) and conditions count as one place: the place is covered, not each alternative. A schema
// that refers to itself is followed once. A Coverage is safe for concurrent use.
type Coverage struct {
	contract   *spec.Document
	operations []*coveredOperation
	byContract map[*spec.DeclaredOperation]*coveredOperation
	schemas    []*coveredSchema // of responses
	unmeasured []string

	exchanges atomic.Int64
	elsewhere atomic.Int64

	mu      sync.Mutex
	waivers []Waiver
}

// Waiver names something that is declared and need not be exercised.
type Waiver struct {
	Item   string `json:"item"` // as Report.Missing writes it
	Reason string `json:"reason"`
	Seen   bool   `json:"seen"` // it was exercised all the same, so the waiver is needless
}

// coveredOperation is one operation of the document.
type coveredOperation struct {
	spec.Operation
	contract *spec.DeclaredOperation
	statuses []*coveredStatus // in the order of the document
	asked    []*coveredParameter
	bodies   []*coveredBody // one for each media type

	mu         sync.Mutex
	undeclared map[int]int64 // answers with a status that is not declared
}

// name is what reports call the operation.
func (op *coveredOperation) name() string { return op.Method + " " + op.Path }

type coveredStatus struct {
	key     string // 200, 4XX or DEFAULT
	seen    atomic.Int64
	headers []*coveredHeader
	media   []coveredMedia
}

type coveredHeader struct {
	name     string
	required bool
	seen     atomic.Int64
}

// coveredMedia is one media type of a response; its schema is nil where none is given.
type coveredMedia struct {
	name   string
	schema *coveredSchema
}

// coveredSchema is a schema of responses. All responses that refer to one component share it.
type coveredSchema struct {
	name string
	root *coveredPlace
}

// coveredBody is a request body of one media type.
type coveredBody struct {
	media string
	name  string // of the schema
	root  *coveredPlace
}

// coveredParameter is a header parameter.
type coveredParameter struct {
	contract *spec.Header
	key      string // canonical
	place    *coveredPlace
}

// New returns a Coverage for an OpenAPI 3.1 document, in YAML or JSON, with nothing counted.
func New(document []byte) (*Coverage, error) {
	compiled, err := spec.NewDocument(document)
	if err != nil {
		return nil, err
	}
	return newCoverage(compiled, document)
}

func newCoverage(compiled *spec.Document, document []byte) (*Coverage, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(root.Content) != 1 {
		return nil, errors.New("reading the document: it is not an object")
	}
	top, err := spec.Expand(root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	b := coverageBuilder{top: top, schemas: map[string]*coveredSchema{}, unmeasured: map[string]bool{}}
	c := &Coverage{contract: compiled, byContract: map[*spec.DeclaredOperation]*coveredOperation{}}
	for path, item := range spec.Fields(spec.Field(top, "paths")) {
		for method, declared := range spec.Fields(item) {
			if op := compiled.Operation(strings.ToUpper(method), path); op != nil {
				c.add(b.operation(op, item, declared))
			}
		}
	}
	c.schemas, c.unmeasured = b.ordered, spec.SortedKeys(b.unmeasured)
	return c, nil
}

func (c *Coverage) add(op *coveredOperation) {
	c.operations = append(c.operations, op)
	c.byContract[op.contract] = op
}

// Waive says that an item need not be exercised, and why. It fails if the document does not declare the item, which is
// written as Report.Missing writes it.
func (c *Coverage) Waive(item, reason string) error {
	for m := range c.Report().marks() {
		if m.item() == item {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.waivers = append(c.waivers, Waiver{Item: item, Reason: reason})
			return nil
		}
	}
	return fmt.Errorf("waiving %q: nothing of that name has to be exercised", judge.Clip(item, judge.MaxText))
}

// Observe counts one exchange. It keeps nothing of it.
func (c *Coverage) Observe(x judge.Exchange) {
	c.exchanges.Add(1)
	found, _ := c.contract.Find(x.Request.Method, x.Request.Path())
	op := c.byContract[found]
	if op == nil || x.Request.Method != op.Method { // HEAD is found as GET
		c.elsewhere.Add(1)
		return
	}
	op.response(x)
	op.request(x)
}

func (op *coveredOperation) response(x judge.Exchange) {
	declared := op.status(x.Response.Status)
	if declared == nil {
		op.mu.Lock()
		defer op.mu.Unlock()
		op.undeclared[x.Response.Status]++
		return
	}
	declared.seen.Add(1)
	h := judge.Canonical(x.Response.Header)
	for _, header := range declared.headers {
		if len(h[http.CanonicalHeaderKey(header.name)]) > 0 {
			header.seen.Add(1)
		}
	}
	if schema := declared.schema(h.Get("Content-Type")); schema != nil {
		if value, _, ok := judge.ReadJSON(x.Response.Body); ok {
			schema.root.count(value)
		}
	}
}

// status returns what is declared of a status, the exact status before its class and the class before default.
func (op *coveredOperation) status(status int) *coveredStatus {
	declared := op.contract.Response(status)
	for _, s := range op.statuses {
		if declared != nil && op.contract.Responses[s.key] == declared {
			return s
		}
	}
	return nil
}

// schema returns the schema that a body of the given type has, nil where there is none or the body is no JSON.
func (s *coveredStatus) schema(contentType string) *coveredSchema {
	for _, m := range s.media {
		if mediaMatches(m.name, contentType) {
			return m.schema
		}
	}
	return nil
}

// OrganizationWaivers returns what this repository's document declares and its service never does.
func OrganizationWaivers() []Waiver {
	return []Waiver{{
		Item:   "response property: ErrorResponse /error/code null",
		Reason: "Every error of this service has a code. The document allows null because its model does.",
	}}
}
