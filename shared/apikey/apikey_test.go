package apikey

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Live, Test} {
		id := organization.NewID()
		key := New(id, mode)
		parsed, err := Parse(key.Reveal())
		if err != nil || parsed.Organization() != id || parsed.Mode() != mode || parsed.Hash() != key.Hash() {
			t.Errorf("Parse of a new %s key = %v, %v", mode, parsed.Organization(), err)
		}
		if want := "sk_" + string(mode) + "_" + id.PublicPart() + "_"; !strings.HasPrefix(key.Reveal(), want) {
			t.Errorf("a new key does not start with %s", want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := New(organization.NewID(), Live).Reveal()
	other := New(organization.NewID(), Live).Reveal()
	const orgEnd = len("sk_live_") + 13
	for name, text := range map[string]string{
		"nothing":                    "",
		"prefix alone":               "sk_",
		"example of the seed":        "sk_live_abc123def456",
		"too short":                  good[:len(good)-1],
		"too long":                   good + "a",
		"space":                      good + " ",
		"unknown mode":               strings.Replace(good, "live", "prod", 1),
		"mode changed":               strings.Replace(good, "live", "test", 1),
		"organization of another":    other[:orgEnd] + good[orgEnd:],
		"upper case":                 strings.ToUpper(good),
		"underscore in the secret":   good[:orgEnd+5] + "_" + good[orgEnd+6:],
		"not ASCII":                  good[:orgEnd+5] + "é" + good[orgEnd+7:],
		"checksum of another":        good[:len(good)-6] + other[len(other)-6:],
		"organization part too long": "sk_live_" + base62.Random(14) + good[orgEnd:],
	} {
		if _, err := Parse(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: Parse = %v, want ErrMalformed", name, err)
		}
	}
}

// TestOneSlipIsNoticed: CRC-32 finds every single changed character, as a change spans at most eight bits.
func TestOneSlipIsNoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(New(organization.NewID(), Test).Reveal())
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		c := rapid.Byte().Draw(t, "c")
		if text[at] == c {
			return
		}
		text[at] = c
		if _, err := Parse(string(text)); !errors.Is(err, ErrMalformed) {
			t.Fatalf("Parse with character %d changed = %v, want ErrMalformed", at, err)
		}
	})
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	key := New(organization.NewID(), Live)
	record := NewRecord(key, Admin, time.Now(), nil)
	encoded, err := json.Marshal(map[string]any{"key": key, "hash": key.Hash(), "record": record})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", key, "hash", key.Hash(), "record", record)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "key", key, "hash", key.Hash(), "record", record)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", key, key, key, key), fmt.Sprintf("%v %s", key.Hash(), key.Hash()),
		fmt.Sprintf("%+v", record), string(encoded), logged.String(),
	} {
		if strings.Contains(text, key.Reveal()) || strings.Contains(text, key.Hash().Hex()) {
			t.Errorf("printing gives a secret away: %s", text)
		}
	}
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	hash := New(organization.NewID(), Live).Hash()
	if parsed, err := ParseHash(hash.Hex()); parsed != hash || err != nil {
		t.Errorf("ParseHash(Hex()) = %v", err)
	}
	for _, s := range []string{"", "zz", hash.Hex()[2:], hash.Hex() + "00"} {
		if _, err := ParseHash(s); err == nil {
			t.Errorf("ParseHash(%q) = no error", s)
		}
	}
}
