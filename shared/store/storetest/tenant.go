package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// tenant is what the store should have of one organization. Its methods make a change through a handle, which must
// succeed, and record it.
type tenant struct {
	organization.Organization
	Keys  []apikey.Record // the oldest first
	Trail []store.Entry   // the oldest first
}

// newTenant returns a tenant that is not in the store yet, with one key.
func newTenant(o organization.Organization) tenant {
	return tenant{
		Organization: o,
		Keys:         []apikey.Record{newKey(o.ID, o.CreatedAt)},
		Trail:        []store.Entry{entry(store.Created, o.CreatedAt, o.Version)},
	}
}

// create stores the organization through the first handle, and removes it when the test ends.
func (s suite) create(t *testing.T, o organization.Organization) tenant {
	t.Helper()
	m := newTenant(o)
	s.purgeAfter(t, o.ID)
	want(t, "Create", s.a.Create(t.Context(), m.Organization, m.Keys[0], m.Trail[0]))
	return m
}

func (s suite) purgeAfter(t *testing.T, id organization.ID) {
	ctx := context.WithoutCancel(t.Context()) // t.Context is cancelled before the cleanup
	t.Cleanup(func() {
		err := s.a.Purge(ctx, id)
		for store.Unavailable(err) { // other tests may keep the server busy; the test's own time limit ends this
			err = s.a.Purge(ctx, id)
		}
		if err != nil {
			t.Errorf("Purge(%s) = %v, want no error", id, err)
		}
	})
}

func (m *tenant) update(t *testing.T, e Engine, p organization.Patch, now time.Time) {
	t.Helper()
	u := newUpdate(m.Organization, p, m.Keys[0], now)
	want(t, "Update", e.Update(t.Context(), u))
	m.Organization, m.Trail = u.After, append(m.Trail, u.Audit)
}

func (m *tenant) delete(t *testing.T, e Engine, at time.Time) {
	t.Helper()
	deleted := entry(store.Deleted, at, m.Version)
	want(t, "Delete", e.Delete(t.Context(), m.ID, at, deleted))
	m.DeletedAt, m.Trail = new(organization.Timestamp(at)), append(m.Trail, deleted)
}

func (m *tenant) undelete(t *testing.T, e Engine, at time.Time) {
	t.Helper()
	undeleted := entry(store.Undeleted, at, m.Version)
	want(t, "Undelete", e.Undelete(t.Context(), m.ID, undeleted))
	m.DeletedAt, m.Trail = nil, append(m.Trail, undeleted)
}

func (m *tenant) addKey(t *testing.T, e Engine, key apikey.Record) {
	t.Helper()
	issued := entry(store.KeyIssued, key.CreatedAt, m.Version)
	want(t, "AddKey", e.AddKey(t.Context(), m.ID, key, issued))
	m.Keys, m.Trail = append(m.Keys, key), append(m.Trail, issued)
}

func (m *tenant) revokeKey(t *testing.T, e Engine, i int, at time.Time) {
	t.Helper()
	revoked := entry(store.KeyRevoked, at, m.Version)
	want(t, "RevokeKey", e.RevokeKey(t.Context(), m.ID, m.Keys[i].ID, at, revoked))
	m.Keys[i].RevokedAt, m.Trail = new(organization.Timestamp(at)), append(m.Trail, revoked)
}

func (m *tenant) changeKey(t *testing.T, e Engine, i int, c store.KeyChange, action store.Action, at time.Time) {
	t.Helper()
	changed := entry(action, at, m.Version)
	want(t, "ChangeKey", e.ChangeKey(t.Context(), m.ID, c, changed))
	m.Keys[i], m.Trail = c.After, append(m.Trail, changed)
	if c.New != nil {
		m.Keys = append(m.Keys, *c.New)
	}
}

// wantStored checks that the store has the tenant, in every way of reading it.
func (s suite) wantStored(t *testing.T, m tenant) {
	t.Helper()
	for _, key := range m.Keys {
		wantFound(t, s.a, m.Organization, key.Hash, &key)
		wantFound(t, s.b, m.Organization, key.Hash, &key)
	}
	wantOrganization(t, s.b, m)
	wantTrail(t, s.b, m.ID, m.Trail)
}

// wantOrganization checks the record and all keys.
func wantOrganization(t *testing.T, e Engine, m tenant) {
	t.Helper()
	got, keys, err := e.Get(t.Context(), m.ID)
	if err != nil {
		t.Fatalf("Get(%s) = %v, want no error", m.ID, err)
	}
	if diff := cmp.Diff(m.Organization, got, Options()); diff != "" {
		t.Errorf("Get(%s) (-want +got):\n%s", m.ID, diff)
	}
	if diff := cmp.Diff(m.Keys, keys, Options()); diff != "" {
		t.Errorf("Get(%s), keys (-want +got):\n%s", m.ID, diff)
	}
}

// wantTrail checks all entries of an organization. The entries must be sorted, the oldest first.
func wantTrail(t *testing.T, e Engine, id organization.ID, entries []store.Entry) {
	t.Helper()
	if diff := cmp.Diff(newestFirst(entries), audit(t, e, id, 50), Options()); diff != "" {
		t.Errorf("Audit(%s) (-want +got):\n%s", id, diff)
	}
}

// newestFirst returns a trail in the order of Audit.
func newestFirst(entries []store.Entry) []store.Entry {
	reversed := slices.Clone(entries)
	slices.Reverse(reversed)
	return reversed
}
