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

// unstored returns a tenant that is not in the store, with updates in its trail, and purges it when the test ends.
func (s suite) unstored(t *testing.T, o organization.Organization, updates int) tenant {
	t.Helper()
	s.purgeAfter(t, o.ID)
	m := tenant{Organization: o, Keys: []apikey.Record{newKey(o.ID, o.CreatedAt)}}
	for i := range updates {
		e := entry(store.Updated, o.CreatedAt.Add(time.Duration(i)*time.Second), o.Version)
		e.Changes = []organization.Change{{Field: "organization_name", Before: fmt.Sprint(i), After: fmt.Sprint(i + 1)}}
		m.Trail = append(m.Trail, e)
	}
	return m
}

func (m tenant) export() store.Export {
	return store.Export{Organization: m.Organization, Keys: m.Keys, Trail: store.Entries(m.Trail...)}
}

// exported returns the tenant in an export. Its trail must end without an error.
func exported(t *testing.T, e store.Export) tenant {
	t.Helper()
	trail, err := readTrail(e)
	if err != nil {
		t.Fatalf("the trail of %s: %v, want no error", e.Organization.ID, err)
	}
	return tenant{Organization: e.Organization, Keys: e.Keys, Trail: trail}
}

// readTrail returns the entries of an export, and the error with which its trail ends.
func readTrail(e store.Export) (entries []store.Entry, last error) {
	for entry, err := range e.Trail {
		if last = err; err == nil {
			entries = append(entries, entry)
		}
	}
	return entries, last
}

func wantExport(t *testing.T, e Engine, m tenant) {
	t.Helper()
	got, err := e.Export(t.Context(), m.ID)
	want(t, "Export", err)
	if diff := cmp.Diff(m, exported(t, got), Options()); diff != "" {
		t.Errorf("Export(%s) (-want +got):\n%s", m.ID, diff)
	}
}

// wantRestored restores the tenants, and checks which of them Restore creates.
func wantRestored(t *testing.T, e Engine, all []tenant, created ...bool) {
	t.Helper()
	var exports []store.Export
	for _, m := range all {
		exports = append(exports, m.export())
	}
	got, err := e.Restore(t.Context(), exports)
	if err != nil || !slices.Equal(got, created) {
		t.Fatalf("Restore = %v, %v, want %v", got, err, created)
	}
}

// wantMatches checks whether the store has a tenant exactly like m.
func wantMatches(t *testing.T, e Engine, m tenant, matches bool) {
	t.Helper()
	got, err := store.Matches(t.Context(), e, m.export())
	if err != nil || got != matches {
		t.Errorf("Matches(%s) = %v, %v, want %v", m.ID, got, err, matches)
	}
}

func (s suite) exportPages(t *testing.T) {
	now := organization.Timestamp(time.Now())
	own := make(map[organization.ID]tenant)
	for i := range 9 {
		made := s.create(t, Bare(now))
		for range i % 3 {
			made.addKey(t, s.a, newKey(made.ID, now.Add(time.Duration(len(made.Keys))*time.Second)))
		}
		own[made.ID] = made
	}
	for _, limit := range []int{2, 7, 1000} {
		found := make(map[organization.ID][]tenant)
		eachPage(t, limit, func(cursor string) ([]store.Export, string, error) {
			return s.b.ExportPage(t.Context(), cursor, limit)
		}, func(page []store.Export) {
			for _, e := range page {
				if id := e.Organization.ID; own[id].Keys != nil { // other checks change their organizations
					found[id] = append(found[id], exported(t, e))
				}
			}
		})
		for id, m := range own {
			if diff := cmp.Diff([]tenant{m}, found[id], Options()); diff != "" {
				t.Errorf("ExportPage in pages of %d, every export of %s (-want +got):\n%s", limit, id, diff)
			}
		}
	}
}

func (s suite) exportWhole(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	for range 12 { // together more than a megabyte
		p := organization.Patch{Name: rename().Name, Metadata: organization.Set(largest())}
		if made.Metadata == largest() {
			p.Metadata = organization.Set(organization.Object(`{}`))
		}
		made.update(t, s.a, p, time.Now())
	}
	at := made.UpdatedAt.Add(time.Second)
	made.revokeKey(t, s.a, 0, at)
	made.delete(t, s.a, at.Add(time.Second))
	wantExport(t, s.b, made)
}

// exportChanged changes the organization after its record was read, and before its trail is read.
func (s suite) exportChanged(t *testing.T) {
	for _, test := range []struct {
		call string
		kind store.Kind // of the error of the trail; Unknown: none
	}{
		{"Update", store.Unknown}, {"StoreRevision", store.Unknown}, {"AddKey", store.Conflict}, {"RevokeKey", store.Conflict}, {"Delete", store.Conflict},
		{"Purge", store.Conflict},
	} {
		made := s.create(t, Bare(time.Now().Add(-time.Hour)))
		e, err := s.b.Export(t.Context(), made.ID)
		want(t, "Export", err)
		want(t, test.call, calls(s.a, made, Bare(time.Now()))[test.call](t.Context()))
		entries, err := readTrail(e)
		if test.kind != store.Unknown {
			wantKind(t, "the trail after "+test.call, err, test.kind)
			continue
		}
		want(t, "the trail after "+test.call, err)
		if diff := cmp.Diff(made.Trail, entries, Options()); diff != "" {
			t.Errorf("the trail after %s (-want +got):\n%s", test.call, diff)
		}
	}
}

