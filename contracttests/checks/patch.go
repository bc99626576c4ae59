package checks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"organizations-api/contracttests/harness"
)

// patchPersists: the answer to a PATCH shows the new values. Every read after it shows the same, with any key.
func patchPersists(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for _, field := range newValues(c) {
		answer := c.Change(object(field))
		wantRecord(s, before, answer, field)
		kinds := []harness.KeyKind{harness.KeyAdmin, harness.KeyRead}
		if c.Keys[harness.KeyRead] == "" {
			kinds = kinds[:1]
		}
		for _, kind := range kinds {
			s.WantSame(answer, s.Snapshot(c.Get(kind)), "the record is not what the PATCH of %s answered", field.name)
		}
		before = answer
	}
}

// patchOfEverythingPersists: a PATCH may set all fields at once.
func patchOfEverythingPersists(s *harness.Session) {
	c := s.Caller(adminOnly())
	fields := newValues(c)
	before := c.Read()
	answer := c.Change(object(fields...))
	wantRecord(s, before, answer, fields...)
	c.WantUnchanged(answer, "a PATCH of everything")
}

// absentFieldsStay: a PATCH of one field changes no other field of an organization that has them all.
func absentFieldsStay(s *harness.Session) {
	c := s.Caller(full())
	before := c.Change(object(newValues(c)...))
	for _, field := range newValues(c) {
		now := c.Change(object(field))
		wantRecord(s, before, now, field)
		c.WantUnchanged(now, "a PATCH of "+field.name)
		before = now
	}
}

func metadataReplaces(s *harness.Session)   { objectReplaces(s, "metadata") }
func credentialsReplace(s *harness.Session) { objectReplaces(s, "default_llm_credentials") }

// objectReplaces: an object in a PATCH replaces the whole object in the record. Nothing is merged.
func objectReplaces(s *harness.Session, name string) {
	c := s.Caller(adminOnly())
	a, b := quote(s.Fresh("a")), quote(s.Fresh("b"))
	before := c.Read()
	for _, value := range []string{
		object(member{"one", a}, member{"two", a}), object(member{"two", b}), object(member{"three", a}), `{}`,
	} {
		sent := member{name, value}
		now := c.Change(object(sent))
		wantRecord(s, before, now, sent)
		c.WantUnchanged(now, "a PATCH of "+name)
	}
}

// nullLeaves: null leaves every field as it is, alone and beside a field that is set.
func nullLeaves(s *harness.Session) {
	c := s.Caller(adminOnly())
	before := c.Change(object(newValues(c)...))
	for _, name := range append(harness.Restorable(), "rate_limits", "rate_limit_overrides") {
		s.WantSame(before, c.Change(object(member{name, "null"})), "null for %s is to leave the record", name)
		c.WantUnchanged(before, "null for "+name)
		sent := member{"organization_name", quote(c.Fresh("Name"))}
		if name == sent.name {
			sent = member{"logo_url", quote(c.Fresh("logo"))}
		}
		now := c.Change(object(sent, member{name, "null"}))
		wantRecord(s, before, now, sent)
		before = now
	}
}

// nineFieldsSevenNull: clients send null for every field that is not set. If a body has nine fields, and seven are
// null, exactly the two others change. As a merge patch, the same body clears the seven.
func nineFieldsSevenNull(s *harness.Session) {
	c := s.Caller(adminOnly())
	values := newValues(c)
	name, closed := member{"organization_name", quote(c.Fresh("Name"))}, member{"nsfw_fail_closed", "true"}
	body := object(name, closed, member{"logo_url", "null"}, member{"billing_email", "null"},
		member{"notifications_email", "null"},
		member{"metadata", "null"}, member{"rate_limit_overrides", "null"}, member{"default_llm_credentials", "null"},
		member{"nsfw_check_enabled", "null"})
	before := c.Change(object(append(values[:len(values)-2], member{"nsfw_check_enabled", "true"},
		member{"nsfw_fail_closed", "false"})...))
	now := c.Change(body)
	wantRecord(s, before, now, name, closed)
	c.WantUnchanged(now, "a PATCH of nine fields")
	if s.Live() {
		return // a merge patch with null for the limits could not be put back
	}
	now = c.Change(body, mergePatch()...)
	wantRecord(s, now, now, name, closed, member{"logo_url", "null"}, member{"billing_email", "null"},
		member{"notifications_email", "null"},
		member{"metadata", "{}"}, member{"default_llm_credentials", "{}"}, member{"nsfw_check_enabled", "false"})
	wantLimits(s, now, tierLimits(now.Text("account_type")))
	c.WantUnchanged(now, "a merge patch of nine fields")
}

