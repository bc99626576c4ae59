package contracttests

import (
	"bytes"
	"fmt"
	"net/http"
)

// taken looks at what an accepted body left: the answer shows it, and now and then a read shows the answer.
func (r *generatedRun) taken(c Case, x Exchange) *disagreement {
	r.record, r.pending = x.Response.Body, nil
	sent, err := decoded(c.Body)
	if err != nil {
		return c.suiteFault(x, "a valid body that cannot be read: %v", err)
	}
	shown, err := decoded(x.Response.Body)
	if err != nil || !r.generator.root.schema.shows(sent, shown) {
		return c.fault(x, "the answer does not show what was accepted")
	}
	if r.accepted++; r.accepted%r.lookEvery != 0 {
		return nil
	}
	return r.look(c, x, "a read does not show what the change answered")
}

// look reads the record and compares it with what it has to be.
func (r *generatedRun) look(c Case, culprit Exchange, message string) *disagreement {
	key := r.tenant.Keys[KeyAdmin]
	x, found := r.send(c, r.request(http.MethodGet, nil))
	switch {
	case found != nil:
		return found
	case r.tenant.Keys[KeyAdmin] != key:
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
	found := r.look(last, Exchange{Request: r.update(last.Body)}, fmt.Sprintf("%s: one of the last %d", message, len(pending)))
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
