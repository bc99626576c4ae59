package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// span returns the start of the current span.
func span() time.Time { return time.Now().UTC().Truncate(store.UseSpan) }

// wantUses checks what KeyUses returns.
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
	made.addKey(t, s.a, newKey(made.ID, now))
	first, second := made.Keys[0].ID, made.Keys[1].ID
	wantUses(t, s.b, made.ID, map[string]time.Time{first: {}, second: {}})

	inSpan := now.Add(59*time.Minute + 59*time.Second + 999).In(time.FixedZone("east", 5*3600+1800))
	want(t, "NoteUse", s.a.NoteUse(t.Context(), made.ID, first, inSpan))
	wantUses(t, s.b, made.ID, map[string]time.Time{first: now, second: {}})
	want(t, "NoteUse", s.b.NoteUse(t.Context(), made.ID, second, now.Add(-48*time.Hour)))
	wantUses(t, s.a, made.ID, map[string]time.Time{first: now, second: now.Add(-48 * time.Hour)})
	wantUses(t, s.a, other.ID, map[string]time.Time{other.Keys[0].ID: {}})
	wantOrganization(t, s.b, made) // uses do not change the record
}

// keyUsesForward notes uses out of the order of their times, as several processes may do.
func (s suite) keyUsesForward(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	key, now, latest := made.Keys[0].ID, span(), time.Time{}
	const hour = time.Hour
	for i, after := range []time.Duration{-3 * hour, -5 * hour, 0, -time.Microsecond, time.Minute, hour, 0} {
		at := now.Add(after)
		want(t, "NoteUse", s.handle(i).NoteUse(t.Context(), made.ID, key, at))
		if noted := at.Truncate(store.UseSpan); noted.After(latest) {
			latest = noted
		}
		wantUses(t, s.handle(i+1), made.ID, map[string]time.Time{key: latest})
	}
}

func (s suite) keyUsesRace(t *testing.T) {
	const processes = 12
	made := s.create(t, Bare(time.Now()))
	key, now := made.Keys[0].ID, span()
	together(processes, func(i int) {
		at := now.Add(time.Duration(i*7%processes) * time.Hour)
		if err := s.handle(i).NoteUse(t.Context(), made.ID, key, at); err != nil {
			t.Errorf("NoteUse by %d = %v, want no error", i, err)
		}
	})
	wantUses(t, s.b, made.ID, map[string]time.Time{key: now.Add((processes - 1) * time.Hour)})
}

// keyUsesRestored: an export has no uses, so nothing is known of a restored key. KeyUses must not say that it was never
// used.
func (s suite) keyUsesRestored(t *testing.T) {
	m := s.unstored(t, Bare(time.Now()), 2)
	m.Keys[0].ReplacedBy = "key_0123456789ABC"
	wantRestored(t, s.a, []tenant{m}, true)
	wantExport(t, s.b, m)
	wantUses(t, s.b, m.ID, map[string]time.Time{})
	now := span()
	want(t, "NoteUse", s.a.NoteUse(t.Context(), m.ID, m.Keys[0].ID, now))
	wantUses(t, s.b, m.ID, map[string]time.Time{m.Keys[0].ID: now})
}

// keyUsesPurged: a request may note the use of a key after its organization was purged.
func (s suite) keyUsesPurged(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	key := made.Keys[0]
	want(t, "NoteUse", s.a.NoteUse(t.Context(), made.ID, key.ID, span()))
	want(t, "Purge", s.a.Purge(t.Context(), made.ID))
	wantUses(t, s.b, made.ID, map[string]time.Time{})
	want(t, "NoteUse of a purged organization", s.b.NoteUse(t.Context(), made.ID, key.ID, span()))
	wantGone(t, s.b, made.ID, key.Hash)
	want(t, "Purge again", s.a.Purge(t.Context(), made.ID))
	wantUses(t, s.b, made.ID, map[string]time.Time{})
}

// keyUsesOld notes the use of a key that has no record of uses, as if an older version had issued the key.
func (s suite) keyUsesOld(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	const old = "key_0123456789ABC"
	now := span()
	want(t, "NoteUse of an old key", s.a.NoteUse(t.Context(), made.ID, old, now))
	wantUses(t, s.b, made.ID, map[string]time.Time{made.Keys[0].ID: {}, old: now})
}