// undeclaredFields: a PATCH ignores every field that the document does not declare for it.
func undeclaredFields(s *harness.Session) {
	c := s.Caller(full())
	before := c.Read()
	fields := []member{
		{"organization_id", `"org_0000000000000"`}, {"account_type", `"enterprise"`}, {"credit_count", `987654321`},
		{"auto_billing_enabled", `false`}, {"auto_billing_enabled_", `true`}, {"billing_cycle_start", `3`},
		{"current_month_usage", `0`},
		{"created_at", `"2001-01-01T00:00:00Z"`}, {"updated_at", `"2001-01-01T00:00:00Z"`}, {"users", `[]`},
		{"auth_provider_org_id", `"x"`}, {"api_url", `"https://x.example"`}, {"internal_id", `"x"`}, {"version", `1`},
		{"permissions", `["admin"]`}, {"deleted_at", `null`}, {"infrastructure", `{"qdrant":"x"}`}, {"", `1`},
		{"Organization_Name", `"x"`}, {"organizationName", `"x"`}, {"logo_url ", `null`},
		{"__proto__", `{"organization_name":"x"}`},
		{"organization", `{"organization_name":"x"}`}, {"data", `{"organization_name":"x"}`}, {"rate_limit", `null`},
	}
	for _, field := range fields {
		if now := c.Change(object(field)); !now.SameBytes(before) {
			s.FailExchange(now.Exchange, "%s is not declared and changed the record: %s", quote(field.name),
				before.Compare(now))
			before = now
		}
	}
	c.WantUnchanged(before, "a PATCH of fields that are not declared")
	name := newValues(c)[0]
	wantRecord(s, before, c.Change(object(append(fields, name)...)), name)
}

// noChange: a PATCH with the present values changes nothing, in any notation.
func noChange(s *harness.Session) {
	c := s.Caller(full())
	fields := newValues(c)
	before := c.Change(object(fields...))
	bodies := []string{`{}`, object(fields...), spacedOut(object(fields...))}
	for _, field := range fields {
		bodies = append(bodies, object(field))
	}
	for _, body := range bodies {
		s.WantSame(before, c.Change(body), "what was sent was there already, and yet the answer differs")
		c.WantUnchanged(before, "a PATCH that sets what was there")
	}
}

// spacedOut returns a JSON text with white space wherever JSON allows it.
func spacedOut(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), " ", "\t"); err != nil {
		panic(err) // the suite's own texts are JSON
	}
	return out.String()
}

// updatedAtAdvances: updated_at moves forward with every change, even when many come at once, and never without one.
func updatedAtAdvances(s *harness.Session) {
	c := s.Caller(adminOnly())
	before := c.Read()
	for range 12 {
		now := c.Change(newName(c))
		if !now.Updated().After(before.Updated()) {
			s.FailExchange(now.Exchange, "the record changed, and updated_at went from %s to %s",
				before.Text("updated_at"), now.Text("updated_at"))
		}
		if again := c.Read(); again.Text("updated_at") != now.Text("updated_at") {
			s.FailExchange(again.Exchange, "nothing changed, and updated_at went from %s to %s",
				now.Text("updated_at"), again.Text("updated_at"))
		}
		before = now
	}
}

// updatedAtIsNow: updated_at is the time of the change, as far as the clocks of different machines agree.
func updatedAtIsNow(s *harness.Session) {
	const skew = 5 * time.Minute
	c := s.Caller(adminOnly())
	now := c.Change(newName(c))
	if off := time.Since(now.Updated()); off.Abs() > skew {
		s.FailExchange(now.Exchange, "updated_at is %s, which is %v off", now.Text("updated_at"),
			off.Round(time.Second))
	}
}

