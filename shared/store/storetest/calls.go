package storetest

import (
	"context"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// calls returns every call of an engine by its name. Create and Restore create fresh. The other calls are about the
// tenant.
func calls(e Engine, m tenant, fresh organization.Organization) map[string]func(context.Context) error {
	now := time.Now()
	key := m.Keys[0]
	note := func(action store.Action) store.Entry { return entry(action, now, m.Version) }
	return map[string]func(context.Context) error{
		"Create": func(ctx context.Context) error {
			return e.Create(ctx, fresh, newKey(fresh.ID, now), note(store.Created))
		},
		"Find": func(ctx context.Context) error { _, err := e.Find(ctx, m.ID, key.Hash); return err },
		"Get":  func(ctx context.Context) error { _, _, err := e.Get(ctx, m.ID); return err },
		"List": func(ctx context.Context) error { _, _, err := e.List(ctx, "", 10); return err },
		"Update": func(ctx context.Context) error {
			return e.Update(ctx, newUpdate(m.Organization, rename(), key, now))
		},
		"StoreRevision": func(ctx context.Context) error {
			after, changes := m.Organization.Apply(rename(), now)
			audit := note(store.Updated)
			audit.ChangeID, audit.Version, audit.Changes = "change", after.Version, changes
			return e.StoreRevision(ctx, store.Update{Before: m.Organization, After: after, Audit: audit})
		},
		"HasChange": func(ctx context.Context) error { _, err := e.HasChange(ctx, m.ID, "change"); return err },
		"Delete":    func(ctx context.Context) error { return e.Delete(ctx, m.ID, now, note(store.Deleted)) },
		"Undelete":  func(ctx context.Context) error { return e.Undelete(ctx, m.ID, note(store.Undeleted)) },
		"Purge":     func(ctx context.Context) error { return e.Purge(ctx, m.ID) },
		"AddKey": func(ctx context.Context) error {
			return e.AddKey(ctx, m.ID, newKey(m.ID, now), note(store.KeyIssued))
		},
		"RevokeKey": func(ctx context.Context) error {
			return e.RevokeKey(ctx, m.ID, key.ID, now, note(store.KeyRevoked))
		},
		"ChangeKey": func(ctx context.Context) error {
			return e.ChangeKey(ctx, m.ID, rotation(key, newKey(m.ID, now), now), note(store.KeyRotated))
		},
		"NoteUse":    func(ctx context.Context) error { return e.NoteUse(ctx, m.ID, key.ID, now) },
		"KeyUses":    func(ctx context.Context) error { _, err := e.KeyUses(ctx, m.ID); return err },
		"Audit":      func(ctx context.Context) error { _, _, err := e.Audit(ctx, m.ID, "", 10); return err },
		"ExportPage": func(ctx context.Context) error { _, _, err := e.ExportPage(ctx, "", 10); return err },
		"Export":     func(ctx context.Context) error { _, err := e.Export(ctx, m.ID); return err },
		"Restore": func(ctx context.Context) error {
			_, err := e.Restore(ctx, []store.Export{{Organization: fresh, Trail: store.Entries()}})
			return err
		},
		"KeySecrets":       func(ctx context.Context) error { _, err := e.KeySecrets(ctx); return err },
		"EnsureKeySecrets": func(ctx context.Context) error { _, err := e.EnsureKeySecrets(ctx); return err },
		"AddKeySecrets": func(ctx context.Context) error {
			return e.AddKeySecrets(ctx, apikey.Secrets{apikey.NewSecret()})
		},
		"Count": func(ctx context.Context) error {
			_, err := e.Count(ctx, m.ID, organization.Metadata, window(), 1)
			return err
		},
	}
}

// tenants checks that a change of one organization is neither seen in another nor made to it.
func (s suite) tenants(t *testing.T) {
	now := organization.Timestamp(time.Now())
	one, two := s.create(t, Full(now)), s.create(t, Full(now))

	wantFound(t, s.a, one.Organization, two.Keys[0].Hash, nil)
	wantFound(t, s.b, two.Organization, one.Keys[0].Hash, nil)
	mixed := one
	mixed.Keys = two.Keys
	all := calls(s.a, mixed, Full(now))
	for _, name := range []string{"RevokeKey", "ChangeKey"} {
		wantKind(t, name+" of another organization's key", all[name](t.Context()), store.NotFound)
	}
	s.wantStored(t, one)
	s.wantStored(t, two)

	s.accept(t, &one, rename(), now)
	one.revokeKey(t, s.a, 0, now)
	one.delete(t, s.a, now)
	s.wantStored(t, two)
	want(t, "Purge", s.a.Purge(t.Context(), one.ID))
	s.wantStored(t, two)
}

func (s suite) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.wantUnreachable(t, ctx)
}

func (s suite) expired(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	s.wantUnreachable(t, ctx)
}

// wantUnreachable makes every call with a context that has ended. Each must return Unreachable and change nothing.
func (s suite) wantUnreachable(t *testing.T, ctx context.Context) {
	t.Helper()
	made, fresh := s.create(t, Full(time.Now())), Full(time.Now())
	s.purgeAfter(t, fresh.ID)
	for name, call := range calls(s.a, made, fresh) {
		err := call(ctx)
		wantKind(t, name+" after the end of the context", err, store.Unreachable)
		if !store.Unavailable(err) {
			t.Errorf("Unavailable(%v) = false, want true", err)
		}
	}
	s.wantStored(t, made)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.Keys[0].ID: {}})
	wantGone(t, s.b, fresh.ID, made.Keys[0].Hash)
	if n, err := s.b.Count(t.Context(), made.ID, organization.Metadata, window(), 1); n != 1 || err != nil {
		t.Errorf("Count after the cancelled ones = %d, %v, want 1", n, err)
	}
}
