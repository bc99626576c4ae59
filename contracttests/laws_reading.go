package contracttests

import "net/http"

// readingLaws are about what reading does: nothing.
func readingLaws() []Check {
	return []Check{
		law("get-is-safe-and-repeatable", 0, getIsSafe),
		law("get-stays-get", 0, getStaysGet),
		law("request-ids-differ", 0, requestIDs),
	}
}

// getIsSafe: reading again and again, with conditions or without, gives the same to the byte.
func getIsSafe(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{KeyRead}})
	before := c.read()
	for range 4 {
		c.get(KeyAdmin, "If-None-Match", before.etag)
		c.get(KeyAdmin, "If-Match", `"x"`)
		c.get(KeyAdmin, "If-None-Match", `x`)
		s.snapshot(c.get(KeyAdmin, "Accept", "application/json", "Accept-Language", "de"))
		c.unchanged(before, "reading")
	}
}

// getStaysGet: nothing makes a change of a read.
func getStaysGet(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.read()
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if now := s.snapshot(c.get(KeyAdmin, name, http.MethodPatch)); !now.sameBytes(before) {
			s.FailExchange(now.x, "a read under %s differs: %s", name, describeChange(before, now))
		}
	}
	overridden := NewRequest(http.MethodGet, c.Keys[KeyAdmin], nil)
	overridden.URL += "?_method=PATCH&organization_name=Changed"
	s.snapshot(s.Send(overridden))
	if !s.live() { // what stands before a live service may refuse a body with GET
		s.snapshot(s.Send(NewRequest(http.MethodGet, c.Keys[KeyAdmin], []byte(c.rename()), "X-HTTP-Method-Override", "PATCH")))
	}
	c.unchanged(before, "reading")
}

// requestIDs: every answer has an identifier of its own, errors too, so that each can be found in the log.
func requestIDs(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	seen := map[string]bool{}
	for range 5 {
		for _, x := range []Exchange{c.get(KeyAdmin), c.get(""), c.patch(`{}`), c.patch(`{`)} {
			id := canonical(x.Response.Header).Get("X-Request-Id")
			if seen[id] {
				s.FailExchange(x, "X-Request-Id is that of an earlier answer")
			}
			seen[id] = true
		}
	}
}
