package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/backup"
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

// full returns an organization with entries, of which nothing is left unset that can be set.
func full(entries int) store.Export {
	now := organization.Timestamp(time.Now())
	d := store.Export{Organization: storetest.Full(now)}
	d.Organization.DeletedAt = &now
	d.Organization.Version = int64(entries)
	for i, p := range []apikey.Permission{apikey.Admin, apikey.Read} {
		at := now.Add(time.Duration(i) * time.Second)
		k := apikey.NewRecord(apikey.New(d.Organization.ID, apikey.Test), p, at, &now)
		k.RevokedAt, k.ReplacedBy = &at, fmt.Sprintf("key_000000000000%d", i)
		d.Keys = append(d.Keys, k)
	}
	trail := make([]store.Entry, 0, entries)
	for i := range entries {
		trail = append(trail, store.Entry{
			ID: store.NewEntryID(now.Add(time.Duration(i) * time.Second)), Action: store.Updated, Actor: d.Keys[0].ID,
			RequestID: fmt.Sprint("req_", i), Version: int64(i + 1),
			Changes: []organization.Change{{Field: "organization_name", Before: `"<a>&\u2028"`, After: `"ä🧪"`}},
		})
	}
	d.Trail = store.Entries(trail...)
	return d
}

// filled returns a store of n organizations.
func filled(t *testing.T, n int) *sqlite.Store {
	t.Helper()
	s := open(t)
	var all []store.Export
	for i := range n {
		d := full(i % 4)
		if i%3 == 0 {
			d = store.Export{Organization: storetest.Bare(time.Now()), Trail: store.Entries()}
		}
		all = append(all, d)
	}
	if _, err := s.Restore(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return s
}

func options() backup.Options { return backup.Options{From: "here", Now: time.Now, Page: 64} }

func write(t *testing.T, s backup.Source) (string, backup.Summary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orgs.backup")
	summary, err := backup.Write(t.Context(), s, path, options())
	if err != nil {
		t.Fatalf("Write = %v, want no error", err)
	}
	return path, summary
}

// wantSame restores the file into a new store, and wants exactly the organizations of the other there.
func wantSame(t *testing.T, path string, from *sqlite.Store, organizations int64) {
	t.Helper()
	to := open(t)
	if got, err := backup.Restore(t.Context(), path, to, 3, nil); err != nil || got != organizations {
		t.Fatalf("Restore = %d, %v, want %d", got, err, organizations)
	}
	wantIdentical(t, path, from, organizations)
	wantIdentical(t, path, to, organizations)
	all, _, err := to.List(t.Context(), "", 1_000_000)
	if err != nil || int64(len(all)) != organizations {
		t.Errorf("the store has %d organizations, %v, want %d", len(all), err, organizations)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := filled(t, 300)
	path, summary := write(t, s)
	if summary.Organizations != 300 || summary.Entries == 0 || len(summary.SHA256) != 64 {
		t.Errorf("Write = %+v, want 300 organizations with entries and a SHA-256", summary)
	}
	again, err := backup.Check(path)
	if diff := cmp.Diff(summary, again); err != nil || diff != "" {
		t.Errorf("Check = %v (-written +got):\n%s", err, diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != summary.Bytes {
		t.Errorf("the file is %v, %v, want %d bytes for its owner alone", info.Mode(), err, summary.Bytes)
	}
	if _, err := os.Stat(backup.Partial(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished file: %v, want it gone", err)
	}
	wantSame(t, path, s, 300)

	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Write(t.Context(), s, path, options()); !errors.Is(err, backup.ErrExists) {
		t.Errorf("Write of what is there = %v, want ErrExists", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file changed, %v", err)
	}
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

// TestLongTrail has a trail of several lines.
func TestLongTrail(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.Restore(t.Context(), []store.Export{full(500), full(501), full(2600), full(0)}); err != nil {
		t.Fatal(err)
	}
	path, summary := write(t, s)
	if summary.Entries != 3601 {
		t.Errorf("Write = %+v, want 3601 entries", summary)
	}
	wantSame(t, path, s, 4)
}

// TestInterrupted ends a backup and a restore at random places, time and again, until they are through.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	const organizations = 700
	s, to := filled(t, organizations), open(t)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	runs, resumed := 0, int64(0)
	for done := false; !done; runs++ {
		ctx, cancel := context.WithCancel(t.Context())
		left := 70 + rand.IntN(200)
		o := options()
		o.Resumed = func(n int64, _ time.Time) { resumed = n }
		o.Added = func(n int) {
			if left -= n; left <= 0 {
				cancel()
			}
		}
		_, err := backup.Write(ctx, s, path, o)
		done = through(t, ctx, err)
		cancel()
	}
	if runs < 3 || resumed < organizations/2 {
		t.Errorf("the backup took %d runs, the last from %d organizations on: it was not interrupted", runs, resumed)
	}

	runs = 0
	for restored := int64(0); restored < organizations; runs++ {
		ctx, cancel := context.WithCancel(t.Context())
		created, err := backup.Restore(ctx, path, to, 1, func(int) {
			if rand.IntN(2) == 0 {
				cancel()
			}
		})
		through(t, ctx, err)
		restored += created
		cancel()
	}
	if runs < 2 {
		t.Error("the restore was never interrupted")
	}
	wantSame(t, path, s, organizations)
	wantIdentical(t, path, to, organizations)
}

// through reports whether there is no error; any but that of an interruption fails the test.
func through(t *testing.T, ctx context.Context, err error) bool {
	t.Helper()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("an interrupted run = %v, want no error but that of the interruption", err)
	}
	return err == nil
}

// wantIdentical compares the store with the file.
func wantIdentical(t *testing.T, path string, s store.Archive, organizations int64) {
	t.Helper()
	got, err := backup.Compare(t.Context(), path, s, 2, nil)
	if diff := cmp.Diff(backup.Report{Identical: organizations}, got); err != nil || diff != "" {
		t.Errorf("Compare = %v (-want +got):\n%s", err, diff)
	}
}

// TestTorn goes on from an unfinished file whose end is torn or damaged.
func TestTorn(t *testing.T) {
	t.Parallel()
	const organizations = 200
	s := filled(t, organizations)
	complete, _ := write(t, s)
	content, err := os.ReadFile(complete)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		path := filepath.Join(t.TempDir(), "orgs.backup")
		const least = 400 // of bytes, so that half of them has the header
		torn := append([]byte{}, content[:least+rand.IntN(len(content)-least)]...)
		switch i {
		case 0:
			torn = nil
		case 1:
			torn = content // complete but for its name
		case 2:
			torn = content[:10]
		}
		if i%2 == 1 && i > 2 { // the disk kept the length, and lost the end
			for j := len(torn) / 2; j < len(torn); j++ {
				torn[j] = 0
			}
		}
		if err := os.WriteFile(backup.Partial(path), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		summary, err := backup.Write(t.Context(), s, path, options())
		if err != nil || summary.Organizations != organizations {
			t.Fatalf("Write, after the first %d of %d bytes = %+v, %v, want %d organizations",
				len(torn), len(content), summary, err, organizations)
		}
		wantIdentical(t, path, s, organizations)
	}
}
