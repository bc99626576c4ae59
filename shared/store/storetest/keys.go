package storetest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func (s suite) addKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	expires := now.Add(90*24*time.Hour + time.Microsecond)
	key := apikey.NewRecord(apikey.New(made.ID, apikey.Test), apikey.Write, now, &expires)
	issued := entry(store.KeyIssued, now, made.Version)
	want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, issued))

	wantFound(t, s.b, made.Organization, key.Hash, &key)
	wantFound(t, s.b, made.Organization, made.key.Hash, &made.key)
	wantOrganization(t, s.b, made.Organization, made.key, key)
	wantTrail(t, s.b, made.ID, issued, made.created)
}

func (s suite) addKeyTwice(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	again := newKey(made.ID, time.Now())
	again.Hash, again.Permission = made.key.Hash, apikey.Read
	err := s.b.AddKey(t.Context(), made.ID, again, entry(store.KeyIssued, time.Now(), made.Version))
	wantKind(t, "AddKey with a hash that is there", err, store.Conflict)
	s.wantStored(t, made)
}

func (s suite) addKeyDeleted(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	deleted := entry(store.Deleted, at, made.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, deleted))
	key := newKey(made.ID, at)
	err := s.b.AddKey(t.Context(), made.ID, key, entry(store.KeyIssued, at, made.Version))
	wantKind(t, "AddKey to a deleted organization", err, store.NotFound)
	made.DeletedAt = &at
	wantOrganization(t, s.a, made.Organization, made.key)
	wantTrail(t, s.a, made.ID, deleted, made.created)
}

// addKeyFull fills an organization up to the last few keys, and has more adders than room at the end.
func (s suite) addKeyFull(t *testing.T) {
	const room, adders = 5, 12
	made := s.create(t, Bare(time.Now()))
	add := func(i int) error {
		now := time.Now()
		return s.handle(i).AddKey(t.Context(), made.ID, newKey(made.ID, now), entry(store.KeyIssued, now, 0))
	}
	together(2, func(i int) {
		for n := range apikey.MaxPerOrganization - 1 - room {
			if n%2 == i {
				if err := add(i); err != nil {
					t.Errorf("AddKey with %d keys at most = %v, want no error", n, err)
				}
			}
		}
	})
	// A revoked key takes as much room as any other.
	now := time.Now()
	want(t, "RevokeKey", s.a.RevokeKey(t.Context(), made.ID, made.key.ID, now, entry(store.KeyRevoked, now, 0)))

	var added atomic.Int64
	together(adders, func(i int) {
		if err := add(i); err == nil {
			added.Add(1)
		} else {
			wantKind(t, "AddKey without room", err, store.Full)
		}
	})
	if added.Load() != room {
		t.Errorf("%d adders found room for %d keys, want %d", adders, added.Load(), room)
	}
	wantKind(t, "AddKey to a full organization", add(0), store.Full)
	_, keys, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if len(keys) != apikey.MaxPerOrganization {
		t.Errorf("Get(%s) = %d keys, want %d", made.ID, len(keys), apikey.MaxPerOrganization)
	}
	// Created, each other key issued, one revoked, and nothing of those that were refused.
	if n := len(trail(t, s.b, made.ID, 50)); n != apikey.MaxPerOrganization+1 {
		t.Errorf("Audit(%s) = %d entries, want %d", made.ID, n, apikey.MaxPerOrganization+1)
	}
}

func (s suite) revokeKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := time.Now().In(time.FixedZone("east", 5*3600+1800)).Truncate(time.Microsecond).Add(789)
	revoked := entry(store.KeyRevoked, at, made.Version)
	want(t, "RevokeKey", s.a.RevokeKey(t.Context(), made.ID, made.key.ID, at, revoked))
	key := made.key
	key.RevokedAt = new(organization.Timestamp(at))
	wantFound(t, s.b, made.Organization, key.Hash, &key)

	later := at.Add(time.Hour)
	again := entry(store.KeyRevoked, later, made.Version)
	want(t, "RevokeKey again", s.b.RevokeKey(t.Context(), made.ID, made.key.ID, later, again))
	wantOrganization(t, s.a, made.Organization, key)
	wantTrail(t, s.a, made.ID, revoked, made.created)
}

