package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// rotation returns the change by which the successor replaces the old key, which stays valid for a day.
func rotation(old, successor apikey.Record, now time.Time) store.KeyChange {
	after, err := old.Rotated(successor.ID, now, now.Add(24*time.Hour))
	if err != nil {
		panic(err) // the checks rotate only valid keys
	}
	return store.KeyChange{Before: old, After: after, New: &successor}
}

func (s suite) rotateKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	c := rotation(made.Keys[0], newKey(made.ID, now.Add(time.Second)), now)
	made.changeKey(t, s.a, 0, c, store.KeyRotated, now)
	s.wantStored(t, made)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.Keys[0].ID: {}, made.Keys[1].ID: {}})

	again := rotation(made.Keys[1], newKey(made.ID, now.Add(2*time.Second)), now)
	made.changeKey(t, s.b, 1, again, store.KeyRotated, now.Add(time.Second))
	s.wantStored(t, made)
}

func (s suite) expireKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	for i, at := range []*time.Time{
		new(now.Add(time.Hour)), new(now.Add(time.Microsecond)), nil, new(now.Add(-time.Hour)),
	} {
		after, err := made.Keys[0].Expiring(at)
		want(t, "Expiring", err)
		c := store.KeyChange{Before: made.Keys[0], After: after}
		made.changeKey(t, s.handle(i), 0, c, store.KeyExpires, now.Add(time.Duration(i)*time.Second))
		wantFound(t, s.handle(i+1), made.Organization, after.Hash, &after)
	}
	s.wantStored(t, made)
}

// changeStaleKey makes changes of a key that was changed since it was read: its expiry, revocation or successor.
func (s suite) changeStaleKey(t *testing.T) {
	now := organization.Timestamp(time.Now())
	for name, change := range map[string]func(*apikey.Record){
		"expires":  func(k *apikey.Record) { k.ExpiresAt = new(now.Add(time.Hour)) },
		"revoked":  func(k *apikey.Record) { k.RevokedAt = &now },
		"replaced": func(k *apikey.Record) { k.ReplacedBy = "key_0123456789ABC" },
	} {
		made := s.create(t, Bare(now))
		old := made.Keys[0]
		c := store.KeyChange{Before: old, After: old}
		change(&c.After)
		made.changeKey(t, s.a, 0, c, store.KeyExpires, now.Add(time.Second))
		for _, stale := range []store.KeyChange{rotation(old, newKey(made.ID, now), now), {Before: old, After: old}} {
			err := s.b.ChangeKey(t.Context(), made.ID, stale, entry(store.KeyRotated, now.Add(time.Minute), made.Version))
			wantKind(t, "ChangeKey of a key that "+name+" since it was read", err, store.Conflict)
		}
		// The value that was read is no longer the value that is stored.
		again := store.KeyChange{Before: made.Keys[0], After: made.Keys[0]}
		again.After.ExpiresAt = new(now.Add(2 * time.Hour))
		made.changeKey(t, s.a, 0, again, store.KeyExpires, now.Add(2*time.Second))
		err := s.b.ChangeKey(t.Context(), made.ID, again, entry(store.KeyExpires, now.Add(time.Minute), made.Version))
		wantKind(t, "ChangeKey of a key whose expiry is another since it was read", err, store.Conflict)
		s.wantStored(t, made)
	}
}

func (s suite) rotateRace(t *testing.T) {
	const rotators = 6
	made := s.create(t, Bare(time.Now()))
	now := organization.Timestamp(time.Now())
	changes, entries := make([]store.KeyChange, rotators), make([]store.Entry, rotators)
	var won, last atomic.Int64
	together(rotators, func(i int) {
		changes[i] = rotation(made.Keys[0], newKey(made.ID, now.Add(time.Second)), now)
		entries[i] = entry(store.KeyRotated, now.Add(time.Second), made.Version)
		err := s.handle(i).ChangeKey(t.Context(), made.ID, changes[i], entries[i])
		if err == nil {
			won.Add(1)
			last.Store(int64(i))
			return
		}
		wantKind(t, "ChangeKey of a key that another process rotates", err, store.Conflict)
	})
	if won.Load() != 1 {
		t.Fatalf("%d of %d rotations of one key succeeded, want 1", won.Load(), rotators)
	}
	c := changes[last.Load()]
	made.Keys, made.Trail = []apikey.Record{c.After, *c.New}, append(made.Trail, entries[last.Load()])
	s.wantStored(t, made)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.Keys[0].ID: {}, made.Keys[1].ID: {}})
}

// changeRevokeRace changes the expiry of a key while another process revokes it. In either order the key ends up
// revoked.
func (s suite) changeRevokeRace(t *testing.T) {
	now := organization.Timestamp(time.Now())
	for range 4 {
		made := s.create(t, Bare(now))
		key := made.Keys[0]
		after, err := key.Expiring(new(now.Add(time.Hour)))
		want(t, "Expiring", err)
		together(2, func(i int) {
			if i == 0 {
				err := s.a.RevokeKey(t.Context(), made.ID, key.ID, now, entry(store.KeyRevoked, now, 0))
				if err != nil {
					t.Errorf("RevokeKey = %v, want no error", err)
				}
				return
			}
			c := store.KeyChange{Before: key, After: after}
			if err := s.b.ChangeKey(t.Context(), made.ID, c, entry(store.KeyExpires, now, 0)); err != nil {
				wantKind(t, "ChangeKey of a key that another process revokes", err, store.Conflict)
			}
		})
		found, err := s.b.Find(t.Context(), made.ID, key.Hash)
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
		made.addKey(t, s.a, newKey(made.ID, now))
	}
	c := rotation(made.Keys[0], newKey(made.ID, now), now)
	err := s.b.ChangeKey(t.Context(), made.ID, c, entry(store.KeyRotated, now, 0))
	wantKind(t, "ChangeKey of a full organization, with a new key", err, store.Full)
	wantFound(t, s.a, made.Organization, c.Before.Hash, &c.Before)
	wantFound(t, s.a, made.Organization, c.New.Hash, nil)

	c.New = nil // the expiry of a key can change although the organization is full
	made.changeKey(t, s.b, 0, c, store.KeyExpires, now)
	wantFound(t, s.a, made.Organization, c.After.Hash, &c.After)
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
	successor.Hash = made.Keys[0].Hash
	c := rotation(made.Keys[0], successor, now)
	err := s.a.ChangeKey(t.Context(), made.ID, c, entry(store.KeyRotated, now, made.Version))
	if err == nil { // the kind depends on the engine, as no two real keys have the same hash
		t.Error("ChangeKey to a key of the same hash = nil, want an error")
	}
	s.wantStored(t, made)
}
