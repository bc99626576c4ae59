package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func TestParseLifetime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
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
		got, err := parseLifetime(test.text)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("parseLifetime(%q) = %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-02-03": "2026-02-03T00:00:00Z", "2026-02-03T12:00:00+02:00": "2026-02-03T10:00:00Z", "30d": "2026-02-04T09:30:15Z",
		"90m": "2026-01-05T11:00:15Z", neverUsed: "", "2026-01-05T09:30:15.000001Z": "2026-01-05T09:30:15.000001Z",
	} {
		e, err := parseMoment(text)
		if err != nil {
			t.Errorf("parseMoment(%q) = %v, want no error", text, err)
			continue
		}
		got := ""
		if at, err := e.from(now); err != nil {
			t.Errorf("%q from %v = %v, want no error", text, now, err)
		} else if at != nil {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q from %v = %q, want %q", text, now, got, want)
		}
	}
	for _, text := range []string{"", "0", "-1h", "2026-13-01", "2026-02-03 12:00", "Never", "tomorrow", "1738540800"} {
		if e, err := parseMoment(text); err == nil {
			t.Errorf("parseMoment(%q) = %+v, want an error", text, e)
		}
	}
}

func TestUseOfKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	keys := []apikey.Record{{ID: "a"}, {ID: "b"}}
	for _, test := range []struct {
		uses      keyUses
		a, latest string
	}{
		{nil, unknownUse, unknownUse},
		{keyUses{"a": {}}, neverUsed, unknownUse},
		{keyUses{"a": {}, "b": {}}, neverUsed, neverUsed},
		{keyUses{"b": at}, unknownUse, "2026-01-05 09:00Z"},
		{keyUses{"a": at, "b": at.Add(time.Hour), "c": at.Add(2 * time.Hour)}, "2026-01-05 09:00Z", "2026-01-05 10:00Z"},
	} {
		if a, latest := test.uses.of("a", hour), test.uses.ofAny(keys, hour); a != test.a || latest != test.latest {
			t.Errorf("uses %v: the first key's = %q, the latest = %q, want %q and %q", test.uses, a, latest, test.a, test.latest)
		}
	}
}

// forgetful is an engine that cannot tell when keys were used.
type forgetful struct{ backend.Engine }

func (forgetful) KeyUses(context.Context, organization.ID) (map[string]time.Time, error) {
	return nil, &store.Error{Kind: store.Unreachable, Op: "reading", Err: errors.New("no answer")}
}

// TestWarning checks that a warning is JSON if the answer is.
func TestWarning(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		var stderr bytes.Buffer
		a := cli.New(func(string) string { return "" }, nil, &stderr)
		a.JSON = asJSON
		if uses := readUses(t.Context(), a, target{store: &backend.Store{Engine: forgetful{}}}); len(uses) != 0 {
			t.Errorf("readUses = %v, want none", uses)
		}
		const want = "when keys were last used is not known: "
		if !asJSON {
			if got := stderr.String(); !strings.HasPrefix(got, "orgs: "+want) {
				t.Errorf("on stderr there is %q, want %q", got, want)
			}
			continue
		}
		var got struct{ Warning term.Failure }
		if err := json.Unmarshal(stderr.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Warning.Kind != term.Unavailable || !strings.HasPrefix(got.Warning.Message, want) {
			t.Errorf("with --json there is %+v on stderr, want %s and %q", got, term.Unavailable, want)
		}
	}
}
