package storetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// whole is a export with its trail read.
type whole struct {
	Organization organization.Organization
	Keys         []apikey.Record
	Trail        []store.Entry
}

func (w whole) export() store.Export {
	return store.Export{Organization: w.Organization, Keys: w.Keys, Trail: store.Entries(w.Trail...)}
}

// read reads the trail, which must not fail.
func read(t *testing.T, d store.Export) whole {
	t.Helper()
	w := whole{Organization: d.Organization, Keys: d.Keys}
	for e, err := range d.Trail {
		if err != nil {
			t.Fatalf("the trail of %s: %v, want no error", d.Organization.ID, err)
		}
		w.Trail = append(w.Trail, e)
	}
	return w
}

// made returns a export that was in no store yet.
func (s suite) made(t *testing.T, o organization.Organization, entries int) whole {
	t.Helper()
	s.purgeAfter(t, o.ID)
	w := whole{Organization: o, Keys: []apikey.Record{newKey(o.ID, o.CreatedAt)}}
	for i := range entries {
		e := entry(store.Updated, o.CreatedAt.Add(time.Duration(i)*time.Second), o.Version)
		e.Changes = []organization.Change{{Field: "organization_name", Before: fmt.Sprint(i), After: fmt.Sprint(i + 1)}}
		w.Trail = append(w.Trail, e)
	}
	return w
}

func wantWhole(t *testing.T, e Engine, w whole) {
	t.Helper()
	got, err := e.Export(t.Context(), w.Organization.ID)
	want(t, "Export", err)
	if diff := cmp.Diff(w, read(t, got), Options()); diff != "" {
		t.Errorf("Export(%s) (-want +got):\n%s", w.Organization.ID, diff)
	}
}

// wantRestored restores the exports, and checks which it creates.
func wantRestored(t *testing.T, e Engine, all []whole, created ...bool) {
	t.Helper()
	var exports []store.Export
	for _, w := range all {
		exports = append(exports, w.export())
	}
	got, err := e.Restore(t.Context(), exports)
	if err != nil || !slices.Equal(got, created) {
		t.Fatalf("Restore = %v, %v, want %v", got, err, created)
	}
}

// wantMatches checks what Matches says of a export that is stored, or of another of its identifier.
func wantMatches(t *testing.T, e Engine, w whole, matches bool) {
	t.Helper()
	got, err := store.Matches(t.Context(), e, w.export())
	if err != nil || got != matches {
		t.Errorf("Matches(%s) = %v, %v, want %v", w.Organization.ID, got, err, matches)
	}
}

func (s suite) exportsOnce(t *testing.T) {
	now := organization.Timestamp(time.Now())
	own := make(map[organization.ID]whole)
	for i := range 9 {
		made := s.create(t, Bare(now))
		w := whole{made.Organization, []apikey.Record{made.key}, []store.Entry{made.created}}
		for range i % 3 {
			key := newKey(made.ID, now.Add(time.Duration(len(w.Keys))*time.Second))
			issued := entry(store.KeyIssued, key.CreatedAt, 0)
			want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, issued))
			w.Keys, w.Trail = append(w.Keys, key), append(w.Trail, issued)
		}
		own[made.ID] = w
	}
	for _, limit := range []int{2, 7, 1000} {
		found := make(map[organization.ID][]whole)
		walk(t, func(cursor string) string {
			page, next, err := s.b.ExportPage(t.Context(), cursor, limit)
			want(t, "ExportPage", err)
			if len(page) > limit {
				t.Errorf("ExportPage(%q, %d) = %d organizations, want at most %d", cursor, limit, len(page), limit)
			}
			for _, d := range page {
				if id := d.Organization.ID; own[id].Keys != nil { // others are on the move
					found[id] = append(found[id], read(t, d))
				}
			}
			return next
		})
		for id, w := range own {
			if diff := cmp.Diff([]whole{w}, found[id], Options()); diff != "" {
				t.Errorf("ExportPage in pages of %d, all that comes as %s (-want +got):\n%s", limit, id, diff)
			}
		}
	}
}

