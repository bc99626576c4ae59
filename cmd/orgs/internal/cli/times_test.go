package cli

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want time.Duration // 0: refused
	}{
		{"720h", 720 * time.Hour}, {"90m", 90 * time.Minute}, {"1h30m", 90 * time.Minute}, {"30d", 30 * day},
		{"36500d", 36500 * day}, {"876000h", 36500 * day},
		{"36501d", 0}, {"876001h", 0}, {"65536d", 0}, {"0d", 0}, {"0s", 0}, {"-1d", 0}, {"+1d", 0}, {"1.5d", 0}, {"1d2h", 0},
		{"d", 0}, {"", 0}, {"30", 0}, {"30 d", 0}, {"99999999999h", 0},
	}
	for _, test := range tests {
		got, err := ParseDuration(test.text)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	for text, want := range map[string][2]string{ // after and before now
		"2026-02-03":                  {"2026-02-03T00:00:00Z", "2026-02-03T00:00:00Z"},
		"2026-02-03T12:00:00+02:00":   {"2026-02-03T10:00:00Z", "2026-02-03T10:00:00Z"},
		"2026-01-05T09:30:15.000001Z": {"2026-01-05T09:30:15.000001Z", "2026-01-05T09:30:15.000001Z"},
		"30d":                         {"2026-02-04T09:30:15Z", "2025-12-06T09:30:15Z"},
		"90m":                         {"2026-01-05T11:00:15Z", "2026-01-05T08:00:15Z"},
	} {
		m, err := ParseMoment(text)
		if err != nil {
			t.Errorf("ParseMoment(%q) = %v, want no error", text, err)
			continue
		}
		got := [2]string{m.After(now).UTC().Format(time.RFC3339Nano), m.Before(now).UTC().Format(time.RFC3339Nano)}
		if got != want {
			t.Errorf("%q after and before %v = %q, want %q", text, now, got, want)
		}
	}
	if m, err := ParseMomentOrNever("never"); err != nil || m.After(now) != nil || m.Before(now) != nil {
		t.Errorf("ParseMomentOrNever(never) = %+v, %v, want no time", m, err)
	}
	for _, text := range []string{"", "0", "2026-02-30", "2026-2-3", "2026-02-03 12:00", "-1d", "tomorrow", "1738540800", "Never"} {
		if m, err := ParseMomentOrNever(text); err == nil {
			t.Errorf("ParseMomentOrNever(%q) = %+v, want an error", text, m)
		}
	}
	if m, err := ParseMoment("never"); err == nil {
		t.Errorf("ParseMoment(never) = %+v, want an error", m)
	}
}
