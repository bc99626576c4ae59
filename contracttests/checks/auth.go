package checks

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

func readKeyCannotPatch(s *harness.Session)   { cannotPatch(s, harness.KeyRead) }
func writeKeyCannotPatch(s *harness.Session)  { cannotPatch(s, harness.KeyWrite) }
func deleteKeyCannotPatch(s *harness.Session) { cannotPatch(s, harness.KeyDelete) }

// cannotPatch: a key without the permission admin reads the same record as an admin key, but no request with it changes
// anything.
func cannotPatch(s *harness.Session, kind harness.KeyKind) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{kind}})
	before := c.Read()
	for _, body := range []string{newName(c), `{}`, `{"organization_name":1}`, `{`, object(newValues(c)...)} {
		x := c.PatchAs(kind, body, "If-Match", before.ETag)
		s.WantError(x, http.StatusForbidden, "permission_required")
	}
	s.WantSame(before, s.Snapshot(c.Get(kind)), "a %s key reads another record", kind)
	c.WantUnchanged(before, "a PATCH without the permission")
}

// revokedKeyStops: the first request after a key is revoked is refused. The other keys still work.
func revokedKeyStops(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for range 3 { // a cache would have the answer by now
		s.WantStatus(c.Get(harness.KeyRead), http.StatusOK)
	}
	c.Revoke(harness.KeyRead)
	for range 2 {
		x := c.Get(harness.KeyRead)
		s.WantError(x, http.StatusUnauthorized, "api_key_revoked")
		if bytes.Contains(x.Response.Body, []byte(before.Text("organization_id"))) {
			s.FailExchange(x, "a revoked key learns which organization it was of")
		}
	}
	s.WantError(c.Get(harness.KeyRead, "If-None-Match", before.ETag), http.StatusUnauthorized, "api_key_revoked")
	c.WantUnchanged(before, "a key was revoked")
	c.Revoke(harness.KeyAdmin)
	s.WantError(c.Patch(newName(c)), http.StatusUnauthorized, "api_key_revoked")
}

// unknownKeys: a caller who tries many keys must not learn which organizations exist.
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
			s.FailExchange(other, "a key of no organization is not answered like an unknown key of an organization")
		}
	}
}

// sameRefusal compares two answers without the headers that differ in every answer.
func sameRefusal(a, b judge.Response) bool {
	left, right := judge.Canonical(a.Header).Clone(), judge.Canonical(b.Header).Clone()
	for _, name := range []string{"X-Request-Id", "Date", "Apigw-Requestid"} {
		left.Del(name)
		right.Del(name)
	}
	return a.Status == b.Status && bytes.Equal(a.Body, b.Body) && maps.EqualFunc(left, right, slices.Equal)
}

// strangersKey returns the key with the identifier of an organization that does not exist. It returns false if the key
// has another form. The checksum of the result is wrong, because only the service can make it.
func strangersKey(key string) (string, bool) {
	parts := strings.Split(key, "_")
	if len(parts) != 4 {
		return "", false
	}
	parts[2] = strings.Repeat("0", len(parts[2]))
	return strings.Join(parts, "_"), true
}
