package checks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// pair returns two organizations. On a live target only the first may be changed.
func pair(s *harness.Session) (a, b harness.Caller) {
	spec := harness.TenantSpec{Full: true, Keys: []harness.KeyKind{harness.KeyRead, harness.KeyNone}}
	return s.Caller(spec), s.Another(spec)
}

// marks returns the texts of an organization's record, and its ETag, that are not in the other organization's record.
func marks(a harness.Snapshot, other harness.Snapshot) [][]byte {
	var record any
	_ = json.Unmarshal(a.Exchange.Response.Body, &record) // it has been read before
	var marks [][]byte
	theirs := harness.WholeAnswer(other.Exchange.Response)
	for _, text := range append(harness.TextsIn(record), a.ETag) {
		if mark := []byte(text); distinctive(text) && !bytes.Contains(theirs, mark) {
			marks = append(marks, mark)
		}
	}
	return marks
}

// distinctive reports whether a text does not occur in a message by chance.
func distinctive(text string) bool {
	return len(text) >= 16 || len(text) >= 6 && strings.ContainsAny(text, "0123456789")
}

// wantNoMark reports an answer that contains a mark of another organization.
func wantNoMark(s *harness.Session, x judge.Exchange, marks [][]byte) {
	raw := harness.WholeAnswer(x.Response)
	for _, mark := range marks {
		if bytes.Contains(raw, mark) && !bytes.Contains(x.Request.Body, mark) {
			s.FailExchange(x, "the answer contains what belongs to another organization")
			return
		}
	}
}

// tenantsApart: while two organizations are used in turns, the answers to one show nothing of the other.
func tenantsApart(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	for range 3 {
		recordA = a.Change(object(newValues(a)...))
		if !s.Live() {
			b.WantUnchanged(recordB, "a change of another organization")
			recordB = b.Change(object(newValues(b)...))
		}
		a.WantUnchanged(recordA, "a change of another organization")
		b.WantUnchanged(recordB, "a change of another organization")
		for _, x := range append(refusedAll(a, recordA), a.Get(harness.KeyAdmin), a.Patch(`{}`),
			a.Get(harness.KeyAdmin, "If-None-Match", recordA.ETag)) {
			wantNoMark(s, x, marks(recordB, recordA))
		}
		for _, x := range []judge.Exchange{b.Get(harness.KeyAdmin), b.Get(harness.KeyAdmin, "If-Match", `"x"`),
			b.Get(harness.KeyNone), b.Get(harness.KeyRead)} {
			wantNoMark(s, x, marks(recordA, recordB))
		}
	}
}

// refusedAll sends a few requests that are refused in different ways.
func refusedAll(c harness.Caller, now harness.Snapshot) []judge.Exchange {
	all := []judge.Exchange{
		c.Patch(`{`), c.Patch(`{"organization_name":1}`), c.Patch(newName(c), "If-None-Match", now.ETag),
		c.Get("no such key"),
	}
	if c.Keys[harness.KeyRead] != "" {
		all = append(all, c.PatchAs(harness.KeyRead, `{}`))
	}
	return all
}

// tenantsApartConcurrently: when two organizations are read at the same time, every answer is the record of the caller.
func tenantsApartConcurrently(s *harness.Session) {
	const readers, rounds = 6, 8
	a, b := pair(s)
	both, records := [2]harness.Caller{a, b}, [2]harness.Snapshot{a.Read(), b.Read()}
	harness.Together(readers, func(reader int) bool {
		for round := range rounds {
			i := (reader + round) % 2
			x := both[i].Get(harness.KeyAdmin)
			now, ok := harness.NewSnapshot(x)
			if !ok || !now.SameBytes(records[i]) {
				s.FailExchange(x, "among reads of two organizations, the answer is not the record of the caller's")
			}
		}
		return true
	})
	if !s.Live() {
		changeBoth(s, a, b)
	}
}

// changeBoth changes two organizations at the same time. Each answer must show the change of the caller.
func changeBoth(s *harness.Session, a, b harness.Caller) {
	both, records := [2]harness.Caller{a, b}, [2]harness.Snapshot{a.Read(), b.Read()}
	answers := harness.Together(2, func(i int) []judge.Exchange {
		var all []judge.Exchange
		for range 6 {
			name := newName(both[i])
			x := both[i].Patch(name)
			if now, ok := harness.NewSnapshot(x); !ok ||
				object(member{"organization_name", string(now.Members["organization_name"])}) != name {
				s.FailExchange(x, "the answer does not show what was sent")
			}
			all = append(all, x)
		}
		return all
	})
	for i := range both {
		for _, x := range answers[i] {
			wantNoMark(s, x, marks(records[1-i], records[i]))
		}
		last := s.Snapshot(answers[i][len(answers[i])-1])
		wantRecord(s, records[i], last, member{"organization_name", string(last.Members["organization_name"])})
	}
}

// tenantsApartAsked: only the key decides whose record is served. Everything else in the request is ignored.
func tenantsApartAsked(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	id, key := recordB.Text("organization_id"), a.Keys[harness.KeyAdmin]
	inBody := object(member{"organization_id", quote(id)})
	headers := []string{"X-Organization-Id", id, "X-Organization", id, "X-Tenant-Id", id, "Cookie",
		"organization_id=" + id}
	requests := []judge.Request{
		harness.NewRequest(http.MethodGet, key, nil, headers...),
		harness.NewRequest(http.MethodGet, key, nil, "X-Api-Key", b.Keys[harness.KeyAdmin]),
		harness.NewRequest(http.MethodPatch, key, []byte(inBody)),
		harness.NewRequest(http.MethodPatch, key, []byte(object(member{"organization", inBody})), headers...),
		harness.NewRequest(http.MethodGet, key, nil),
	}
	requests[4].URL += "?organization_id=" + id + "&namespace=" + id
	for _, r := range requests {
		x := s.Send(r)
		s.WantSame(recordA, s.Snapshot(x), "the record is not that of the key")
		wantNoMark(s, x, marks(recordB, recordA))
	}
	b.WantUnchanged(recordB, "requests of another organization that named it")
}

// etagsApart: the ETag of one organization does not match a version of another.
func etagsApart(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	if recordA.ETag == recordB.ETag {
		s.FailExchange(recordB.Exchange, "two organizations have the same ETag")
	}
	s.WantSame(recordB, s.Snapshot(b.Get(harness.KeyAdmin, "If-None-Match", recordA.ETag)),
		"the record is not that of the key")
	s.WantStatus(a.Patch(newName(a), "If-Match", recordB.ETag), http.StatusPreconditionFailed)
	a.WantUnchanged(recordA, "a PATCH on the version of another organization")
}

// secretsStaySecret: no answer of any kind contains a secret. The session searches every answer of every check. This
// check makes sure that there is an answer of every kind.
func secretsStaySecret(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true})
	before := c.Change(object(newValues(c)...))
	for kind := range c.Keys {
		c.Get(kind)
		c.PatchAs(kind, `{"internal_id":null,"keys":null,"organization_name":null}`)
	}
	for _, r := range refusals(c, before.ETag) {
		s.Send(r)
	}
	for _, headers := range [][]string{{"Accept", "*/*"}, {"X-Debug", "1"}, {"Prefer", "return=representation"}} {
		c.Get(harness.KeyAdmin, headers...)
	}
	if s.Subject.Faulty == nil {
		return
	}
	for _, fault := range harness.Faults() {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			s.SendTo(s.Subject.Faulty(fault), harness.NewRequest(method, c.Keys[harness.KeyAdmin], []byte(newName(c))))
		}
	}
}
