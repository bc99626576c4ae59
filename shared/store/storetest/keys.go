package storetest

import (
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
	made.addKey(t, s.a, apikey.NewRecord(apikey.New(made.ID, apikey.Test), apikey.Write, now, &expires))
	s.wantStored(t, made)
}

func (s suite) addKeyTwice(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	again := newKey(made.ID, time.Now())
	again.Hash, again.Permission = made.Keys[0].Hash, apikey.Read
	err := s.b.AddKey(t.Context(), made.ID, again, entry(store.KeyIssued, time.Now(), made.Version))
	wantKind(t, "AddKey with a taken hash", err, store.Conflict)
	s.wantStored(t, made)
}

// addKeyFull fills an organization almost, and then adds more keys at once than there is room for.
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
	made.revokeKey(t, s.a, 0, time.Now()) // a revoked key takes as much room as any other

	var added atomic.Int64
	together(adders, func(i int) {
		if err := add(i); err == nil {
			added.Add(1)
		} else {
			wantKind(t, "AddKey without room", err, store.Full)
		}
	})
	if added.Load() != room {
		t.Errorf("%d adders added %d keys, want %d", adders, added.Load(), room)
	}
	wantKind(t, "AddKey to a full organization", add(0), store.Full)
	_, keys, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if len(keys) != apikey.MaxPerOrganization {
		t.Errorf("Get(%s) = %d keys, want %d", made.ID, len(keys), apikey.MaxPerOrganization)
	}
	// One entry for the creation, one for each other key, and one for the revocation. The refused keys have none.
	if n := len(audit(t, s.b, made.ID, 50)); n != apikey.MaxPerOrganization+1 {
		t.Errorf("Audit(%s) = %d entries, want %d", made.ID, n, apikey.MaxPerOrganization+1)
	}
}

func (s suite) revokeKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := time.Now().In(time.FixedZone("east", 5*3600+1800)).Truncate(time.Microsecond).Add(789)
	made.revokeKey(t, s.a, 0, at)
	s.wantStored(t, made)

	later := at.Add(time.Hour)
	again := entry(store.KeyRevoked, later, made.Version)
	want(t, "RevokeKey again", s.b.RevokeKey(t.Context(), made.ID, made.Keys[0].ID, later, again))
	s.wantStored(t, made)
}

func (s suite) revokeKeyRace(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	entries := s.markTogether(t, store.KeyRevoked, func(e Engine, at time.Time, revoked store.Entry) error {
		return e.RevokeKey(t.Context(), made.ID, made.Keys[0].ID, at, revoked)
	})
	found, err := s.b.Find(t.Context(), made.ID, made.Keys[0].Hash)
	want(t, "Find", err)
	if found.Key == nil {
		t.Fatal("Find(…).Key = nil, want a revoked key")
	}
	wantTrail(t, s.b, made.ID, append(made.Trail, winner(t, entries, found.Key.RevokedAt)))
}

func (s suite) revokeUnknownKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	for _, id := range []string{newKey(made.ID, time.Now()).ID, ""} {
		err := s.b.RevokeKey(t.Context(), made.ID, id, time.Now(), entry(store.KeyRevoked, time.Now(), made.Version))
		wantKind(t, "RevokeKey of a missing key", err, store.NotFound)
	}
	s.wantStored(t, made)
}

// revokeKeyDeleted revokes a key of a deleted organization. After an Undelete it must still be revoked.
func (s suite) revokeKeyDeleted(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	made.delete(t, s.a, at)
	made.revokeKey(t, s.b, 0, at.Add(time.Second))
	s.wantStored(t, made)
	made.undelete(t, s.a, at.Add(2*time.Second))
	s.wantStored(t, made)
}

// keysBesideUpdates has one writer of the record and several operators who change keys. Nobody else writes the record,
// so no change may return Conflict.
func (s suite) keysBesideUpdates(t *testing.T) {
	const updates, operators, each = 20, 3, 7
	made := s.create(t, Bare(time.Now()))
	current, first := made.Organization, made.Keys[0]
	var mu sync.Mutex
	keys := []apikey.Record{first}
	together(1+operators, func(i int) {
		if i == 0 {
			for n := range updates {
				u := newUpdate(current, rename(), first, time.Now())
				if err := s.a.Update(t.Context(), u); err != nil {
					t.Errorf("Update %d beside key operations = %v, want no error", n, err)
					return
				}
				current = u.After
			}
			return
		}
		for range each {
			key, err := issueAndRevoke(t, s.handle(i), made.ID)
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
	if n := len(audit(t, s.b, made.ID, 50)); n != 1+updates+2*operators*each {
		t.Errorf("Audit(%s) = %d entries, want %d", made.ID, n, 1+updates+2*operators*each)
	}
}

func issueAndRevoke(t *testing.T, e Engine, id organization.ID) (apikey.Record, error) {
	now := organization.Timestamp(time.Now())
	key := newKey(id, now)
	if err := e.AddKey(t.Context(), id, key, entry(store.KeyIssued, now, 0)); err != nil {
		return key, err
	}
	key.RevokedAt = new(now.Add(time.Second))
	return key, e.RevokeKey(t.Context(), id, key.ID, *key.RevokedAt, entry(store.KeyRevoked, *key.RevokedAt, 0))
}