func (s suite) exportWhole(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	w := whole{made.Organization, []apikey.Record{made.key}, []store.Entry{made.created}}
	for range 12 { // of over a megabyte together
		p := organization.Patch{Name: rename().Name, Metadata: organization.Set(largest())}
		if w.Organization.Metadata == largest() {
			p.Metadata = organization.Set(organization.Object(`{}`))
		}
		u := update(w.Organization, p, made.key.ID, time.Now())
		want(t, "Update", s.a.Update(t.Context(), u))
		w.Organization, w.Trail = u.After, append(w.Trail, u.Audit)
	}
	at := w.Organization.UpdatedAt.Add(time.Second)
	revoked := entry(store.KeyRevoked, at, w.Organization.Version)
	want(t, "RevokeKey", s.a.RevokeKey(t.Context(), made.ID, made.key.ID, at, revoked))
	w.Keys[0].RevokedAt, w.Trail = &at, append(w.Trail, revoked)
	deleted := entry(store.Deleted, at.Add(time.Second), w.Organization.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, at, deleted))
	w.Organization.DeletedAt, w.Trail = &at, append(w.Trail, deleted)
	wantWhole(t, s.b, w)
}

// exportOfOneMoment changes the organization between the reading of its record and that of its trail.
func (s suite) exportOfOneMoment(t *testing.T) {
	now := time.Now()
	s.wantTrailAfter(t, "updated", store.Unknown, func(m tenant) error {
		return s.a.Update(t.Context(), update(m.Organization, rename(), m.key.ID, now))
	})
	s.wantTrailAfter(t, "given a key", store.Conflict, func(m tenant) error {
		return s.a.AddKey(t.Context(), m.ID, newKey(m.ID, now), entry(store.KeyIssued, now, 0))
	})
	s.wantTrailAfter(t, "deprived of a key", store.Conflict, func(m tenant) error {
		return s.a.RevokeKey(t.Context(), m.ID, m.key.ID, now, entry(store.KeyRevoked, now, 0))
	})
	s.wantTrailAfter(t, "deleted", store.Conflict, func(m tenant) error {
		return s.a.Delete(t.Context(), m.ID, now, entry(store.Deleted, now, 0))
	})
	s.wantTrailAfter(t, "purged", store.Conflict, func(m tenant) error { return s.a.Purge(t.Context(), m.ID) })
}

// wantTrailAfter reads a record, changes the organization, and reads the trail: it ends with an error of the kind, or, where
// that is Unknown, with none, and has nothing of the change.
func (s suite) wantTrailAfter(t *testing.T, name string, kind store.Kind, change func(tenant) error) {
	t.Helper()
	made := s.create(t, Bare(time.Now().Add(-time.Hour)))
	d, err := s.b.Export(t.Context(), made.ID)
	want(t, "Export", err)
	want(t, "what makes it "+name, change(made))
	var entries []store.Entry
	var last error
	for e, err := range d.Trail {
		if last = err; err == nil {
			entries = append(entries, e)
		}
	}
	if kind != store.Unknown {
		wantKind(t, "the trail of what was "+name+" meanwhile", last, kind)
		return
	}
	want(t, "the trail", last)
	if diff := cmp.Diff([]store.Entry{made.created}, entries, Options()); diff != "" {
		t.Errorf("the trail of what was %s meanwhile (-want +got):\n%s", name, diff)
	}
}

func (s suite) exportNothing(t *testing.T) {
	_, err := s.a.Export(t.Context(), organization.NewID())
	wantKind(t, "Export of a missing organization", err, store.NotFound)
}

func (s suite) restoreExactly(t *testing.T) {
	now := time.Now()
	deleted := s.made(t, Full(now), 3)
	deleted.Organization.DeletedAt = new(organization.Timestamp(now))
	many := s.made(t, Bare(now), 60)
	for i := range apikey.MaxPerOrganization - 1 {
		key := newKey(many.Organization.ID, now.Add(time.Duration(i+1)*time.Second))
		key.ReplacedBy = "key_0123456789ABC"
		key.ExpiresAt, key.Permission, key.Mode = new(organization.Timestamp(now)), apikey.Read, apikey.Test
		many.Keys = append(many.Keys, key)
	}
	bare := s.made(t, Bare(now), 0)
	bare.Keys = nil
	all := []whole{deleted, many, bare, s.made(t, Full(now), 1)}
	for name, text := range hostileTexts() {
		w := s.made(t, Full(now), 1)
		w.Organization.Name, w.Trail[0].RequestID = text, name
		w.Trail[0].Changes[0].After = text
		all = append(all, w)
	}
	for _, object := range hostileObjects() {
		w := s.made(t, Full(now), 0)
		w.Organization.Metadata = object
		all = append(all, w)
	}
	wantRestored(t, s.a, all, slices.Repeat([]bool{true}, len(all))...)
	for _, w := range all {
		wantWhole(t, s.b, w)
	}
	uses, err := s.b.KeyUses(t.Context(), many.Organization.ID)
	if want(t, "KeyUses", err); len(uses) != 0 {
		t.Errorf("KeyUses of restored keys = %v, want nothing: nobody knows when they were used", uses)
	}
	// The organization works as it did.
	wantFound(t, s.b, many.Organization, many.Keys[7].Hash, &many.Keys[7])
	u := update(all[3].Organization, rename(), "key_1", now)
	want(t, "Update", s.b.Update(t.Context(), u))
}

