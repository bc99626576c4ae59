package checks

import (
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// getIsSafe: repeated reads, with conditions or without, return the same record, to the byte.
func getIsSafe(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for range 4 {
		c.Get(harness.KeyAdmin, "If-None-Match", before.ETag)
		c.Get(harness.KeyAdmin, "If-Match", `"x"`)
		c.Get(harness.KeyAdmin, "If-None-Match", `x`)
		s.Snapshot(c.Get(harness.KeyAdmin, "Accept", "application/json", "Accept-Language", "de"))
		c.WantUnchanged(before, "reading")
	}
}

// getStaysGet: no header, query or body turns a read into a change.
func getStaysGet(s *harness.Session) {
	c := s.Caller(adminOnly())
	before := c.Read()
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		s.WantSame(before, s.Snapshot(c.Get(harness.KeyAdmin, name, http.MethodPatch)), "a read under %s differs", name)
	}
	overridden := harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], nil)
	overridden.URL += "?_method=PATCH&organization_name=Changed"
	s.Snapshot(s.Send(overridden))
	if !s.Live() { // a proxy in front of a live service may refuse a body with GET
		s.Snapshot(s.Send(harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], []byte(newName(c)),
			"X-HTTP-Method-Override", "PATCH")))
	}
	c.WantUnchanged(before, "reading")
}

// requestIDs: every answer, also an error, has its own identifier, so that it can be found in the log.
func requestIDs(s *harness.Session) {
	c := s.Caller(adminOnly())
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
