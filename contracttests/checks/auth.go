package checks

import (
	"bytes"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// unknownKeys: whoever tries keys must not learn which organizations exist.
func unknownKeys(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{harness.KeyUnknown}})
	known := c.Keys[harness.KeyUnknown]
	stranger, ok := strangersKey(known)
	if !ok {
		s.Stop("keys are not of the form from which a key of no organization can be made")
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		one := s.Send(harness.NewRequest(method, known, []byte(`{}`)))
		other := s.Send(harness.NewRequest(method, stranger, []byte(`{}`)))
		s.WantError(one, http.StatusUnauthorized, "api_key_invalid")
		if !sameRefusal(one.Response, other.Response) {
			s.FailExchange(other, "a key of no organization is answered otherwise than an unknown key of one")
		}
	}
}

// sameRefusal compares everything of two answers but what is another in each.
func sameRefusal(a, b judge.Response) bool {
	left, right := judge.Canonical(a.Header), judge.Canonical(b.Header)
	for _, name := range []string{"X-Request-Id", "Date", "Apigw-Requestid"} {
		left.Del(name)
		right.Del(name)
	}
	return a.Status == b.Status && bytes.Equal(a.Body, b.Body) && maps.EqualFunc(left, right, slices.Equal)
}

// strangersKey makes of a key one that is as well-formed and of an organization that does not exist. A key ends in a
// checksum of six letters and digits; with a wrong one it would be refused as mistyped.
func strangersKey(key string) (string, bool) {
	const checksum = 6
	parts := strings.Split(key, "_")
	if len(parts) != 4 || len(parts[3]) <= checksum {
		return "", false
	}
	parts[2] = strings.Repeat("0", len(parts[2]))
	parts[3] = parts[3][:len(parts[3])-checksum]
	body := strings.Join(parts, "_")
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(body))
	digits := make([]byte, checksum)
	for i := range digits {
		digits[checksum-1-i] = alphabet[sum%uint32(len(alphabet))]
		sum /= uint32(len(alphabet))
	}
	return body + string(digits), true
}

// refusalLaws are about who may do what, and about what is refused.
func refusalLaws() []harness.Check {
	return []harness.Check{
		law("read-key-cannot-patch", harness.NeedRead, func(s *harness.Session) { cannotPatch(s, harness.KeyRead) }),
		law("write-key-cannot-patch", harness.NeedProvision, func(s *harness.Session) { cannotPatch(s, harness.KeyWrite) }),
		law("delete-key-cannot-patch", harness.NeedProvision, func(s *harness.Session) { cannotPatch(s, harness.KeyDelete) }),
		law("failed-patch-changes-nothing", 0, failedPatch),
		law("fault-changes-nothing", harness.NeedFaults|harness.NeedProvision, faultChangesNothing),
		law("problem-among-changes-changes-nothing", 0, problemAmongChanges),
		law("revoked-key-stops", harness.NeedRevoke|harness.NeedProvision, revokedKeyStops),
	}
}

// cannotPatch: a key that is not an admin's reads what the admin's reads, and changes nothing, whatever it sends.
func cannotPatch(s *harness.Session, kind harness.KeyKind) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{kind}})
	before := c.Read()
	for _, body := range []string{rename(c), `{}`, `{"organization_name":1}`, `{`, harness.Object(newValues(c)...)} {
		x := s.Send(harness.NewRequest(http.MethodPatch, c.Keys[kind], []byte(body), "If-Match", before.Etag))
		s.WantError(x, http.StatusForbidden, "permission_required")
	}
	if now := s.Snapshot(c.Get(kind)); !now.SameBytes(before) {
		s.FailExchange(now.Exchange, "a %s key reads another record: %s", kind, harness.DescribeChange(before, now))
	}
	c.Unchanged(before, "a PATCH without the permission")
}

// failedPatch: whatever is refused leaves the record as it was to the byte.
func failedPatch(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true})
	before := c.Read()
	for _, r := range refusals(c, before.Etag) {
		x := s.Send(r)
		if x.Response.Status < 400 {
			s.FailExchange(x, "status is %d, want a refusal", x.Response.Status)
		}
		if now := c.Read(); !now.SameBytes(before) {
			s.FailExchange(x, "the request was answered with %d and changed the record: %s", x.Response.Status, harness.DescribeChange(before, now))
			before = now
		}
	}
}

// faultChangesNothing: these faults leave no doubt whether a change took effect.
func faultChangesNothing(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	before := c.Read()
	for _, fault := range []harness.Fault{harness.FaultUnavailable, harness.FaultBroken, harness.FaultWrites} {
		target := s.Subject.Faulty(fault)
		x := s.SendTo(target, harness.NewRequest(http.MethodPatch, c.Keys[harness.KeyAdmin], []byte(rename(c))))
		if x.Response.Status < 500 {
			s.FailExchange(x, "status is %d on a store that is %s, want an error", x.Response.Status, fault)
		}
		c.Unchanged(before, "a change on a store that is "+string(fault))
	}
	if now := s.Snapshot(s.SendTo(s.Subject.Faulty(harness.FaultWrites), harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], nil))); !now.SameBytes(before) {
		s.FailExchange(now.Exchange, "a store that cannot be written reads otherwise: %s", harness.DescribeChange(before, now))
	}
}

// problemAmongChanges: one field that does not fit keeps all others from being changed, wherever it stands.
func problemAmongChanges(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Read()
	problems := []harness.Member{
		{Name: "organization_name", Value: `""`}, {Name: "logo_url", Value: `1`}, {Name: "billing_email", Value: `"x"`}, {Name: "notifications_email", Value: `[]`},
		{Name: "metadata", Value: `1`}, {Name: "default_llm_credentials", Value: `{"a":null}`}, {Name: "rate_limits", Value: `{"metadata":0}`},
	}
	for _, problem := range problems {
		var first, last []harness.Member
		for _, field := range newValues(c) {
			if field.Name != problem.Name {
				first, last = append(first, field), append(last, field)
			}
		}
		for _, fields := range [][]harness.Member{append([]harness.Member{problem}, first...), append(last, problem)} {
			s.WantStatus(c.Patch(harness.Object(fields...)), http.StatusUnprocessableEntity)
		}
		c.Unchanged(before, "a PATCH with a problem in "+problem.Name)
	}
}

// revokedKeyStops: a key that worked a moment ago is refused by the next request, and another one still works.
func revokedKeyStops(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for range 3 { // whatever might be kept of an answer is kept by now
		s.WantStatus(c.Get(harness.KeyRead), http.StatusOK)
	}
	if err := s.Subject.Revoke(s.Ctx, c.Tenant, harness.KeyRead); err != nil {
		s.Stop("revoking a key: %v", err)
	}
	for range 2 {
		x := c.Get(harness.KeyRead)
		s.WantError(x, http.StatusUnauthorized, "api_key_revoked")
		if bytes.Contains(x.Response.Body, []byte(before.Text("organization_id"))) {
			s.FailExchange(x, "a revoked key learns which organization it was of")
		}
	}
	s.WantError(c.Get(harness.KeyRead, "If-None-Match", before.Etag), http.StatusUnauthorized, "api_key_revoked")
	c.Unchanged(before, "a key was revoked")
	if err := s.Subject.Revoke(s.Ctx, c.Tenant, harness.KeyAdmin); err != nil {
		s.Stop("revoking a key: %v", err)
	}
	s.WantError(c.Patch(rename(c)), http.StatusUnauthorized, "api_key_revoked")
}
