package coverage

import (
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
)

// Report returns the counts so far.
func (c *Coverage) Report() Report {
	r := Report{
		Exchanges: c.exchanges.Load(), Elsewhere: c.elsewhere.Load(),
		Operations: []OperationReport{}, Schemas: []SchemaReport{}, Headers: []HeaderReport{},
		Requests: []RequestReport{},
		Waivers:  []Waiver{}, Unmeasured: slices.Clone(c.unmeasured),
	}
	for _, op := range c.operations {
		r.Operations = append(r.Operations, op.report())
		if request := op.requestReport(); len(request.Headers)+len(request.Bodies) > 0 {
			r.Requests = append(r.Requests, request)
		}
		r.addHeaders(op)
	}
	for _, s := range c.schemas {
		r.Schemas = append(r.Schemas, SchemaReport{Name: s.name, Properties: s.root.reports(responseProperty)})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.waive(c.waivers)
	return r
}

func (r *Report) waive(waivers []Waiver) {
	for _, w := range waivers {
		for m := range r.marks() {
			switch {
			case m.Asked != AskRequired:
			case m.item() == w.Item:
				m.Asked = AskWaived
				w.Seen = m.Count > 0
			case m.of != "" && m.of == w.Item: // a header of an answer that is waived
				m.Asked = AskWaived
			}
		}
		r.Waivers = append(r.Waivers, w)
	}
}

func mark(count *atomic.Int64, asked Asking) Mark { return Mark{Count: count.Load(), Asked: asked} }

// asking returns required or impossible.
func asking(possible bool) Asking {
	if possible {
		return AskRequired
	}
	return AskImpossible
}

func (op *coveredOperation) report() OperationReport {
	r := OperationReport{
		ID: op.String(), Method: op.Method, Path: op.Path,
		Statuses: []StatusReport{}, Undeclared: []StatusReport{},
	}
	for _, s := range op.statuses {
		r.Statuses = append(r.Statuses, StatusReport{s.declared.Status, mark(&s.seen, AskRequired)})
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	for _, status := range slices.Sorted(maps.Keys(op.undeclared)) {
		r.Undeclared = append(r.Undeclared, StatusReport{strconv.Itoa(status),
			Mark{op.undeclared[status], AskOptional}})
	}
	return r
}

// addHeaders adds the response headers of an operation to those that are already there.
func (r *Report) addHeaders(op *coveredOperation) {
	for _, s := range op.statuses {
		for _, h := range s.headers {
			same := func(other HeaderReport) bool { return other.Name == h.Name && other.Required == h.Required }
			i := slices.IndexFunc(r.Headers, same)
			if i < 0 {
				i = len(r.Headers)
				r.Headers = append(r.Headers, HeaderReport{Name: h.Name, Required: h.Required,
					Seen: Mark{Asked: AskRequired}})
			}
			at := AskOptional
			if h.Required {
				r.Headers[i].Seen.Asked, at = AskOptional, AskRequired
			}
			r.Headers[i].Seen.Count += h.seen.Load()
			r.Headers[i].Answers = append(r.Headers[i].Answers,
				AnswerReport{op.name(), s.declared.Status, mark(&h.seen, at)})
		}
	}
}

func (op *coveredOperation) requestReport() RequestReport {
	r := RequestReport{Operation: op.name(), Headers: []ParameterReport{}, Bodies: []BodyReport{}}
	for _, p := range op.parameters {
		r.Headers = append(r.Headers, ParameterReport{
			Name:     p.place.name,
			Value:    mark(&p.place.value, AskRequired),
			Absent:   mark(&p.place.absent, asking(!p.place.required)),
			Keywords: p.place.keywordReports(),
		})
	}
	for _, b := range op.bodies {
		r.Bodies = append(r.Bodies, BodyReport{Media: b.declared.Name, Schema: b.name,
			Properties: b.root.reports(requestProperty)})
	}
	return r
}

// reports returns the reports of a place and of all places inside it.
func (p *coveredPlace) reports(one func(*coveredPlace) PropertyReport) []PropertyReport {
	out := []PropertyReport{}
	for _, at := range p.all() {
		out = append(out, one(at))
	}
	return out
}

func responseProperty(p *coveredPlace) PropertyReport {
	r := p.report()
	r.Absent.Asked = AskImpossible
	if p.property && !p.required {
		r.Absent.Asked = AskOptional
	}
	return r
}

func requestProperty(p *coveredPlace) PropertyReport {
	r := p.report()
	r.Absent.Asked = asking(p.property && !p.required)
	r.Keywords = p.keywordReports()
	return r
}

func (p *coveredPlace) report() PropertyReport {
	r := PropertyReport{
		Pointer: p.pointer,
		Types:   append([]string{}, p.types...),
		Value:   mark(&p.value, AskRequired),
		Null:    mark(&p.null, asking(p.nullable())),
		Absent:  mark(&p.absent, AskImpossible),
	}
	for _, v := range p.enum {
		r.Enum = append(r.Enum, EnumReport{v.text, mark(&v.seen, AskRequired)})
	}
	return r
}

func (p *coveredPlace) keywordReports() []KeywordReport {
	out := []KeywordReport{}
	for _, k := range p.keywords {
		out = append(out, KeywordReport{
			Name: k.name, Bound: k.bound, Accepted: mark(&k.accepted, AskRequired),
			Refused: mark(&k.refused, asking(k.refusable())),
		})
	}
	return out
}
