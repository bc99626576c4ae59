package organization

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/plainjson"
)

// fuzzedField is a field of a patch in the state that n stands for.
func fuzzedField[T any](n uint8, value T) Field[T] {
	switch n % 3 {
	case 0:
		return Field[T]{}
	case 1:
		return Null[T]()
	default:
		return Set(value)
	}
}

// patchable returns the fields that a patch can change, as JSON texts, by their names in the contract.
func patchable(o Organization) map[string]string {
	return map[string]string{
		"organization_name": plainjson.Text(o.Name), "logo_url": plainjson.Text(o.LogoURL), "metadata": o.Metadata.Text(),
		"billing_email": plainjson.Text(o.BillingEmail), "notifications_email": plainjson.Text(o.NotificationsEmail),
		"rate_limits": overrideText(o.Override), "default_llm_credentials": o.Credentials.Text(),
		"nsfw_check_enabled": plainjson.Text(o.NSFWCheck), "nsfw_fail_closed": plainjson.Text(o.NSFWFailClosed),
	}
}

// FuzzApply: a patch that is applied twice is applied once, what it does not name stays, and the list of changes is
// what differs, before and after.
func FuzzApply(f *testing.F) {
	f.Add(uint16(0), "", "", "", "", "{}", uint16(0), 1, 1, "{}", int64(0))
	f.Add(uint16(2+2*3+2*9+2*27), "B", "https://logo.example/x", "a@b.example", "c@d.example", `{"a":1}`, uint16(2+2*3+2*9), 7, 9, `{"openai":"secret"}`, int64(-5))
	f.Add(uint16(1+1*3+1*9+1*27), "é", "x", "y", "z", `{}`, uint16(1+1*3+1*9), 1_000_000, 0, `{"a":"b","c":"d"}`, int64(1_000))
	f.Fuzz(func(t *testing.T, states uint16, name, logo, billing, notifications, metadata string, more uint16, search, data int, credentials string, clock int64) {
		if !utf8.ValidString(name + logo + billing + notifications) {
			return // no reader of bodies lets it pass
		}
		digit := func(n *uint16) uint8 { d := *n % 3; *n /= 3; return uint8(d) }
		patch := Patch{
			Name: fuzzedField(digit(&states), name), LogoURL: fuzzedField(digit(&states), logo),
			BillingEmail: fuzzedField(digit(&states), billing), NotificationsEmail: fuzzedField(digit(&states), notifications),
			Metadata: fuzzedField(digit(&more), NewObject(metadata)), RateLimits: fuzzedField(digit(&more), RateLimits{Search: search, Data: data}),
			Credentials: fuzzedField(digit(&more), NewObject(credentials)),
			NSFWCheck:   fuzzedField(digit(&more), search%2 == 0), NSFWFailClosed: fuzzedField(digit(&more), data%2 == 0),
		}
		before := New("A", Pro, &billing, epoch)
		before.Metadata, before.Credentials = `{"a":1}`, `{"openai":"secret"}`
		if states%2 == 1 {
			before.LogoURL, before.Override = &logo, RateLimits{Search: search}
			before.NSFWCheck = true
		}
		checkApplied(t, before, patch, epoch.Add(time.Duration(clock%1_000_000)*time.Microsecond))
	})
}

func checkApplied(t *testing.T, before Organization, patch Patch, now time.Time) {
	t.Helper()
	was := patchable(before)
	after, changes := before.Apply(patch, now)
	if twice, more := after.Apply(patch, now.Add(time.Hour)); len(more) != 0 || !cmp.Equal(after, twice, compare()) {
		t.Errorf("applied twice, it changes %v more", more)
	}
	is, listed := patchable(after), map[string]Change{}
	for _, c := range changes {
		listed[c.Field] = c
	}
	for field, text := range is {
		c, changed := listed[field]
		if changed != (text != was[field]) {
			t.Errorf("%s was %s and is %s; listed as changed: %v", field, was[field], text, changed)
		}
		if changed && field != "default_llm_credentials" && (c.Before != was[field] || c.After != text) {
			t.Errorf("the change of %s is %+v, want %s and %s", field, c, was[field], text)
		}
		if changed && field == "organization_name" && !json.Valid([]byte(c.After)) {
			t.Errorf("the change of %s is no JSON: %s", field, c.After)
		}
	}
	for _, untouched := range untouchedBy(patch) {
		if is[untouched] != was[untouched] {
			t.Errorf("%s is not in the patch, was %s and is %s", untouched, was[untouched], is[untouched])
		}
	}
	if wanted := before.Version + int64(min(1, len(changes))); after.Version != wanted {
		t.Errorf("version %d after %d changes, want %d", after.Version, len(changes), wanted)
	}
	if len(changes) > 0 && !after.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updated at %v, after %v", after.UpdatedAt, before.UpdatedAt)
	}
}

// untouchedBy names the fields that a patch leaves as they are: those that are absent, and a name that is null.
func untouchedBy(p Patch) []string {
	stays := map[string]bool{
		"organization_name": p.Name.state != present, "logo_url": p.LogoURL.state == absent,
		"metadata": p.Metadata.state == absent, "billing_email": p.BillingEmail.state == absent,
		"notifications_email": p.NotificationsEmail.state == absent, "rate_limits": p.RateLimits.state == absent,
		"default_llm_credentials": p.Credentials.state == absent,
		"nsfw_check_enabled":      p.NSFWCheck.state == absent, "nsfw_fail_closed": p.NSFWFailClosed.state == absent,
	}
	var names []string
	for name, left := range stays {
		if left {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
