package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	driver "modernc.org/sqlite"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

// create stores a record with every property set, and its key.
func create(t *testing.T, s *Store) (organization.Organization, apikey.Record) {
	t.Helper()
	o := storetest.Full(time.Now())
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Admin, time.Now(), nil)
	e := store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(t.Context(), o, key, e); err != nil {
		t.Fatalf("Create(%s) = %v, want no error", o.ID, err)
	}
	return o, key
}

// raw opens the file without this package, as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driverName, dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustWrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkHidden checks that callers cannot come to depend on the driver.
func checkHidden(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*driver.Error](err); ok {
		t.Errorf("%v holds the driver's %T, want its text only", err, e)
	}
}

func TestReopenKeepsData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	o, key := create(t, s)
	if err := s.Close(); err != nil {
		t.Fatalf("Close() = %v, want no error", err)
	}
	if _, err := s.Find(t.Context(), o.ID, key.Hash); err == nil {
		t.Error("Find after Close = no error, want one")
	}
	got, err := mustOpen(t, path).Find(t.Context(), o.ID, key.Hash)
	if err != nil {
		t.Fatalf("Find(%s) = %v, want no error", o.ID, err)
	}
	if diff := cmp.Diff(store.Found{Organization: o, Key: &key}, got, storetest.Options()); diff != "" {
		t.Errorf("Find(%s) after opening again (-want +got):\n%s", o.ID, diff)
	}
}

// TestEmptyTextIsNotNone goes beyond what every engine can do: older DynamoDB APIs know no empty text.
func TestEmptyTextIsNotNone(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	o, key := create(t, s)
	after, changes := o.Apply(organization.Patch{LogoURL: organization.Set(""), BillingEmail: organization.Null[string]()},
		time.Now())
	e := store.Entry{ID: store.NewEntryID(after.UpdatedAt), Action: store.Updated, Changes: changes}
	if err := s.Update(t.Context(), store.Update{Before: o, After: after, Audit: e}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Find(t.Context(), o.ID, key.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, got.Organization, storetest.Options()); diff != "" {
		t.Errorf("Find(%s) (-want +got):\n%s", o.ID, diff)
	}
}

// TestPurgeLeavesNothing looks for secrets in the bytes of the file: those of a record, and one that was replaced
// before.
func TestPurgeLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	o, key := create(t, s)
	large := organization.Object(`{"openai":"` + strings.Repeat("superseded ", 5_000) + `"}`) // many pages long
	for _, credentials := range []organization.Object{large, `{"openai":"last"}`} {
		after, changes := o.Apply(organization.Patch{Credentials: organization.Set(credentials)}, time.Now())
		e := store.Entry{ID: store.NewEntryID(after.UpdatedAt), Action: store.Updated, Changes: changes}
		if err := s.Update(t.Context(), store.Update{Before: o, After: after, Audit: e}); err != nil {
			t.Fatal(err)
		}
		o = after
	}
	if err := errors.Join(s.Purge(t.Context(), o.ID), s.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{o.InternalID.Reveal(), key.Hash.Hex(), "superseded", string(o.Credentials), o.Name, string(o.ID)}
	for _, secret := range secrets {
		if strings.Contains(string(content), secret) {
			t.Errorf("the file still holds %q after Purge and Close", secret)
		}
	}
}

func TestOpenPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "with space.db", "what?mode=memory.db", "100%41.db", "a+b&c=d;e.db", "#hash", "file:uri.db", ":memory:",
		"'quote\".db", "東京🧪.db", "new/folders below/organizations.db", "?", "%", `back\slash`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			o, key := create(t, mustOpen(t, path))
			if _, err := mustOpen(t, path).Find(t.Context(), o.ID, key.Hash); err != nil {
				t.Errorf("Find(%s) in %q = %v, want no error", o.ID, path, err)
			}
			if content, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(content), "SQLite format 3\x00") {
				t.Errorf("%q does not hold the database: %v", path, err)
			}
		})
	}
}

func TestOpenRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	mustOpen(t, "here.db")
	if _, err := os.Stat("here.db"); err != nil {
		t.Errorf("Open(%q) makes no such file: %v", "here.db", err)
	}
}

