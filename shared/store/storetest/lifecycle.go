package storetest

import (
	"slices"
	"testing"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func (s suite) deleteAndBack(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	later := at.Add(time.Hour)

	early := entry(store.Undeleted, at, made.Version)
	want(t, "Undelete of what is not deleted", s.a.Undelete(t.Context(), made.ID, early))
	s.wantStored(t, made)

	deleted := entry(store.Deleted, at, made.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, deleted))
	again := entry(store.Deleted, later, made.Version)
	want(t, "Delete again", s.b.Delete(t.Context(), made.ID, later, again))
	gone := made.Organization
	gone.DeletedAt = &at
	wantFound(t, s.b, gone, made.key.Hash, &made.key)
	wantOrganization(t, s.b, gone, made.key)
	wantTrail(t, s.b, made.ID, deleted, made.created)

	undeleted := entry(store.Undeleted, later, made.Version)
	want(t, "Undelete", s.b.Undelete(t.Context(), made.ID, undeleted))
	againBack := entry(store.Undeleted, later.Add(time.Hour), made.Version)
	want(t, "Undelete again", s.a.Undelete(t.Context(), made.ID, againBack))
	wantOrganization(t, s.a, made.Organization, made.key)
	wantTrail(t, s.a, made.ID, undeleted, deleted, made.created)

	// What was read before the deletion is still of the current version, and keys can be added again.
	s.accept(t, made, made.Organization, rename(), later.Add(2*time.Hour))
	key := newKey(made.ID, later)
	want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, entry(store.KeyIssued, later.Add(3*time.Hour), made.Version)))
}

func (s suite) deleteRace(t *testing.T) {
	const deleters = 6
	made := s.create(t, Bare(time.Now()))
	now := organization.Timestamp(time.Now())
	entries := make([]store.Entry, deleters)
	together(deleters, func(i int) {
		at := now.Add(time.Duration(i) * time.Second)
		entries[i] = entry(store.Deleted, at, 0)
		if err := s.handle(i).Delete(t.Context(), made.ID, at, entries[i]); err != nil {
			t.Errorf("Delete by %d = %v, want no error", i, err)
		}
	})
	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if got.DeletedAt == nil {
		t.Fatal("Get(…).DeletedAt = nil, want a time")
	}
	winner := slices.IndexFunc(entries, func(e store.Entry) bool { return e.At().Equal(*got.DeletedAt) })
	if winner < 0 {
		t.Fatalf("DeletedAt = %v, which nobody asked for", got.DeletedAt)
	}
	wantTrail(t, s.b, made.ID, entries[winner], made.created)
}

func (s suite) deleteTime(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	at := time.Date(2031, 7, 1, 1, 2, 3, 456_789_999, time.FixedZone("west", -8*3600))
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, entry(store.Deleted, at, 0)))
	made.DeletedAt = new(organization.Timestamp(at))
	wantOrganization(t, s.b, made.Organization, made.key)
}

func (s suite) purge(t *testing.T) {
	const entries = 60
	kept := s.create(t, Full(time.Now()))
	made := s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	key := newKey(made.ID, now)
	want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, entry(store.KeyIssued, now, made.Version)))
	current := made.Organization
	for range entries - 2 {
		u := update(current, rename(), made.key.ID, now)
		want(t, "Update", s.a.Update(t.Context(), u))
		current = u.After
	}
	if n := len(trail(t, s.b, made.ID, 50)); n != entries {
		t.Fatalf("Audit(%s) = %d entries, want %d", made.ID, n, entries)
	}

	want(t, "Purge", s.b.Purge(t.Context(), made.ID))
	wantGone(t, s.a, made.ID, made.key.Hash)
	wantKind(t, "AddKey to a purged organization",
		s.a.AddKey(t.Context(), made.ID, newKey(made.ID, now), entry(store.KeyIssued, now, 0)), store.NotFound)
	wantKind(t, "RevokeKey of a purged organization",
		s.a.RevokeKey(t.Context(), made.ID, key.ID, now, entry(store.KeyRevoked, now, 0)), store.NotFound)
	want(t, "Purge again", s.a.Purge(t.Context(), made.ID))
	wantGone(t, s.b, made.ID, key.Hash)
	s.wantStored(t, kept)

	// The identifier is free again, and nothing of the old comes back with it.
	reborn := Bare(now)
	reborn.ID = made.ID
	s.wantStored(t, s.create(t, reborn))
	wantFound(t, s.a, reborn, key.Hash, nil)
}

func (s suite) purgeNothing(t *testing.T) {
	id := organization.NewID()
	want(t, "Purge of what never was", s.a.Purge(t.Context(), id))
	wantGone(t, s.b, id, newKey(id, time.Now()).Hash)
}
