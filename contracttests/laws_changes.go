package contracttests

import (
	"bytes"
	"encoding/json"
	"time"
)

// changeLaws are about what tells that a record has changed.
func changeLaws() []Check {
	return []Check{
		law("no-change-leaves-no-trace", 0, noChange),
		law("updated-at-advances", 0, updatedAtAdvances),
		law("updated-at-is-the-time-of-the-change", 0, updatedAtIsNow),
		law("etag-follows-the-record", 0, etagFollows),
		law("identity-stays", 0, identityStays),
	}
}

// noChange: a PATCH that sets what is there already changes nothing, however it is written.
func noChange(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{}})
	fields := c.newValues()
	before := c.change(object(fields...))
	bodies := []string{`{}`, object(fields...), spacedOut(object(fields...))}
	for _, field := range fields {
		bodies = append(bodies, object(field))
	}
	for _, body := range bodies {
		if now := c.change(body); !now.sameBytes(before) {
			s.FailExchange(now.x, "what was sent was there already, and yet the answer differs: %s", describeChange(before, now))
		}
		c.unchanged(before, "a PATCH that sets what was there")
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
func updatedAtAdvances(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.read()
	for range 12 {
		now := c.change(object(member{"organization_name", jsonString(s.fresh("Name"))}))
		if !now.updated().After(before.updated()) {
			s.FailExchange(now.x, "the record changed, and updated_at went from %s to %s", before.text("updated_at"), now.text("updated_at"))
		}
		if again := c.read(); again.text("updated_at") != now.text("updated_at") {
			s.FailExchange(again.x, "nothing changed, and updated_at went from %s to %s", now.text("updated_at"), again.text("updated_at"))
		}
		before = now
	}
}

// updatedAtIsNow: as far as clocks of different machines agree.
func updatedAtIsNow(s *Session) {
	const skew = 5 * time.Minute
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	now := c.change(object(member{"organization_name", jsonString(s.fresh("Name"))}))
	if off := time.Since(now.updated()); off.Abs() > skew {
		s.FailExchange(now.x, "updated_at is %s, which is %v off", now.text("updated_at"), off.Round(time.Second))
	}
}

// etagFollows: a version that was never there has an ETag that was never there, and the same version has the same, whether
// read or answered to a PATCH.
func etagFollows(s *Session) {
	c := s.caller(TenantSpec{Keys: []KeyKind{}})
	before := c.read()
	seen := map[string]bool{before.etag: true}
	one, two := s.fresh("Name"), s.fresh("Name")
	for _, name := range []string{one, two, one, one, two, two} { // back and forth: the times differ
		now := c.change(object(member{"organization_name", jsonString(name)}))
		switch same := before.text("organization_name") == name; {
		case same && now.etag != before.etag:
			s.FailExchange(now.x, "the record is the same, and its ETag went from %s to %s", before.etag, now.etag)
		case !same && seen[now.etag]:
			s.FailExchange(now.x, "the record changed, and its ETag %s is that of an earlier version", now.etag)
		}
		for range 2 {
			c.unchanged(now, "a PATCH")
		}
		seen[now.etag], before = true, now
	}
	for _, field := range c.newValues() {
		now := c.change(object(field))
		if seen[now.etag] {
			s.FailExchange(now.x, "%s changed, and the ETag %s is that of an earlier version", field.name, now.etag)
		}
		seen[now.etag] = true
	}
}

// identityStays: what only the operator changes is the same after every change of the organization.
func identityStays(s *Session) {
	c := s.caller(TenantSpec{Full: true, Keys: []KeyKind{}})
	before := c.read()
	for range 3 {
		now := c.change(object(c.newValues()...))
		for _, name := range before.differences(now, append(restorable(), "updated_at")...) {
			s.FailExchange(now.x, "%s has changed, and no PATCH can change it", name)
		}
	}
	if c.ID != "" && before.text("organization_id") != c.ID {
		s.FailExchange(before.x, "organization_id is not that of the key's organization")
	}
}
