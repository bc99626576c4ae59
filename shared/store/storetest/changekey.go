package storetest

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// rotation returns the change by which the one key takes the place of the other, which stays valid for a day.
func rotation(old, successor apikey.Record, now time.Time) store.KeyChange {
	after, err := old.Rotated(successor.ID, now, now.Add(24*time.Hour))
	if err != nil {
		panic(err) // the tests rotate no key that cannot be
	}
	return store.KeyChange{Before: old, After: after, New: &successor}
}

func (s suite) rotateKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	c := rotation(made.key, newKey(made.ID, now.Add(time.Second)), now)
	rotated := entry(store.KeyRotated, now, made.Version)
	want(t, "ChangeKey", s.a.ChangeKey(t.Context(), made.ID, c, rotated))
	wantFound(t, s.b, made.Organization, c.New.Hash, c.New)
	wantFound(t, s.b, made.Organization, made.key.Hash, &c.After)
	wantOrganization(t, s.b, made.Organization, c.After, *c.New)
	wantTrail(t, s.b, made.ID, rotated, made.created)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: {}, c.New.ID: {}})

	again := rotation(*c.New, newKey(made.ID, now.Add(2*time.Second)), now)
	rotatedAgain := entry(store.KeyRotated, now.Add(time.Second), made.Version)
	want(t, "ChangeKey of the new key", s.b.ChangeKey(t.Context(), made.ID, again, rotatedAgain))
	wantOrganization(t, s.a, made.Organization, c.After, again.After, *again.New)
	wantTrail(t, s.a, made.ID, rotatedAgain, rotated, made.created)
}

func (s suite) expireKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	key, entries := made.key, []store.Entry{made.created}
	for i, at := range []*time.Time{new(now.Add(time.Hour)), new(now.Add(time.Microsecond)), nil, new(now.Add(-time.Hour))} {
		after, err := key.Expiring(at)
		want(t, "Expiring", err)
		e := entry(store.KeyExpires, now.Add(time.Duration(i)*time.Second), made.Version)
		want(t, "ChangeKey", s.handle(i).ChangeKey(t.Context(), made.ID, store.KeyChange{Before: key, After: after}, e))
		key, entries = after, append(entries, e)
		wantFound(t, s.handle(i+1), made.Organization, key.Hash, &key)
	}
	wantOrganization(t, s.b, made.Organization, key)
	slices.Reverse(entries)
	wantTrail(t, s.b, made.ID, entries...)
}

// changeStaleKey has a key that was changed, in each way, since it was read.
func (s suite) changeStaleKey(t *testing.T) {
	now := organization.Timestamp(time.Now())
	for name, change := range map[string]func(apikey.Record) apikey.Record{
		"expires":  func(k apikey.Record) apikey.Record { k.ExpiresAt = new(now.Add(time.Hour)); return k },
		"revoked":  func(k apikey.Record) apikey.Record { k.RevokedAt = &now; return k },
		"replaced": func(k apikey.Record) apikey.Record { k.ReplacedBy = "key_0123456789ABC"; return k },
	} {
		made := s.create(t, Bare(now))
		changed := entry(store.KeyExpires, now.Add(time.Second), made.Version)
		c := store.KeyChange{Before: made.key, After: change(made.key)}
		want(t, "ChangeKey", s.a.ChangeKey(t.Context(), made.ID, c, changed))
		for _, stale := range []store.KeyChange{rotation(made.key, newKey(made.ID, now), now), {Before: made.key, After: made.key}} {
			err := s.b.ChangeKey(t.Context(), made.ID, stale, entry(store.KeyRotated, now.Add(time.Minute), made.Version))
			wantKind(t, "ChangeKey of a key that "+name+" meanwhile", err, store.Conflict)
		}
		wantOrganization(t, s.a, made.Organization, c.After)
		wantTrail(t, s.a, made.ID, changed, made.created)
	}
}

