package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/store/storetest"
)

func open(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// full returns a deleted organization with two keys and the entries. Every field of all of them is set.
func full(entries int) store.Export {
	now := organization.Timestamp(time.Now())
	e := store.Export{Organization: storetest.Full(now)}
	e.Organization.DeletedAt = &now
	e.Organization.Version = int64(entries)
	for i, p := range []apikey.Permission{apikey.Admin, apikey.Read} {
		at := now.Add(time.Duration(i) * time.Second)
		k := apikey.NewRecord(apikey.New(e.Organization.ID, apikey.Test, apikey.NewSecret()), p, at, &now)
		k.RevokedAt, k.ReplacedBy, k.Label = &at, fmt.Sprintf("key_000000000000%d", i), "laptop 🧪"
		e.Keys = append(e.Keys, k)
	}
	trail := make([]store.Entry, 0, entries)
	after := `"ä🧪"`
	if entries >= long {
		after = `"` + strings.Repeat("<", 2000) + `"`
	}
	for i := range entries {
		trail = append(trail, store.Entry{
			ID: store.NewEntryID(now.Add(time.Duration(i) * time.Second)), Action: store.Updated, Actor: e.Keys[0].ID,
			RequestID: fmt.Sprint("req_", i), ChangeID: fmt.Sprint("#", i), Version: int64(i + 1),
			Changes: []organization.Change{{Field: "organization_name", Before: `"<a>&\u2028"`, After: after}},
		})
	}
	e.Trail = store.Entries(trail...)
	return e
}

// long is a number of entries that do not fit into a worker's memory, because full makes each of them longer.
const long = 600

// storeOf returns a new store with the organizations.
func storeOf(t *testing.T, all ...store.Export) *sqlite.Store {
	t.Helper()
	s := open(t)
	if _, err := s.Restore(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return s
}

// filled returns a store of n organizations.
func filled(t *testing.T, n int) *sqlite.Store {
	t.Helper()
	var all []store.Export
	for i := range n {
		e := full(i % 4)
		if i%3 == 0 {
			e = store.Export{Organization: storetest.Bare(time.Now()), Trail: store.Entries()}
		}
		all = append(all, e)
	}
	return storeOf(t, all...)
}

func write(t *testing.T, s store.Archive) (string, transfer.Summary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs.backup")
	summary, err := transfer.Write(t.Context(), s, path, transfer.Options{From: "here", At: time.Now()})
	if err != nil {
		t.Fatalf("Write = %v, want no error", err)
	}
	return path, summary
}

// openFile opens a backup, which must be sound. It is closed with the test.
func openFile(t *testing.T, path string) *transfer.File {
	t.Helper()
	f, err := transfer.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// wantSame restores the file into a new store, and checks that it has exactly the organizations of the other store.
func wantSame(t *testing.T, path string, from *sqlite.Store, organizations int64) {
	t.Helper()
	to, f := open(t), openFile(t, path)
	got, err := f.Restore(t.Context(), to, 3, nil)
	if diff := cmp.Diff(transfer.Report{Restored: organizations, Identical: organizations}, got); err != nil || diff != "" {
		t.Fatalf("Restore = %v (-want +got):\n%s", err, diff)
	}
	wantIdentical(t, path, from, organizations)
	wantIdentical(t, path, to, organizations)
	all, _, err := to.List(t.Context(), "", 1_000_000)
	if err != nil || int64(len(all)) != organizations {
		t.Errorf("the store has %d organizations, %v, want %d", len(all), err, organizations)
	}
}

// wantIdentical compares the store with the file.
func wantIdentical(t *testing.T, path string, s store.Archive, organizations int64) {
	t.Helper()
	var told atomic.Int64
	got, err := openFile(t, path).Compare(t.Context(), s, 2, func(n int) { told.Add(int64(n)) })
	if diff := cmp.Diff(transfer.Report{Identical: organizations}, got); err != nil || diff != "" {
		t.Errorf("Compare = %v (-want +got):\n%s", err, diff)
	}
	if told.Load() != organizations {
		t.Errorf("Compare told of %d organizations, want %d", told.Load(), organizations)
	}
}

// wantFiles checks which files there are in the folder of the path.
func wantFiles(t *testing.T, path string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("the folder of the backup has (-want +got):\n%s", diff)
	}
}

// TestBackup has more organizations than come in one page.
func TestBackup(t *testing.T) {
	t.Parallel()
	const organizations = 500
	s := filled(t, organizations)
	path, summary := write(t, s)
	if summary.Organizations != organizations || summary.Entries == 0 || len(summary.SHA256) != 64 {
		t.Errorf("Write = %+v, want %d organizations with entries and a SHA-256", summary, organizations)
	}
	if diff := cmp.Diff(summary, openFile(t, path).Summary); diff != "" {
		t.Errorf("Open (-written +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 || info.Size() != summary.Bytes {
		t.Errorf("the file is %v, %v, want %d bytes for its owner alone", info.Mode(), err, summary.Bytes)
	}
	wantFiles(t, path, "orgs.backup")
	wantSame(t, path, s, organizations)
}

func TestBackupOfNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	path, summary := write(t, s)
	if summary.Organizations != 0 {
		t.Errorf("Write of an empty store = %+v, want nothing", summary)
	}
	wantSame(t, path, s, 0)
}

func TestLongTrail(t *testing.T) {
	t.Parallel()
	s := storeOf(t, full(500), full(long), full(long+1), full(0))
	path, summary := write(t, s)
	if summary.Entries != 500+2*long+1 {
		t.Errorf("Write = %+v, want %d entries", summary, 500+2*long+1)
	}
	wantSame(t, path, s, 4)
}

// TestBackupInterrupted ends a backup at random places. Nothing may be left, and the next one is complete.
func TestBackupInterrupted(t *testing.T) {
	t.Parallel()
	const organizations = 450
	s := filled(t, organizations)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	for _, after := range []int64{0, 1, 1 + rand.Int64N(organizations-1), organizations} {
		ctx, cancel := context.WithCancel(t.Context())
		var done atomic.Int64
		o := transfer.Options{Progress: func(n int) {
			if done.Add(int64(n)) >= after {
				cancel()
			}
		}}
		if after == 0 {
			cancel()
		}
		if _, err := transfer.Write(ctx, s, path, o); !errors.Is(err, context.Canceled) {
			t.Errorf("Write, interrupted after %d organizations = %v, want context.Canceled", after, err)
		}
		cancel()
		wantFiles(t, path)
	}
	if _, err := transfer.Write(t.Context(), s, path, transfer.Options{}); err != nil {
		t.Fatalf("Write after interrupts = %v, want no error", err)
	}
	wantSame(t, path, s, organizations)
}

// TestAtOnce begins several backups to one path. One of them gets the name.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	const rounds, writers = 20, 8
	s := filled(t, 3)
	for range rounds {
		path := filepath.Join(t.TempDir(), "orgs.backup")
		summaries, failures := make([]transfer.Summary, writers), make([]error, writers)
		var writing sync.WaitGroup
		for i := range writers {
			writing.Go(func() {
				summaries[i], failures[i] = transfer.Write(t.Context(), s, path, transfer.Options{At: time.Now()})
			})
		}
		writing.Wait()
		var written []transfer.Summary
		for i, err := range failures {
			if err == nil {
				written = append(written, summaries[i])
			} else if !errors.Is(err, transfer.ErrExists) {
				t.Errorf("Write = %v, want ErrExists where another was faster", err)
			}
		}
		if diff := cmp.Diff([]transfer.Summary{openFile(t, path).Summary}, written); diff != "" {
			t.Errorf("the file has (-found +written):\n%s", diff)
		}
		wantFiles(t, path, "orgs.backup")
		if t.Failed() {
			return
		}
	}
}

// meddled is a store that something happens to while a trail is read.
type meddled struct {
	store.Archive
	before func(store.Export) error // called before a trail is read
	after  func(store.Export) error // called after a trail was read to its end; an error becomes that of the trail
}

func (m meddled) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	page, next, err := m.Archive.ExportPage(ctx, cursor, limit)
	for i, e := range page {
		page[i] = m.wrap(e)
	}
	return page, next, err
}

