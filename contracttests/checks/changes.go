package checks

import (
	"bytes"
	"encoding/json"
	"time"

	"organizations-api/contracttests/harness"
)

// changeLaws are about what tells that a record has changed.
func changeLaws() []harness.Check {
	return []harness.Check{
		law("no-change-leaves-no-trace", 0, noChange),
		law("updated-at-advances", 0, updatedAtAdvances),
		law("updated-at-is-the-time-of-the-change", 0, updatedAtIsNow),
		law("etag-follows-the-record", 0, etagFollows),
		law("identity-stays", 0, identityStays),
	}
}

// noChange: a PATCH that sets what is there already changes nothing, however it is written.
func noChange(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	fields := newValues(c)
	before := c.Change(harness.Object(fields...))
	bodies := []string{`{}`, harness.Object(fields...), spacedOut(harness.Object(fields...))}
	for _, field := range fields {
		bodies = append(bodies, harness.Object(field))
	}
	for _, body := range bodies {
		if now := c.Change(body); !now.SameBytes(before) {
			s.FailExchange(now.Exchange, "what was sent was there already, and yet the answer differs: %s", harness.DescribeChange(before, now))
		}
		c.Unchanged(before, "a PATCH that sets what was there")
	}
}

// spacedOut returns a JSON text with white space wherever it says nothing.
func spacedOut(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), " ", "\t"); err != nil {
		panic(err) // the suite's own texts are JSON
	}
	return out.String()
}

// updatedAtAdvances: each change is later than the one before, even where many come at once, and nothing else is one.
func updatedAtAdvances(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Read()
	for range 12 {
		now := c.Change(harness.Object(harness.Member{Name: "organization_name", Value: harness.JsonString(s.Fresh("Name"))}))
		if !now.Updated().After(before.Updated()) {
			s.FailExchange(now.Exchange, "the record changed, and updated_at went from %s to %s", before.Text("updated_at"), now.Text("updated_at"))
		}
		if again := c.Read(); again.Text("updated_at") != now.Text("updated_at") {
			s.FailExchange(again.Exchange, "nothing changed, and updated_at went from %s to %s", now.Text("updated_at"), again.Text("updated_at"))
		}
		before = now
	}
}

// updatedAtIsNow: as far as clocks of different machines agree.
func updatedAtIsNow(s *harness.Session) {
	const skew = 5 * time.Minute
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	now := c.Change(harness.Object(harness.Member{Name: "organization_name", Value: harness.JsonString(s.Fresh("Name"))}))
	if off := time.Since(now.Updated()); off.Abs() > skew {
		s.FailExchange(now.Exchange, "updated_at is %s, which is %v off", now.Text("updated_at"), off.Round(time.Second))
	}
}

// etagFollows: a version that was never there has an ETag that was never there, and the same version has the same, whether
// read or answered to a PATCH.
func etagFollows(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Keys: []harness.KeyKind{}})
	before := c.Read()
	seen := map[string]bool{before.Etag: true}
	one, two := s.Fresh("Name"), s.Fresh("Name")
	for _, name := range []string{one, two, one, one, two, two} { // back and forth: the times differ
		now := c.Change(harness.Object(harness.Member{Name: "organization_name", Value: harness.JsonString(name)}))
		switch same := before.Text("organization_name") == name; {
		case same && now.Etag != before.Etag:
			s.FailExchange(now.Exchange, "the record is the same, and its ETag went from %s to %s", before.Etag, now.Etag)
		case !same && seen[now.Etag]:
			s.FailExchange(now.Exchange, "the record changed, and its ETag %s is that of an earlier version", now.Etag)
		}
		for range 2 {
			c.Unchanged(now, "a PATCH")
		}
		seen[now.Etag], before = true, now
	}
	for _, field := range newValues(c) {
		now := c.Change(harness.Object(field))
		if seen[now.Etag] {
			s.FailExchange(now.Exchange, "%s changed, and the ETag %s is that of an earlier version", field.Name, now.Etag)
		}
		seen[now.Etag] = true
	}
}

// identityStays: what only the operator changes is the same after every change of the organization.
func identityStays(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	before := c.Read()
	for range 3 {
		now := c.Change(harness.Object(newValues(c)...))
		for _, name := range before.Differences(now, append(harness.Restorable(), "updated_at")...) {
			s.FailExchange(now.Exchange, "%s has changed, and no PATCH can change it", name)
		}
	}
	if c.ID != "" && before.Text("organization_id") != c.ID {
		s.FailExchange(before.Exchange, "organization_id is not that of the key's organization")
	}
}
