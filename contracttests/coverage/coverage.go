// Package coverage counts which parts of a document a number of exchanges has exercised, and writes reports.
//
// It does not judge: package judge says whether an exchange was right. It must not import the packages that run against
// services, which are checks, bodies and mutants.
package coverage

import (
	"fmt"
	"sync"
	"sync/atomic"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// Coverage counts which parts of a document have been exercised by exchanges. It does not say whether the exchanges
// were right. But a value that a service wrongly accepts or refuses does not count.
//
// These parts must be exercised. Otherwise they are missing:
//
//   - For each operation, every declared status.
//   - For each response schema, every property with a value, and with null if it can be null. The items of an array
//     count as one property, and so do all undeclared members of an object. Every value of an enum. An absent property
//     is counted but need not occur, because the service may always send everything.
//   - For response headers: a required header in every answer that declares it, and any other header in at least one
//     answer. Whether a service sends those depends on the operator's settings more than on the request.
//   - For each accepted request body, every property with a value, with null if it can be null, and absent if it may be
//     absent. Every value of an enum. Every header parameter, both given and, if it may be absent, absent.
//   - For each keyword of a request's schemas, both sides. The last value that fits and the first that does not fit
//     exercise a bound on lengths, counts or whole numbers. A refusal exercises a keyword only if nothing else is wrong
//     with the request.
//
// A part that the document declares but the service never uses can be waived, with a reason that the report shows.
//
// All alternatives (anyOf, oneOf) and conditions of a value count as one place. A schema that refers to itself is
// followed once. A Coverage is safe for concurrent use.
type Coverage struct {
	document    *spec.Document
	operations  []*coveredOperation
	byOperation map[*spec.Operation]*coveredOperation
	schemas     []*coveredSchema // of responses
	unmeasured  []string

	exchanges atomic.Int64
	elsewhere atomic.Int64

	mu      sync.Mutex
	waivers []Waiver
}

// Waiver names a declared part that need not be exercised.
type Waiver struct {
	Item   string `json:"item"` // as Report.Missing writes it
	Reason string `json:"reason"`
	Seen   bool   `json:"seen"` // it was exercised all the same, so the waiver is needless
}

// coveredOperation is one operation of the document.
type coveredOperation struct {
	*spec.Operation
	statuses   []*coveredStatus
	parameters []*coveredParameter
	bodies     []*coveredBody // one for each media type

	mu         sync.Mutex
	undeclared map[int]int64 // answers by status, of the statuses that are not declared
}

// name returns what reports call the operation.
func (op *coveredOperation) name() string { return op.Method + " " + op.Path }

type coveredStatus struct {
	declared *spec.Response
	seen     atomic.Int64
	headers  []*coveredHeader
	media    []coveredMedia
}

type coveredHeader struct {
	*spec.Header
	seen atomic.Int64
}

// coveredMedia is one media type of a response. Its schema is nil if the document has none.
type coveredMedia struct {
	name   string
	schema *coveredSchema
}

// coveredSchema is a schema of responses.
type coveredSchema struct {
	name string
	root *coveredPlace
}

// coveredBody is a request body of one media type.
type coveredBody struct {
	declared *spec.MediaType
	name     string // of the schema
	root     *coveredPlace
}

// coveredParameter is a header parameter.
type coveredParameter struct {
	*spec.Header
	place *coveredPlace
}

// Waive says that an item need not be exercised, and why. Write the item as Report.Missing does. Waive returns an error
// if the document does not declare the item.
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

// Observe counts one exchange. It keeps no part of it.
func (c *Coverage) Observe(x judge.Exchange) {
	c.exchanges.Add(1)
	found, _ := c.document.Find(x.Request.Method, x.Request.EscapedPath())
	op := c.byOperation[found]
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
		if len(h[header.Key]) > 0 {
			header.seen.Add(1)
		}
	}
	if schema := declared.schema(h.Get("Content-Type")); schema != nil {
		if value, _, ok := judge.ReadJSON(x.Response.Body); ok {
			schema.root.count(value)
		}
	}
}

// status returns the declaration of a status, or nil.
func (op *coveredOperation) status(status int) *coveredStatus {
	declared := op.Response(status)
	for _, s := range op.statuses {
		if s.declared == declared {
			return s
		}
	}
	return nil
}

// schema returns the schema of a body of the given type. It returns nil if there is none or the body is not JSON.
func (s *coveredStatus) schema(contentType string) *coveredSchema {
	for _, m := range s.media {
		if mediaMatches(m.name, contentType) {
			return m.schema
		}
	}
	return nil
}

// OrganizationWaivers returns the parts that the organizations API declares but its service never uses.
func OrganizationWaivers() []Waiver {
	const reason = "Every error of this service has a code. The document allows null because its model does."
	return []Waiver{
		{Item: "response property: ErrorResponse /error/code null", Reason: reason},
		{Item: "response property: HTTPValidationError /error/code null", Reason: reason},
		{
			Item:   "response property: HTTPValidationError /error/details null",
			Reason: "A validation error always lists its problems there. The model is that of all errors.",
		},
	}
}
