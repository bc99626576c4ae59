package checks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// tenantLaws are about what organizations see of each other: nothing.
func tenantLaws() []harness.Check {
	return []harness.Check{
		law("tenants-apart", harness.NeedOther, tenantsApart),
		law("tenants-apart-at-the-same-time", harness.NeedOther, tenantsApartConcurrently),
		law("tenants-apart-whatever-is-asked-for", harness.NeedOther, tenantsApartAsked),
		law("etags-of-tenants-differ", harness.NeedOther, etagsApart),
		law("secrets-stay-secret", 0, secretsStaySecret),
	}
}

// pair returns two organizations. Only the first may be changed, unless both belong to the check.
func pair(s *harness.Session) (a, b harness.Caller) {
	spec := harness.TenantSpec{Full: true, Keys: []harness.KeyKind{harness.KeyRead, harness.KeyNone}}
	return harness.Caller{Session: s, Tenant: s.Provision(spec)}, harness.Caller{Session: s, Tenant: s.Another(spec)}
}

// marks returns what tells one organization from another: every text of its record, and its ETag, that is not in the
// other's.
func marks(a harness.Snapshot, other harness.Snapshot) [][]byte {
	var record any
	_ = json.Unmarshal(a.Exchange.Response.Body, &record) // it has been read before
	var marks [][]byte
	theirs := harness.WholeAnswer(other.Exchange.Response)
	for _, text := range append(harness.TextsIn(record), a.Etag) {
		if mark := []byte(text); distinctive(text) && !bytes.Contains(theirs, mark) {
			marks = append(marks, mark)
		}
	}
	return marks
}

// distinctive reports whether a text does not occur by chance, as a word may that stands in a message too.
func distinctive(text string) bool {
	return len(text) >= 16 || len(text) >= 6 && strings.ContainsAny(text, "0123456789")
}

// wantNoMark reports an answer with anything of another organization.
func wantNoMark(s *harness.Session, x judge.Exchange, marks [][]byte) {
	raw := harness.WholeAnswer(x.Response)
	for _, mark := range marks {
		if bytes.Contains(raw, mark) && !bytes.Contains(x.Request.Body, mark) {
			s.FailExchange(x, "the answer contains what belongs to another organization")
			return
		}
	}
}

// tenantsApart takes turns between two organizations, changing both, and looks at every byte of every answer.
func tenantsApart(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	for range 3 {
		recordA = a.Change(harness.Object(newValues(a)...))
		if !s.Live() {
			b.Unchanged(recordB, "a change of another organization")
			recordB = b.Change(harness.Object(newValues(b)...))
		}
		a.Unchanged(recordA, "a change of another organization")
		b.Unchanged(recordB, "a change of another organization")
		for _, x := range append(refusedAll(a, recordA), a.Get(harness.KeyAdmin), a.Patch(`{}`), a.Get(harness.KeyAdmin, "If-None-Match", recordA.Etag)) {
			wantNoMark(s, x, marks(recordB, recordA))
		}
		for _, x := range []judge.Exchange{b.Get(harness.KeyAdmin), b.Get(harness.KeyAdmin, "If-Match", `"x"`), b.Get(harness.KeyNone), b.Get(harness.KeyRead)} {
			wantNoMark(s, x, marks(recordA, recordB))
		}
	}
}

// refusedAll sends a few requests that are refused in different ways.
func refusedAll(c harness.Caller, now harness.Snapshot) []judge.Exchange {
	all := []judge.Exchange{
		c.Patch(`{`), c.Patch(`{"organization_name":1}`), c.Patch(rename(c), "If-None-Match", now.Etag), c.Get("no such key"),
	}
	if c.Keys[harness.KeyRead] != "" {
		all = append(all, c.Session.Send(harness.NewRequest(http.MethodPatch, c.Keys[harness.KeyRead], []byte(`{}`))))
	}
	return all
}

// tenantsApartConcurrently reads two organizations from many goroutines: every answer is the right one's to the byte.
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

