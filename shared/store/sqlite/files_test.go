package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

// openLoose opens the database and does not close it, as a test is going to take its files away.
func openLoose(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// everyCall returns calls of the store about the organization, which all succeed.
func everyCall(s *Store, o organization.Organization, key apikey.Record) map[string]func(context.Context) error {
	note := func() store.Entry {
		return store.Entry{ID: store.NewEntryID(time.Now()), Action: store.Updated, Actor: store.OperatorActor}
	}
	trail := func(e store.Export, err error) error {
		if err != nil {
			return err
		}
		for _, err := range e.Trail {
			if err != nil {
				return err
			}
		}
		return nil
	}
	return map[string]func(context.Context) error{
		"Find": func(ctx context.Context) error { _, err := s.Find(ctx, o.ID, key.Hash); return err },
		"Find of a missing organization": func(ctx context.Context) error {
			_, err := s.Find(ctx, organization.NewID(), key.Hash)
			return err
		},
		"Get":        func(ctx context.Context) error { _, _, err := s.Get(ctx, o.ID); return err },
		"List":       func(ctx context.Context) error { _, _, err := s.List(ctx, "", 10); return err },
		"Audit":      func(ctx context.Context) error { _, _, err := s.Audit(ctx, o.ID, "", 10); return err },
		"KeyUses":    func(ctx context.Context) error { _, err := s.KeyUses(ctx, o.ID); return err },
		"Export":     func(ctx context.Context) error { return trail(s.Export(ctx, o.ID)) },
		"ExportPage": func(ctx context.Context) error { _, _, err := s.ExportPage(ctx, "", 10); return err },
		"Create": func(ctx context.Context) error {
			other := storetest.Full(time.Now())
			return s.Create(ctx, other, apikey.NewRecord(apikey.New(other.ID, apikey.Live, apikey.NewSecret()), apikey.Read, time.Now(), nil), note())
		},
		"Update": func(ctx context.Context) error {
			u := renamed(o, "B")
			u.Before.Version-- // a conflict, unless the files are gone: nothing may be said of the version then
			return s.Update(ctx, u)
		},
		"AddKey": func(ctx context.Context) error {
			return s.AddKey(ctx, o.ID, apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Read, time.Now(), nil), note())
		},
		"RevokeKey": func(ctx context.Context) error { return s.RevokeKey(ctx, o.ID, key.ID, time.Now(), note()) },
		"Delete":    func(ctx context.Context) error { return s.Delete(ctx, o.ID, time.Now(), note()) },
		"Undelete":  func(ctx context.Context) error { return s.Undelete(ctx, o.ID, note()) },
		"Restore": func(ctx context.Context) error {
			_, err := s.Restore(ctx, []store.Export{{Organization: storetest.Bare(time.Now()), Trail: store.Entries()}})
			return err
		},
		"Count": func(ctx context.Context) error {
			_, err := s.Count(ctx, o.ID, organization.Metadata, time.Now().Truncate(time.Minute), 1)
			return err
		},
		"KeySecrets":    func(ctx context.Context) error { _, err := s.KeySecrets(ctx); return err },
		"AddKeySecrets": func(ctx context.Context) error { return s.AddKeySecrets(ctx, nil) },
		"NoteUse":       func(ctx context.Context) error { return s.NoteUse(ctx, o.ID, key.ID, time.Now()) },
		"Purge":         func(ctx context.Context) error { return s.Purge(ctx, organization.NewID()) },
	}
}

