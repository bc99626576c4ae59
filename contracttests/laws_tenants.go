package contracttests

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// tenantLaws are about what organizations see of each other: nothing.
func tenantLaws() []Check {
	return []Check{
		law("tenants-apart", NeedOther, tenantsApart),
		law("tenants-apart-at-the-same-time", NeedOther, tenantsApartConcurrently),
		law("tenants-apart-whatever-is-asked-for", NeedOther, tenantsApartAsked),
		law("etags-of-tenants-differ", NeedOther, etagsApart),
		law("secrets-stay-secret", 0, secretsStaySecret),
	}
}

// pair returns two organizations. Only the first may be changed, unless both belong to the check.
func (s *Session) pair() (a, b caller) {
	spec := TenantSpec{Full: true, Keys: []KeyKind{KeyRead, KeyNone}}
	return caller{s, s.Provision(spec)}, caller{s, s.Another(spec)}
}

// marks returns what tells one organization from another: every text of its record, and its ETag, that is not in the
// other's.
func (a snapshot) marks(other snapshot) [][]byte {
	var record any
	_ = json.Unmarshal(a.x.Response.Body, &record) // it has been read before
	var marks [][]byte
	theirs := wholeAnswer(other.x.Response)
	for _, text := range append(textsIn(record), a.etag) {
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
func (s *Session) wantNoMark(x Exchange, marks [][]byte) {
	raw := wholeAnswer(x.Response)
	for _, mark := range marks {
		if bytes.Contains(raw, mark) && !bytes.Contains(x.Request.Body, mark) {
			s.FailExchange(x, "the answer contains what belongs to another organization")
			return
		}
	}
}

// tenantsApart takes turns between two organizations, changing both, and looks at every byte of every answer.
func tenantsApart(s *Session) {
	a, b := s.pair()
	recordA, recordB := a.read(), b.read()
	for range 3 {
		recordA = a.change(object(a.newValues()...))
		if !s.live() {
			b.unchanged(recordB, "a change of another organization")
			recordB = b.change(object(b.newValues()...))
		}
		a.unchanged(recordA, "a change of another organization")
		b.unchanged(recordB, "a change of another organization")
		for _, x := range append(a.refusedAll(recordA), a.get(KeyAdmin), a.patch(`{}`), a.get(KeyAdmin, "If-None-Match", recordA.etag)) {
			s.wantNoMark(x, recordB.marks(recordA))
		}
		for _, x := range []Exchange{b.get(KeyAdmin), b.get(KeyAdmin, "If-Match", `"x"`), b.get(KeyNone), b.get(KeyRead)} {
			s.wantNoMark(x, recordA.marks(recordB))
		}
	}
}

// refusedAll sends a few requests that are refused in different ways.
func (c caller) refusedAll(now snapshot) []Exchange {
	all := []Exchange{
		c.patch(`{`), c.patch(`{"organization_name":1}`), c.patch(c.rename(), "If-None-Match", now.etag), c.get("no such key"),
	}
	if c.Keys[KeyRead] != "" {
		all = append(all, c.s.Send(NewRequest(http.MethodPatch, c.Keys[KeyRead], []byte(`{}`))))
	}
	return all
}

// tenantsApartConcurrently reads two organizations from many goroutines: every answer is the right one's to the byte.
func tenantsApartConcurrently(s *Session) {
	const readers, rounds = 6, 8
	a, b := s.pair()
	both, records := [2]caller{a, b}, [2]snapshot{a.read(), b.read()}
	together(readers, func(reader int) bool {
		for round := range rounds {
			i := (reader + round) % 2
			x := both[i].get(KeyAdmin)
			now, ok := newSnapshot(x)
			if !ok || !now.sameBytes(records[i]) {
				s.FailExchange(x, "among reads of two organizations, the answer is not the record of the caller's")
			}
		}
		return true
	})
	if !s.live() {
		s.changeBoth(a, b)
	}
}

// changeBoth changes two organizations at the same time: each answer shows the caller's change.
func (s *Session) changeBoth(a, b caller) {
	both, records := [2]caller{a, b}, [2]snapshot{a.read(), b.read()}
	answers := together(2, func(i int) []Exchange {
		var all []Exchange
		for range 6 {
			name := both[i].rename()
			x := both[i].patch(name)
			if now, ok := newSnapshot(x); !ok || object(member{"organization_name", string(now.members["organization_name"])}) != name {
				s.FailExchange(x, "the answer does not show what was sent")
			}
			all = append(all, x)
		}
		return all
	})
	for i := range both {
		for _, x := range answers[i] {
			s.wantNoMark(x, records[1-i].marks(records[i]))
		}
		last := s.snapshot(answers[i][len(answers[i])-1])
		s.wantRecord(records[i], last, member{"organization_name", string(last.members["organization_name"])})
	}
}

// tenantsApartAsked: the key alone says which organization is meant, whatever else the request names.
func tenantsApartAsked(s *Session) {
	a, b := s.pair()
	recordA, recordB := a.read(), b.read()
	id, key := recordB.text("organization_id"), a.Keys[KeyAdmin]
	inBody := object(member{"organization_id", jsonString(id)})
	headers := []string{"X-Organization-Id", id, "X-Organization", id, "X-Tenant-Id", id, "Cookie", "organization_id=" + id}
	requests := []Request{
		NewRequest(http.MethodGet, key, nil, headers...),
		NewRequest(http.MethodGet, key, nil, "X-Api-Key", b.Keys[KeyAdmin]),
		NewRequest(http.MethodPatch, key, []byte(inBody)),
		NewRequest(http.MethodPatch, key, []byte(object(member{"organization", inBody})), headers...),
		NewRequest(http.MethodGet, key, nil),
	}
	requests[4].URL += "?organization_id=" + id + "&namespace=" + id
	for _, r := range requests {
		x := s.Send(r)
		if now := s.snapshot(x); !now.sameBytes(recordA) {
			s.FailExchange(x, "the record is not that of the key: %s", describeChange(recordA, now))
		}
		s.wantNoMark(x, recordB.marks(recordA))
	}
	b.unchanged(recordB, "requests of another organization that named it")
}

// etagsApart: who changes keys must not be told that nothing has changed.
func etagsApart(s *Session) {
	a, b := s.pair()
	recordA, recordB := a.read(), b.read()
	if recordA.etag == recordB.etag {
		s.FailExchange(recordB.x, "two organizations have the same ETag")
	}
	if now := s.snapshot(b.get(KeyAdmin, "If-None-Match", recordA.etag)); !now.sameBytes(recordB) {
		s.FailExchange(now.x, "the record is not that of the key: %s", describeChange(recordB, now))
	}
	s.wantStatus(a.patch(a.rename(), "If-Match", recordB.etag), http.StatusPreconditionFailed)
	a.unchanged(recordA, "a PATCH on the version of another organization")
}

// secretsStaySecret asks in every way that the suite knows. Each answer to any check is searched for secrets; this one
// makes sure that there is an answer of every kind.
func secretsStaySecret(s *Session) {
	c := s.caller(TenantSpec{Full: true})
	before := c.change(object(c.newValues()...))
	for kind := range c.Keys {
		c.get(kind)
		s.Send(NewRequest(http.MethodPatch, c.Keys[kind], []byte(`{"internal_id":null,"keys":null,"organization_name":null}`)))
	}
	for _, r := range c.refusals(before.etag) {
		s.Send(r)
	}
	for _, headers := range [][]string{{"Accept", "*/*"}, {"X-Debug", "1"}, {"Prefer", "return=representation"}} {
		c.get(KeyAdmin, headers...)
	}
	if s.Subject.Faulty == nil {
		return
	}
	for _, fault := range []Fault{FaultUnavailable, FaultBroken, FaultWrites} {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			s.SendTo(s.Subject.Faulty(fault), NewRequest(method, c.Keys[KeyAdmin], []byte(c.rename())))
		}
	}
}
