package checks

import (
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

func metadataComesBack(s *harness.Session) { comesBack(s, "metadata", metadataValues()) }
func nameComesBack(s *harness.Session)     { comesBack(s, "organization_name", nameValues()) }
func logoComesBack(s *harness.Session)     { comesBack(s, "logo_url", logoValues()) }
func emailComesBack(s *harness.Session)    { comesBack(s, "billing_email", emailValues()) }
func credentialsComeBack(s *harness.Session) {
	comesBack(s, "default_llm_credentials", credentialValues())
}

// comesBack: the answer to a PATCH and the next read show each value as it was sent: numbers to the digit, strings to
// the character.
func comesBack(s *harness.Session, name string, values []string) {
	c := s.Caller(adminOnly())
	for _, value := range values {
		now, ok := harness.NewSnapshot(c.Patch(object(member{name, value})))
		if !ok {
			s.FailExchange(now.Exchange, "%s is refused: %s", name, judge.Clip(value, judge.MaxValue))
			continue
		}
		if !harness.SameJSON(now.Members[name], []byte(value)) {
			s.FailExchange(now.Exchange, "%s was %s and came back as %s", name, judge.Clip(value, judge.MaxValue),
				judge.Clip(string(now.Members[name]), judge.MaxValue))
		}
		c.WantUnchanged(now, "a PATCH of "+name)
	}
}

func metadataValues() []string {
	nested := func(levels int) string {
		return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
	}
	return []string{
		`{}`,
		`{"n":1234567890123456789012345}`, `{"n":-1234567890123456789012345}`, `{"n":9007199254740993}`,
		`{"n":1.7976931348623157e308}`, `{"n":-1E+308}`, `{"n":1e-400}`, `{"n":1E2}`, `{"n":100}`, `{"n":1.0}`,
		`{"n":0.10}`, `{"n":-0}`, `{"n":0.1e1}`,
		`{"n":3.141592653589793238462643383279502884197}`,
		`{"b":1,"a":2,"c":{"z":1,"y":2}}`, `{"a":2,"b":1,"c":{"y":2,"z":1}}`, `{"10":1,"9":2,"1":3}`,
		`{"":1}`, `{"":{"":[{"":null}]}}`, `{" ":1,"  ":2}`,
		`{"🧪":"🧪🏽","e\u0301":"é","\u00e9":"e\u0301","ünïcödé":"שלום","\ud83d\ude00":1}`,
		`{"a":null,"b":[],"c":{},"d":[null,true,false,"",0],"e":[[[]]]}`, `{"a":[]}`, `{"a":null}`, `{"a":""}`,
		`{"a":{}}`,
		`{"a":"\u0000\u0001\u001f\u007f\u2028\u2029\ufffd\uffff"}`, `{"a":"\"\\\/\b\f\n\r\t"}`,
		`{"a":"<script>&'</script>"}`,
		`{"__proto__":1,"constructor":2,"$ref":"#","internal_id":"mine","organization_id":"mine","NULL":"null","true":"1"}`,
		`{"a":"1","b":"01","c":"1e5","d":"true","e":"null","f":"2026-01-05T09:30:00Z","g":"NaN"}`,
		`{"a":[1,"1",1.0,true,"true",null,"null"]}`, `{"a b":1,"a.b":2,"a/b":3,"a~b":4,"a#b":5,"A B":6}`,
		nested(harness.MaxObjectDepth), `{"a":` + strings.Repeat("[", harness.MaxObjectDepth-1) +
			strings.Repeat("]", harness.MaxObjectDepth-1) + `}`,
		`{"a":"` + strings.Repeat("x", harness.MaxObjectBytes-8) + `"}`,
	}
}

func nameValues() []string {
	return []string{
		`"x"`, `" "`, `"  two  spaces  "`, `"0"`, `"null"`, `"Søren & 東京 🧪 Ltd"`, `"e\u0301"`, `"é"`, `"שלום عليكم"`,
		`"👩‍👩‍👧‍👦"`,
		`"<b>\"quoted\" 'and' \\ / back</b>"`, `"tab\tline\nreturn\r"`, `"\u0000"`,
		`"\u007f\u0080\u2028\u2029\ufeff\ufffd"`,
		`"'; DROP TABLE organizations; --"`, `"${jndi:ldap://x}{{7*7}}%s%n"`, `"\uD83D\uDE00"`,
		`"` + strings.Repeat("é", 100) + `"`, `"` + strings.Repeat("🧪", 100) + `"`,
	}
}

func logoValues() []string {
	return []string{
		`"x"`, `"https://logo.example/a b?c=d&e=%20#f"`, `"data:image/png;base64,iVBORw0KGgo="`,
		`"//logo.example/ü/東京.svg"`, `" "`,
		`"` + strings.Repeat("x", 2048) + `"`, `"` + strings.Repeat("🧪", 2048) + `"`,
	}
}

func emailValues() []string {
	label := strings.Repeat("a", 63)
	return []string{
		`"a@b.c"`, `"A.b+c@Example.COM"`, "\"!#$%&'*+/=?^_`{|}~-@example.com\"", `"a@1.2c"`,
		`"a@xn--bcher-kva.example"`,
		`"` + strings.Repeat("a", 64) + `@example.com"`, `"a@` + label + `.` + label + `.` + label + `.` + label[:60] +
			`"`,
	}
}

func credentialValues() []string {
	return []string{
		`{}`, `{"openai":"one-credential","anthropic":"another"}`, `{"anthropic":"another","openai":"one-credential"}`,
		`{"":""}`,
		`{"🧪":"ключ","a b":"c\u0000d"}`, `{"a":"1","b":"null","c":"{}"}`, `{"a":"` +
			strings.Repeat("x", harness.MaxObjectBytes-8) + `"}`,
	}
}

// recordMembers returns all members of the record, and which of them may be null.
func recordMembers() (all []string, nullable map[string]bool) {
	all = []string{
		"organization_id", "organization_name", "logo_url", "account_type", "credit_count", "metadata", "billing_email",
		"notifications_email", "rate_limits", "auto_billing_enabled", "billing_cycle_start", "current_month_usage",
		"created_at",
		"updated_at", "users", "auth_provider_org_id", "default_llm_credentials", "api_url", "nsfw_check_enabled",
		"nsfw_fail_closed",
	}
	nullable = map[string]bool{
		"logo_url": true, "billing_email": true, "notifications_email": true, "users": true,
		"auth_provider_org_id": true, "api_url": true,
	}
	return all, nullable
}

// everythingHasValue: if an organization has a value for everything, its record shows every member, and changing one
// leaves the others.
func everythingHasValue(s *harness.Session) {
	c := s.Caller(full())
	before := c.Read()
	after := c.Change(newName(c))
	all, _ := recordMembers()
	for _, now := range []harness.Snapshot{before, after} {
		for _, name := range all {
			if value := string(now.Members[name]); value == "" || value == "null" || value == `""` || value == "[]" ||
				value == "{}" {
				s.FailExchange(now.Exchange, "%s of an organization that has everything is %s", name,
					judge.Describe(value, nil))
			}
		}
	}
	for _, name := range before.Differences(after, "organization_name", "updated_at") {
		s.FailExchange(after.Exchange, "%s has changed and was not sent", name)
	}
}

// nothingLeftOut: the record of an organization with no value set still has every member. It is null if that is
// allowed.
func nothingLeftOut(s *harness.Session) {
	c := s.Caller(adminOnly())
	all, nullable := recordMembers()
	for _, now := range []harness.Snapshot{c.Read(), c.Change(newName(c))} {
		for _, name := range all {
			value, shown := now.Members[name]
			if isNull := string(value) == "null"; !shown || isNull != nullable[name] {
				s.FailExchange(now.Exchange, "%s of an organization that has nothing is %s", name,
					judge.Describe(string(value), nil))
			}
		}
	}
}