func (s suite) restoreExactly(t *testing.T) {
	now := time.Now()
	deleted := s.unstored(t, Full(now), 3)
	deleted.DeletedAt = new(organization.Timestamp(now))
	many := s.unstored(t, Bare(now), 60)
	for i := range apikey.MaxPerOrganization - 1 {
		key := newKey(many.ID, now.Add(time.Duration(i+1)*time.Second))
		key.ReplacedBy = "key_0123456789ABC"
		key.ExpiresAt, key.Permission, key.Mode = new(organization.Timestamp(now)), apikey.Read, apikey.Test
		many.Keys = append(many.Keys, key)
	}
	bare := s.unstored(t, Bare(now), 0)
	bare.Keys = nil
	plain := s.unstored(t, Full(now), 1)
	all := []tenant{deleted, many, bare, plain}
	for name, text := range hostileTexts() {
		m := s.unstored(t, Full(now), 1)
		m.Name, m.Trail[0].RequestID = text, name
		m.Trail[0].Changes[0].After = text
		all = append(all, m)
	}
	for _, object := range hostileObjects() {
		m := s.unstored(t, Full(now), 0)
		m.Metadata = object
		all = append(all, m)
	}
	wantRestored(t, s.a, all, slices.Repeat([]bool{true}, len(all))...)
	for _, m := range all {
		wantExport(t, s.b, m)
	}
	wantUses(t, s.b, many.ID, map[string]time.Time{})
	// The organizations work as before.
	wantFound(t, s.b, many.Organization, many.Keys[7].Hash, &many.Keys[7])
	plain.update(t, s.b, rename(), now)
}

func (s suite) restoreAgain(t *testing.T) {
	now := time.Now()
	first, second, third := s.unstored(t, Full(now), 2), s.unstored(t, Full(now), 2), s.unstored(t, Full(now), 2)
	wantRestored(t, s.a, []tenant{first, second, first}, true, true, false)
	wantMatches(t, s.b, first, true)
	wantMatches(t, s.b, second, true)

	// Each of these differs from first in one thing.
	name, key, lost, mark, actor := first, first, first, first, first
	name.Name += "."
	key.Keys = slices.Clone(first.Keys)
	key.Keys[0].Permission = apikey.Read
	lost.Trail = first.Trail[:1]
	mark.DeletedAt = new(organization.Timestamp(now))
	actor.Trail = slices.Clone(first.Trail)
	actor.Trail[1].Actor = "key_other"
	for _, m := range []tenant{name, key, lost, mark, actor} {
		wantMatches(t, s.a, m, false)
	}
	all := []tenant{name, third, key, lost, second, mark, actor}
	wantRestored(t, s.b, all, false, true, false, false, false, false, false)
	for _, m := range []tenant{first, second, third} {
		wantMatches(t, s.a, m, true)
		wantExport(t, s.a, m)
	}

	backup := second
	second.update(t, s.a, rename(), now)
	wantRestored(t, s.a, []tenant{backup}, false)
	wantMatches(t, s.a, backup, false)
	wantExport(t, s.b, second)
	_, err := store.Matches(t.Context(), s.a, newTenant(Bare(now)).export())
	wantKind(t, "Matches of a missing organization", err, store.NotFound)
}

// breaking returns a trail that ends with an error after n entries.
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
	m := s.unstored(t, Full(time.Now()), 70)
	torn := m.export()
	torn.Trail = breaking(torn.Trail, 55)
	if _, err := s.a.Restore(t.Context(), []store.Export{torn}); err == nil {
		t.Fatal("Restore of a torn trail = nil, want its error")
	}
	_, err := s.b.Find(t.Context(), m.ID, m.Keys[0].Hash)
	wantKind(t, "Find of an organization that is half restored", err, store.NotFound)
	wantRestored(t, s.b, []tenant{m}, true)
	wantExport(t, s.a, m)
}

// restoreRace lets several processes restore the same organizations. For each organization one of them creates it.
func (s suite) restoreRace(t *testing.T) {
	const racers, organizations = 4, 10
	var all []tenant
	var exports []store.Export
	for range organizations {
		m := s.unstored(t, Full(time.Now()), 3)
		all, exports = append(all, m), append(exports, m.export())
	}
	created := make([][]bool, racers)
	together(racers, func(i int) {
		var err error
		if created[i], err = s.handle(i).Restore(t.Context(), exports); err != nil {
			t.Errorf("Restore by %d = %v, want no error", i, err)
		}
	})
	for i, m := range all {
		n := 0
		for _, mine := range created {
			if mine != nil && mine[i] {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was created %d times, want once", m.ID, n)
		}
		wantMatches(t, s.a, m, true)
	}
}

// restoreLarge restores more records, and more bytes, than some engines can write in one call.
func (s suite) restoreLarge(t *testing.T) {
	count, large := 130, 60 // more than DynamoDB takes in one request, by number and by bytes
	if testing.Short() {
		count, large = 30, 10
	}
	var all []tenant
	for i := range count {
		m := s.unstored(t, Bare(time.Now()), i%3)
		if i < large {
			m.Metadata = largest()
		}
		all = append(all, m)
	}
	wantRestored(t, s.a, all, slices.Repeat([]bool{true}, len(all))...)
	for _, i := range []int{0, large - 1, large, count - 1} {
		wantExport(t, s.b, all[i])
	}
	wantRestored(t, s.b, all, make([]bool, len(all))...)
}
