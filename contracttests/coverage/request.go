package coverage

import (
	"net/http"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// requestVerdict is what an answer says of its request.
type requestVerdict int

const (
	saysNothing requestVerdict = iota // the answer is about something else: the key, the version, the store
	saysAccepted
	saysHeadersAccepted // the condition in the headers was read, and the body need not have been
	saysRefused
)

// verdict reads a status. A request that does not fit the document is refused with 422 where that is declared, and
// with 400 elsewhere.
func (op *coveredOperation) verdict(status int) requestVerdict {
	refusal := http.StatusBadRequest
	if op.contract.Responses["422"] != nil {
		refusal = http.StatusUnprocessableEntity
	}
	switch {
	case status == refusal:
		return saysRefused
	case status >= 200 && status <= 299:
		return saysAccepted
	case status == http.StatusNotModified || status == http.StatusPreconditionFailed:
		return saysHeadersAccepted
	default:
		return saysNothing
	}
}

// observedRequest is the half of an exchange that was asked, taken apart.
type observedRequest struct {
	body    any
	place   *coveredPlace // of the body; nil where there is none that counts
	wrong   []wrongPart   // whatever does not fit the document
	headers []observedHeader
}

// wrongPart is one failure and the place that it is at; nil stands for anywhere else.
type wrongPart struct {
	place   *coveredPlace
	failure judge.Failure
	value   any
}

type observedHeader struct {
	parameter *coveredParameter
	given     bool
	value     any
}

func (op *coveredOperation) request(x judge.Exchange) {
	verdict := op.verdict(x.Response.Status)
	if verdict == saysNothing {
		return
	}
	r, readable := op.take(x.Request)
	switch {
	case !readable:
	case verdict == saysRefused:
		r.refused()
	case len(r.wrong) == 0:
		r.accepted(verdict == saysAccepted)
	}
}

// take takes a request apart. It is false for a request with a body that cannot be read.
func (op *coveredOperation) take(request judge.Request) (*observedRequest, bool) {
	r := &observedRequest{}
	h := judge.Canonical(request.Header)
	for _, p := range op.asked {
		r.header(p, h[p.key])
	}
	if op.contract.Body == nil || len(request.Body) == 0 {
		return r, true
	}
	for _, b := range op.bodies {
		if mediaMatches(b.media, h.Get("Content-Type")) {
			return r, r.read(b, op.contract.Body, request.Body)
		}
	}
	return r, false
}

func (r *observedRequest) header(p *coveredParameter, values []string) {
	observed := observedHeader{parameter: p, given: len(values) > 0}
	if observed.given && p.contract.Schema != nil {
		text := strings.Join(values, ", ")
		value, ok := judge.Parse(p.contract.Schema.Shape, text)
		if !ok {
			r.wrong = append(r.wrong, wrongPart{p.place, judge.Failure{Keyword: "type"}, text})
			return
		}
		observed.value = value
		for _, f := range judge.Failures(p.contract.Schema, value) {
			r.wrong = append(r.wrong, wrongPart{p.place, f, value})
		}
	}
	r.headers = append(r.headers, observed)
}

func (r *observedRequest) read(b *coveredBody, declared *spec.DeclaredBody, body []byte) bool {
	value, faults, ok := judge.ReadJSON(body)
	if !ok || len(faults) > 0 {
		return false
	}
	r.body, r.place = value, b.root
	for _, m := range declared.Media {
		if m.Name != b.media || m.Schema == nil {
			continue
		}
		for _, f := range judge.Failures(m.Schema, value) {
			path := ownerPath(f)
			r.wrong = append(r.wrong, wrongPart{b.root.find(path), f, judge.ValueAt(value, path)})
		}
	}
	return true
}

// ownerPath returns where the keyword of a failure stands, which is one level up where a member is missing or too many.
func ownerPath(f judge.Failure) []string {
	switch f.Keyword {
	case "required", "dependentRequired", "additionalProperties":
		return f.Path[:len(f.Path)-1]
	default:
		return f.Path
	}
}

// refused counts a refusal that can have one reason only.
func (r *observedRequest) refused() {
	if len(r.wrong) == 0 {
		return
	}
	first := r.wrong[0]
	var failures []judge.Failure
	for _, w := range r.wrong {
		if w.place == nil || w.place != first.place {
			return
		}
		failures = append(failures, w.failure)
	}
	first.place.refuse(first.value, failures)
}

// accepted counts a request that fits the document and was accepted.
func (r *observedRequest) accepted(bodyToo bool) {
	for _, h := range r.headers {
		if !h.given {
			h.parameter.place.absent.Add(1)
			continue
		}
		h.parameter.place.accept(h.value)
	}
	if bodyToo && r.place != nil {
		r.place.accept(r.body)
	}
}

// accept counts an accepted value, what is in it, and what it shows of the keywords.
func (p *coveredPlace) accept(value any) {
	p.walk(value, func(at *coveredPlace, value any) {
		at.add(value)
		for _, k := range at.keywords {
			k.accept(value)
		}
	})
}
