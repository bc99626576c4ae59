package checks

import (
	"net/http"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// fieldLaws are about what a PATCH does to each field.
func fieldLaws() []harness.Check {
	return []harness.Check{
		law("patch-persists", 0, patchPersists),
		law("patch-of-everything-persists", 0, patchOfEverythingPersists),
		law("absent-fields-stay", 0, absentFieldsStay),
		law("metadata-replaces", 0, func(s *harness.Session) { objectReplaces(s, "metadata") }),
		law("credentials-replace", 0, func(s *harness.Session) { objectReplaces(s, "default_llm_credentials") }),
		law("rate-limits-replace", harness.NeedProvision, rateLimitsReplace),
		law("null-clears", 0, nullClears),
		law("null-leaves", 0, nullLeaves),
		law("rate-limits-null-takes-back", harness.NeedProvision, rateLimitsNull),
		law("undeclared-fields-change-nothing", 0, undeclaredFields),
		law("undeclared-limits-change-nothing", harness.NeedProvision, undeclaredLimits),
	}
}

// newValues returns, for each field that a PATCH changes and that can be put back, a value that it does not have.
func newValues(c harness.Caller) []harness.Member {
	return []harness.Member{
		{Name: "organization_name", Value: harness.JsonString(c.Session.Fresh("Name"))},
		{Name: "logo_url", Value: harness.JsonString("https://logo.example/" + c.Session.Fresh("logo"))},
		{Name: "billing_email", Value: harness.JsonString(c.Session.Fresh("billing") + "@example.com")},
		{Name: "notifications_email", Value: harness.JsonString(c.Session.Fresh("news") + "@example.com")},
		{Name: "metadata", Value: harness.Object(harness.Member{Name: "mark", Value: harness.JsonString(c.Session.Fresh("metadata"))})},
		{Name: "default_llm_credentials", Value: harness.Object(harness.Member{Name: "openai", Value: harness.JsonString(c.Session.Fresh("credential"))})},
	}
}

// wantRecord reports a record that is not what it was but for the fields that were sent, and for updated_at.
func wantRecord(s *harness.Session, before, now harness.Snapshot, sent ...harness.Member) {
	but := []string{"updated_at"}
	for _, m := range sent {
		but = append(but, m.Name)
		if !harness.SameJSON(now.Members[m.Name], []byte(m.Value)) {
			s.FailExchange(now.Exchange, "%s is not what was sent", m.Name)
		}
	}
	for _, name := range before.Differences(now, but...) {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
}

// patchPersists: what a PATCH sets, its answer shows, and so does every read from then on, whatever key reads.
func patchPersists(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{harness.KeyRead}})
	before := c.Read()
	for _, field := range newValues(c) {
		answer := c.Change(harness.Object(field))
		wantRecord(s, before, answer, field)
		kinds := []harness.KeyKind{harness.KeyAdmin, harness.KeyRead}
		if c.Keys[harness.KeyRead] == "" {
			kinds = kinds[:1]
		}
		for _, kind := range kinds {
			if now := s.Snapshot(c.Get(kind)); !now.SameBytes(answer) {
				s.FailExchange(now.Exchange, "the record is not what the PATCH of %s answered: %s", field.Name, harness.DescribeChange(answer, now))
			}
		}
		before = answer
	}
}

func patchOfEverythingPersists(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	fields := newValues(c)
	before := c.Read()
	answer := c.Change(harness.Object(fields...))
	wantRecord(s, before, answer, fields...)
	c.Unchanged(answer, "a PATCH of everything")
}

// absentFieldsStay: of an organization that has everything, a PATCH of one field changes nothing else.
func absentFieldsStay(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	before := c.Change(harness.Object(newValues(c)...))
	for _, field := range newValues(c) {
		now := c.Change(harness.Object(field))
		wantRecord(s, before, now, field)
		c.Unchanged(now, "a PATCH of "+field.Name)
		before = now
	}
}

