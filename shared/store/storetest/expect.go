package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// want checks that a call returned no error. It ends the test otherwise.
func want(t *testing.T, call string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s = %v, want no error", call, err)
	}
}

// wantKind checks that a call returned an error of the kind.
func wantKind(t *testing.T, call string, err error, kind store.Kind) {
	t.Helper()
	if err == nil || store.KindOf(err) != kind {
		t.Errorf("%s = %v, want an error of the kind %q", call, err, kind)
	}
}

// wantFound checks what Find returns. key is nil if the organization has no key with the hash.
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

// wantGone checks that the store has nothing of an organization.
func wantGone(t *testing.T, e Engine, id organization.ID, hash apikey.Hash) {
	t.Helper()
	_, err := e.Find(t.Context(), id, hash)
	wantKind(t, "Find of a missing organization", err, store.NotFound)
	_, _, err = e.Get(t.Context(), id)
	wantKind(t, "Get of a missing organization", err, store.NotFound)
	wantTrail(t, e, id, nil)
}

// audit reads all entries of an organization in pages of at most limit entries.
func audit(t *testing.T, e Engine, id organization.ID, limit int) []store.Entry {
	t.Helper()
	var entries []store.Entry
	eachPage(t, limit, func(cursor string) ([]store.Entry, string, error) {
		return e.Audit(t.Context(), id, cursor, limit)
	}, func(page []store.Entry) { entries = append(entries, page...) })
	return entries
}

// eachPage reads pages from the first to the last, and calls do with each of them.
func eachPage[T any](t *testing.T, limit int, read func(cursor string) ([]T, string, error), do func(page []T)) {
	t.Helper()
	const most = 10_000 // an engine with a bug may never return the last page
	cursor := ""
	for range most {
		page, next, err := read(cursor)
		if err != nil {
			t.Fatalf("the page at %q = %v, want no error", cursor, err)
		}
		if len(page) > limit {
			t.Errorf("the page at %q has %d items, want at most %d", cursor, len(page), limit)
		}
		do(page)
		if cursor = next; cursor == "" {
			return
		}
	}
	t.Fatalf("no end after %d pages, the cursor is %q", most, cursor)
}