func (m meddled) Export(ctx context.Context, id organization.ID) (store.Export, error) {
	e, err := m.Archive.Export(ctx, id)
	return m.wrap(e), err
}

func (m meddled) wrap(e store.Export) store.Export {
	trail := e.Trail
	e.Trail = func(yield func(store.Entry, error) bool) {
		if err := m.before(e); err != nil {
			yield(store.Entry{}, err)
			return
		}
		for entry, err := range trail {
			if !yield(entry, err) || err != nil {
				return
			}
		}
		if err := m.after(e); err != nil {
			yield(store.Entry{}, err)
		}
	}
	return e
}

func nothing(store.Export) error { return nil }

// purged purges the organization. While the backup reads, SQLite may not get to empty its log in time. Then Purge says
// so, and the organization is gone all the same.
func purged(ctx context.Context, s *sqlite.Store, id organization.ID) error {
	err := s.Purge(ctx, id)
	if store.KindOf(err) == store.Throttled {
		return nil
	}
	return err
}

// TestChanging changes organizations after their records were read and before their trails are read. In DynamoDB this
// shows only at the end of a trail. If the trail is long, a part of it is in the file by then.
func TestChanging(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var all []store.Export
	for _, entries := range []int{3, 3, 3, long, long, long, long} {
		e := full(entries)
		e.Organization.DeletedAt = nil
		all = append(all, e)
	}
	s := storeOf(t, all...)
	conflict := &store.Error{Kind: store.Conflict, Op: "reading a trail"}
	before := func(e store.Export) error {
		switch e.Organization.ID {
		case all[0].Organization.ID: // each time, and no end of it
			return renamed(ctx, s, e)
		case all[1].Organization.ID, all[3].Organization.ID:
			return givenKeys(ctx, s, e)
		case all[2].Organization.ID:
			return purged(ctx, s, e.Organization.ID)
		}
		return nil
	}
	after := func(e store.Export) error {
		switch id := e.Organization.ID; {
		case id == all[4].Organization.ID && len(e.Keys) < 5:
			return errors.Join(conflict, givenKeys(ctx, s, e))
		case id == all[5].Organization.ID:
			return errors.Join(conflict, purged(ctx, s, id))
		}
		return nil
	}
	path, summary := write(t, meddled{s, before, after})
	if summary.Organizations != 5 || summary.Entries < 3*long {
		t.Fatalf("Write = %+v, want five organizations, three with long trails: two were purged", summary)
	}
	to := open(t)
	if got, err := openFile(t, path).Restore(ctx, to, 1, nil); err != nil || got.Restored != 5 {
		t.Fatalf("Restore = %+v, %v, want 5 restored", got, err)
	}
	for _, i := range []int{0, 1, 3, 4, 6} {
		wantConsistent(t, to, all[i].Organization.ID)
	}
}

