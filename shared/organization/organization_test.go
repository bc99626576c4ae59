package organization

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"testing"
	"time"
)

func TestCheckEmail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	tests := []struct {
		address string
		ok      bool
	}{
		{"a@b.co", true},
		{"first.last+tag@sub.example.co.uk", true},
		{"!#$%&'*+-/=?^_`{|}~@example.com", true},
		{"a@b.c", true}, {"a@1.2c", true}, {"A@1-2.E-F", true},
		{"a@b." + strings.Repeat("c", 63), true},
		{"a@xn--bcher-kva.example", true},
		{long + "@b.co", true},
		{"a@" + strings.Repeat("b", 63) + ".co", true},
		{"", false},
		{"a", false},
		{"@b.co", false},
		{"a@", false},
		{"a@@b.co", false},
		{"a@b@c.co", false},
		{"a@localhost", false}, {"a@1.2.3.4", false}, {"a@1", false}, {"a@b.c1", false}, {"a@b.1", false}, {"a@b.c-", false},
		{"a@b." + strings.Repeat("c", 64), false},
		{long + "a@b.co", false},
		{"a@" + strings.Repeat("b", 64) + ".co", false},
		{"a@" + strings.Repeat("b.", 127) + "co", false},
		{".a@b.co", false}, {"a.@b.co", false}, {"a..b@c.co", false},
		{"a b@c.co", false}, {"a@b .co", false}, {" a@b.co", false}, {"a@b.co ", false}, {"a@b.co\n", false},
		{"a@b..co", false}, {"a@.b.co", false}, {"a@b.co.", false}, {"a@-b.co", false}, {"a@b-.co", false}, {"a@b_c.co", false},
		{`"a b"@c.co`, false}, {`""@c.co`, false}, {"a@[127.0.0.1]", false},
		{"Ann <a@b.co>", false}, {"<a@b.co>", false}, {"a@b.co (Ann)", false}, {"a@b.co,c@d.co", false},
		{"é@b.co", false}, {"a@é.co", false}, {"a\x00@b.co", false}, {"a@b.co\x00", false},
		{"a\u202e@b.co", false}, {"a@b\u3002co", false},
		{"ops@corp.local", false}, {"a@b.c.LOCAL", false}, {"a@b.test", false}, {"a@b.invalid", false}, {"a@b.onion", false},
		{"a@1.in-addr.arpa", false}, {"a@b.localhost", false},
		{"a@b.example", true}, {"a@local.example", true}, {"a@b.locals", true}, {"local@test.co", true},
		{"a@ab--cd.co", false}, {"a@b.1a--.co", false}, {"a@b.aB--c", false},
		{"a@XN--bcher-kva.example", true}, {"a@a--b.co", true}, {"a@abc--d.co", true},
	}
	for _, test := range tests {
		err := CheckEmail(test.address)
		if (err == nil) != test.ok {
			t.Errorf("CheckEmail(%q) = %v, want ok %v", test.address, err, test.ok)
		}
		if _, mailErr := mail.ParseAddress(test.address); err == nil && mailErr != nil {
			t.Errorf("CheckEmail(%q) accepts what net/mail refuses: %v", test.address, mailErr)
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"": false, "a": true, " ": true, "\x00": true, "\xff": false,
		strings.Repeat("😀", 100): true, strings.Repeat("😀", 101): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v, want ok %v", name, err, ok)
		}
	}
}

func TestTiers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		tier    Tier
		credits int64
		agreed  bool
		limits  RateLimits
	}{
		{Free, 1_000, false, RateLimits{20, 10, 10, 5, 5}},
		{Pro, 100_000, false, RateLimits{100, 60, 60, 30, 30}},
		{Team, 1_000_000, false, RateLimits{200, 100, 100, 50, 50}},
		{Enterprise, 0, true, RateLimits{200, 100, 100, 50, 50}},
	}
	for _, test := range tests {
		credits, fixed := test.tier.MonthlyCredits()
		if credits != test.credits || fixed == test.agreed || test.tier.Limits() != test.limits {
			t.Errorf("%s = %d credits (fixed %v), limits %v", test.tier, credits, fixed, test.tier.Limits())
		}
		if parsed, err := ParseTier(string(test.tier)); parsed != test.tier || err != nil {
			t.Errorf("ParseTier(%q) = %q, %v", test.tier, parsed, err)
		}
	}
	for _, s := range []string{"", "Free", "gold"} {
		if _, err := ParseTier(s); err == nil {
			t.Errorf("ParseTier(%q) = no error", s)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	id := NewID()
	if parsed, err := ParseID(string(id)); parsed != id || err != nil {
		t.Errorf("ParseID(%q) = %q, %v", id, parsed, err)
	}
	if again, err := IDFromPublicPart(id.PublicPart()); again != id || err != nil {
		t.Errorf("IDFromPublicPart(%q) = %q, %v", id.PublicPart(), again, err)
	}
	for _, s := range []string{"", "org_", "org_short", string(id) + "x", "int_" + id.PublicPart(), "org_aaaaaaaaaaaa#"} {
		if _, err := ParseID(s); err == nil {
			t.Errorf("ParseID(%q) = no error", s)
		}
	}
}

func TestInternalIDStaysSecret(t *testing.T) {
	t.Parallel()
	id := NewInternalID()
	o := New("A", Free, nil, time.Now())
	o.InternalID = id
	encoded, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "id", id, "organization", o)
	for _, text := range []string{
		fmt.Sprint(id), fmt.Sprintf("%v %+v %#v %s %q", id, id, id, id, id), fmt.Sprintf("%+v", o), string(encoded), logged.String(),
	} {
		if strings.Contains(text, id.Reveal()) {
			t.Errorf("printing gives the secret away: %s", text)
		}
	}
}

func TestFormatTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	at := time.Date(2026, 1, 5, 9, 30, 0, 1_999, zone)
	if got, want := FormatTime(at), "2026-01-05T08:30:00.000001Z"; got != want {
		t.Errorf("FormatTime(%v) = %s, want %s", at, got, want)
	}
	if back, err := ParseTime(FormatTime(at)); !back.Equal(Timestamp(at)) || err != nil {
		t.Errorf("ParseTime(FormatTime(%v)) = %v, %v", at, back, err)
	}
}
