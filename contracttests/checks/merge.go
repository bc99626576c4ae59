package checks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
)

// mergePatch returns the header of a JSON Merge Patch (RFC 7396).
func mergePatch() []string { return []string{"Content-Type", harness.MergePatchType} }

// mergePatchPersists: a merge patch sets the fields that it names and nothing else, and the next read shows it.
func mergePatchPersists(s *harness.Session) {
	c := s.Caller(full())
	before := c.Change(`{"metadata":{},"default_llm_credentials":{}}`) // a merge into an empty object is the patch itself
	for _, field := range newValues(c) {
		now := c.Change(object(field), mergePatch()...)
		wantRecord(s, before, now, field)
		c.WantUnchanged(now, "a merge patch of "+field.name)
		s.WantSame(now, c.Change(object(field), mergePatch()...),
			"the same merge patch of %s once more changed the record", field.name)
		before = now
	}
	s.WantSame(before, c.Change(`{}`, mergePatch()...), "an empty merge patch changed the record")
}

// cleared are the fields that null clears in a merge patch, with their values afterwards.
func cleared() []member {
	return []member{
		{"logo_url", "null"}, {"billing_email", "null"}, {"notifications_email", "null"}, {"metadata", "{}"},
		{"default_llm_credentials", "{}"}, {"nsfw_check_enabled", "false"}, {"nsfw_fail_closed", "false"},
	}
}

// mergeNullClears: in a merge patch null clears a field. Only the name cannot be cleared.
func mergeNullClears(s *harness.Session) {
	c := s.Caller(adminOnly())
	c.Change(object(newValues(c)...))
	before := c.Change(`{"nsfw_check_enabled":true,"nsfw_fail_closed":true}`)
	for _, field := range cleared() {
		now := c.Change(object(member{field.name, "null"}), mergePatch()...)
		wantRecord(s, before, now, field)
		c.WantUnchanged(now, "null for "+field.name+" in a merge patch")
		before = now
	}
	s.WantStatus(c.Patch(`{"organization_name":null}`, mergePatch()...), http.StatusUnprocessableEntity)
	c.WantUnchanged(before, "null for the name in a merge patch")
}

// merges sends merge patches of a field one after the other, and compares the field after each.
func merges(s *harness.Session, name string, steps [][2]string) {
	c := s.Caller(adminOnly())
	before := c.Change(object(member{name, steps[0][1]}))
	for _, step := range steps {
		now := c.Change(object(member{name, step[0]}), mergePatch()...)
		wantRecord(s, before, now, member{name, step[1]})
		c.WantUnchanged(now, "a merge patch of "+name)
		before = now
	}
}

// mergeOfMetadata: a merge adds, replaces and removes members at every level. It replaces arrays and all other values
// as a whole. Digits stay as they were.
func mergeOfMetadata(s *harness.Session) {
	mark := quote(s.Fresh("metadata"))
	merges(s, "metadata", [][2]string{
		{`{}`, `{"mark":` + mark + `,"n":1234567890123456789012345.10,"o":{"a":1,"b":{"c":2}}}`},
		{`{"o":{"b":{"d":3}}}`, `{"mark":` + mark + `,"n":1234567890123456789012345.10,"o":{"a":1,"b":{"c":2,"d":3}}}`},
		{`{"o":{"a":null,"x":null},"n":[1,null,{"a":null}]}`, `{"mark":` + mark +
			`,"n":[1,null,{"a":null}],"o":{"b":{"c":2,"d":3}}}`},
		{`{"n":{"a":{"b":null}},"o":"text"}`, `{"mark":` + mark + `,"n":{"a":{}},"o":"text"}`},
		{`{"mark":null,"n":null,"o":null,"p":null}`, `{}`},
	})
}

// mergeOfCredentials: a merge adds, replaces or removes one provider, and the others stay.
func mergeOfCredentials(s *harness.Session) {
	one, two := quote(s.Fresh("one")), quote(s.Fresh("two"))
	merges(s, "default_llm_credentials", [][2]string{
		{`{}`, `{"openai":` + one + `,"mistral":` + one + `}`},
		{`{"openai":` + two + `}`, `{"openai":` + two + `,"mistral":` + one + `}`},
		{`{"mistral":null,"none":null,"other":""}`, `{"openai":` + two + `,"other":""}`},
		{`{"openai":null,"other":null}`, `{}`},
	})
}

// mergeOfLimits: a merge overrides one category or removes its override, and the others stay. null removes the whole
// override.
func mergeOfLimits(s *harness.Session) {
	const tier = "team"
	c := s.Caller(harness.TenantSpec{Tier: tier, Keys: []harness.KeyKind{}})
	setLimits(c, tier, limits{"metadata": 7_000, "search": 8})
	for _, name := range []string{"rate_limits", "rate_limit_overrides"} {
		for _, step := range []struct {
			patch string
			want  limits
		}{
			{`{"upload":9}`, limits{"metadata": 7_000, "search": 8, "upload": 9}},
			{`{"search":null,"data":null,"bogus":null}`, limits{"metadata": 7_000, "upload": 9}},
			{`{}`, limits{"metadata": 7_000, "upload": 9}},
			{`{"upload":null,"search":8}`, limits{"metadata": 7_000, "search": 8}},
		} {
			now := c.Change(object(member{name, step.patch}), mergePatch()...)
			wantLimits(s, now, tierLimits(tier).overlaid(step.want))
			c.WantUnchanged(now, "a merge patch of "+name)
		}
	}
	now := c.Change(`{"rate_limits":null}`, mergePatch()...)
	wantLimits(s, now, tierLimits(tier))
	c.WantUnchanged(now, "null for rate_limits in a merge patch")
}

// mergeBounded: the bounds of an object apply to the result of a merge, and not only to the patch.
func mergeBounded(s *harness.Session) {
	for _, name := range []string{"metadata", "default_llm_credentials"} {
		c := s.Caller(adminOnly())
		const rest = len(`{"a":"","b":"12"}`)
		largest := object(member{"a", quote(strings.Repeat("x", harness.MaxObjectBytes-rest))})
		before := c.Change(object(member{name, largest}))
		s.WantStatus(c.Patch(object(member{name, `{"b":"123"}`}), mergePatch()...), http.StatusUnprocessableEntity)
		c.WantUnchanged(before, "a merge patch beyond the bound")
		now := c.Change(object(member{name, `{"b":"12"}`}), mergePatch()...)
		wantRecord(s, before, now, member{name, strings.TrimSuffix(largest, "}") + `,"b":"12"}`})
		now = c.Change(object(member{name, `{"a":null,"c":"x"}`}), mergePatch()...)
		wantRecord(s, before, now, member{name, `{"b":"12","c":"x"}`})
	}
}

// merged returns the result of RFC 7396 for a target and a patch that have no objects inside. The members of the target
// come first, then those of the patch.
func merged(target, patch json.RawMessage) json.RawMessage {
	members := membersOf(target)
	for _, change := range membersOf(patch) {
		i := slices.IndexFunc(members, func(m member) bool { return m.name == change.name })
		switch {
		case change.value == "null" && i >= 0:
			members = slices.Delete(members, i, i+1)
		case change.value == "null":
		case i >= 0:
			members[i].value = change.value
		default:
			members = append(members, change)
		}
	}
	return json.RawMessage(object(members...))
}

// membersOf returns the members of an object in their order.
func membersOf(text json.RawMessage) []member {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var members []member
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var name json.Token
		var value json.RawMessage
		if name, err = decoder.Token(); err == nil {
			err = decoder.Decode(&value)
		}
		members = append(members, member{fmt.Sprint(name), string(value)})
	}
	return members
}
