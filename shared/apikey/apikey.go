// Package apikey issues, parses and hashes API keys, and says what a key permits.
//
// A key has the form sk_<mode>_<organization>_<secret><checksum>. The mode is live or test, the organization is the
// public part of its identifier, the secret is 32 random letters or digits (190 bits of entropy), and the checksum has
// six. The checksum is keyed with a secret of the store, a Secret. So a key says where to find its organization, and a
// key that is mistyped or made up is refused without a read of any organization. Only the SHA-256 of a key is stored. A
// slow hash would add nothing, as a key has so much entropy.
//
// It must import nothing but the standard library, organization and base62.
package apikey

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

// Mode says whether a key is for production or for tests. Both modes give access to the same record.
type Mode string

// The modes, as they stand in a key.
const (
	Live Mode = "live"
	Test Mode = "test"
)

// ParseMode returns s as a Mode. It returns an error if there is no such mode.
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

// ErrMalformed is the error for a text that cannot be a key, such as a mistyped key.
var ErrMalformed = errors.New("not an API key")

// Key is a key in plain text. Printing, logging or encoding it gives "[redacted]".
type Key struct {
	text         string
	mode         Mode
	organization organization.ID
}

// New returns a new random key of the organization. Its checksum is made with the secret.
func New(id organization.ID, mode Mode, secret Secret) Key {
	body := prefix + string(mode) + "_" + id.PublicPart() + "_" + base62.Random(secretLength)
	return Key{text: body + secret.checksum(body), mode: mode, organization: id}
}

// Parse returns the key with the text. Its only error is ErrMalformed, which does not quote the text. A text that
// parses has the form of a key. Only Secrets.Made tells whether it was mistyped or made up, and only the store knows
// whether it was ever issued.
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
	return Key{text: text, mode: mode, organization: id}, nil
}

// Organization returns the organization that the key names.
func (k Key) Organization() organization.ID { return k.organization }

// Mode returns the key's mode.
func (k Key) Mode() Mode { return k.mode }

// Hash returns the SHA-256 of the key, by which the store finds it.
func (k Key) Hash() Hash { return sha256.Sum256([]byte(k.text)) }

// Reveal returns the plain text. Use it only to show a new key to its owner, and to send a key in a request.
func (k Key) Reveal() string { return k.text }

// These methods keep the key out of everything that prints, logs or encodes a Key.

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Hash is the SHA-256 of a key.
type Hash [sha256.Size]byte

// Hex returns the hash as 64 lower-case hexadecimal digits. Only a store, or a backup of a store, may call it.
func (h Hash) Hex() string {
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], h[:])
	return string(digits[:])
}

// ParseHash is the inverse of Hex. It returns an error if s is not the text of a hash.
func ParseHash(s string) (Hash, error) {
	decoded, err := hex.DecodeString(s)
	if err != nil || len(decoded) != sha256.Size {
		return Hash{}, errors.New("a key's hash is 64 hexadecimal digits")
	}
	return Hash(decoded), nil
}

// A hash gives no access, but with it one can check whether a key that leaked is valid. So it is redacted like a key.

func (Hash) String() string               { return redacted }
func (Hash) GoString() string             { return redacted }
func (Hash) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Hash) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MaxPerOrganization is how many keys one organization can have, including revoked and expired keys. They are stored in
// the item of the organization, and the size of an item is limited.
const MaxPerOrganization = 100

// Permission is what a key may do. Each permission includes the lower ones: read < write < delete < admin.
type Permission int

// The permissions. None permits nothing. A store returns None for a permission that this version does not know.
const (
	None Permission = iota
	Read
	Write
	Delete
	Admin
)

var permissionNames = [...]string{None: "none", Read: "read", Write: "write", Delete: "delete", Admin: "admin"}

func (p Permission) String() string {
	if p < None || p > Admin {
		return permissionNames[None]
	}
	return permissionNames[p]
}

// Includes reports whether a key with permission p may make a request that needs the permission needed.
func (p Permission) Includes(needed Permission) bool { return p >= needed && p <= Admin }

