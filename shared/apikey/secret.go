package apikey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"

	"organizations-api/shared/base62"
)

// secretTextLength is the number of characters of a Secret, which have 256 bits of entropy.
const secretTextLength = 43

// Secret is what the checksums of a store's keys are made with. Whoever knows it can make a text that looks like a key
// of the store. Such a text opens nothing, but it costs the store a read. Printing, logging or encoding a Secret gives
// "[redacted]".
type Secret struct{ text string }

// NewSecret returns a new random secret.
func NewSecret() Secret { return Secret{base62.Random(secretTextLength)} }

// ParseSecret is the inverse of Reveal. Its error does not quote the text.
func ParseSecret(text string) (Secret, error) {
	if !base62.Valid(text, secretTextLength) {
		return Secret{}, errors.New("a secret for keys is 43 letters or digits")
	}
	return Secret{text}, nil
}

// Reveal returns the plain text. Only a store, or a backup of a store, may call it.
func (s Secret) Reveal() string { return s.text }

// checksum returns the first 32 bits of the HMAC-SHA-256 (RFC 2104) of the body, in base 62. Of made-up keys, one in
// four billion has the right checksum.
func (s Secret) checksum(body string) string {
	mac := hmac.New(sha256.New, []byte(s.text))
	mac.Write([]byte(body))
	return base62.Uint32(binary.BigEndian.Uint32(mac.Sum(nil)))
}

// Secrets are the secrets of a store. New keys are made with the first one. The others are those of stores whose backup
// was restored.
type Secrets []Secret

// Made reports whether the key was made with one of the secrets, or guessed at odds of one to four billion for each.
// The time that it takes does not depend on how much of the key's checksum is right.
func (s Secrets) Made(k Key) bool {
	made := false
	body := k.text[:max(0, len(k.text)-base62.Uint32Width)]
	for _, secret := range s {
		if hmac.Equal([]byte(secret.checksum(body)), []byte(k.text[len(body):])) {
			made = true
		}
	}
	return made
}

// With returns the secrets with those of more that are not among them, at the end.
func (s Secrets) With(more Secrets) Secrets {
	all := s[:len(s):len(s)]
	for _, one := range more {
		if !all.has(one) {
			all = append(all, one)
		}
	}
	return all
}

func (s Secrets) has(one Secret) bool {
	for _, mine := range s {
		if mine == one {
			return true
		}
	}
	return false
}

// These methods keep the secret out of everything that prints, logs or encodes a Secret.

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
