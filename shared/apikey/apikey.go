// Package apikey is about the keys that callers present: how they are issued, read, hashed, and what they permit.
//
// A key is sk_live_ or sk_test_, the public part of the organization's identifier, an underscore, 32 random letters and
// digits (190 bits of entropy), and a checksum of six. So a key says where its organization is found, and a mistyped one
// is recognised without asking the store. Only the SHA-256 of a key is ever kept; a key has too much entropy for a slow
// hash to add anything.
//
// It must import nothing but the standard library, organization and base62.
package apikey

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"log/slog"
	"strings"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

// Mode tells keys for production from keys for trying things out. Both open the same record.
type Mode string

// The modes, as they stand in a key.
const (
	Live Mode = "live"
	Test Mode = "test"
)

// ParseMode checks that s names a mode.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Live, Test:
		return m, nil
	default:
		return "", errors.New("a mode is live or test")
	}
}

const (
	prefix       = "sk_"
	secretLength = 32
	redacted     = "[redacted]"
)

// ErrMalformed is returned for whatever cannot be a key, mistyped keys included.
var ErrMalformed = errors.New("not an API key")

// Key is a key in plain text. Every way of printing or serialising it gives a fixed word.
type Key struct {
	text         string
	mode         Mode
	organization organization.ID
}

// New returns a new random key of the organization.
func New(id organization.ID, mode Mode) Key {
	body := prefix + string(mode) + "_" + id.PublicPart() + "_" + base62.Random(secretLength)
	return Key{text: body + checksum(body), mode: mode, organization: id}
}

// Parse reads a key. The error is always ErrMalformed and never quotes text. A key that parses was typed correctly; only
// the store knows whether it was ever issued.
func Parse(text string) (Key, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return Key{}, ErrMalformed
	}
	modeText, rest, _ := strings.Cut(rest, "_")
	publicPart, secret, _ := strings.Cut(rest, "_")
	mode, modeErr := ParseMode(modeText)
	id, idErr := organization.IDFromPublicPart(publicPart)
	if modeErr != nil || idErr != nil || !base62.Valid(secret, secretLength+base62.Uint32Width) {
		return Key{}, ErrMalformed
	}
	body := text[:len(text)-base62.Uint32Width]
	if checksum(body) != text[len(body):] {
		return Key{}, ErrMalformed
	}
	return Key{text: text, mode: mode, organization: id}, nil
}

// checksum guards against slips of the hand, not against attackers.
func checksum(body string) string { return base62.Uint32(crc32.ChecksumIEEE([]byte(body))) }

// Organization returns whose key it claims to be.
func (k Key) Organization() organization.ID { return k.organization }

// Mode returns the key's mode.
func (k Key) Mode() Mode { return k.mode }

// Hash returns what the store knows the key by.
func (k Key) Hash() Hash { return sha256.Sum256([]byte(k.text)) }

// Reveal returns the plain text: once, to the person it is issued to, and to a client that presents it.
func (k Key) Reveal() string { return k.text }

// Whatever prints, logs or encodes a key gets the fixed word.

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Hash is the SHA-256 of a key.
type Hash [sha256.Size]byte

// Hex returns the hash in 64 lower-case hexadecimal digits. Only a store, and a backup of one, may call it.
func (h Hash) Hex() string { return hex.EncodeToString(h[:]) }

// ParseHash is the inverse of Hex.
func ParseHash(s string) (Hash, error) {
	decoded, err := hex.DecodeString(s)
	if err != nil || len(decoded) != sha256.Size {
		return Hash{}, errors.New("a key's hash is 64 hexadecimal digits")
	}
	return Hash(decoded), nil
}

// A hash opens nothing, but it tells whether a found key is one of ours; it stays out of logs like the key.

func (Hash) String() string               { return redacted }
func (Hash) GoString() string             { return redacted }
func (Hash) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Hash) MarshalText() ([]byte, error) { return []byte(redacted), nil }
