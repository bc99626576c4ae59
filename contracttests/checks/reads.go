package checks

import (
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// readingLaws are about what reading does: nothing.
func readingLaws() []harness.Check {
	return []harness.Check{
		law("get-is-safe-and-repeatable", 0, getIsSafe),
		law("get-stays-get", 0, getStaysGet),
		law("request-ids-differ", 0, requestIDs),
	}
}

// getIsSafe: reading again and again, with conditions or without, gives the same to the byte.
func getIsSafe(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for range 4 {
		c.Get(harness.KeyAdmin, "If-None-Match", before.Etag)
		c.Get(harness.KeyAdmin, "If-Match", `"x"`)
		c.Get(harness.KeyAdmin, "If-None-Match", `x`)
		s.Snapshot(c.Get(harness.KeyAdmin, "Accept", "application/json", "Accept-Language", "de"))
		c.Unchanged(before, "reading")
	}
}

// getStaysGet: nothing makes a change of a read.
func getStaysGet(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Read()
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if now := s.Snapshot(c.Get(harness.KeyAdmin, name, http.MethodPatch)); !now.SameBytes(before) {
			s.FailExchange(now.Exchange, "a read under %s differs: %s", name, harness.DescribeChange(before, now))
		}
	}
	overridden := harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], nil)
	overridden.URL += "?_method=PATCH&organization_name=Changed"
	s.Snapshot(s.Send(overridden))
	if !s.Live() { // what stands before a live service may refuse a body with GET
		s.Snapshot(s.Send(harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], []byte(rename(c)), "X-HTTP-Method-Override", "PATCH")))
	}
	c.Unchanged(before, "reading")
}

// requestIDs: every answer has an identifier of its own, errors too, so that each can be found in the log.
func requestIDs(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	seen := map[string]bool{}
	for range 5 {
		for _, x := range []judge.Exchange{c.Get(harness.KeyAdmin), c.Get(""), c.Patch(`{}`), c.Patch(`{`)} {
			id := judge.Canonical(x.Response.Header).Get("X-Request-Id")
			if seen[id] {
				s.FailExchange(x, "X-Request-Id is that of an earlier answer")
			}
			seen[id] = true
		}
	}
}
