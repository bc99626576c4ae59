package apikey

import (
	"errors"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
)

// MaxPerOrganization is how many keys one organization can have, revoked and expired ones included. They live in the
// organization's own item, which has a bounded size.
const MaxPerOrganization = 100

// Permission is what a key may be used for. Each permission includes those below it: read < write < delete < admin.
type Permission int

// The permissions. None permits nothing; a stored permission that this version does not know reads as None.
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

// Includes reports whether a key with permission p may do what needs the permission needed.
func (p Permission) Includes(needed Permission) bool { return p >= needed && p <= Admin }

// ParsePermission checks that s names a permission that a key can be issued with.
func ParsePermission(s string) (Permission, error) {
	for p := Read; p <= Admin; p++ {
		if p.String() == s {
			return p, nil
		}
	}
	return None, errors.New("a permission is one of read, write, delete and admin")
}

// Reasons for which a key that was issued is no longer valid.
var (
	ErrRevoked = errors.New("the API key has been revoked")
	ErrExpired = errors.New("the API key has expired")
)

const (
	keyIDPrefix = "key_"
	keyIDLength = 13
)

// Record is what the store keeps of a key: everything but the key.
type Record struct {
	ID         string // key_ and 13 letters and digits; public, says nothing about the key
	Hash       Hash
	Permission Permission
	Mode       Mode
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: never
	RevokedAt  *time.Time // nil: not revoked
	ReplacedBy string     // the identifier of the key that takes its place; "" where it was not rotated
}

// NewRecord returns the record of a key that was just made. expiresAt may be nil.
func NewRecord(k Key, p Permission, now time.Time, expiresAt *time.Time) Record {
	r := Record{
		ID:         keyIDPrefix + base62.Random(keyIDLength),
		Hash:       k.Hash(),
		Permission: p,
		Mode:       k.Mode(),
		CreatedAt:  organization.Timestamp(now),
	}
	if expiresAt != nil {
		t := organization.Timestamp(*expiresAt)
		r.ExpiresAt = &t
	}
	return r
}

// Check returns ErrRevoked or ErrExpired where the key is not valid at the time now, and nil where it is. A key is valid
// up to, and not including, the moment it expires.
func (r Record) Check(now time.Time) error {
	if r.RevokedAt != nil {
		return ErrRevoked
	}
	if r.ExpiresAt != nil && !now.Before(*r.ExpiresAt) {
		return ErrExpired
	}
	return nil
}
