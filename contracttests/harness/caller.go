package harness

import (
	"net/http"

	"organizations-api/contracttests/judge"
)

// Provision returns an organization for the check. On a live target it is the given organization, and the spec is
// ignored: a check that depends on the spec needs NeedProvision. Changes to the given organization are put back at the
// end.
func (s *Session) Provision(spec TenantSpec) Tenant {
	if s.Live() {
		s.guard(s.Subject.Given)
		s.remember()
		return s.Subject.Given
	}
	t, err := s.Subject.Provision(s.ctx, spec)
	if err != nil {
		s.Stop("making an organization: %v", err)
	}
	s.guard(t)
	return t
}

// Caller is an organization that a check uses: the session, and the tenant with its keys.
type Caller struct {
	*Session
	Tenant
}

// Caller provisions an organization.
func (s *Session) Caller(spec TenantSpec) Caller { return Caller{s, s.Provision(spec)} }

// Another returns a second organization. On a live target the check may only read it, because nobody puts it back.
func (s *Session) Another(spec TenantSpec) Caller {
	if !s.Live() {
		return s.Caller(spec)
	}
	if s.Subject.Other == nil {
		s.Stop("there is no second organization")
	}
	s.guard(*s.Subject.Other)
	return Caller{s, *s.Subject.Other}
}

// Get sends a GET with a key of that kind.
func (c Caller) Get(kind KeyKind, headers ...string) judge.Exchange {
	return c.Send(NewRequest(http.MethodGet, c.Keys[kind], nil, headers...))
}

// Patch sends a PATCH with the admin key.
func (c Caller) Patch(body string, headers ...string) judge.Exchange {
	return c.PatchAs(KeyAdmin, body, headers...)
}

// PatchAs sends a PATCH with a key of that kind.
func (c Caller) PatchAs(kind KeyKind, body string, headers ...string) judge.Exchange {
	return c.Send(NewRequest(http.MethodPatch, c.Keys[kind], []byte(body), headers...))
}

// Read returns the record as it is now. It ends the check if the record cannot be read.
func (c Caller) Read() Snapshot { return c.Snapshot(c.Get(KeyAdmin)) }

// Change sends a PATCH that must succeed and returns the record that it answers with.
func (c Caller) Change(body string, headers ...string) Snapshot {
	return c.Snapshot(c.Patch(body, headers...))
}

// WantUnchanged reads the record and reports it if it is not as before, to the byte. The text says what was done in
// between.
func (c Caller) WantUnchanged(before Snapshot, after string) {
	c.WantSame(before, c.Read(), "the record is not as before %s", after)
}

// Revoke revokes a key of the organization.
func (c Caller) Revoke(kind KeyKind) {
	if err := c.Subject.Revoke(c.ctx, c.Tenant, kind); err != nil {
		c.Stop("revoking a key: %v", err)
	}
}
