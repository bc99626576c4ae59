package storetest

import (
	"context"
	"testing"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// tenants checks that what is done to one organization is neither seen in nor done to another.
func (s suite) tenants(t *testing.T) {
	now := organization.Timestamp(time.Now())
	one, two := s.create(t, Full(now)), s.create(t, Full(now))

	wantFound(t, s.a, one.Organization, two.key.Hash, nil)
	wantFound(t, s.b, two.Organization, one.key.Hash, nil)
	err := s.a.RevokeKey(t.Context(), one.ID, two.key.ID, now, entry(store.KeyRevoked, now, one.Version))
	wantKind(t, "RevokeKey of another organization's key", err, store.NotFound)
	err = s.b.ChangeKey(t.Context(), one.ID, rotation(two.key, newKey(one.ID, now), now), entry(store.KeyRotated, now, one.Version))
	wantKind(t, "ChangeKey of another organization's key", err, store.NotFound)
	s.wantStored(t, one)
	s.wantStored(t, two)

	s.accept(t, one, one.Organization, rename(), now)
	want(t, "RevokeKey", s.a.RevokeKey(t.Context(), one.ID, one.key.ID, now, entry(store.KeyRevoked, now, one.Version)))
	want(t, "Delete", s.a.Delete(t.Context(), one.ID, now, entry(store.Deleted, now, one.Version)))
	s.wantStored(t, two)

	want(t, "Purge", s.a.Purge(t.Context(), one.ID))
	s.wantStored(t, two)
}

// calls returns every call of an engine: the one that creates fresh, and the others on the tenant.
func calls(e Engine, made tenant, fresh organization.Organization) map[string]func(context.Context) error {
	now := time.Now()
	version := made.Version
	return map[string]func(context.Context) error{
		"Create": func(ctx context.Context) error {
			return e.Create(ctx, fresh, newKey(fresh.ID, now), entry(store.Created, now, 0))
		},
		"Find":   func(ctx context.Context) error { _, err := e.Find(ctx, made.ID, made.key.Hash); return err },
		"Get":    func(ctx context.Context) error { _, _, err := e.Get(ctx, made.ID); return err },
		"List":   func(ctx context.Context) error { _, _, err := e.List(ctx, "", 10); return err },
		"Audit":  func(ctx context.Context) error { _, _, err := e.Audit(ctx, made.ID, "", 10); return err },
		"Update": func(ctx context.Context) error { return e.Update(ctx, update(made.Organization, rename(), "", now)) },
		"Delete": func(ctx context.Context) error {
			return e.Delete(ctx, made.ID, now, entry(store.Deleted, now, version))
		},
		"Undelete": func(ctx context.Context) error {
			return e.Undelete(ctx, made.ID, entry(store.Undeleted, now, version))
		},
		"Purge":      func(ctx context.Context) error { return e.Purge(ctx, made.ID) },
		"ExportPage": func(ctx context.Context) error { _, _, err := e.ExportPage(ctx, "", 10); return err },
		"Export":     func(ctx context.Context) error { _, err := e.Export(ctx, made.ID); return err },
		"Restore": func(ctx context.Context) error {
			_, err := e.Restore(ctx, []store.Export{{Organization: fresh, Trail: store.Entries()}})
			return err
		},
		"AddKey": func(ctx context.Context) error {
			return e.AddKey(ctx, made.ID, newKey(made.ID, now), entry(store.KeyIssued, now, version))
		},
		"RevokeKey": func(ctx context.Context) error {
			return e.RevokeKey(ctx, made.ID, made.key.ID, now, entry(store.KeyRevoked, now, version))
		},
		"ChangeKey": func(ctx context.Context) error {
			return e.ChangeKey(ctx, made.ID, rotation(made.key, newKey(made.ID, now), now), entry(store.KeyRotated, now, version))
		},
		"NoteUse": func(ctx context.Context) error { return e.NoteUse(ctx, made.ID, made.key.ID, now) },
		"KeyUses": func(ctx context.Context) error { _, err := e.KeyUses(ctx, made.ID); return err },
		"Count": func(ctx context.Context) error {
			_, err := e.Count(ctx, made.ID, organization.Metadata, window())
			return err
		},
	}
}

// wantUnreachable makes every call with a context that is over, and checks that each says so and changes nothing.
func (s suite) wantUnreachable(t *testing.T, ctx context.Context) {
	t.Helper()
	made, fresh := s.create(t, Full(time.Now())), Full(time.Now())
	s.purgeAfter(t, fresh.ID)
	for name, call := range calls(s.a, made, fresh) {
		err := call(ctx)
		wantKind(t, name+" with a context that is over", err, store.Unreachable)
		if !store.Unavailable(err) {
			t.Errorf("Unavailable(%v) = false, want true", err)
		}
	}
	s.wantStored(t, made)
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: {}})
	wantGone(t, s.b, fresh.ID, made.key.Hash)
	if n, err := s.b.Count(t.Context(), made.ID, organization.Metadata, window()); n != 1 || err != nil {
		t.Errorf("Count after one that was cancelled = %d, %v, want 1", n, err)
	}
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