// TestFilesTakenAway: after a file of an open database was removed or replaced, every call fails. A write could go into
// a file that nobody can open again, and a read could return old data.
func TestFilesTakenAway(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, act := range map[string]func(t *testing.T, path string){
		"file removed":  func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"log removed":   func(t *testing.T, path string) { must(t, os.Remove(path+"-wal")) },
		"index removed": func(t *testing.T, path string) { must(t, os.Remove(path+"-shm")) },
		"all removed": func(t *testing.T, path string) {
			must(t, errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm")))
		},
		"file moved away": func(t *testing.T, path string) { must(t, os.Rename(path, path+".old")) },
		"file replaced": func(t *testing.T, path string) {
			other := filepath.Join(t.TempDir(), "other.db")
			must(t, openLoose(t, other).Close())
			must(t, os.Rename(other, path))
		},
		"file copied over a new one": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			must(t, err)
			must(t, os.Remove(path))
			mustWrite(t, path, string(content))
		},
		"log and index made anew": func(t *testing.T, path string) {
			must(t, errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm")))
			must(t, errors.Join(os.WriteFile(path+"-wal", nil, 0o600), os.WriteFile(path+"-shm", nil, 0o600)))
		},
		"folder moved away": func(t *testing.T, path string) { must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old")) },
		"folder replaced": func(t *testing.T, path string) {
			must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
			must(t, openLoose(t, path).Close())
		},
	} {
		for _, settled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, settled %v", name, settled), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "folder", "organizations.db")
				s := openLoose(t, path)
				o, key := create(t, s)
				if settled {
					settle(t, s, filepath.Dir(path))
				}
				act(t, path)
				for call, do := range everyCall(s, o, key) {
					err := do(t.Context())
					if store.KindOf(err) != store.Unreachable || !errors.Is(err, errReplaced) {
						t.Errorf("%s = %v, want errReplaced, of the kind %q", call, err, store.Unreachable)
					}
				}
				if f := s.examineFile(t.Context()); f.Level != store.Fail {
					t.Errorf("Examine finds %+v, want it to fail", f)
				}
				if err := s.Close(); !errors.Is(err, errReplaced) {
					t.Errorf("Close = %v, want errReplaced", err)
				}
			})
		}
	}
}

// settle has the store look at its files when the folder has not changed for a long time.
func settle(t *testing.T, s *Store, folder string) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	if err := errors.Join(os.Chtimes(folder, past, past), s.files.check()); err != nil {
		t.Fatal(err)
	}
	if s.files.settled.Load() == nil {
		t.Fatal("the folder is not settled")
	}
}

// TestFilesBehindLink: a folder of the path is a symbolic link, which later names another folder with a database.
func TestFilesBehindLink(t *testing.T) {
	t.Parallel()
	one, two, link := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "link")
	const name = "organizations.db"
	mustOpen(t, filepath.Join(two, name))
	if err := errors.Join(mustOpen(t, filepath.Join(one, name)).files.check(), os.Symlink(one, link)); err != nil {
		t.Fatal(err)
	}
	s := openLoose(t, filepath.Join(link, name))
	o, key := create(t, s)
	settle(t, s, one)
	if _, err := s.Find(t.Context(), o.ID, key.Hash); err != nil {
		t.Errorf("Find behind a link = %v, want no error", err)
	}
	if err := errors.Join(os.Remove(link), os.Symlink(two, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), o.ID, key.Hash); !errors.Is(err, errReplaced) {
		t.Errorf("Find behind a link that was turned = %v, want errReplaced", err)
	}
}

// TestFilesInCoarseTime: two changes of a folder can have the same time. The second one must be noticed.
func TestFilesInCoarseTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s := openLoose(t, path)
	now := time.Now().Add(time.Hour) // recent during the whole test
	if err := errors.Join(os.Chtimes(filepath.Dir(path), now, now), s.files.check()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path+"-shm"), os.Chtimes(filepath.Dir(path), now, now)); err != nil {
		t.Fatal(err)
	}
	if err := s.files.check(); !errors.Is(err, errReplaced) {
		t.Errorf("check = %v, want errReplaced", err)
	}
}

