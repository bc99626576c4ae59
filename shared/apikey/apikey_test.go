package apikey

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"slices"
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
		secret := NewSecret()
		key := New(id, mode, secret)
		parsed, err := Parse(key.Reveal())
		if err != nil || parsed.Organization() != id || parsed.Mode() != mode || parsed.Hash() != key.Hash() {
			t.Errorf("Parse of a new %s key = %v, %v", mode, parsed.Organization(), err)
		}
		if !(Secrets{NewSecret(), secret}).Made(parsed) || (Secrets{NewSecret(), NewSecret()}).Made(parsed) || Secrets(nil).Made(parsed) {
			t.Errorf("a new %s key is not made with its secret, or with another", mode)
		}
		if want := "sk_" + string(mode) + "_" + id.PublicPart() + "_"; !strings.HasPrefix(key.Reveal(), want) {
			t.Errorf("a new key does not start with %s", want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := New(organization.NewID(), Live, NewSecret()).Reveal()
	const orgEnd = len("sk_live_") + 13
	for name, text := range map[string]string{
		"nothing":                    "",
		"prefix alone":               "sk_",
		"example of the seed":        "sk_live_abc123def456",
		"too short":                  good[:len(good)-1],
		"too long":                   good + "a",
		"space":                      good + " ",
		"unknown mode":               strings.Replace(good, "live", "prod", 1),
		"upper case":                 strings.ToUpper(good),
		"underscore in the secret":   good[:orgEnd+5] + "_" + good[orgEnd+6:],
		"not ASCII":                  good[:orgEnd+5] + "é" + good[orgEnd+7:],
		"organization part too long": "sk_live_" + base62.Random(14) + good[orgEnd:],
	} {
		if _, err := Parse(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: Parse = %v, want ErrMalformed", name, err)
		}
	}
}

// wellMade reports whether the text has the form of a key and was made with the secret.
func wellMade(text string, secret Secret) bool {
	key, err := Parse(text)
	return err == nil && Secrets{secret}.Made(key)
}

// TestOneSlipIsNoticed: if one character changes, the checksum is wrong, except in one case of four billion.
func TestOneSlipIsNoticed(t *testing.T) {
	t.Parallel()
	secret := NewSecret()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(New(organization.NewID(), Test, secret).Reveal())
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		c := rapid.Byte().Draw(t, "c")
		if text[at] == c {
			return
		}
		text[at] = c
		if wellMade(string(text), secret) {
			t.Fatalf("a key with character %d changed is taken for well made", at)
		}
	})
}

// TestForgedKeys: a key that was made without the secret is not accepted.
func TestForgedKeys(t *testing.T) {
	t.Parallel()
	secret := NewSecret()
	id := organization.NewID()
	good, other := New(id, Live, secret).Reveal(), New(organization.NewID(), Live, secret).Reveal()
	const orgEnd, sum = len("sk_live_") + 13, base62.Uint32Width
	body := good[:len(good)-sum]
	for name, text := range map[string]string{
		"mode changed":            strings.Replace(good, "live", "test", 1),
		"organization of another": other[:orgEnd] + good[orgEnd:],
		"checksum of another":     body + other[len(other)-sum:],
		"CRC-32":                  body + base62.Uint32(crc32.ChecksumIEEE([]byte(body))),
		"SHA-256":                 body + base62.Uint32(binary.BigEndian.Uint32(sha256.New().Sum([]byte(body)))),
		"of no secret":            body + Secret{}.checksum(body),
		"of another secret":       New(id, Live, NewSecret()).Reveal(),
	} {
		if wellMade(text, secret) {
			t.Errorf("%s: taken for well made", name)
		}
	}
	if !wellMade(good, secret) {
		t.Error("a key is not well made; the test shows nothing")
	}
	if (Secrets{secret}).Made(Key{}) {
		t.Error("the zero Key is taken for well made")
	}
}

// TestChecksumIsAnHMAC compares with the value of another program: the first four bytes of the output of printf body |
// openssl dgst -sha256 -hmac secret.
func TestChecksumIsAnHMAC(t *testing.T) {
	t.Parallel()
	secret, err := ParseSecret("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg")
	if err != nil {
		t.Fatal(err)
	}
	const body, want = "sk_live_0123456789abc_0123456789ABCDEFGHIJKLMNOPQRSTUV", uint32(0xacf34649)
	if got := secret.checksum(body); got != base62.Uint32(want) {
		t.Errorf("checksum(%s) = %s, want %s", body, got, base62.Uint32(want))
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	a, b, c := NewSecret(), NewSecret(), NewSecret()
	if a == b || len(a.Reveal()) != 43 {
		t.Errorf("two new secrets are the same, or have %d characters, want 43", len(a.Reveal()))
	}
	if parsed, err := ParseSecret(a.Reveal()); parsed != a || err != nil {
		t.Errorf("ParseSecret(Reveal()) = %v", err)
	}
	for _, text := range []string{"", a.Reveal()[1:], a.Reveal() + "0", a.Reveal()[1:] + " ", a.Reveal()[1:] + "_"} {
		if _, err := ParseSecret(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("ParseSecret of what is no secret = %v, want an error that does not quote it", err)
		}
	}
	mine := Secrets{a, b}
	if got := mine.With(Secrets{b, c, a, c}); !slices.Equal(got, Secrets{a, b, c}) || len(mine) != 2 {
		t.Errorf("With has %d secrets, want those of the store first, and each once", len(got))
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	secret := NewSecret()
	key := New(organization.NewID(), Live, secret)
	record := NewRecord(key, Admin, time.Now(), nil)
	encoded, err := json.Marshal(map[string]any{"key": key, "hash": key.Hash(), "record": record, "secret": secret, "secrets": Secrets{secret}})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", key, "hash", key.Hash(), "record", record, "secret", secret, "secrets", Secrets{secret})
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "key", key, "hash", key.Hash(), "record", record, "secret", secret, "secrets", Secrets{secret})
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", key, key, key, key), fmt.Sprintf("%v %s", key.Hash(), key.Hash()),
		fmt.Sprintf("%+v", record), string(encoded), logged.String(),
		fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret), fmt.Sprintf("%v %#v", Secrets{secret}, Secrets{secret}),
	} {
		if strings.Contains(text, secret.Reveal()) || strings.Contains(text, key.Reveal()) || strings.Contains(text, key.Hash().Hex()) {
			t.Errorf("printing gives a secret away: %s", text)
		}
	}
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	hash := New(organization.NewID(), Live, NewSecret()).Hash()
	if parsed, err := ParseHash(hash.Hex()); parsed != hash || err != nil {
		t.Errorf("ParseHash(Hex()) = %v", err)
	}
	for _, s := range []string{"", "zz", hash.Hex()[2:], hash.Hex() + "00"} {
		if _, err := ParseHash(s); err == nil {
			t.Errorf("ParseHash(%q) = no error", s)
		}
	}
}