func TestFileModes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(folder, "organizations.db")
	create(t, mustOpen(t, path))
	modes := make(map[string]fs.FileMode)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		modes[entry.Name()] = info.Mode()
	}
	want := map[string]fs.FileMode{"organizations.db": 0o600, "organizations.db-wal": 0o600, "organizations.db-shm": 0o600}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("files of the database (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder of the database = %v, %v, want mode 0700", info.Mode(), err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	tests := []struct {
		db     *sql.DB
		pragma string
		want   string
	}{
		{s.writer, "journal_mode", "wal"},
		{s.writer, "synchronous", "2"},
		{s.writer, "foreign_keys", "1"},
		{s.writer, "secure_delete", "1"},
		{s.writer, "user_version", "2"},
		{s.writer, "integrity_check", "ok"},
		{s.reader, "journal_mode", "wal"},
		{s.reader, "query_only", "1"},
	}
	for _, test := range tests {
		var got string
		if err := test.db.QueryRowContext(t.Context(), "PRAGMA "+test.pragma).Scan(&got); err != nil || got != test.want {
			t.Errorf("PRAGMA %s = %s, %v, want %s", test.pragma, got, err, test.want)
		}
	}
}

// TestOpenRefuses checks that what is not a database of ours is refused, whatever it is, and left as it was.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		want string // in the error's text
		kind store.Kind
	}{
		{"newer version", func(t *testing.T, path string) {
			s := mustOpen(t, path)
			mustExec(t, s.writer, "PRAGMA user_version = 99")
		}, "newer version: its schema is 99", store.Unknown},
		{"other application's tables", func(t *testing.T, path string) {
			mustExec(t, raw(t, path), "CREATE TABLE songs (title)")
		}, "another application", store.Unknown},
		{"other application's version", func(t *testing.T, path string) {
			mustExec(t, raw(t, path), "PRAGMA user_version = 1")
		}, "another application", store.Unknown},
		{"other application's identifier", func(t *testing.T, path string) {
			mustExec(t, raw(t, path), "PRAGMA application_id = 7")
		}, "another application", store.Unknown},
		{"not a database", func(t *testing.T, path string) {
			mustWrite(t, path, strings.Repeat("This is a text about organizations. ", 500))
		}, "not a database", store.Unknown},
		{"corrupt from the first page on", func(t *testing.T, path string) {
			mustWrite(t, path, "SQLite format 3\x00"+strings.Repeat("\xa5", 20_000))
		}, "", store.Unknown},
		{"folder in its place", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "opening the database", store.Unreachable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "organizations.db")
			test.make(t, path)
			before, _ := os.ReadFile(path) // a folder has no content
			s, err := Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatalf("Open(%s) = no error, want one", test.name)
			}
			if !strings.Contains(err.Error(), test.want) || store.KindOf(err) != test.kind {
				t.Errorf("Open(%s) = %v (%v), want an error with %q (%v)", test.name, err, store.KindOf(err), test.want, test.kind)
			}
			checkHidden(t, err)
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Errorf("Open(%s) changes the file", test.name)
			}
		})
	}
}

func TestOpenWithoutFolder(t *testing.T) {
	t.Parallel()
	blocked := filepath.Join(t.TempDir(), "file")
	mustWrite(t, blocked, "not a folder")
	s, err := Open(t.Context(), filepath.Join(blocked, "organizations.db"))
	if err == nil {
		s.Close()
		t.Fatal("Open below a file = no error, want one")
	}
	s, err = Open(t.Context(), filepath.Join(blocked, "deeper", "organizations.db"))
	if err == nil {
		s.Close()
		t.Fatal("Open far below a file = no error, want one")
	}
}

// TestOpenReadOnlyFolder expects an error exactly where the system refuses to make a file, which it does not to root.
func TestOpenReadOnlyFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	refused := os.WriteFile(filepath.Join(folder, "probe"), nil, 0o600)
	s, err := Open(t.Context(), filepath.Join(folder, "organizations.db"))
	if (err != nil) != (refused != nil) {
		t.Errorf("Open in a read-only folder = %v, where making any file gives %v", err, refused)
	}
	if err == nil {
		s.Close()
	} else if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Open in a read-only folder = %v, want fs.ErrPermission", err)
	}
}

func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, filepath.Join(t.TempDir(), "organizations.db"))
	if store.KindOf(err) != store.Unreachable {
		t.Errorf("Open with a cancelled context = %v, want an error of the kind %q", err, store.Unreachable)
	}
}