func (s suite) restoreAgain(t *testing.T) {
	now := time.Now()
	first, second, third := s.made(t, Full(now), 2), s.made(t, Full(now), 2), s.made(t, Full(now), 2)
	wantRestored(t, s.a, []whole{first, second, first}, true, true, false)
	for _, w := range []whole{first, second} {
		wantMatches(t, s.b, w, true)
	}

	// Each of these differs from what is stored in one thing.
	name, key, lost, mark, actor := first, first, first, first, first
	name.Organization.Name += "."
	key.Keys = []apikey.Record{first.Keys[0]}
	key.Keys[0].Permission = apikey.Read
	lost.Trail = first.Trail[:1]
	mark.Organization.DeletedAt = new(organization.Timestamp(now))
	actor.Trail = slices.Clone(first.Trail)
	actor.Trail[1].Actor = "key_other"
	others := []whole{name, third, key, lost, second, mark, actor}
	wantRestored(t, s.b, others, false, true, false, false, false, false, false)
	for i, matches := range []bool{false, true, false, false, true, false, false} {
		wantMatches(t, s.a, others[i], matches)
	}
	for _, w := range []whole{first, second, third} {
		wantWhole(t, s.a, w)
	}

	u := update(second.Organization, rename(), "key_1", now)
	want(t, "Update", s.a.Update(t.Context(), u))
	wantRestored(t, s.a, []whole{second}, false)
	wantMatches(t, s.a, second, false)
	second.Organization, second.Trail = u.After, append(second.Trail, u.Audit)
	wantWhole(t, s.b, second)
	_, err := store.Matches(t.Context(), s.a, store.Export{Organization: Bare(now), Trail: store.Entries()})
	wantKind(t, "Matches of what is not there", err, store.NotFound)
}

// breaking returns a trail that fails after n entries.
func breaking(trail iter.Seq2[store.Entry, error], n int) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		i := 0
		for e, err := range trail {
			if i == n {
				yield(store.Entry{}, errors.New("the trail is torn"))
				return
			}
			i++
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s suite) restoreInterrupted(t *testing.T) {
	w := s.made(t, Full(time.Now()), 70)
	torn := w.export()
	torn.Trail = breaking(torn.Trail, 55)
	if _, err := s.a.Restore(t.Context(), []store.Export{torn}); err == nil {
		t.Fatal("Restore of a torn trail = nil, want its error")
	}
	_, err := s.b.Find(t.Context(), w.Organization.ID, w.Keys[0].Hash)
	wantKind(t, "Find of what is half restored", err, store.NotFound)
	wantRestored(t, s.b, []whole{w}, true)
	wantWhole(t, s.a, w)
}

// restoreRace has several processes restore the same: one of them does it, and the others find it done.
func (s suite) restoreRace(t *testing.T) {
	const racers, organizations = 4, 10
	var exports []store.Export
	for range organizations {
		exports = append(exports, s.made(t, Full(time.Now()), 3).export())
	}
	created := make([][]bool, racers)
	together(racers, func(i int) {
		var err error
		if created[i], err = s.handle(i).Restore(t.Context(), exports); err != nil {
			t.Errorf("Restore by %d = %v, want no error", i, err)
		}
	})
	for i, d := range exports {
		n := 0
		for _, mine := range created {
			if mine != nil && mine[i] {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was created %d times, want once", d.Organization.ID, n)
		}
		if same, err := store.Matches(t.Context(), s.a, d); err != nil || !same {
			t.Errorf("Matches(%s) = %v, %v, want true", d.Organization.ID, same, err)
		}
	}
}

// restoreLarge has more records, and more bytes of them, than some engines write at one go.
func (s suite) restoreLarge(t *testing.T) {
	var all []whole
	for i := range 130 {
		w := s.made(t, Bare(time.Now()), i%3)
		if i < 60 {
			w.Organization.Metadata = largest()
		}
		all = append(all, w)
	}
	wantRestored(t, s.a, all, slices.Repeat([]bool{true}, len(all))...)
	for _, i := range []int{0, 45, 59, 99, 100, 129} {
		wantWhole(t, s.b, all[i])
	}
	wantRestored(t, s.b, all, make([]bool, len(all))...)
}
