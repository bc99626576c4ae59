package coverage

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// Report is what a Coverage has counted, as plain data. Its JSON names are stable.
type Report struct {
	Exchanges  int64             `json:"exchanges"`
	Elsewhere  int64             `json:"elsewhere"` // exchanges that belong to no operation of the document
	Operations []OperationReport `json:"operations"`
	Schemas    []SchemaReport    `json:"schemas"` // of responses
	Headers    []HeaderReport    `json:"headers"` // of responses
	Requests   []RequestReport   `json:"requests"`
	Waivers    []Waiver          `json:"waivers"`
	Unmeasured []string          `json:"unmeasured"` // keywords that coverage has no measure for
}

// Mark is the count of one part.
type Mark struct {
	Count int64  `json:"count"`
	Asked Asking `json:"asked"`
}

// Asking says whether a part must be exercised.
type Asking string

// A part has one of these askings.
const (
	AskRequired   Asking = "required"
	AskOptional   Asking = "optional"   // counted, and not asked for
	AskWaived     Asking = "waived"     // required but for a waiver
	AskImpossible Asking = "impossible" // the document leaves no room for it
)

// Missing reports whether the part is required and was not exercised.
func (m Mark) Missing() bool { return m.Asked == AskRequired && m.Count == 0 }

// OperationReport says which answers of an operation were seen.
type OperationReport struct {
	ID       string         `json:"id"` // operationId, or method and path where there is none
	Method   string         `json:"method"`
	Path     string         `json:"path"`
	Statuses []StatusReport `json:"statuses"`
	// Undeclared are the statuses that came though the document does not declare them.
	Undeclared []StatusReport `json:"undeclared"`
}

// StatusReport is one status: 200, 4XX or DEFAULT.
type StatusReport struct {
	Status string `json:"status"`
	Seen   Mark   `json:"seen"`
}

// SchemaReport says which parts of a response's schema were seen.
type SchemaReport struct {
	Name       string           `json:"name"`
	Properties []PropertyReport `json:"properties"`
}

// PropertyReport is one place of a schema.
type PropertyReport struct {
	Pointer  string          `json:"pointer"` // JSON pointer, * for any item or other member; "" is the whole
	Types    []string        `json:"types"`
	Value    Mark            `json:"value"`
	Null     Mark            `json:"null"`
	Absent   Mark            `json:"absent"`
	Enum     []EnumReport    `json:"enum,omitempty"`
	Keywords []KeywordReport `json:"keywords,omitempty"` // of requests only
}

// EnumReport is one value of an enum.
type EnumReport struct {
	Value string `json:"value"`
	Seen  Mark   `json:"seen"`
}

// KeywordReport is one keyword with both its sides.
type KeywordReport struct {
	Name     string `json:"name"`
	Bound    string `json:"bound"`
	Accepted Mark   `json:"accepted"`
	Refused  Mark   `json:"refused"`
}

// HeaderReport is one response header with the answers that declare it.
type HeaderReport struct {
	Name     string         `json:"name"`
	Required bool           `json:"required"`
	Seen     Mark           `json:"seen"` // in any of the answers
	Answers  []AnswerReport `json:"answers"`
}

// AnswerReport is one answer of an operation.
type AnswerReport struct {
	Operation string `json:"operation"` // method and path
	Status    string `json:"status"`
	Seen      Mark   `json:"seen"`
}

// RequestReport says which parts of an operation's requests were accepted, and which keywords refused a request.
type RequestReport struct {
	Operation string            `json:"operation"` // method and path
	Headers   []ParameterReport `json:"headers"`
	Bodies    []BodyReport      `json:"bodies"`
}

// ParameterReport is one header parameter.
type ParameterReport struct {
	Name     string          `json:"name"`
	Value    Mark            `json:"value"`
	Absent   Mark            `json:"absent"`
	Keywords []KeywordReport `json:"keywords"`
}

// BodyReport is a request body of one media type.
type BodyReport struct {
	Media      string           `json:"media"`
	Schema     string           `json:"schema"`
	Properties []PropertyReport `json:"properties"`
}

// Kind is one kind of declared parts.
type Kind string

// The reportKinds.
const (
	KindStatus           Kind = "status"
	KindResponseProperty Kind = "response property"
	KindResponseEnum     Kind = "response enum value"
	KindResponseHeader   Kind = "response header"
	KindRequestProperty  Kind = "request property"
	KindRequestEnum      Kind = "request enum value"
	KindRequestHeader    Kind = "request header"
	KindRequestKeyword   Kind = "request keyword"
)

var reportKinds = []Kind{
	KindStatus, KindResponseProperty, KindResponseEnum, KindResponseHeader, KindRequestProperty, KindRequestEnum,
	KindRequestHeader, KindRequestKeyword,
}

// Total says how many parts of one kind were exercised.
type Total struct {
	Kind     Kind    `json:"kind"`
	Required int     `json:"required"`
	Seen     int     `json:"seen"`
	Percent  float64 `json:"percent"` // rounded down to a tenth, so that 100 is all
}

