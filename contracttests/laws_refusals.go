package contracttests

import (
	"bytes"
	"net/http"
)

// refusalLaws are about who may do what, and about what is refused.
func refusalLaws() []Check {
	return []Check{
		law("read-key-cannot-patch", NeedRead, func(s *Session) { cannotPatch(s, KeyRead) }),
		law("write-key-cannot-patch", NeedProvision, func(s *Session) { cannotPatch(s, KeyWrite) }),
		law("delete-key-cannot-patch", NeedProvision, func(s *Session) { cannotPatch(s, KeyDelete) }),
		law("failed-patch-changes-nothing", 0, failedPatch),
		law("fault-changes-nothing", NeedFaults|NeedProvision, faultChangesNothing),
		law("problem-among-changes-changes-nothing", 0, problemAmongChanges),
		law("revoked-key-stops", NeedRevoke|NeedProvision, revokedKeyStops),
	}
}

// cannotPatch: a key that is not an admin's reads what the admin's reads, and changes nothing, whatever it sends.
func cannotPatch(s *Session, kind KeyKind) {
	c := s.caller(TenantSpec{Keys: []KeyKind{kind}})
	before := c.read()
	for _, body := range []string{c.rename(), `{}`, `{"organization_name":1}`, `{`, object(c.newValues()...)} {
		x := s.Send(NewRequest(http.MethodPatch, c.Keys[kind], []byte(body), "If-Match", before.etag))
		s.wantError(x, http.StatusForbidden, "permission_required")
	}
	if now := s.snapshot(c.get(kind)); !now.sameBytes(before) {
		s.FailExchange(now.x, "a %s key reads another record: %s", kind, describeChange(before, now))
	}
	c.unchanged(before, "a PATCH without the permission")
}

// failedPatch: whatever is refused leaves the record as it was to the byte.
func failedPatch(s *Session) {
	c := s.caller(TenantSpec{Full: true})
	before := c.read()
	for _, r := range c.refusals(before.etag) {
		x := s.Send(r)
		if x.Response.Status < 400 {
			s.FailExchange(x, "status is %d, want a refusal", x.Response.Status)
		}
		if now := c.read(); !now.sameBytes(before) {
			s.FailExchange(x, "the request was answered with %d and changed the record: %s", x.Response.Status, describeChange(before, now))
			before = now
		}
	}
}

// faultChangesNothing: these faults leave no doubt whether a change took effect.
func faultChangesNothing(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{}})
	before := c.read()
	for _, fault := range []Fault{FaultUnavailable, FaultBroken, FaultWrites} {
		target := s.Subject.Faulty(fault)
		x := s.SendTo(target, NewRequest(http.MethodPatch, c.Keys[KeyAdmin], []byte(c.rename())))
		if x.Response.Status < 500 {
			s.FailExchange(x, "status is %d on a store that is %s, want an error", x.Response.Status, fault)
		}
		c.unchanged(before, "a change on a store that is "+string(fault))
	}
	if now := s.snapshot(s.SendTo(s.Subject.Faulty(FaultWrites), NewRequest(http.MethodGet, c.Keys[KeyAdmin], nil))); !now.sameBytes(before) {
		s.FailExchange(now.x, "a store that cannot be written reads otherwise: %s", describeChange(before, now))
	}
}

// problemAmongChanges: one field that does not fit keeps all others from being changed, wherever it stands.
func problemAmongChanges(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.read()
	problems := []member{
		{"organization_name", `""`}, {"logo_url", `1`}, {"billing_email", `"x"`}, {"notifications_email", `[]`},
		{"metadata", `1`}, {"default_llm_credentials", `{"a":null}`}, {"rate_limits", `{"metadata":0}`},
	}
	for _, problem := range problems {
		var first, last []member
		for _, field := range c.newValues() {
			if field.name != problem.name {
				first, last = append(first, field), append(last, field)
			}
		}
		for _, fields := range [][]member{append([]member{problem}, first...), append(last, problem)} {
			s.wantStatus(c.patch(object(fields...)), http.StatusUnprocessableEntity)
		}
		c.unchanged(before, "a PATCH with a problem in "+problem.name)
	}
}

// revokedKeyStops: a key that worked a moment ago is refused by the next request, and another one still works.
func revokedKeyStops(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{KeyRead}})
	before := c.read()
	for range 3 { // whatever might be kept of an answer is kept by now
		s.wantStatus(c.get(KeyRead), http.StatusOK)
	}
	if err := s.Subject.Revoke(s.ctx, c.Tenant, KeyRead); err != nil {
		s.Stop("revoking a key: %v", err)
	}
	for range 2 {
		x := c.get(KeyRead)
		s.wantError(x, http.StatusUnauthorized, "api_key_revoked")
		if bytes.Contains(x.Response.Body, []byte(before.text("organization_id"))) {
			s.FailExchange(x, "a revoked key learns which organization it was of")
		}
	}
	s.wantError(c.get(KeyRead, "If-None-Match", before.etag), http.StatusUnauthorized, "api_key_revoked")
	c.unchanged(before, "a key was revoked")
	if err := s.Subject.Revoke(s.ctx, c.Tenant, KeyAdmin); err != nil {
		s.Stop("revoking a key: %v", err)
	}
	s.wantError(c.patch(c.rename()), http.StatusUnauthorized, "api_key_revoked")
}
