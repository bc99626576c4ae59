package apikey

import (
	"errors"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

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
