package apikey_test

import (
	"errors"
	"testing"
	"time"

	"organizations-api/shared/apikey"
)

func TestRotated(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	at := func(d time.Duration) *time.Time { return new(now.Add(d)) }
	for _, test := range []struct {
		name    string
		key     apikey.Record
		overlap time.Duration
		expires *time.Time
		err     error
	}{
		{"for ever until now", apikey.Record{}, time.Hour, at(time.Hour), nil},
		{"earlier by itself", apikey.Record{ExpiresAt: at(time.Minute)}, time.Hour, at(time.Minute), nil},
		{"later by itself", apikey.Record{ExpiresAt: at(2 * time.Hour)}, time.Hour, at(time.Hour), nil},
		{"no overlap", apikey.Record{}, 0, at(0), nil},
		{"to the microsecond", apikey.Record{}, time.Hour + 999, at(time.Hour), nil},
		{"revoked", apikey.Record{RevokedAt: at(-time.Hour)}, time.Hour, nil, apikey.ErrRevoked},
		{"expired", apikey.Record{ExpiresAt: at(0)}, time.Hour, at(0), apikey.ErrExpired},
		{"replaced", apikey.Record{ReplacedBy: "key_0"}, time.Hour, nil, apikey.ErrReplaced},
	} {
		got, err := test.key.Rotated("key_1", now, now.Add(test.overlap))
		if !errors.Is(err, test.err) || !same(got.ExpiresAt, test.expires) || err == nil && got.ReplacedBy != "key_1" {
			t.Errorf("%s: Rotated = %v by %q, %v, want %v, %v", test.name, got.ExpiresAt, got.ReplacedBy, err, test.expires, test.err)
		}
		if err == nil && test.overlap == 0 && got.Check(now) == nil {
			t.Errorf("%s: the key is valid still", test.name)
		}
	}
}

func TestRenewed(t *testing.T) {
	t.Parallel()
	issued := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	now := issued.Add(80 * 24 * time.Hour)
	if got := (apikey.Record{CreatedAt: issued}).Renewed(now); got != nil {
		t.Errorf("Renewed of a key that never expires = %v, want never", got)
	}
	key := apikey.Record{CreatedAt: issued, ExpiresAt: new(issued.Add(90 * 24 * time.Hour))}
	if got, want := key.Renewed(now), new(now.Add(90*24*time.Hour)); !same(got, want) {
		t.Errorf("Renewed of a key for 90 days = %v, want %v", got, want)
	}
}

func TestExpiring(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	key := apikey.Record{ExpiresAt: new(now.Add(-time.Hour))}
	for _, at := range []*time.Time{nil, new(now.Add(time.Hour))} {
		if got, err := key.Expiring(at); err != nil || !same(got.ExpiresAt, at) || got.Check(now) != nil {
			t.Errorf("Expiring(%v) = %v, %v, want a key that is valid until then", at, got.ExpiresAt, err)
		}
	}
	if _, err := (apikey.Record{RevokedAt: &now}).Expiring(nil); !errors.Is(err, apikey.ErrRevoked) {
		t.Errorf("Expiring of a revoked key = %v, want %v", err, apikey.ErrRevoked)
	}
}

func same(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