func (s suite) revokeKeyRace(t *testing.T) {
	const revokers = 6
	made := s.create(t, Bare(time.Now()))
	now := organization.Timestamp(time.Now())
	entries := make([]store.Entry, revokers)
	together(revokers, func(i int) {
		at := now.Add(time.Duration(i) * time.Second)
		entries[i] = entry(store.KeyRevoked, at, 0)
		if err := s.handle(i).RevokeKey(t.Context(), made.ID, made.key.ID, at, entries[i]); err != nil {
			t.Errorf("RevokeKey by %d = %v, want no error", i, err)
		}
	})
	found, err := s.b.Find(t.Context(), made.ID, made.key.Hash)
	want(t, "Find", err)
	if found.Key == nil || found.Key.RevokedAt == nil {
		t.Fatalf("Find(…).Key = %+v, want a revoked key", found.Key)
	}
	winner := slices.IndexFunc(entries, func(e store.Entry) bool { return e.At().Equal(*found.Key.RevokedAt) })
	if winner < 0 {
		t.Fatalf("RevokedAt = %v, which nobody asked for", found.Key.RevokedAt)
	}
	wantTrail(t, s.b, made.ID, entries[winner], made.created)
}

func (s suite) revokeUnknownKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	for _, id := range []string{newKey(made.ID, time.Now()).ID, ""} {
		err := s.b.RevokeKey(t.Context(), made.ID, id, time.Now(), entry(store.KeyRevoked, time.Now(), made.Version))
		wantKind(t, "RevokeKey of a missing key", err, store.NotFound)
	}
	s.wantStored(t, made)
}

// revokeKeyDeleted revokes a key while it opens nothing, so that it stays closed when the organization comes back.
func (s suite) revokeKeyDeleted(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	deleted := entry(store.Deleted, at, made.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, deleted))
	revokedAt := at.Add(time.Second)
	revoked := entry(store.KeyRevoked, revokedAt, made.Version)
	want(t, "RevokeKey", s.b.RevokeKey(t.Context(), made.ID, made.key.ID, revokedAt, revoked))
	made.DeletedAt, made.key.RevokedAt = &at, &revokedAt
	wantOrganization(t, s.a, made.Organization, made.key)
	wantTrail(t, s.a, made.ID, revoked, deleted, made.created)
}

// keysBesideUpdates has one writer of the record and several operators. As nobody else writes the record, no update may
// meet a conflict, and no operator ever may.
func (s suite) keysBesideUpdates(t *testing.T) {
	const updates, operators, each = 20, 3, 7
	made := s.create(t, Bare(time.Now()))
	current := made.Organization
	var mu sync.Mutex
	keys := []apikey.Record{made.key}
	together(1+operators, func(i int) {
		if i == 0 {
			for n := range updates {
				u := update(current, rename(), made.key.ID, time.Now())
				if err := s.a.Update(t.Context(), u); err != nil {
					t.Errorf("Update %d beside key operations = %v, want no error", n, err)
					return
				}
				current = u.After
			}
			return
		}
		for range each {
			key, err := s.issueAndRevoke(t, s.handle(i), made.ID)
			if err != nil {
				t.Errorf("key operations beside updates = %v, want no error", err)
				return
			}
			mu.Lock()
			keys = append(keys, key)
			mu.Unlock()
		}
	})
	got, gotKeys, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if got.Version != current.Version || got.Name != current.Name {
		t.Errorf("Get(…) = version %d, %q, want %d, %q", got.Version, got.Name, current.Version, current.Name)
	}
	if len(gotKeys) != len(keys) {
		t.Errorf("Get(…) = %d keys, want %d", len(gotKeys), len(keys))
	}
	for _, key := range keys {
		wantFound(t, s.b, current, key.Hash, &key)
	}
	if n := len(trail(t, s.b, made.ID, 50)); n != 1+updates+2*operators*each {
		t.Errorf("Audit(%s) = %d entries, want %d", made.ID, n, 1+updates+2*operators*each)
	}
}

func (s suite) issueAndRevoke(t *testing.T, e Engine, id organization.ID) (apikey.Record, error) {
	now := organization.Timestamp(time.Now())
	key := newKey(id, now)
	if err := e.AddKey(t.Context(), id, key, entry(store.KeyIssued, now, 0)); err != nil {
		return key, err
	}
	key.RevokedAt = new(now.Add(time.Second))
	return key, e.RevokeKey(t.Context(), id, key.ID, *key.RevokedAt, entry(store.KeyRevoked, *key.RevokedAt, 0))
}
