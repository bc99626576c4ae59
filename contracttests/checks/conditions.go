package checks

import (
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// conditionLaws are about conditional requests.
func conditionLaws() []harness.Check {
	return []harness.Check{
		law("if-match-guards", 0, ifMatchGuards),
		law("if-none-match-spares-the-body", 0, ifNoneMatchSpares),
		law("if-none-match-guards", 0, ifNoneMatchGuards),
		law("if-match-admits-one", 0, ifMatchAdmitsOne),
		law("concurrent-changes-all-persist", 0, concurrentChanges),
	}
}

func rename(c harness.Caller) string {
	return harness.Object(harness.Member{Name: "organization_name", Value: harness.JsonString(c.Session.Fresh("Name"))})
}

// refused sends a PATCH whose conditions do not hold: it changes nothing and names the current version.
func refused(c harness.Caller, before harness.Snapshot, headers ...string) {
	x := c.Patch(rename(c), headers...)
	c.Session.WantError(x, http.StatusPreconditionFailed, "version_mismatch")
	if got := judge.Canonical(x.Response.Header).Get("ETag"); got != before.Etag {
		c.Session.FailExchange(x, "the ETag of the refusal is %q, want that of the current version, %s", got, before.Etag)
	}
	c.Unchanged(before, "a PATCH that was refused")
}

// ifMatchGuards: a change goes through on the version that it names, and on no other.
func ifMatchGuards(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	first := c.Read()
	second := c.Change(rename(c), "If-Match", first.Etag)
	refused(c, second, "If-Match", first.Etag)
	refused(c, second, "If-Match", `W/`+second.Etag)
	refused(c, second, "If-Match", first.Etag+`, "x"`)
	third := c.Change(rename(c), "If-Match", first.Etag+", "+second.Etag)
	fourth := c.Change(rename(c), "If-Match", "*")
	if third.Etag == fourth.Etag {
		s.FailExchange(fourth.Exchange, "a change under If-Match: * had no effect")
	}
	c.Unchanged(fourth, "a PATCH under If-Match")
	if same := c.Change(`{}`, "If-Match", fourth.Etag); !same.SameBytes(fourth) {
		s.FailExchange(same.Exchange, "a PATCH of nothing under If-Match changed the record")
	}
	refusedRead(c, first.Etag, fourth)
}

// refusedRead: If-Match guards reading too.
func refusedRead(c harness.Caller, stale string, now harness.Snapshot) {
	x := c.Get(harness.KeyAdmin, "If-Match", stale)
	c.Session.WantError(x, http.StatusPreconditionFailed, "version_mismatch")
	if got := c.Session.Snapshot(c.Get(harness.KeyAdmin, "If-Match", now.Etag)); !got.SameBytes(now) {
		c.Session.FailExchange(got.Exchange, "a read under If-Match differs: %s", harness.DescribeChange(now, got))
	}
}

// ifNoneMatchSpares: who has the current version gets no body, and who has an old one gets the new.
func ifNoneMatchSpares(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	first := c.Read()
	spared := func(etag string) {
		x := c.Get(harness.KeyAdmin, "If-None-Match", etag)
		if got := judge.Canonical(x.Response.Header).Get("ETag"); s.WantStatus(x, http.StatusNotModified) && got != etag {
			s.FailExchange(x, "the ETag of a 304 is %q, want %s", got, etag)
		}
	}
	spared(first.Etag)
	second := c.Change(rename(c))
	spared(second.Etag)
	if now := s.Snapshot(c.Get(harness.KeyAdmin, "If-None-Match", first.Etag)); !now.SameBytes(second) {
		s.FailExchange(now.Exchange, "a read under If-None-Match differs: %s", harness.DescribeChange(second, now))
	}
	c.Change(`{}`)
	spared(second.Etag)
}

// ifNoneMatchGuards: a change does not go through on a version that it excludes.
func ifNoneMatchGuards(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	first := c.Read()
	refused(c, first, "If-None-Match", first.Etag)
	refused(c, first, "If-None-Match", `W/`+first.Etag)
	refused(c, first, "If-None-Match", `*`)
	second := c.Change(rename(c), "If-None-Match", `"x"`)
	third := c.Change(rename(c), "If-None-Match", first.Etag)
	if third.Etag == second.Etag {
		s.FailExchange(third.Exchange, "a change under If-None-Match had no effect")
	}
	refused(c, third, "If-Match", third.Etag, "If-None-Match", third.Etag)
}

// ifMatchAdmitsOne: of several changes of one version, one goes through.
func ifMatchAdmitsOne(s *harness.Session) {
	const several = 6
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Read()
	answers := harness.Together(several, func(int) judge.Exchange { return c.Patch(rename(c), "If-Match", before.Etag) })
	var admitted []judge.Exchange
	for _, x := range answers {
		switch x.Response.Status {
		case http.StatusOK:
			admitted = append(admitted, x)
		case http.StatusPreconditionFailed:
		default:
			s.WantStatus(x, http.StatusPreconditionFailed)
		}
	}
	if len(admitted) != 1 {
		s.Stop("%d of %d changes of one version went through, want one", len(admitted), several)
	}
	c.Unchanged(s.Snapshot(admitted[0]), "several changes of one version, of which this went through")
}

// concurrentChanges: changes of different fields at the same time do not undo each other.
func concurrentChanges(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before, fields := c.Read(), newValues(c)
	answers := harness.Together(len(fields), func(i int) judge.Exchange { return c.Patch(harness.Object(fields[i])) })
	for i, x := range answers {
		if now, ok := harness.NewSnapshot(x); !ok || !harness.SameJSON(now.Members[fields[i].Name], []byte(fields[i].Value)) {
			s.FailExchange(x, "a PATCH of %s among others was not answered with it, but with %d", fields[i].Name, x.Response.Status)
		}
	}
	wantRecord(s, before, c.Read(), fields...)
}
