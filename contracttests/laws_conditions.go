package contracttests

import (
	"net/http"
	"sync"
)

// conditionLaws are about conditional requests.
func conditionLaws() []Check {
	return []Check{
		law("if-match-guards", 0, ifMatchGuards),
		law("if-none-match-spares-the-body", 0, ifNoneMatchSpares),
		law("if-none-match-guards", 0, ifNoneMatchGuards),
		law("if-match-admits-one", 0, ifMatchAdmitsOne),
		law("concurrent-changes-all-persist", 0, concurrentChanges),
	}
}

func (c caller) rename() string {
	return object(member{"organization_name", jsonString(c.s.fresh("Name"))})
}

// refused sends a PATCH whose conditions do not hold: it changes nothing and names the current version.
func (c caller) refused(before snapshot, headers ...string) {
	x := c.patch(c.rename(), headers...)
	c.s.wantError(x, http.StatusPreconditionFailed, "version_mismatch")
	if got := canonical(x.Response.Header).Get("ETag"); got != before.etag {
		c.s.FailExchange(x, "the ETag of the refusal is %q, want that of the current version, %s", got, before.etag)
	}
	c.unchanged(before, "a PATCH that was refused")
}

// ifMatchGuards: a change goes through on the version that it names, and on no other.
func ifMatchGuards(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	first := c.read()
	second := c.change(c.rename(), "If-Match", first.etag)
	c.refused(second, "If-Match", first.etag)
	c.refused(second, "If-Match", `W/`+second.etag)
	c.refused(second, "If-Match", first.etag+`, "x"`)
	third := c.change(c.rename(), "If-Match", first.etag+", "+second.etag)
	fourth := c.change(c.rename(), "If-Match", "*")
	if third.etag == fourth.etag {
		s.FailExchange(fourth.x, "a change under If-Match: * had no effect")
	}
	c.unchanged(fourth, "a PATCH under If-Match")
	if same := c.change(`{}`, "If-Match", fourth.etag); !same.sameBytes(fourth) {
		s.FailExchange(same.x, "a PATCH of nothing under If-Match changed the record")
	}
	c.refusedRead(first.etag, fourth)
}

// refusedRead: If-Match guards reading too.
func (c caller) refusedRead(stale string, now snapshot) {
	x := c.get(KeyAdmin, "If-Match", stale)
	c.s.wantError(x, http.StatusPreconditionFailed, "version_mismatch")
	if got := c.s.snapshot(c.get(KeyAdmin, "If-Match", now.etag)); !got.sameBytes(now) {
		c.s.FailExchange(got.x, "a read under If-Match differs: %s", describeChange(now, got))
	}
}

// ifNoneMatchSpares: who has the current version gets no body, and who has an old one gets the new.
func ifNoneMatchSpares(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	first := c.read()
	spared := func(etag string) {
		x := c.get(KeyAdmin, "If-None-Match", etag)
		if got := canonical(x.Response.Header).Get("ETag"); s.wantStatus(x, http.StatusNotModified) && got != etag {
			s.FailExchange(x, "the ETag of a 304 is %q, want %s", got, etag)
		}
	}
	spared(first.etag)
	second := c.change(c.rename())
	spared(second.etag)
	if now := s.snapshot(c.get(KeyAdmin, "If-None-Match", first.etag)); !now.sameBytes(second) {
		s.FailExchange(now.x, "a read under If-None-Match differs: %s", describeChange(second, now))
	}
	c.change(`{}`)
	spared(second.etag)
}

// ifNoneMatchGuards: a change does not go through on a version that it excludes.
func ifNoneMatchGuards(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	first := c.read()
	c.refused(first, "If-None-Match", first.etag)
	c.refused(first, "If-None-Match", `W/`+first.etag)
	c.refused(first, "If-None-Match", `*`)
	second := c.change(c.rename(), "If-None-Match", `"x"`)
	third := c.change(c.rename(), "If-None-Match", first.etag)
	if third.etag == second.etag {
		s.FailExchange(third.x, "a change under If-None-Match had no effect")
	}
	c.refused(third, "If-Match", third.etag, "If-None-Match", third.etag)
}

// ifMatchAdmitsOne: of several changes of one version, one goes through.
func ifMatchAdmitsOne(s *Session) {
	const several = 6
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.read()
	answers := together(several, func(int) Exchange { return c.patch(c.rename(), "If-Match", before.etag) })
	var admitted []Exchange
	for _, x := range answers {
		switch x.Response.Status {
		case http.StatusOK:
			admitted = append(admitted, x)
		case http.StatusPreconditionFailed:
		default:
			s.wantStatus(x, http.StatusPreconditionFailed)
		}
	}
	if len(admitted) != 1 {
		s.Stop("%d of %d changes of one version went through, want one", len(admitted), several)
	}
	c.unchanged(s.snapshot(admitted[0]), "several changes of one version, of which this went through")
}

// concurrentChanges: changes of different fields at the same time do not undo each other.
func concurrentChanges(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before, fields := c.read(), c.newValues()
	answers := together(len(fields), func(i int) Exchange { return c.patch(object(fields[i])) })
	for i, x := range answers {
		if now, ok := newSnapshot(x); !ok || !sameJSON(now.members[fields[i].name], []byte(fields[i].value)) {
			s.FailExchange(x, "a PATCH of %s among others was not answered with it, but with %d", fields[i].name, x.Response.Status)
		}
	}
	s.wantRecord(before, c.read(), fields...)
}

// together calls a function several times at once.
func together[T any](times int, call func(i int) T) []T {
	out := make([]T, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { out[i] = call(i) })
	}
	all.Wait()
	return out
}
