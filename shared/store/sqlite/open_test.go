package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

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
	s := newStore(t)
	tests := []struct {
		db     *sql.DB
		pragma string
		want   string
	}{
		{s.writer, "journal_mode", "wal"},
		{s.writer, "synchronous", "2"},
		{s.writer, "foreign_keys", "1"},
		{s.writer, "secure_delete", "1"},
		{s.writer, "user_version", "3"},
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

// TestOldKeys opens a database with the first schema, which knew neither rotations nor uses of keys.
func TestOldKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	now := organization.Timestamp(time.Now())
	o := storetest.Bare(now)
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Admin, now, nil)
	old := raw(t, path)
	mustExec(t, old, schema1)
	mustExec(t, old, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
	columns, _, _ := strings.Cut(organizationColumns, ",\n	nsfw_check") // those of the first schema
	values := encodeOrganization(o).columns()[:strings.Count(columns, ",")+1]
	mustExec(t, old, `INSERT INTO organizations (`+columns+`) VALUES (`+placeholders(len(values))+`)`, values...)
	mustExec(t, old, `INSERT INTO keys (organization, hash, key_id, permission, mode, issued_at) VALUES (?, ?, ?, ?, ?, ?)`,
		string(o.ID), key.Hash.Hex(), key.ID, "admin", "live", organization.FormatTime(now))

	s := mustOpen(t, path)
	got, keys, err := s.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got, storetest.Options()) + cmp.Diff([]apikey.Record{key}, keys, storetest.Options()); diff != "" {
		t.Errorf("Get(%s) of an old database (-want +got):\n%s", o.ID, diff)
	}
	wantUses := func(want map[string]time.Time) {
		t.Helper()
		if uses, err := s.KeyUses(t.Context(), o.ID); err != nil || !cmp.Equal(want, uses) {
			t.Errorf("KeyUses(%s) of an old database = %v, %v, want %v", o.ID, uses, err, want)
		}
	}
	wantUses(map[string]time.Time{})
	if err := s.NoteUse(t.Context(), o.ID, key.ID, now); err != nil {
		t.Fatal(err)
	}
	wantUses(map[string]time.Time{key.ID: now.Truncate(store.UseSpan)})
}

// TestOpenRefuses checks that Open returns an error for everything that is not our database, and does not change it.
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

// TestOpenReadOnlyFolder expects an error if the system refuses to make a file in the folder. It does not refuse root.
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

// TestOpenLocked opens a database while another program holds the lock. Open needs no lock if the schema is the current
// one.
func TestOpenLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	o, key := create(t, mustOpen(t, path))
	other, err := raw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := mustOpen(t, path).Find(t.Context(), o.ID, key.Hash); err != nil {
		t.Errorf("Find(%s) = %v, want no error", o.ID, err)
	}
}

// TestOpenAsItIs opens files that Open would change.
func TestOpenAsItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		setUp []string
		want  string // of the schema
	}{
		{"an older schema", []string{schema1, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID)},
			"version 1 of 3, SQLite"},
		{"an empty file", nil, "the file is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "organizations.db")
			mustWrite(t, path, "")
			before := raw(t, path)
			for _, statement := range test.setUp {
				mustExec(t, before, statement)
			}
			if err := before.Close(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := OpenAsItIs(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			findings := s.Examine(t.Context(), time.Now)
			want := map[string]store.Level{"file": store.OK, "schema": store.Warn, "writing": store.OK, "contents": store.OK}
			if diff := cmp.Diff(want, levels(t, findings)); diff != "" || !strings.Contains(findings[1].Detail, test.want) {
				t.Errorf("Examine = %+v, want %q of the schema (-want +got):\n%s", findings, test.want, diff)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
				t.Errorf("OpenAsItIs and Examine change the file (%v)", err)
			}
		})
	}
}

func TestOpenAsItIsRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	missing, foreign := filepath.Join(folder, "missing.db"), filepath.Join(folder, "songs.db")
	mustExec(t, raw(t, foreign), "CREATE TABLE songs (title)")
	for path, want := range map[string]store.Kind{missing: store.Unreachable, foreign: store.Unknown} {
		s, err := OpenAsItIs(t.Context(), path)
		if err == nil {
			s.Close()
			t.Fatalf("OpenAsItIs(%s) = no error, want one", path)
		}
		if store.KindOf(err) != want {
			t.Errorf("OpenAsItIs(%s) = %v, want an error of the kind %q", path, err, want)
		}
		checkHidden(t, err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenAsItIs makes the file: %v", err)
	}
}
