package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// maxPages ends a walk through pages that would never end by itself.
const maxPages = 10_000

// want checks that a call ended as it should: without an error.
func want(t *testing.T, call string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s = %v, want no error", call, err)
	}
}

// wantKind checks that a call ended with an error of the kind.
func wantKind(t *testing.T, call string, err error, kind store.Kind) {
	t.Helper()
	if err == nil || store.KindOf(err) != kind {
		t.Errorf("%s = %v, want an error of the kind %q", call, err, kind)
	}
}

// wantFound checks what a look-up finds.
func wantFound(t *testing.T, e Engine, o organization.Organization, hash apikey.Hash, key *apikey.Record) {
	t.Helper()
	got, err := e.Find(t.Context(), o.ID, hash)
	if err != nil {
		t.Fatalf("Find(%s) = %v, want no error", o.ID, err)
	}
	if diff := cmp.Diff(store.Found{Organization: o, Key: key}, got, Options()); diff != "" {
		t.Errorf("Find(%s) (-want +got):\n%s", o.ID, diff)
	}
}

// wantOrganization checks an organization and all its keys.
func wantOrganization(t *testing.T, e Engine, o organization.Organization, keys ...apikey.Record) {
	t.Helper()
	got, gotKeys, err := e.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatalf("Get(%s) = %v, want no error", o.ID, err)
	}
	if diff := cmp.Diff(o, got, Options()); diff != "" {
		t.Errorf("Get(%s) (-want +got):\n%s", o.ID, diff)
	}
	if diff := cmp.Diff(keys, gotKeys, Options()); diff != "" {
		t.Errorf("Get(%s), keys (-want +got):\n%s", o.ID, diff)
	}
}

// wantGone checks that nothing is left of an organization.
func wantGone(t *testing.T, e Engine, id organization.ID, hash apikey.Hash) {
	t.Helper()
	_, err := e.Find(t.Context(), id, hash)
	wantKind(t, "Find of a missing organization", err, store.NotFound)
	_, _, err = e.Get(t.Context(), id)
	wantKind(t, "Get of a missing organization", err, store.NotFound)
	wantTrail(t, e, id)
}

// wantTrail checks all entries of an organization, the newest first.
func wantTrail(t *testing.T, e Engine, id organization.ID, entries ...store.Entry) {
	t.Helper()
	if diff := cmp.Diff(entries, trail(t, e, id, 50), Options()); diff != "" {
		t.Errorf("Audit(%s) (-want +got):\n%s", id, diff)
	}
}

// trail reads all entries of an organization in pages of the size.
func trail(t *testing.T, e Engine, id organization.ID, limit int) []store.Entry {
	t.Helper()
	var all []store.Entry
	walk(t, func(cursor string) string {
		page, next, err := e.Audit(t.Context(), id, cursor, limit)
		if err != nil {
			t.Fatalf("Audit(%s, %q, %d) = %v, want no error", id, cursor, limit, err)
		}
		if len(page) > limit {
			t.Errorf("Audit(%s, %q, %d) = %d entries, want at most %d", id, cursor, limit, len(page), limit)
		}
		all = append(all, page...)
		return next
	})
	return all
}

// list reads all organizations in pages of the size, and returns for each identifier what came with it, as often as it
// came. After each page it calls between.
func list(t *testing.T, e Engine, limit int, between func(page int)) map[organization.ID][]organization.Organization {
	t.Helper()
	found := make(map[organization.ID][]organization.Organization)
	pages := 0
	walk(t, func(cursor string) string {
		page, next, err := e.List(t.Context(), cursor, limit)
		if err != nil {
			t.Fatalf("List(%q, %d) = %v, want no error", cursor, limit, err)
		}
		if len(page) > limit {
			t.Errorf("List(%q, %d) = %d organizations, want at most %d", cursor, limit, len(page), limit)
		}
		for _, o := range page {
			found[o.ID] = append(found[o.ID], o)
		}
		between(pages)
		pages++
		return next
	})
	return found
}

// walk goes from page to page until there is none.
func walk(t *testing.T, read func(cursor string) (next string)) {
	t.Helper()
	cursor := ""
	for range maxPages {
		if cursor = read(cursor); cursor == "" {
			return
		}
	}
	t.Fatalf("no end after %d pages, the cursor is %q", maxPages, cursor)
}