// Totals returns a total for each kind that the document has parts of.
func (r Report) Totals() []Total {
	byKind := map[Kind]*Total{}
	for m := range r.marks() {
		if m.Asked != AskRequired {
			continue
		}
		if byKind[m.kind] == nil {
			byKind[m.kind] = &Total{Kind: m.kind}
		}
		byKind[m.kind].Required++
		if m.Count > 0 {
			byKind[m.kind].Seen++
		}
	}
	totals := []Total{}
	for _, kind := range reportKinds {
		if t := byKind[kind]; t != nil {
			t.Percent = percent(t.Seen, t.Required)
			totals = append(totals, *t)
		}
	}
	return totals
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return math.Floor(float64(part)*1000/float64(whole)) / 10
}

// Percent returns the share of the required parts that were exercised.
func (r Report) Percent() float64 {
	seen, required := 0, 0
	for _, t := range r.Totals() {
		seen, required = seen+t.Seen, required+t.Required
	}
	return percent(seen, required)
}

// Missing names each required part that was not exercised, one on each line, and each waiver that was not needed. It
// leaves out the headers of an answer that never came.
func (r Report) Missing() []string {
	missing, never := []string{}, map[string]bool{}
	for m := range r.marks() {
		if m.Missing() && !never[m.of] {
			missing = append(missing, m.item())
			never[m.item()] = m.kind == KindStatus
		}
	}
	for _, w := range r.Waivers {
		if w.Seen {
			missing = append(missing, "needless waiver: "+w.Item)
		}
	}
	return missing
}

// namedMark is a mark and the name of its part.
type namedMark struct {
	*Mark
	kind Kind
	name string
	of   string // the item of the answer that a header belongs to
}

func (m namedMark) item() string { return string(m.kind) + ": " + m.name }

// marks yields the marks of all parts, kind by kind.
func (r Report) marks() iter.Seq[namedMark] {
	var all []namedMark
	add := func(m *Mark, kind Kind, format string, args ...any) {
		all = append(all, namedMark{Mark: m, kind: kind, name: fmt.Sprintf(format, args...)})
	}
	r.statusMarks(add)
	for i := range r.Schemas {
		propertyMarks(r.Schemas[i].Name, r.Schemas[i].Properties, KindResponseProperty, KindResponseEnum, add)
	}
	all = append(all, r.headerMarks()...)
	for i := range r.Requests {
		r.Requests[i].marks(add)
	}
	slices.SortStableFunc(all, func(a, b namedMark) int {
		return slices.Index(reportKinds,
			a.kind) - slices.Index(reportKinds, b.kind)
	})
	return slices.Values(all)
}

type addMark func(m *Mark, kind Kind, format string, args ...any)

func (r *Report) statusMarks(add addMark) {
	for i := range r.Operations {
		op := &r.Operations[i]
		for j := range op.Statuses {
			add(&op.Statuses[j].Seen, KindStatus, "%s %s %s", op.Method, op.Path, op.Statuses[j].Status)
		}
	}
}

func (r *Report) headerMarks() []namedMark {
	var all []namedMark
	for i := range r.Headers {
		h := &r.Headers[i]
		all = append(all, namedMark{Mark: &h.Seen, kind: KindResponseHeader, name: h.Name})
		for j := range h.Answers {
			a := &h.Answers[j]
			answer := a.Operation + " " + a.Status
			all = append(all, namedMark{&a.Seen, KindResponseHeader, answer + " " + h.Name, string(KindStatus) + ": " +
				answer})
		}
	}
	return all
}

func propertyMarks(name string, properties []PropertyReport, property, enum Kind, add addMark) {
	for i := range properties {
		p := &properties[i]
		where := strings.TrimRight(name+" "+p.Pointer, " ")
		add(&p.Value, property, "%s value", where)
		add(&p.Null, property, "%s null", where)
		add(&p.Absent, property, "%s absent", where)
		for j := range p.Enum {
			add(&p.Enum[j].Seen, enum, "%s %s", where, p.Enum[j].Value)
		}
		keywordMarks(where, p.Keywords, add)
	}
}

func keywordMarks(where string, keywords []KeywordReport, add addMark) {
	for i := range keywords {
		k := &keywords[i]
		bound := judge.Clip(k.Bound, judge.MaxValue)
		add(&k.Accepted, KindRequestKeyword, "%s %s %s accepted", where, k.Name, bound)
		add(&k.Refused, KindRequestKeyword, "%s %s %s refused", where, k.Name, bound)
	}
}

func (r *RequestReport) marks(add addMark) {
	for i := range r.Headers {
		h := &r.Headers[i]
		add(&h.Value, KindRequestHeader, "%s %s value", r.Operation, h.Name)
		add(&h.Absent, KindRequestHeader, "%s %s absent", r.Operation, h.Name)
		keywordMarks(r.Operation+" header "+h.Name, h.Keywords, add)
	}
	for i := range r.Bodies {
		name := r.Operation + " body"
		if len(r.Bodies) > 1 { // so that each item has a name of its own
			name += " " + r.Bodies[i].Media
		}
		propertyMarks(name, r.Bodies[i].Properties, KindRequestProperty, KindRequestEnum, add)
	}
}
