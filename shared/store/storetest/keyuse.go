package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// span returns the start of the span in which uses are noted now.
func span() time.Time { return time.Now().UTC().Truncate(store.UseSpan) }

// wantUses checks when the keys of an organization were used.
func wantUses(t *testing.T, e Engine, id organization.ID, want map[string]time.Time) {
	t.Helper()
	got, err := e.KeyUses(t.Context(), id)
	if err != nil {
		t.Fatalf("KeyUses(%s) = %v, want no error", id, err)
	}
	if got == nil {
		t.Errorf("KeyUses(%s) = nil, want a map", id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("KeyUses(%s) (-want +got):\n%s", id, diff)
	}
}

func (s suite) keyUses(t *testing.T) {
	made, other := s.create(t, Full(time.Now())), s.create(t, Bare(time.Now()))
	now := span()
	key := newKey(made.ID, now)
	want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, entry(store.KeyIssued, now, made.Version)))
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: {}, key.ID: {}})

	zone := time.FixedZone("east", 5*3600+1800)
	want(t, "NoteUse", s.a.NoteUse(t.Context(), made.ID, made.key.ID, now.Add(59*time.Minute+59*time.Second+999).In(zone)))
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: now, key.ID: {}})
	want(t, "NoteUse", s.b.NoteUse(t.Context(), made.ID, key.ID, now.Add(-48*time.Hour)))
	wantUses(t, s.a, made.ID, map[string]time.Time{made.key.ID: now, key.ID: now.Add(-48 * time.Hour)})
	wantUses(t, s.a, other.ID, map[string]time.Time{other.key.ID: {}})
	wantOrganization(t, s.b, made.Organization, made.key, key) // nothing of it is in the record
}

// keyUsesForward notes uses out of order, as several processes do.
func (s suite) keyUsesForward(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	now := span()
	latest := time.Time{}
	for i, after := range []time.Duration{-3 * time.Hour, -5 * time.Hour, 0, -time.Microsecond, time.Minute, time.Hour, 0} {
		at := now.Add(after)
		want(t, "NoteUse", s.handle(i).NoteUse(t.Context(), made.ID, made.key.ID, at))
		if noted := at.Truncate(store.UseSpan); noted.After(latest) {
			latest = noted
		}
		wantUses(t, s.handle(i+1), made.ID, map[string]time.Time{made.key.ID: latest})
	}
}

func (s suite) keyUsesRace(t *testing.T) {
	const processes = 12
	made := s.create(t, Bare(time.Now()))
	now := span()
	together(processes, func(i int) {
		if err := s.handle(i).NoteUse(t.Context(), made.ID, made.key.ID, now.Add(time.Duration(i*7%processes)*time.Hour)); err != nil {
			t.Errorf("NoteUse by %d = %v, want no error", i, err)
		}
	})
	wantUses(t, s.b, made.ID, map[string]time.Time{made.key.ID: now.Add((processes - 1) * time.Hour)})
}

// keyUsesRestored: a backup has no uses, so of restored keys nothing is known; least of all that they were never used.
func (s suite) keyUsesRestored(t *testing.T) {
	w := s.made(t, Bare(time.Now()), 2)
	w.Keys[0].ReplacedBy = "key_0123456789ABC"
	wantRestored(t, s.a, []whole{w}, true)
	wantWhole(t, s.b, w)
	wantUses(t, s.b, w.Organization.ID, map[string]time.Time{})
	now := span()
	want(t, "NoteUse", s.a.NoteUse(t.Context(), w.Organization.ID, w.Keys[0].ID, now))
	wantUses(t, s.b, w.Organization.ID, map[string]time.Time{w.Keys[0].ID: now})
}

// keyUsesGone: a request that was under way when its organization was purged notes its use of a key all the same.
func (s suite) keyUsesGone(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	want(t, "NoteUse", s.a.NoteUse(t.Context(), made.ID, made.key.ID, span()))
	want(t, "Purge", s.a.Purge(t.Context(), made.ID))
	wantUses(t, s.b, made.ID, map[string]time.Time{})
	want(t, "NoteUse of a purged organization", s.b.NoteUse(t.Context(), made.ID, made.key.ID, span()))
	wantGone(t, s.b, made.ID, made.key.Hash)
	want(t, "Purge again", s.a.Purge(t.Context(), made.ID))
	wantUses(t, s.b, made.ID, map[string]time.Time{})

	// Of a key that was issued by a version that noted no uses, nothing is known until it is used.
	old := s.create(t, Bare(time.Now()))
	const unknown = "key_0123456789ABC"
	now := span()
	want(t, "NoteUse of a key without a note", s.a.NoteUse(t.Context(), old.ID, unknown, now))
	wantUses(t, s.b, old.ID, map[string]time.Time{old.key.ID: {}, unknown: now})
}
