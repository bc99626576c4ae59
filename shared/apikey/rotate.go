package apikey

import (
	"errors"
	"time"

	"organizations-api/shared/organization"
)

// ErrReplaced is why a key that was rotated cannot be rotated again.
var ErrReplaced = errors.New("the API key has been rotated already")

// Rotated returns the record as it is once the key named successor takes its place: valid until the time given, or until
// it expires by itself, whichever comes first. The error is ErrRevoked, ErrExpired or ErrReplaced where the key cannot be
// rotated at the time now.
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

// Renewed returns when a key that takes the place of this one at the time now expires: it is given the same time to live,
// from its creation to its expiry, and none where this one never expires.
func (r Record) Renewed(now time.Time) *time.Time {
	if r.ExpiresAt == nil {
		return nil
	}
	at := organization.Timestamp(now.Add(r.ExpiresAt.Sub(r.CreatedAt)))
	return &at
}

// Expiring returns the record with another expiry; nil is never. The error is ErrRevoked where the key is revoked, which
// is for good. An expired key can be brought back.
func (r Record) Expiring(at *time.Time) (Record, error) {
	if r.RevokedAt != nil {
		return r, ErrRevoked
	}
	r.ExpiresAt = nil
	if at != nil {
		t := organization.Timestamp(*at)
		r.ExpiresAt = &t
	}
	return r, nil
}
