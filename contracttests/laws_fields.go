package contracttests

import "net/http"

// fieldLaws are about what a PATCH does to each field.
func fieldLaws() []Check {
	return []Check{
		law("patch-persists", 0, patchPersists),
		law("patch-of-everything-persists", 0, patchOfEverythingPersists),
		law("absent-fields-stay", 0, absentFieldsStay),
		law("metadata-replaces", 0, func(s *Session) { objectReplaces(s, "metadata") }),
		law("credentials-replace", 0, func(s *Session) { objectReplaces(s, "default_llm_credentials") }),
		law("rate-limits-replace", NeedProvision, rateLimitsReplace),
		law("null-clears", 0, nullClears),
		law("null-leaves", 0, nullLeaves),
		law("rate-limits-null-takes-back", NeedProvision, rateLimitsNull),
		law("undeclared-fields-change-nothing", 0, undeclaredFields),
		law("undeclared-limits-change-nothing", NeedProvision, undeclaredLimits),
	}
}

// newValues returns, for each field that a PATCH changes and that can be put back, a value that it does not have.
func (c caller) newValues() []member {
	return []member{
		{"organization_name", jsonString(c.s.fresh("Name"))},
		{"logo_url", jsonString("https://logo.example/" + c.s.fresh("logo"))},
		{"billing_email", jsonString(c.s.fresh("billing") + "@example.com")},
		{"notifications_email", jsonString(c.s.fresh("news") + "@example.com")},
		{"metadata", object(member{"mark", jsonString(c.s.fresh("metadata"))})},
		{"default_llm_credentials", object(member{"openai", jsonString(c.s.fresh("credential"))})},
	}
}

// wantRecord reports a record that is not what it was but for the fields that were sent, and for updated_at.
func (s *Session) wantRecord(before, now snapshot, sent ...member) {
	but := []string{"updated_at"}
	for _, m := range sent {
		but = append(but, m.name)
		if !sameJSON(now.members[m.name], []byte(m.value)) {
			s.FailExchange(now.x, "%s is not what was sent", m.name)
		}
	}
	for _, name := range before.differences(now, but...) {
		s.FailExchange(now.x, "%s has changed and was not sent", name)
	}
}

// patchPersists: what a PATCH sets, its answer shows, and so does every read from then on, whatever key reads.
func patchPersists(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{KeyRead}})
	before := c.read()
	for _, field := range c.newValues() {
		answer := c.change(object(field))
		s.wantRecord(before, answer, field)
		kinds := []KeyKind{KeyAdmin, KeyRead}
		if c.Keys[KeyRead] == "" {
			kinds = kinds[:1]
		}
		for _, kind := range kinds {
			if now := s.snapshot(c.get(kind)); !now.sameBytes(answer) {
				s.FailExchange(now.x, "the record is not what the PATCH of %s answered: %s", field.name, describeChange(answer, now))
			}
		}
		before = answer
	}
}

func patchOfEverythingPersists(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	fields := c.newValues()
	before := c.read()
	answer := c.change(object(fields...))
	s.wantRecord(before, answer, fields...)
	c.unchanged(answer, "a PATCH of everything")
}

// absentFieldsStay: of an organization that has everything, a PATCH of one field changes nothing else.
func absentFieldsStay(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{}})
	before := c.change(object(c.newValues()...))
	for _, field := range c.newValues() {
		now := c.change(object(field))
		s.wantRecord(before, now, field)
		c.unchanged(now, "a PATCH of "+field.name)
		before = now
	}
}

// objectReplaces: an object that is sent takes the place of the whole one.
func objectReplaces(s *Session, field string) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	a, b := jsonString(s.fresh("a")), jsonString(s.fresh("b"))
	before := c.read()
	for _, value := range []string{
		object(member{"one", a}, member{"two", a}), object(member{"two", b}), object(member{"three", a}), `{}`,
	} {
		sent := member{field, value}
		now := c.change(object(sent))
		s.wantRecord(before, now, sent)
		c.unchanged(now, "a PATCH of "+field)
	}
}

// nullClears: null takes away what may be missing.
func nullClears(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	values := c.newValues()
	for _, name := range []string{"logo_url", "billing_email", "notifications_email"} {
		before := c.change(object(named(values, name)))
		sent := member{name, "null"}
		now := c.change(object(sent))
		s.wantRecord(before, now, sent)
		c.unchanged(now, "null for "+name)
	}
}

// nullLeaves: null leaves what cannot be missing.
func nullLeaves(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.change(object(c.newValues()...))
	for _, name := range []string{"organization_name", "metadata", "default_llm_credentials"} {
		if now := c.change(object(member{name, "null"})); !now.sameBytes(before) {
			s.FailExchange(now.x, "null for %s is to leave the record: %s", name, describeChange(before, now))
		}
		c.unchanged(before, "null for "+name)
	}
	now := c.change(`{"organization_name":null,"billing_email":null}`)
	s.wantRecord(before, now, member{"billing_email", "null"})
}

// undeclaredFields: fields that the document does not let a PATCH change are ignored, whatever they are called.
func undeclaredFields(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{}})
	before := c.read()
	fields := []member{
		{"organization_id", `"org_0000000000000"`}, {"account_type", `"enterprise"`}, {"credit_count", `987654321`},
		{"auto_billing_enabled", `false`}, {"auto_billing_enabled_", `true`}, {"billing_cycle_start", `3`}, {"current_month_usage", `0`},
		{"created_at", `"2001-01-01T00:00:00Z"`}, {"updated_at", `"2001-01-01T00:00:00Z"`}, {"users", `[]`},
		{"auth_provider_org_id", `"x"`}, {"api_url", `"https://x.example"`}, {"internal_id", `"x"`}, {"version", `1`},
		{"permissions", `["admin"]`}, {"deleted_at", `null`}, {"infrastructure", `{"qdrant":"x"}`}, {"", `1`},
		{"Organization_Name", `"x"`}, {"organizationName", `"x"`}, {"logo_url ", `null`}, {"__proto__", `{"organization_name":"x"}`},
		{"organization", `{"organization_name":"x"}`}, {"data", `{"organization_name":"x"}`}, {"rate_limit", `null`},
	}
	for _, field := range fields {
		if now := c.change(object(field)); !now.sameBytes(before) {
			s.FailExchange(now.x, "%s is not declared and changed the record: %s", jsonString(field.name), describeChange(before, now))
			before = now
		}
	}
	c.unchanged(before, "a PATCH of fields that are not declared")
	name := member{"organization_name", jsonString(s.fresh("Name"))}
	s.wantRecord(before, c.change(object(append(fields, name)...)), name)
}

// refusals are requests that must be refused, whatever the organization. Each would change the record otherwise.
func (c caller) refusals(current string) []Request {
	var all []Request
	for _, one := range statusCases() {
		shared := one.spec.Limit == 0 && !one.spec.Deleted && one.fault == ""
		if _, has := c.Keys[one.key]; one.method == http.MethodPatch && one.status >= 400 && shared && (has || one.key == "") {
			all = append(all, one.request(c.Tenant, current))
		}
	}
	return all
}