// changeBoth changes two organizations at the same time: each answer shows the caller's change.
func changeBoth(s *harness.Session, a, b harness.Caller) {
	both, records := [2]harness.Caller{a, b}, [2]harness.Snapshot{a.Read(), b.Read()}
	answers := harness.Together(2, func(i int) []judge.Exchange {
		var all []judge.Exchange
		for range 6 {
			name := rename(both[i])
			x := both[i].Patch(name)
			if now, ok := harness.NewSnapshot(x); !ok || harness.Object(harness.Member{Name: "organization_name", Value: string(now.Members["organization_name"])}) != name {
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
		wantRecord(s, records[i], last, harness.Member{Name: "organization_name", Value: string(last.Members["organization_name"])})
	}
}

// tenantsApartAsked: the key alone says which organization is meant, whatever else the request names.
func tenantsApartAsked(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	id, key := recordB.Text("organization_id"), a.Keys[harness.KeyAdmin]
	inBody := harness.Object(harness.Member{Name: "organization_id", Value: harness.JsonString(id)})
	headers := []string{"X-Organization-Id", id, "X-Organization", id, "X-Tenant-Id", id, "Cookie", "organization_id=" + id}
	requests := []judge.Request{
		harness.NewRequest(http.MethodGet, key, nil, headers...),
		harness.NewRequest(http.MethodGet, key, nil, "X-Api-Key", b.Keys[harness.KeyAdmin]),
		harness.NewRequest(http.MethodPatch, key, []byte(inBody)),
		harness.NewRequest(http.MethodPatch, key, []byte(harness.Object(harness.Member{Name: "organization", Value: inBody})), headers...),
		harness.NewRequest(http.MethodGet, key, nil),
	}
	requests[4].URL += "?organization_id=" + id + "&namespace=" + id
	for _, r := range requests {
		x := s.Send(r)
		if now := s.Snapshot(x); !now.SameBytes(recordA) {
			s.FailExchange(x, "the record is not that of the key: %s", harness.DescribeChange(recordA, now))
		}
		wantNoMark(s, x, marks(recordB, recordA))
	}
	b.Unchanged(recordB, "requests of another organization that named it")
}

// etagsApart: who changes keys must not be told that nothing has changed.
func etagsApart(s *harness.Session) {
	a, b := pair(s)
	recordA, recordB := a.Read(), b.Read()
	if recordA.Etag == recordB.Etag {
		s.FailExchange(recordB.Exchange, "two organizations have the same ETag")
	}
	if now := s.Snapshot(b.Get(harness.KeyAdmin, "If-None-Match", recordA.Etag)); !now.SameBytes(recordB) {
		s.FailExchange(now.Exchange, "the record is not that of the key: %s", harness.DescribeChange(recordB, now))
	}
	s.WantStatus(a.Patch(rename(a), "If-Match", recordB.Etag), http.StatusPreconditionFailed)
	a.Unchanged(recordA, "a PATCH on the version of another organization")
}

// secretsStaySecret asks in every way that the suite knows. Each answer to any check is searched for secrets; this one
// makes sure that there is an answer of every kind.
func secretsStaySecret(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true})
	before := c.Change(harness.Object(newValues(c)...))
	for kind := range c.Keys {
		c.Get(kind)
		s.Send(harness.NewRequest(http.MethodPatch, c.Keys[kind], []byte(`{"internal_id":null,"keys":null,"organization_name":null}`)))
	}
	for _, r := range refusals(c, before.Etag) {
		s.Send(r)
	}
	for _, headers := range [][]string{{"Accept", "*/*"}, {"X-Debug", "1"}, {"Prefer", "return=representation"}} {
		c.Get(harness.KeyAdmin, headers...)
	}
	if s.Subject.Faulty == nil {
		return
	}
	for _, fault := range []harness.Fault{harness.FaultUnavailable, harness.FaultBroken, harness.FaultWrites} {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			s.SendTo(s.Subject.Faulty(fault), harness.NewRequest(method, c.Keys[harness.KeyAdmin], []byte(rename(c))))
		}
	}
}
