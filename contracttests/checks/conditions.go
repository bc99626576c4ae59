package checks

import (
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// wantMismatch sends a PATCH whose conditions do not hold. It must be refused with the current ETag and change nothing.
func wantMismatch(c harness.Caller, before harness.Snapshot, headers ...string) {
	x := c.Patch(newName(c), headers...)
	c.WantError(x, http.StatusPreconditionFailed, "version_mismatch")
	if got := judge.Canonical(x.Response.Header).Get("ETag"); got != before.ETag {
		c.FailExchange(x, "the ETag of the refusal is %q, want that of the current version, %s", got, before.ETag)
	}
	c.WantUnchanged(before, "a PATCH that was refused")
}

// ifMatchGuards: a change with If-Match is made only if If-Match names the current version.
func ifMatchGuards(s *harness.Session) {
	c := s.Caller(adminOnly())
	first := c.Read()
	second := c.Change(newName(c), "If-Match", first.ETag)
	wantMismatch(c, second, "If-Match", first.ETag)
	wantMismatch(c, second, "If-Match", `W/`+second.ETag)
	wantMismatch(c, second, "If-Match", first.ETag+`, "x"`)
	third := c.Change(newName(c), "If-Match", first.ETag+", "+second.ETag)
	fourth := c.Change(newName(c), "If-Match", "*")
	if third.ETag == fourth.ETag {
		s.FailExchange(fourth.Exchange, "a change under If-Match: * had no effect")
	}
	c.WantUnchanged(fourth, "a PATCH under If-Match")
	if same := c.Change(`{}`, "If-Match", fourth.ETag); !same.SameBytes(fourth) {
		s.FailExchange(same.Exchange, "a PATCH of nothing under If-Match changed the record")
	}
	ifMatchGuardsReads(c, first.ETag, fourth)
}

// ifMatchGuardsReads: If-Match also works for reads.
func ifMatchGuardsReads(c harness.Caller, stale string, now harness.Snapshot) {
	x := c.Get(harness.KeyAdmin, "If-Match", stale)
	c.WantError(x, http.StatusPreconditionFailed, "version_mismatch")
	c.WantSame(now, c.Snapshot(c.Get(harness.KeyAdmin, "If-Match", now.ETag)), "a read under If-Match differs")
}

// ifNoneMatchSpares: a read with If-None-Match gets 304 if it names the current version, and the record if it names an
// old one.
func ifNoneMatchSpares(s *harness.Session) {
	c := s.Caller(adminOnly())
	first := c.Read()
	spared := func(etag string) {
		x := c.Get(harness.KeyAdmin, "If-None-Match", etag)
		if got := judge.Canonical(x.Response.Header).Get("ETag"); s.WantStatus(x, http.StatusNotModified) &&
			got != etag {
			s.FailExchange(x, "the ETag of a 304 is %q, want %s", got, etag)
		}
	}
	spared(first.ETag)
	second := c.Change(newName(c))
	spared(second.ETag)
	s.WantSame(second, s.Snapshot(c.Get(harness.KeyAdmin, "If-None-Match", first.ETag)),
		"a read under If-None-Match differs")
	c.Change(`{}`)
	spared(second.ETag)
}

// ifNoneMatchGuards: a change is not made if If-None-Match names the current version.
func ifNoneMatchGuards(s *harness.Session) {
	c := s.Caller(adminOnly())
	first := c.Read()
	wantMismatch(c, first, "If-None-Match", first.ETag)
	wantMismatch(c, first, "If-None-Match", `W/`+first.ETag)
	wantMismatch(c, first, "If-None-Match", `*`)
	second := c.Change(newName(c), "If-None-Match", `"x"`)
	third := c.Change(newName(c), "If-None-Match", first.ETag)
	if third.ETag == second.ETag {
		s.FailExchange(third.Exchange, "a change under If-None-Match had no effect")
	}
	wantMismatch(c, third, "If-Match", third.ETag, "If-None-Match", third.ETag)
}

// ifMatchAdmitsOne: if several changes name the same version, exactly one of them is made.
func ifMatchAdmitsOne(s *harness.Session) {
	const several = 6
	c := s.Caller(adminOnly())
	before := c.Read()
	answers := harness.Together(several, func(int) judge.Exchange {
		return c.Patch(newName(c), "If-Match",
			before.ETag)
	})
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
	c.WantUnchanged(s.Snapshot(admitted[0]), "several changes of one version; this one went through")
}

// concurrentChanges: if several requests change different fields at the same time, all changes are made.
func concurrentChanges(s *harness.Session) {
	c := s.Caller(adminOnly())
	before, fields := c.Read(), newValues(c)
	answers := harness.Together(len(fields), func(i int) judge.Exchange { return c.Patch(object(fields[i])) })
	for i, x := range answers {
		if now, ok := harness.NewSnapshot(x); !ok ||
			!harness.SameJSON(now.Members[fields[i].name], []byte(fields[i].value)) {
			s.FailExchange(x, "a PATCH of %s among others was not answered with it, but with %d", fields[i].name,
				x.Response.Status)
		}
	}
	wantRecord(s, before, c.Read(), fields...)
}