// TestChangingAlways changes an organization each time that it is read. The backup gives up at last.
func TestChangingAlways(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "orgs.backup")
	after := func(store.Export) error { return &store.Error{Kind: store.Conflict, Op: "reading a trail"} }
	_, err := transfer.Write(t.Context(), meddled{storeOf(t, full(3)), nothing, after}, path, transfer.Options{})
	if err == nil || !strings.Contains(err.Error(), "change all the time") {
		t.Errorf("Write of what changes all the time = %v, want it to say so", err)
	}
	wantFiles(t, path)
}

// wantConsistent checks that the trail ends with the record's version, and has an entry for each key that was issued
// after the two that full gives.
func wantConsistent(t *testing.T, s *sqlite.Store, id organization.ID) {
	t.Helper()
	e, err := s.Export(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	version, issued := int64(0), 0
	for entry, err := range e.Trail {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Action == store.Updated {
			version = entry.Version
		} else {
			issued++
		}
	}
	if version != e.Organization.Version || issued != len(e.Keys)-2 {
		t.Errorf("%s has the version %d and %d keys, and its trail ends with version %d and has %d keys issued",
			id, e.Organization.Version, len(e.Keys), version, issued)
	}
}

// renamed renames the organization as it was read. If somebody else changed it first, that is not an error.
func renamed(ctx context.Context, s *sqlite.Store, e store.Export) error {
	now := time.Now()
	after, changes := e.Organization.Apply(organization.Patch{Name: organization.Set(now.String())}, now)
	err := s.Update(ctx, store.Update{Before: e.Organization, After: after, Audit: store.Entry{
		ID: store.NewEntryID(now), Action: store.Updated, Actor: e.Keys[0].ID, Version: after.Version, Changes: changes,
	}})
	if store.KindOf(err) == store.Conflict {
		return nil
	}
	return err
}

// givenKeys adds a key, unless there are five already.
func givenKeys(ctx context.Context, s *sqlite.Store, e store.Export) error {
	if len(e.Keys) == 5 {
		return nil
	}
	now := time.Now()
	key := apikey.NewRecord(apikey.New(e.Organization.ID, apikey.Live, apikey.NewSecret()), apikey.Read, now, nil)
	return s.AddKey(ctx, e.Organization.ID, key, store.Entry{
		ID: store.NewEntryID(now), Action: store.KeyIssued, Actor: store.OperatorActor,
	})
}

// TestBreaksOff reads part of a trail, into memory and straight into the file.
func TestBreaksOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("the trail breaks off")
	for _, entries := range []int{2, long} {
		path := filepath.Join(t.TempDir(), "orgs.backup")
		after := func(store.Export) error { return broken }
		_, err := transfer.Write(t.Context(), meddled{storeOf(t, full(entries)), nothing, after}, path, transfer.Options{})
		if !errors.Is(err, broken) {
			t.Errorf("Write of a trail that breaks off after %d entries = %v, want its error", entries, err)
		}
		wantFiles(t, path)
	}
}

