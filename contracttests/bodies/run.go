package bodies

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// generatedRun sends bodies to an organization and compares the answers with the document. It may go on with another
// organization.
type generatedRun struct {
	session   *harness.Session
	generator *Generator
	oracle    *judge.Validator
	tenant    harness.Tenant
	record    []byte // as last shown
	pending   []Case // refused since the record was last checked
	lookEvery int    // the record is read after so many bodies; after each one would double the cost
	accepted  int
	refused   int
	reported  int
}

// disagreement says that a body got a wrong answer.
type disagreement struct {
	about    Case
	suite    bool // generator and document disagree, so the service is not to blame
	record   bool // the organization has changed, and an earlier body may be the cause
	message  string
	exchange judge.Exchange
}

// maxReported is the largest number of failures in one run. More would say nothing new.
const maxReported = 3

// fault returns a disagreement about a body.
func (c Case) fault(x judge.Exchange, format string, args ...any) *disagreement {
	return &disagreement{about: c, message: fmt.Sprintf(format, args...), exchange: x}
}

// suiteFault returns a disagreement that is not the service's fault.
func (c Case) suiteFault(x judge.Exchange, format string, args ...any) *disagreement {
	found := c.fault(x, "a fault of the suite: "+format, args...)
	found.suite = true
	return found
}

func (r *generatedRun) goesOn() bool {
	return r.reported < maxReported && r.session.Context().Err() == nil
}

// given reports whether the organization belongs to somebody else.
func (r *generatedRun) given() bool { return r.session.Live() }

// begin gets an organization.
func (r *generatedRun) begin() {
	s := r.session
	r.tenant, r.pending = s.Provision(harness.TenantSpec{}), nil
	x, found := r.send(Case{Name: "no body yet"}, r.request(http.MethodGet, nil))
	if found != nil {
		s.Stop("reading the organization: %s", found.message)
	}
	if x.Response.Status != http.StatusOK {
		s.Stop("reading the organization: status %d", x.Response.Status)
	}
	r.record = x.Response.Body
}

func (r *generatedRun) request(method string, body []byte) judge.Request {
	return harness.NewRequest(method, r.tenant.Keys[harness.KeyAdmin], body)
}

// update returns the request with a body. An empty body has a media type too.
func (r *generatedRun) update(body []byte) judge.Request {
	request := r.request(http.MethodPatch, body)
	request.Header.Set("Content-Type", "application/json")
	if r.generator.limits.Merges {
		request.Header.Set("Content-Type", harness.MergePatchType)
	}
	return request
}

// empty empties the objects of the record. Then the result of a merge patch is known: the patch without its nulls.
func (r *generatedRun) empty(c Case) *disagreement {
	request := r.request(http.MethodPatch, []byte(`{"metadata":{},"default_llm_credentials":{}}`))
	request.Header.Set("Content-Type", "application/json")
	x, found := r.send(c, request)
	if found == nil && x.Response.Status != http.StatusOK {
		found = c.fault(x, "emptying the objects: status %d", x.Response.Status)
	}
	return found
}

// report reports a disagreement together with the request that shows it.
func (r *generatedRun) report(found *disagreement) {
	r.reported++
	r.session.FailExchange(found.exchange, "%s (%s): %s", found.about.Name, describeBody(found.exchange.Request.Body), found.message)
}

func describeBody(body []byte) string {
	const shown = 160
	if len(body) > shown {
		return fmt.Sprintf("%d bytes", len(body))
	}
	return judge.Clip(string(body), shown)
}

// smallest looks for a smaller body that fails too and returns its disagreement. If it can, it tries each body on a new
// organization.
func (r *generatedRun) smallest(found *disagreement, write func(*bodyNode) Case) *disagreement {
	if found.about.node == nil {
		return found
	}
	defer func(every int) { r.lookEvery = every }(r.lookEvery)
	r.lookEvery = 1
	fails := func(n *bodyNode) bool {
		if !r.given() {
			r.begin()
		}
		again := r.try(write(n))
		if again == nil || again.suite != found.suite {
			return false
		}
		found = again
		return true
	}
	if fails(found.about.node) {
		found.about.node.shrink(fails)
	} else {
		found.message += ", after the bodies before it"
	}
	return found
}

// try sends one body. It returns a disagreement if the answer is wrong.
func (r *generatedRun) try(c Case) *disagreement {
	request := r.update(c.Body)
	want := OracleVerdict(r.oracle, request)
	if own := c.verdict(); !own.equal(want) {
		return c.suiteFault(judge.Exchange{Request: request}, "the generator takes it for %s, the validator for %s", own, want)
	}
	if want.Belief == Valid && r.given() && r.lasting(c.Body) {
		return nil
	}
	if want.Belief == Valid && r.generator.limits.Merges {
		if found := r.empty(c); found != nil {
			return found
		}
		request = r.update(c.Body) // the organization may be another one now
	}
	x, found := r.send(c, request)
	if found != nil {
		return found
	}
	got, err := serviceVerdict(x.Response)
	switch {
	case err != nil:
		return c.fault(x, "%v, and the document takes it for %s", err, want)
	case !got.equal(want):
		return c.fault(x, "the service takes it for %s, the document for %s", got, want)
	case want.Belief == Valid:
		return r.checkAccepted(c, x)
	default:
		return r.checkRefused(c)
	}
}

