package apikey

import (
	"errors"
	"testing"
	"time"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	all := []Permission{None, Read, Write, Delete, Admin}
	for i, p := range all {
		for j, needed := range all {
			if got := p.Includes(needed); got != (i >= j) {
				t.Errorf("%v.Includes(%v) = %v, want %v", p, needed, got, i >= j)
			}
		}
	}
	if Permission(99).Includes(Read) {
		t.Error("an unknown permission permits something")
	}
	for _, s := range []string{"", "none", "Admin", "root"} {
		if _, err := ParsePermission(s); err == nil {
			t.Errorf("ParsePermission(%q) = no error", s)
		}
	}
	if p, err := ParsePermission("delete"); p != Delete || err != nil {
		t.Errorf(`ParsePermission("delete") = %v, %v`, p, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	before, after := now.Add(-time.Microsecond), now.Add(time.Microsecond)
	for name, test := range map[string]struct {
		record Record
		want   error
	}{
		"valid":               {Record{}, nil},
		"expires later":       {Record{ExpiresAt: &after}, nil},
		"expires now":         {Record{ExpiresAt: &now}, ErrExpired},
		"expired":             {Record{ExpiresAt: &before}, ErrExpired},
		"revoked":             {Record{RevokedAt: &before}, ErrRevoked},
		"revoked and expired": {Record{RevokedAt: &before, ExpiresAt: &before}, ErrRevoked},
	} {
		if err := test.record.Check(now); !errors.Is(err, test.want) {
			t.Errorf("%s: Check = %v, want %v", name, err, test.want)
		}
	}
}

func TestRotated(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	at := func(d time.Duration) *time.Time { return new(now.Add(d)) }
	for _, test := range []struct {
		name    string
		key     Record
		overlap time.Duration
		expires *time.Time
		err     error
	}{
		{"for ever until now", Record{}, time.Hour, at(time.Hour), nil},
		{"earlier by itself", Record{ExpiresAt: at(time.Minute)}, time.Hour, at(time.Minute), nil},
		{"later by itself", Record{ExpiresAt: at(2 * time.Hour)}, time.Hour, at(time.Hour), nil},
		{"no overlap", Record{}, 0, at(0), nil},
		{"to the microsecond", Record{}, time.Hour + 999, at(time.Hour), nil},
		{"revoked", Record{RevokedAt: at(-time.Hour)}, time.Hour, nil, ErrRevoked},
		{"expired", Record{ExpiresAt: at(0)}, time.Hour, at(0), ErrExpired},
		{"replaced", Record{ReplacedBy: "key_0"}, time.Hour, nil, ErrReplaced},
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
	if got := (Record{CreatedAt: issued}).Renewed(now); got != nil {
		t.Errorf("Renewed of a key that never expires = %v, want never", got)
	}
	key := Record{CreatedAt: issued, ExpiresAt: new(issued.Add(90 * 24 * time.Hour))}
	if got, want := key.Renewed(now), new(now.Add(90*24*time.Hour)); !same(got, want) {
		t.Errorf("Renewed of a key for 90 days = %v, want %v", got, want)
	}
}

func TestExpiring(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC)
	key := Record{ExpiresAt: new(now.Add(-time.Hour))}
	for _, at := range []*time.Time{nil, new(now.Add(time.Hour))} {
		if got, err := key.Expiring(at); err != nil || !same(got.ExpiresAt, at) || got.Check(now) != nil {
			t.Errorf("Expiring(%v) = %v, %v, want a key that is valid until then", at, got.ExpiresAt, err)
		}
	}
	if _, err := (Record{RevokedAt: &now}).Expiring(nil); !errors.Is(err, ErrRevoked) {
		t.Errorf("Expiring of a revoked key = %v, want %v", err, ErrRevoked)
	}
}

func same(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