func (s suite) rotateRace(t *testing.T) {
	const rotators = 6
	made := s.create(t, Bare(time.Now()))
	now := organization.Timestamp(time.Now())
	changes, entries := make([]store.KeyChange, rotators), make([]store.Entry, rotators)
	var winner atomic.Int64
	var won atomic.Int64
	together(rotators, func(i int) {
		changes[i] = rotation(made.key, newKey(made.ID, now.Add(time.Second)), now)
		entries[i] = entry(store.KeyRotated, now.Add(time.Second), made.Version)
		err := s.handle(i).ChangeKey(t.Context(), made.ID, changes[i], entries[i])
		if err == nil {
			won.Add(1)
			winner.Store(int64(i))
			return
		}
		wantKind(t, "ChangeKey of a key that another rotates", err, store.Conflict)
	})
	if won.Load() != 1 {
		t.Fatalf("%d of %d rotations of one key took place, want 1", won.Load(), rotators)
	}
	i := winner.Load()
	wantOrganization(t, s.b, made.Organization, changes[i].After, *changes[i].New)
	wantTrail(t, s.b, made.ID, entries[i], made.created)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: {}, changes[i].New.ID: {}})
}

// changeRevokeRace has the expiry moved while the key is revoked: whatever comes first, it ends up revoked.
func (s suite) changeRevokeRace(t *testing.T) {
	now := organization.Timestamp(time.Now())
	for range 4 {
		made := s.create(t, Bare(now))
		after, err := made.key.Expiring(new(now.Add(time.Hour)))
		want(t, "Expiring", err)
		together(2, func(i int) {
			if i == 0 {
				want(t, "RevokeKey", s.a.RevokeKey(t.Context(), made.ID, made.key.ID, now, entry(store.KeyRevoked, now, 0)))
				return
			}
			err := s.b.ChangeKey(t.Context(), made.ID, store.KeyChange{Before: made.key, After: after}, entry(store.KeyExpires, now, 0))
			if err != nil {
				wantKind(t, "ChangeKey of a key that another revokes", err, store.Conflict)
			}
		})
		found, err := s.b.Find(t.Context(), made.ID, made.key.Hash)
		want(t, "Find", err)
		if found.Key == nil || found.Key.RevokedAt == nil {
			t.Errorf("Find(…).Key = %+v, want a revoked key", found.Key)
		}
	}
}

func (s suite) rotateFull(t *testing.T) {
	now := organization.Timestamp(time.Now())
	made := s.create(t, Bare(now))
	for range apikey.MaxPerOrganization - 1 {
		want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, newKey(made.ID, now), entry(store.KeyIssued, now, 0)))
	}
	c := rotation(made.key, newKey(made.ID, now), now)
	err := s.b.ChangeKey(t.Context(), made.ID, c, entry(store.KeyRotated, now, 0))
	wantKind(t, "ChangeKey of a full organization, with a new key", err, store.Full)
	wantFound(t, s.a, made.Organization, made.key.Hash, &made.key)
	wantFound(t, s.a, made.Organization, c.New.Hash, nil)

	c.New = nil // nothing keeps a full organization from having its keys expire
	want(t, "ChangeKey", s.b.ChangeKey(t.Context(), made.ID, c, entry(store.KeyExpires, now, 0)))
	wantFound(t, s.a, made.Organization, made.key.Hash, &c.After)
}

func (s suite) changeUnknownKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := time.Now()
	c := rotation(newKey(made.ID, now), newKey(made.ID, now), now)
	for _, id := range []organization.ID{made.ID, organization.NewID()} {
		err := s.b.ChangeKey(t.Context(), id, c, entry(store.KeyRotated, now, made.Version))
		wantKind(t, "ChangeKey of a missing key", err, store.NotFound)
	}
	s.wantStored(t, made)
}

func (s suite) rotateToTaken(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := time.Now()
	successor := newKey(made.ID, now)
	successor.Hash = made.key.Hash
	err := s.a.ChangeKey(t.Context(), made.ID, rotation(made.key, successor, now), entry(store.KeyRotated, now, made.Version))
	if err == nil { // what kind of error is the engine's to say: no two keys have one hash
		t.Error("ChangeKey to a key of the same hash = nil, want an error")
	}
	s.wantStored(t, made)
}

func (s suite) changeKeyDeleted(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	deleted := entry(store.Deleted, at, made.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, deleted))
	err := s.b.ChangeKey(t.Context(), made.ID, rotation(made.key, newKey(made.ID, at), at), entry(store.KeyRotated, at, made.Version))
	wantKind(t, "ChangeKey of a deleted organization", err, store.NotFound)
	made.DeletedAt = &at
	wantOrganization(t, s.a, made.Organization, made.key)
	wantTrail(t, s.a, made.ID, deleted, made.created)
}