// objectReplaces: an object that is sent takes the place of the whole one.
func objectReplaces(s *harness.Session, field string) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	a, b := harness.JsonString(s.Fresh("a")), harness.JsonString(s.Fresh("b"))
	before := c.Read()
	for _, value := range []string{
		harness.Object(harness.Member{Name: "one", Value: a}, harness.Member{Name: "two", Value: a}), harness.Object(harness.Member{Name: "two", Value: b}), harness.Object(harness.Member{Name: "three", Value: a}), `{}`,
	} {
		sent := harness.Member{Name: field, Value: value}
		now := c.Change(harness.Object(sent))
		wantRecord(s, before, now, sent)
		c.Unchanged(now, "a PATCH of "+field)
	}
}

// nullClears: null takes away what may be missing.
func nullClears(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	values := newValues(c)
	for _, name := range []string{"logo_url", "billing_email", "notifications_email"} {
		before := c.Change(harness.Object(harness.Named(values, name)))
		sent := harness.Member{Name: name, Value: "null"}
		now := c.Change(harness.Object(sent))
		wantRecord(s, before, now, sent)
		c.Unchanged(now, "null for "+name)
	}
}

// nullLeaves: null leaves what cannot be missing.
func nullLeaves(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Change(harness.Object(newValues(c)...))
	for _, name := range []string{"organization_name", "metadata", "default_llm_credentials"} {
		if now := c.Change(harness.Object(harness.Member{Name: name, Value: "null"})); !now.SameBytes(before) {
			s.FailExchange(now.Exchange, "null for %s is to leave the record: %s", name, harness.DescribeChange(before, now))
		}
		c.Unchanged(before, "null for "+name)
	}
	now := c.Change(`{"organization_name":null,"billing_email":null}`)
	wantRecord(s, before, now, harness.Member{Name: "billing_email", Value: "null"})
}

// undeclaredFields: fields that the document does not let a PATCH change are ignored, whatever they are called.
func undeclaredFields(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	before := c.Read()
	fields := []harness.Member{
		{Name: "organization_id", Value: `"org_0000000000000"`}, {Name: "account_type", Value: `"enterprise"`}, {Name: "credit_count", Value: `987654321`},
		{Name: "auto_billing_enabled", Value: `false`}, {Name: "auto_billing_enabled_", Value: `true`}, {Name: "billing_cycle_start", Value: `3`}, {Name: "current_month_usage", Value: `0`},
		{Name: "created_at", Value: `"2001-01-01T00:00:00Z"`}, {Name: "updated_at", Value: `"2001-01-01T00:00:00Z"`}, {Name: "users", Value: `[]`},
		{Name: "auth_provider_org_id", Value: `"x"`}, {Name: "api_url", Value: `"https://x.example"`}, {Name: "internal_id", Value: `"x"`}, {Name: "version", Value: `1`},
		{Name: "permissions", Value: `["admin"]`}, {Name: "deleted_at", Value: `null`}, {Name: "infrastructure", Value: `{"qdrant":"x"}`}, {Name: "", Value: `1`},
		{Name: "Organization_Name", Value: `"x"`}, {Name: "organizationName", Value: `"x"`}, {Name: "logo_url ", Value: `null`}, {Name: "__proto__", Value: `{"organization_name":"x"}`},
		{Name: "organization", Value: `{"organization_name":"x"}`}, {Name: "data", Value: `{"organization_name":"x"}`}, {Name: "rate_limit", Value: `null`},
	}
	for _, field := range fields {
		if now := c.Change(harness.Object(field)); !now.SameBytes(before) {
			s.FailExchange(now.Exchange, "%s is not declared and changed the record: %s", harness.JsonString(field.Name), harness.DescribeChange(before, now))
			before = now
		}
	}
	c.Unchanged(before, "a PATCH of fields that are not declared")
	name := harness.Member{Name: "organization_name", Value: harness.JsonString(s.Fresh("Name"))}
	wantRecord(s, before, c.Change(harness.Object(append(fields, name)...)), name)
}

// refusals are requests that must be refused, whatever the organization. Each would change the record otherwise.
func refusals(c harness.Caller, current string) []judge.Request {
	var all []judge.Request
	for _, one := range statusCases() {
		shared := one.spec.Limit == 0 && !one.spec.Deleted && one.fault == ""
		if _, has := c.Keys[one.key]; one.method == http.MethodPatch && one.status >= 400 && shared && (has || one.key == "") {
			all = append(all, one.request(c.Tenant, current))
		}
	}
	return all
}