// TestFilesInPlace: proper uses of the files by others are not taken for a removal.
func TestFilesInPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s := mustOpen(t, path)
	o, key := create(t, s)
	settle(t, s, filepath.Dir(path))
	for range 3 {
		other := openLoose(t, path)
		if _, err := other.Count(t.Context(), o.ID, organization.Metadata, time.Now(), 1); err != nil {
			t.Fatal(err)
		}
		asItIs, err := OpenAsItIs(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, path+".other", "a file of somebody else")
		if err := errors.Join(other.Close(), asItIs.Close(), os.Remove(path+".other"), os.Chmod(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		mustExec(t, raw(t, path), "PRAGMA wal_checkpoint(TRUNCATE)")
		for _, call := range []string{"Find", "Count", "Export", "Audit"} {
			if err := everyCall(s, o, key)[call](t.Context()); err != nil {
				t.Errorf("%s = %v, want no error", call, err)
			}
		}
	}
	if f := s.examineFile(t.Context()); f.Level != store.OK {
		t.Errorf("Examine finds %+v, want it well", f)
	}
}

// TestRevocationOutlivesRemoval: the log is removed under a gateway, an operator revokes a key, and the gateway ends.
// The gateway accepts the key no more, and its end does not undo the revocation.
func TestRevocationOutlivesRemoval(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	first := openLoose(t, path)
	o, key := create(t, first)
	if err := first.Close(); err != nil { // the organization is in the file, not in the log
		t.Fatal(err)
	}
	gateway := openLoose(t, path)
	if err := gateway.Update(t.Context(), renamed(o, "B")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm")); err != nil {
		t.Fatal(err)
	}
	found := revokeElsewhere(t, path, o.ID, key.ID)
	if want := fmt.Sprintf("process %d: organizations.db-wal", os.Getpid()); runtime.GOOS == "linux" && !strings.Contains(found, want) {
		t.Errorf("Examine finds %s, want %q", found, want)
	}
	if _, err := gateway.Find(t.Context(), o.ID, key.Hash); store.KindOf(err) != store.Unreachable {
		t.Errorf("Find of the key by the gateway = %v, want an error of the kind %q", err, store.Unreachable)
	}
	if err := gateway.Close(); !errors.Is(err, errReplaced) {
		t.Errorf("Close of the gateway = %v, want errReplaced", err)
	}
	content := contents(t, path)["organizations.db-wal"]
	if !strings.Contains(content, string(store.KeyRevoked)) {
		t.Error("the gateway's end has removed the log with the revocation")
	}
}

// contents returns the bytes of all files of the database.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, suffix := range suffixes {
		content, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all["organizations.db"+suffix] = string(content)
	}
	return all
}

// TestPurgeLeavesNothing: no file has anything of a purged organization, also while other processes have the database
// open.
func TestPurgeLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	gateway, s := mustOpen(t, path), mustOpen(t, path)
	s.patience = 300 * time.Millisecond
	o, key := create(t, gateway)
	large := organization.Object(`{"openai":"` + strings.Repeat("superseded ", 5_000) + `"}`) // many pages long
	for _, credentials := range []organization.Object{large, `{"openai":"last"}`} {
		u := patched(o, organization.Patch{Credentials: organization.Set(credentials)})
		if err := gateway.Update(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		o = u.After
	}
	if _, err := gateway.Count(t.Context(), o.ID, organization.Metadata, time.Now().Truncate(time.Minute), 1); err != nil {
		t.Fatal(err)
	}
	secrets := []string{o.InternalID.Reveal(), key.Hash.Hex(), "superseded", string(o.Credentials), o.Name, string(o.ID)}
	found := func() (leaks []string) {
		for file, content := range contents(t, path) {
			for _, secret := range secrets {
				if strings.Contains(content, secret) {
					leaks = append(leaks, fmt.Sprintf("%s has %q", file, secret))
				}
			}
		}
		return leaks
	}

	err := gateway.snapshot(t.Context(), func(tx *sql.Tx) error { // a long read of the gateway's
		if _, _, err := get(t.Context(), tx, o.ID); err != nil {
			return err
		}
		if err := s.Purge(t.Context(), o.ID); store.KindOf(err) != store.Throttled || !strings.Contains(err.Error(), "still in the log") {
			t.Errorf("Purge while another process reads = %v, want an error of the kind %q that says so", err, store.Throttled)
		}
		if len(found()) == 0 {
			t.Error("the files have nothing of an organization that is still being read; the test shows nothing")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Find(t.Context(), o.ID, key.Hash); store.KindOf(err) != store.NotFound {
		t.Errorf("Find after the purge = %v, want an error of the kind %q", err, store.NotFound)
	}
	if err := s.Purge(t.Context(), o.ID); err != nil {
		t.Errorf("Purge once more = %v, want no error", err)
	}
	for _, leak := range found() {
		t.Errorf("after Purge, with two processes at work, %s", leak)
	}
}

// BenchmarkFiles measures what every call of the store pays for the look at its files.
func BenchmarkFiles(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "organizations.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for name, age := range map[string]time.Duration{"folder settled": time.Hour, "folder just changed": -time.Hour} {
		b.Run(name, func(b *testing.B) {
			at := time.Now().Add(-age)
			if err := os.Chtimes(s.files.folder, at, at); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.files.check(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