// ParsePermission returns the permission with the name s. It returns an error if there is no such permission, and for
// none, as no key is issued with None.
func ParsePermission(s string) (Permission, error) {
	for p := Read; p <= Admin; p++ {
		if p.String() == s {
			return p, nil
		}
	}
	return None, errors.New("a permission is one of read, write, delete and admin")
}

// The errors of Check, Rotated and Expiring.
var (
	ErrRevoked  = errors.New("the API key has been revoked")
	ErrExpired  = errors.New("the API key has expired")
	ErrReplaced = errors.New("the API key has been rotated already")
)

const (
	keyIDPrefix = "key_"
	keyIDLength = 13
)

// Record is what the store keeps about a key. It does not contain the key itself.
type Record struct {
	ID         string // key_ and 13 random letters or digits; public
	Hash       Hash
	Permission Permission
	Mode       Mode
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: never
	RevokedAt  *time.Time // nil: not revoked
	ReplacedBy string     // the ID of the key that replaces it; "": it was not rotated
	Label      string     `json:",omitempty"` // what its owner calls it; "": nothing
}

// MaxLabelLength is the length of the longest label, in characters (Unicode code points).
const MaxLabelLength = 64

// CheckLabel returns an error if label is not 1 to MaxLabelLength characters that can be printed, or spaces.
func CheckLabel(label string) error {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	n := utf8.RuneCountInString(label)
	if n < 1 || n > MaxLabelLength || !utf8.ValidString(label) || strings.ContainsFunc(label, hidden) {
		return errors.New("a label has 1 to 64 characters, all of which can be printed")
	}
	return nil
}

// NewRecord returns the record of a new key. expiresAt may be nil: the key never expires.
func NewRecord(k Key, p Permission, now time.Time, expiresAt *time.Time) Record {
	r := Record{
		ID:         keyIDPrefix + base62.Random(keyIDLength),
		Hash:       k.Hash(),
		Permission: p,
		Mode:       k.Mode(),
		CreatedAt:  organization.Timestamp(now),
	}
	if expiresAt != nil {
		r.ExpiresAt = new(organization.Timestamp(*expiresAt))
	}
	return r
}

// Check returns nil if the key is valid at the time now, and otherwise ErrRevoked or ErrExpired. At the moment at which
// it expires, a key is no longer valid.
func (r Record) Check(now time.Time) error {
	if r.RevokedAt != nil {
		return ErrRevoked
	}
	if r.ExpiresAt != nil && !now.Before(*r.ExpiresAt) {
		return ErrExpired
	}
	return nil
}

// Rotated returns the record of the key after its rotation. The key with the ID successor replaces it, and it stays
// valid until the time until, or until its own expiry if that is earlier. If the key cannot be rotated at the time now,
// Rotated returns the record as it is, with ErrRevoked, ErrExpired or ErrReplaced.
func (r Record) Rotated(successor string, now, until time.Time) (Record, error) {
	if err := r.Check(now); err != nil {
		return r, err
	}
	if r.ReplacedBy != "" {
		return r, ErrReplaced
	}
	until = organization.Timestamp(until)
	if r.ExpiresAt == nil || until.Before(*r.ExpiresAt) {
		r.ExpiresAt = &until
	}
	r.ReplacedBy = successor
	return r, nil
}

// Renewed returns the expiry of a key that replaces this one at the time now. The new key gets the same lifetime as
// this one had from its creation to its expiry. Renewed returns nil if this key never expires.
func (r Record) Renewed(now time.Time) *time.Time {
	if r.ExpiresAt == nil {
		return nil
	}
	return new(organization.Timestamp(now.Add(r.ExpiresAt.Sub(r.CreatedAt))))
}

// Expiring returns the record with another expiry. If at is nil, the key never expires. An expired key can become valid
// again. A revoked key cannot: Expiring returns the record as it is, with ErrRevoked.
func (r Record) Expiring(at *time.Time) (Record, error) {
	if r.RevokedAt != nil {
		return r, ErrRevoked
	}
	r.ExpiresAt = nil
	if at != nil {
		r.ExpiresAt = new(organization.Timestamp(*at))
	}
	return r, nil
}