// send sends a request and judges the answer. Bodies may lower the organization's own rate limit. If the service
// answers that there were too many requests, send waits on a given organization, and otherwise goes on with a new one.
func (r *generatedRun) send(c Case, request judge.Request) (judge.Exchange, *disagreement) {
	subject := r.session.Subject
	const tries = 4
	for try := 1; ; try++ {
		response, err := subject.Target.Send(r.session.Context(), request)
		x := judge.Exchange{Request: request, Response: response}
		if err != nil {
			return x, c.fault(x, "no answer: %v", err)
		}
		if subject.Observe != nil {
			subject.Observe(x)
		}
		if violations := subject.Validator.Check(x); len(violations) > 0 {
			return x, c.fault(x, "%s", violations[0])
		}
		if response.Status != http.StatusTooManyRequests || try == tries {
			return x, nil
		}
		r.slowDown(response)
		request.Header = request.Header.Clone()
		request.Header.Set("Authorization", r.request(http.MethodGet, nil).Header.Get("Authorization"))
	}
}

func (r *generatedRun) slowDown(response judge.Response) {
	if !r.given() {
		r.begin()
		return
	}
	seconds, err := strconv.Atoi(judge.Canonical(response.Header).Get("Retry-After"))
	if err != nil {
		seconds = 1
	}
	select {
	case <-time.After(time.Duration(min(seconds, 60)) * time.Second):
	case <-r.session.Context().Done():
	}
}

// checkAccepted checks the effect of an accepted body. The answer must show it, and sometimes checkAccepted also
// compares a read with the answer.
func (r *generatedRun) checkAccepted(c Case, x judge.Exchange) *disagreement {
	r.record, r.pending = x.Response.Body, nil
	sent, err := decoded(c.Body)
	if err != nil {
		return c.suiteFault(x, "a valid body that cannot be read: %v", err)
	}
	shown, err := decoded(x.Response.Body)
	if err != nil || !shows(r.generator.root.schema, r.generator.limits.kept(sent), shown) {
		return c.fault(x, "the answer does not show what was accepted")
	}
	if r.accepted++; r.accepted%r.lookEvery != 0 {
		return nil
	}
	return r.look(c, x, "a read does not show what the change answered")
}

// look reads the record and compares it with the last record that an answer showed. If they differ, it reports the
// exchange culprit.
func (r *generatedRun) look(c Case, culprit judge.Exchange, message string) *disagreement {
	key := r.tenant.Keys[harness.KeyAdmin]
	x, found := r.send(c, r.request(http.MethodGet, nil))
	switch {
	case found != nil:
		return found
	case r.tenant.Keys[harness.KeyAdmin] != key:
		return nil // it goes on with another one
	case x.Response.Status != http.StatusOK:
		return c.fault(x, "reading the organization: status %d", x.Response.Status)
	case !bytes.Equal(x.Response.Body, r.record):
		r.record = x.Response.Body
		found := c.fault(culprit, "%s", message)
		found.record = true
		return found
	}
	return nil
}

// checkRefused checks, sometimes, that refused bodies changed nothing.
func (r *generatedRun) checkRefused(c Case) *disagreement {
	r.pending = append(r.pending, c)
	if r.refused++; r.refused%r.lookEvery != 0 {
		return nil
	}
	return r.settle()
}

// settle reads the record after refused bodies. If the record has changed, settle sends each of them again to find the
// one that changes it.
func (r *generatedRun) settle() *disagreement {
	pending := r.pending
	r.pending = nil
	if len(pending) == 0 {
		return nil
	}
	const message = "a body that was refused changed the organization"
	last := pending[len(pending)-1]
	found := r.look(last, judge.Exchange{Request: r.update(last.Body)}, fmt.Sprintf("%s: one of the last %d", message, len(pending)))
	if found == nil || !found.record {
		return found
	}
	for _, c := range pending {
		x, again := r.send(c, r.update(c.Body))
		if again == nil {
			again = r.look(c, x, message)
		}
		if again != nil {
			return again
		}
	}
	return found
}

// lastingMembers are the members of an update that cannot be put back. An organization shows the limits in force, and
// not whether they come from its tier or from an update.
var lastingMembers = []string{"rate_limits", "rate_limit_overrides"}

// lasting reports whether a valid body might change a member that cannot be put back.
func (r *generatedRun) lasting(body []byte) bool {
	value, err := decoded(body)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return true
	}
	for _, name := range lastingMembers {
		if _, ok := object[name]; ok {
			return true
		}
	}
	return false
}

// end reads the record a last time.
func (r *generatedRun) end() {
	if r.goesOn() {
		if found := r.settle(); found != nil {
			r.report(found)
		}
	}
}
