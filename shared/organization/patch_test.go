package organization

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)

func compare() cmp.Option { return cmp.Comparer(InternalID.Equal) }

// field draws a field in each of its three states.
func field[T any](value *rapid.Generator[T]) *rapid.Generator[Field[T]] {
	return rapid.Custom(func(t *rapid.T) Field[T] {
		switch rapid.IntRange(0, 2).Draw(t, "state") {
		case 0:
			return Field[T]{}
		case 1:
			return Null[T]()
		default:
			return Set(value.Draw(t, "value"))
		}
	})
}

func texts() *rapid.Generator[string] { return rapid.StringN(1, 5, -1) }

func objects() *rapid.Generator[Object] {
	return rapid.Custom(func(t *rapid.T) Object {
		return NewObject(rapid.SampledFrom([]string{"{}", `{"a":"1"}`, `{"b":"2"}`, `{"a":"1","b":"2"}`}).Draw(t, "object"))
	})
}

func overrides() *rapid.Generator[RateLimits] {
	return rapid.Custom(func(t *rapid.T) RateLimits {
		var o RateLimits
		for _, c := range Categories() {
			if rapid.Bool().Draw(t, "overridden") {
				*o.Of(c) = rapid.IntRange(MinLimit, MaxLimit).Draw(t, string(c))
			}
		}
		return o
	})
}

func patches() *rapid.Generator[Patch] {
	return rapid.Custom(func(t *rapid.T) Patch {
		return Patch{
			Name:               field(texts()).Draw(t, "name"),
			LogoURL:            field(texts()).Draw(t, "logo"),
			BillingEmail:       field(texts()).Draw(t, "billing"),
			NotificationsEmail: field(texts()).Draw(t, "notifications"),
			Metadata:           field(objects()).Draw(t, "metadata"),
			RateLimits:         field(overrides()).Draw(t, "limits"),
			Credentials:        field(objects()).Draw(t, "credentials"),
			NSFWCheck:          field(rapid.Bool()).Draw(t, "check"),
			NSFWFailClosed:     field(rapid.Bool()).Draw(t, "fail"),
		}
	})
}

// records draws a record by patching a new one.
func records() *rapid.Generator[Organization] {
	return rapid.Custom(func(t *rapid.T) Organization {
		tier := rapid.SampledFrom(Tiers()).Draw(t, "tier")
		o, _ := New("Northwind Video", tier, nil, epoch).Apply(patches().Draw(t, "history"), epoch)
		return o
	})
}

// content returns a record without its version and time of update, which every change moves.
func content(o Organization) Organization {
	o.Version, o.UpdatedAt = 0, time.Time{}
	return o
}

func TestApplyTwiceChangesNothingMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := patches().Draw(t, "patch")
		once, _ := records().Draw(t, "record").Apply(p, epoch)
		twice, changes := once.Apply(p, epoch.Add(time.Hour))
		if diff := cmp.Diff(once, twice, compare()); diff != "" || len(changes) != 0 {
			t.Fatalf("Apply(%+v) twice changes %v (-once +twice):\n%s", p, changes, diff)
		}
	})
}

func TestAbsentFieldsNeverChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, p := records().Draw(t, "record"), patches().Draw(t, "patch")
		after, changes := before.Apply(p, epoch)
		allowed := map[string]bool{
			"organization_name":       p.Name.state == present,
			"logo_url":                p.LogoURL.state != absent,
			"metadata":                p.Metadata.state != absent,
			"billing_email":           p.BillingEmail.state != absent,
			"notifications_email":     p.NotificationsEmail.state != absent,
			"rate_limits":             p.RateLimits.state != absent,
			"default_llm_credentials": p.Credentials.state != absent,
			"nsfw_check_enabled":      p.NSFWCheck.state != absent,
			"nsfw_fail_closed":        p.NSFWFailClosed.state != absent,
		}
		for _, c := range changes {
			if !allowed[c.Field] {
				t.Fatalf("Apply(%+v) changes %s", p, c.Field)
			}
		}
		// What Apply does not report, it does not change; what no patch names stays to the letter.
		after.Name, after.LogoURL, after.Metadata, after.BillingEmail = before.Name, before.LogoURL, before.Metadata, before.BillingEmail
		after.NotificationsEmail, after.Override, after.Credentials = before.NotificationsEmail, before.Override, before.Credentials
		after.NSFWCheck, after.NSFWFailClosed = before.NSFWCheck, before.NSFWFailClosed
		if diff := cmp.Diff(content(before), content(after), compare()); diff != "" {
			t.Fatalf("Apply(%+v) changes what no patch can name (-before +after):\n%s", p, diff)
		}
	})
}

func TestDisjointPatchesCommute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		record, p := records().Draw(t, "record"), patches().Draw(t, "patch")
		left, right := p, p
		for _, drop := range []func(*Patch){
			func(p *Patch) { p.Name = Field[string]{} },
			func(p *Patch) { p.LogoURL = Field[string]{} },
			func(p *Patch) { p.BillingEmail = Field[string]{} },
			func(p *Patch) { p.NotificationsEmail = Field[string]{} },
			func(p *Patch) { p.Metadata = Field[Object]{} },
			func(p *Patch) { p.RateLimits = Field[RateLimits]{} },
			func(p *Patch) { p.Credentials = Field[Object]{} },
			func(p *Patch) { p.NSFWCheck = Field[bool]{} },
			func(p *Patch) { p.NSFWFailClosed = Field[bool]{} },
		} {
			if rapid.Bool().Draw(t, "side") {
				drop(&left)
			} else {
				drop(&right)
			}
		}
		a, _ := record.Apply(left, epoch)
		a, _ = a.Apply(right, epoch)
		b, _ := record.Apply(right, epoch)
		b, _ = b.Apply(left, epoch)
		both, _ := record.Apply(p, epoch)
		if diff := cmp.Diff(content(a), content(b), compare()); diff != "" {
			t.Fatalf("the order of disjoint patches matters (-left first +right first):\n%s", diff)
		}
		if diff := cmp.Diff(content(a), content(both), compare()); diff != "" {
			t.Fatalf("two disjoint patches are not their union (-two +union):\n%s", diff)
		}
	})
}

func TestLimitsStayWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, _ := records().Draw(t, "record").Apply(patches().Draw(t, "patch"), epoch)
		limits, computed := o.Limits(), o.Tier.Limits()
		for _, c := range Categories() {
			want := *computed.Of(c)
			if n := *o.Override.Of(c); n != 0 {
				want = n
			}
			if got := *limits.Of(c); got != want || got < MinLimit || got > MaxLimit {
				t.Fatalf("limit of %s = %d, want %d", c, got, want)
			}
		}
	})
}

func TestEveryChangeCountsAndMovesTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := records().Draw(t, "record")
		now := epoch.Add(time.Duration(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "ns")))
		after, changes := before.Apply(patches().Draw(t, "patch"), now)
		if len(changes) == 0 {
			if diff := cmp.Diff(before, after, compare()); diff != "" {
				t.Fatalf("nothing changes, and the record does (-before +after):\n%s", diff)
			}
			return
		}
		if after.Version != before.Version+1 {
			t.Fatalf("version = %d, want %d", after.Version, before.Version+1)
		}
		if !after.UpdatedAt.After(before.UpdatedAt) || !after.UpdatedAt.Equal(Timestamp(after.UpdatedAt)) {
			t.Fatalf("updated %v after %v, want later and in whole microseconds", after.UpdatedAt, before.UpdatedAt)
		}
	})
}

// TestNullClears: a field that is null is afterwards what it is in a new organization, except for the name.
func TestNullClears(t *testing.T) {
	t.Parallel()
	fresh := New("A", Free, nil, epoch)
	text := "x"
	full := fresh
	full.LogoURL, full.BillingEmail, full.NotificationsEmail = &text, &text, &text
	full.Metadata, full.Credentials, full.Override = `{"a":1}`, `{"openai":"x"}`, RateLimits{Search: 7}
	full.NSFWCheck, full.NSFWFailClosed = true, true
	got, _ := full.Apply(Patch{
		Name: Null[string](), LogoURL: Null[string](), BillingEmail: Null[string](), NotificationsEmail: Null[string](),
		Metadata: Null[Object](), RateLimits: Null[RateLimits](), Credentials: Null[Object](),
		NSFWCheck: Null[bool](), NSFWFailClosed: Null[bool](),
	}, epoch)
	if diff := cmp.Diff(content(fresh), content(got), compare()); diff != "" {
		t.Errorf("after null for everything (-want +got):\n%s", diff)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	email := "billing@northwind.example"
	before := New("A", Free, &email, epoch)
	before.Credentials = `{"openai":"first-secret"}`
	_, got := before.Apply(Patch{
		Name:         Set(`B "<é>"`),
		BillingEmail: Null[string](),
		Metadata:     Set(Object(`{"n":1e400}`)),
		RateLimits:   Set(RateLimits{Search: 7, Metadata: 3}),
		Credentials:  Set(Object(`{"openai":"second-secret","other":"x"}`)),
	}, epoch)
	want := []Change{
		{"organization_name", `"A"`, `"B \"<é>\""`},
		{"metadata", `{}`, `{"n":1e400}`},
		{"billing_email", `"billing@northwind.example"`, `null`},
		{"rate_limits", `null`, `{"metadata":3,"search":7}`},
	}
	if diff := cmp.Diff(want, got[:4]); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	last := got[4]
	if last.Field != "default_llm_credentials" || last.Before == last.After || !strings.Contains(last.After, `"other":"sha256:`) {
		t.Errorf("change of credentials = %+v, want names and fingerprints", last)
	}
	if strings.Contains(last.Before+last.After, "secret") {
		t.Errorf("change of credentials = %+v, it tells a secret", last)
	}
}

// TestManyCredentials: the text about credentials in an entry has a limited length, but still differs for different
// credentials.
func TestManyCredentials(t *testing.T) {
	t.Parallel()
	many := func(last string) Object {
		var text strings.Builder
		for i := range 5_000 {
			fmt.Fprintf(&text, `"%d":"",`, i)
		}
		return Object("{" + text.String() + `"last":"` + last + `"}`)
	}
	before := New("A", Free, nil, epoch)
	before.Credentials = many("secret a")
	_, changes := before.Apply(Patch{Credentials: Set(many("secret b"))}, epoch)
	if len(changes) != 1 || changes[0].Before == changes[0].After {
		t.Fatalf("changes = %+v, want one, of which the sides differ", changes)
	}
	for _, text := range []string{changes[0].Before, changes[0].After} {
		if len(text) > maxFingerprints || !strings.HasPrefix(text, `"sha256:`) {
			t.Errorf("a side of the change has %d bytes and begins %.20s, want one fingerprint", len(text), text)
		}
	}
}