// etagFollows: every new version of a record has a new ETag. The ETag of a version is the same in every answer, to a
// read or to a PATCH.
func etagFollows(s *harness.Session) {
	c := s.Caller(adminOnly())
	before := c.Read()
	seen := map[string]bool{before.ETag: true}
	one, two := s.Fresh("Name"), s.Fresh("Name")
	for _, name := range []string{one, two, one, one, two, two} { // back and forth: the times differ
		now := c.Change(object(member{"organization_name", quote(name)}))
		switch same := before.Text("organization_name") == name; {
		case same && now.ETag != before.ETag:
			s.FailExchange(now.Exchange, "the record is the same, and its ETag went from %s to %s", before.ETag,
				now.ETag)
		case !same && seen[now.ETag]:
			s.FailExchange(now.Exchange, "the record changed, and its ETag %s is that of an earlier version", now.ETag)
		}
		for range 2 {
			c.WantUnchanged(now, "a PATCH")
		}
		seen[now.ETag], before = true, now
	}
	for _, field := range newValues(c) {
		now := c.Change(object(field))
		if seen[now.ETag] {
			s.FailExchange(now.Exchange, "%s changed, and the ETag %s is that of an earlier version", field.name,
				now.ETag)
		}
		seen[now.ETag] = true
	}
}

// identityStays: a PATCH changes nothing that only the operator may change.
func identityStays(s *harness.Session) {
	c := s.Caller(full())
	before := c.Read()
	for range 3 {
		now := c.Change(object(newValues(c)...))
		for _, name := range before.Differences(now, append(harness.Restorable(), "updated_at")...) {
			s.FailExchange(now.Exchange, "%s has changed, and no PATCH can change it", name)
		}
	}
	if c.ID != "" && before.Text("organization_id") != c.ID {
		s.FailExchange(before.Exchange, "organization_id is not that of the key's organization")
	}
}

// failedPatch: a request that is refused leaves the record as it was, to the byte.
func failedPatch(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true})
	before := c.Read()
	for _, r := range refusals(c, before.ETag) {
		x := s.Send(r)
		if x.Response.Status < 400 {
			s.FailExchange(x, "status is %d, want a refusal", x.Response.Status)
		}
		if now := c.Read(); !now.SameBytes(before) {
			s.FailExchange(x, "the request was answered with %d and changed the record: %s", x.Response.Status,
				before.Compare(now))
			before = now
		}
	}
}

// faultChangesNothing: if the answer is an error of the store, the change was not made. (These faults happen before the
// store does anything.)
func faultChangesNothing(s *harness.Session) {
	c := s.Caller(full())
	before := c.Read()
	for _, fault := range harness.Faults() {
		target := s.Subject.Faulty(fault)
		x := s.SendTo(target, harness.NewRequest(http.MethodPatch, c.Keys[harness.KeyAdmin], []byte(newName(c))))
		if x.Response.Status < 500 {
			s.FailExchange(x, "status is %d on a store that is %s, want an error", x.Response.Status, fault)
		}
		c.WantUnchanged(before, "a change on a store that is "+string(fault))
	}
	s.WantSame(before, s.Snapshot(s.SendTo(s.Subject.Faulty(harness.FaultWrites),
		harness.NewRequest(http.MethodGet, c.Keys[harness.KeyAdmin], nil))),
		"a store that cannot be written reads otherwise")
}

// problemAmongChanges: if one field of a PATCH does not fit the schema, no field changes, at any position of that
// field.
func problemAmongChanges(s *harness.Session) {
	c := s.Caller(adminOnly())
	before := c.Read()
	problems := []member{
		{"organization_name", `""`}, {"logo_url", `1`}, {"billing_email", `"x"`}, {"notifications_email", `[]`},
		{"metadata", `1`}, {"default_llm_credentials", `{"a":null}`}, {"rate_limits", `{"metadata":0}`},
		{"rate_limit_overrides", `[]`},
		{"nsfw_check_enabled", `"true"`}, {"nsfw_fail_closed", `0`},
	}
	for _, problem := range problems {
		var first, last []member
		for _, field := range newValues(c) {
			if field.name != problem.name {
				first, last = append(first, field), append(last, field)
			}
		}
		for _, fields := range [][]member{append([]member{problem}, first...), append(last, problem)} {
			s.WantStatus(c.Patch(object(fields...)), http.StatusUnprocessableEntity)
		}
		c.WantUnchanged(before, "a PATCH with a problem in "+problem.name)
	}
}
