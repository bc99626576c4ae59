package contracttests

import (
	"bytes"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// MoreChecks returns laws that mutants have shown to be missing among the others.
func MoreChecks() []Check {
	return []Check{
		law("limited-change-changes-nothing", NeedProvision, limitedChange),
		law("unknown-keys-look-alike", NeedProvision, unknownKeys),
		law("rate-limits-empty-takes-back", NeedProvision, emptyLimits),
	}
}

// limitedChange: an update that is refused for its number is not made. Nothing more can be read in that minute, but what
// the update asks for, a higher limit, would show in the next answer's header.
func limitedChange(s *Session) {
	for range 3 {
		c := s.caller(TenantSpec{Limit: 1, Keys: []KeyKind{}})
		c.get(KeyAdmin)
		x := c.patch(`{"rate_limits":{"metadata":1000000}}`)
		if x.Response.Status == http.StatusOK {
			continue // a new minute has begun
		}
		s.wantError(x, http.StatusTooManyRequests, "rate_limited")
		if now := c.get(KeyAdmin); s.meter(now).limit != 1 {
			s.FailExchange(x, "the update was refused and has raised the limit to %d", s.meter(now).limit)
		}
		return
	}
	s.Stop("the minute ended again and again")
}

// emptyLimits: an override that names no category replaces the one that is there, like any other.
func emptyLimits(s *Session) {
	const tier = "team"
	c := s.caller(TenantSpec{Tier: tier, Keys: []KeyKind{}})
	for _, before := range []limits{{"metadata": 7_000, "search": 8}, {"upload": 9}} {
		c.override(tier, before)
		now := c.override(tier, limits{})
		c.unchanged(now, "{} for rate_limits")
	}
}

// unknownKeys: whoever tries keys must not learn which organizations exist.
func unknownKeys(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{KeyUnknown}})
	known := c.Keys[KeyUnknown]
	stranger, ok := strangersKey(known)
	if !ok {
		s.Stop("keys are not of the form from which a key of no organization can be made")
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		one := s.Send(NewRequest(method, known, []byte(`{}`)))
		other := s.Send(NewRequest(method, stranger, []byte(`{}`)))
		s.wantError(one, http.StatusUnauthorized, "api_key_invalid")
		if !sameRefusal(one.Response, other.Response) {
			s.FailExchange(other, "a key of no organization is answered otherwise than an unknown key of one")
		}
	}
}

// sameRefusal compares everything of two answers but what is another in each.
func sameRefusal(a, b Response) bool {
	left, right := canonical(a.Header), canonical(b.Header)
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
