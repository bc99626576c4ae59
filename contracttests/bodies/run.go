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

// taken looks at what an accepted body left: the answer shows it, and now and then a read shows the answer.
func (r *generatedRun) taken(c Case, x judge.Exchange) *disagreement {
	r.record, r.pending = x.Response.Body, nil
	sent, err := decoded(c.Body)
	if err != nil {
		return c.suiteFault(x, "a valid body that cannot be read: %v", err)
	}
	shown, err := decoded(x.Response.Body)
	if err != nil || !shows(r.generator.root.schema, sent, shown) {
		return c.fault(x, "the answer does not show what was accepted")
	}
	if r.accepted++; r.accepted%r.lookEvery != 0 {
		return nil
	}
	return r.look(c, x, "a read does not show what the change answered")
}

// look reads the record and compares it with what it has to be.
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

// left makes sure, now and then, that bodies that were refused changed nothing.
func (r *generatedRun) left(c Case) *disagreement {
	r.pending = append(r.pending, c)
	if r.refused++; r.refused%r.lookEvery != 0 {
		return nil
	}
	return r.settle()
}

// settle reads the record after bodies that were refused. If it has changed, it sends each of them again to see which
// one does it.
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

// lastingMembers are the members of an update that cannot be put back: an organization shows the limits in force, not
// whether they are its own.
var lastingMembers = []string{"rate_limits"}

// lasting reports whether a valid body would change what cannot be put back.
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

// end has a last look at the record.
func (r *generatedRun) end() {
	if r.goesOn() {
		if found := r.settle(); found != nil {
			r.report(found)
		}
	}
}

// generatedRun sends bodies to one organization after the other and compares what comes back with the oracle.
type generatedRun struct {
	session   *harness.Session
	generator *Generator
	oracle    *judge.Validator
	tenant    harness.Tenant
	record    []byte // as it was last shown
	pending   []Case // refused since then, and not yet known to have changed nothing
	lookEvery int    // how often the record is read: reading it after each body would double the cost
	accepted  int
	refused   int
	reported  int
}

// disagreement is what is wrong about one body.
type disagreement struct {
	about    Case
	suite    bool // the generator and the oracle disagree, and the service is not to blame
	record   bool // the organization is not what it has to be, for which another body may be the cause
	message  string
	exchange judge.Exchange
}

// maxReported bounds the failures of one run: after so many, more of them tell nothing new.
const maxReported = 3

// fault returns a disagreement about a body.
func (c Case) fault(x judge.Exchange, format string, args ...any) *disagreement {
	return &disagreement{about: c, message: fmt.Sprintf(format, args...), exchange: x}
}

// suiteFault returns a disagreement that is none of the service's.
func (c Case) suiteFault(x judge.Exchange, format string, args ...any) *disagreement {
	found := c.fault(x, "a fault of the suite: "+format, args...)
	found.suite = true
	return found
}

func (r *generatedRun) goesOn() bool {
	return r.reported < maxReported && r.session.Context().Err() == nil
}

// given reports whether the organization is not the run's own.
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

// update returns the request with a body, which may be empty and is still sent as JSON.
func (r *generatedRun) update(body []byte) judge.Request {
	request := r.request(http.MethodPatch, body)
	request.Header.Set("Content-Type", "application/json")
	return request
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

// smallest returns a disagreement about the smallest body that is found to have one, on an organization that has seen no
// other where there can be one.
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

// try sends one body and returns what is wrong about it, nil if nothing is.
func (r *generatedRun) try(c Case) *disagreement {
	request := r.update(c.Body)
	want := OracleVerdict(r.oracle, request)
	if own := c.verdict(); !own.equal(want) {
		return c.suiteFault(judge.Exchange{Request: request}, "the generator takes it for %s, the validator for %s", own, want)
	}
	if want.Belief == Valid && r.given() && r.lasting(c.Body) {
		return nil
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
		return r.taken(c, x)
	default:
		return r.left(c)
	}
}

// send sends a request and judges the answer. Where the organization has used up its requests, which the bodies
// themselves may have it do, it waits on a given one, and goes on with another one otherwise.
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
