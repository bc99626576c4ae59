package coverage

import (
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// requestVerdict is what a response says about its request.
type requestVerdict int

const (
	saysNothing requestVerdict = iota // the response is about something else: the key, the version, the store
	saysAccepted
	saysHeadersAccepted // the service has read the condition in the headers, but perhaps not the body
	saysRefused
)

// verdict returns the verdict of a status. For a request that does not fit the document, a service sends 422 if that is
// declared, and otherwise 400.
func (op *coveredOperation) verdict(status int) requestVerdict {
	refusal := http.StatusBadRequest
	if slices.ContainsFunc(op.Responses, func(r *spec.Response) bool { return r.Status == "422" }) {
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

// observedRequest is the request of an exchange in its parts.
type observedRequest struct {
	body    any
	place   *coveredPlace // of the body; nil if no body counts
	wrong   []wrongPart   // whatever does not fit the document
	headers []observedHeader
}

// wrongPart is one failure and its place. The place is nil if the failure has none.
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

// take returns the parts of a request. It returns false if the body cannot be read.
func (op *coveredOperation) take(request judge.Request) (*observedRequest, bool) {
	r := &observedRequest{}
	h := judge.Canonical(request.Header)
	for _, p := range op.parameters {
		r.header(p, h[p.Key])
	}
	if op.Body == nil || len(request.Body) == 0 {
		return r, true
	}
	for _, b := range op.bodies {
		if mediaMatches(b.declared.Name, h.Get("Content-Type")) {
			return r, r.read(b, request.Body)
		}
	}
	return r, false
}

func (r *observedRequest) header(p *coveredParameter, values []string) {
	observed := observedHeader{parameter: p, given: len(values) > 0}
	if observed.given && p.Schema != nil {
		text := strings.Join(values, ", ")
		value, ok := judge.ParseHeader(p.Schema.Place(), text)
		if !ok {
			r.wrong = append(r.wrong, wrongPart{p.place, judge.Failure{Keyword: "type"}, text})
			return
		}
		observed.value = value
		for _, f := range judge.Failures(p.Schema, value) {
			r.wrong = append(r.wrong, wrongPart{p.place, f, value})
		}
	}
	r.headers = append(r.headers, observed)
}

func (r *observedRequest) read(b *coveredBody, body []byte) bool {
	value, faults, ok := judge.ReadJSON(body)
	if !ok || len(faults) > 0 {
		return false
	}
	r.body, r.place = value, b.root
	for _, f := range judge.Failures(b.declared.Schema, value) {
		path := ownerPath(f)
		r.wrong = append(r.wrong, wrongPart{b.root.find(path), f, judge.ValueAt(value, path)})
	}
	return true
}

// ownerPath returns the path of the value that the failed keyword judges. If a member is missing or undeclared, that is
// one level up.
func ownerPath(f judge.Failure) []string {
	switch f.Keyword {
	case "required", "dependentRequired", "additionalProperties":
		return f.Path[:len(f.Path)-1]
	default:
		return f.Path
	}
}

// refused counts a refusal if it can have only one reason.
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

// accept counts an accepted value, the values inside it, and the keywords that it exercises.
func (p *coveredPlace) accept(value any) {
	p.walk(value, func(at *coveredPlace, value any) {
		at.add(value)
		for _, k := range at.keywords {
			k.accept(value)
		}
	})
}