// TestNotBackedUp backs up data that a restore would refuse, or that the file would lose. The backup must fail.
func TestNotBackedUp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*store.Export){
		"a key of an unknown permission": func(e *store.Export) { e.Keys[1].Permission = apikey.None },
		"no name":                        func(e *store.Export) { e.Organization.Name = "" },
		"a name that is not UTF-8":       func(e *store.Export) { e.Organization.Name = "a\xff" },
		"a URL that is not UTF-8":        func(e *store.Export) { e.Organization.LogoURL = new("a\xff") },
		"metadata that are a list":       func(e *store.Export) { e.Organization.Metadata = "[1]" },
		"a line beyond the bound": func(e *store.Export) {
			e.Organization.Users = new(`[{"a":"` + strings.Repeat("a", 4<<20) + `"}]`)
		},
		"a change without JSON": func(e *store.Export) {
			e.Trail = store.Entries(store.Entry{ID: store.NewEntryID(time.Now()), Changes: []organization.Change{{After: "a"}}})
		},
	} {
		e := full(1)
		change(&e)
		path := filepath.Join(t.TempDir(), "orgs.backup")
		_, err := transfer.Write(t.Context(), storeOf(t, full(1), e), path, transfer.Options{})
		if err == nil || !strings.Contains(err.Error(), string(e.Organization.ID)) || !strings.Contains(err.Error(), "cannot be backed up") {
			t.Errorf("Write of an organization with %s = %v, want it refused by name", name, err)
		}
		wantFiles(t, path)
	}
}
