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
	"syscall"
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
		{s.writer, "user_version", fmt.Sprint(len(migrations()))},
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
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, now, nil)
	old := raw(t, path)
	mustExec(t, old, schema1)
	mustExec(t, old, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
	columns, _, _ := strings.Cut(organizationColumns, ",\n	nsfw_check") // those of the first schema
	values := encodeOrganization(o).columns()[:strings.Count(columns, ",")+1]
	mustExec(t, old, `INSERT INTO organizations (`+columns+`) VALUES (`+placeholders(len(values))+`)`, values...)
	mustExec(t, old, `INSERT INTO keys (organization, hash, key_id, permission, mode, issued_at) VALUES (?, ?, ?, ?, ?, ?)`,
		string(o.ID), key.Hash.Hex(), key.ID, "admin", "live", organization.FormatTime(now))

	mustExec(t, old, `INSERT INTO audit VALUES (?, ?, 'organization.created', 'operator', 'req', 0, '[]')`,
		string(o.ID), store.NewEntryID(now))

	s := mustOpen(t, path)
	if entries, _, err := s.Audit(t.Context(), o.ID, "", 2); err != nil || len(entries) != 1 || entries[0].ChangeID != "" {
		t.Errorf("Audit(%s) of an old database = %+v, %v, want one entry without a change", o.ID, entries, err)
	}
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
		}, "not a database of SQLite; choose another file (SQLite code 26)", store.Unknown},
		{"corrupt from the first page on", func(t *testing.T, path string) {
			mustWrite(t, path, "SQLite format 3\x00"+strings.Repeat("\xa5", 20_000))
		}, "", store.Unknown},
		{"folder in its place", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file", store.Unknown},
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

// TestOpenRefusesPlantedFiles: if somebody else put something in the place of the database, or of a file beside it,
// Open returns an error and leaves it as it is.
func TestOpenRefusesPlantedFiles(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	for name, plant := range map[string]struct {
		do   func(path, elsewhere string) error
		want string
	}{
		"link":             {func(path, elsewhere string) error { return os.Symlink(elsewhere, path) }, "is a link"},
		"link to nothing":  {func(path, elsewhere string) error { return os.Symlink(elsewhere+".new", path) }, "is a link"},
		"link with others": {func(path, elsewhere string) error { return os.Link(elsewhere, path) }, "2 names"},
		"named pipe":       {func(path, _ string) error { return syscall.Mkfifo(path, 0o600) }, "not a regular file"},
		"folder":           {func(path, _ string) error { return os.Mkdir(path, 0o700) }, "not a regular file"},
		"for others to read": {func(path, _ string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o640))
		}, "chmod 600"},
		"for others to write": {func(path, _ string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o602))
		}, "chmod 600"},
		"of another user": {func(path, _ string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, nobody, nobody))
		}, "belongs to the user 65534"},
	} {
		for _, end := range append([]string{""}, sideFiles...) {
			t.Run(name+" "+end, func(t *testing.T) {
				t.Parallel()
				folder := t.TempDir()
				path, elsewhere := filepath.Join(folder, "organizations.db"), filepath.Join(folder, "elsewhere")
				mustWrite(t, elsewhere, "")
				if end != "" {
					s, err := Open(t.Context(), path) // not mustOpen, which closes at the end of the test
					if err != nil {
						t.Fatal(err)
					}
					create(t, s)
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
				}
				if err := plant.do(path+end, elsewhere); err != nil {
					if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
						t.Skip("only root can give a file away")
					}
					t.Fatal(err)
				}
				before, err := os.Lstat(path + end)
				if err != nil {
					t.Fatal(err)
				}
				for _, open := range []func(context.Context, string) (*Store, error){Open, OpenAsItIs} {
					s, err := open(t.Context(), path)
					if err == nil {
						s.Close()
					}
					if err == nil || !strings.Contains(err.Error(), plant.want) || !strings.Contains(err.Error(), path+end) {
						t.Errorf("opening = %v, want an error that says %q of %s", err, plant.want, path+end)
					}
				}
				after, err := os.Lstat(path + end)
				if err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() || after.Size() != before.Size() {
					t.Errorf("what was there is %v, %v afterwards, want it as it was: %v", after, err, before)
				}
				if content, err := os.ReadFile(elsewhere); err != nil || len(content) > 0 {
					t.Errorf("the other file has %d bytes, %v, want none", len(content), err)
				}
			})
		}
	}
}

// TestOpenNoticesLatePlants: Open also notices files that are put there while it opens the database.
func TestOpenNoticesLatePlants(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	_, err := connect(t.Context(), path, func(_ *Store, path string) error {
		mustWrite(t, path, "")
		return os.Chmod(path, 0o666)
	})
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("opening = %v, want an error", err)
	}
}

// TestExplained: no error contains a message of SQLite, for any code.
func TestExplained(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	_, cannotOpen := raw(t, folder).ExecContext(t.Context(), "CREATE TABLE a (b)")
	path := filepath.Join(t.TempDir(), "a.db")
	db := raw(t, path)
	mustExec(t, db, "CREATE TABLE a (b UNIQUE)")
	mustExec(t, db, "INSERT INTO a VALUES ('secret')")
	_, constraint := db.ExecContext(t.Context(), "INSERT INTO a VALUES ('secret')")
	_, syntax := db.ExecContext(t.Context(), "SELECT nothing FROM nowhere")
	mustExec(t, db, "PRAGMA query_only = 1")
	_, readOnly := db.ExecContext(t.Context(), "DELETE FROM a")
	for _, test := range []struct {
		err  error
		want string
	}{
		{cannotOpen, "cannot be opened; make the file and its folder readable and writable, or copy the file and its -wal " +
			"to a folder of your own (SQLite code 14)"},
		{constraint, "what is to be stored breaks a rule of the schema (SQLite code 2067)"},
		{syntax, "(SQLite code 1)"},
		{readOnly, "the file or its folder is read-only"},
	} {
		if test.err == nil {
			t.Fatalf("no error, want one with %q", test.want)
		}
		got := fail(t.Context(), "doing it", fmt.Errorf("deep down: %w", test.err))
		if !strings.HasPrefix(got.Error(), "doing it: ") || !strings.Contains(got.Error(), "deep down: ") ||
			!strings.Contains(got.Error(), test.want) || strings.Contains(got.Error(), test.err.Error()) {
			t.Errorf("fail(%v) = %v, want %q and nothing of SQLite's", test.err, got, test.want)
		}
		checkHidden(t, got)
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
	} else if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "choose a place where you may write") {
		t.Errorf("Open in a read-only folder = %v, want fs.ErrPermission and advice", err)
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
			fmt.Sprintf("version 1 of %d, SQLite", len(migrations()))},
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
			// All that the file holds, but for SQLite's own counts of changes and free pages.
			const dump = `SELECT (SELECT user_version FROM pragma_user_version), group_concat(sql, ';') FROM sqlite_schema`
			var version, versionAfter int
			var schema, schemaAfter sql.NullString
			if err := before.QueryRowContext(t.Context(), dump).Scan(&version, &schema); err != nil {
				t.Fatal(err)
			}
			if err := before.Close(); err != nil {
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
			err = raw(t, path).QueryRowContext(t.Context(), dump).Scan(&versionAfter, &schemaAfter)
			if err != nil || versionAfter != version || schemaAfter != schema {
				t.Errorf("OpenAsItIs and Examine make the schema %d %v (%v), want it as it was: %d %v",
					versionAfter, schemaAfter, err, version, schema)
			}
			if content, err := os.ReadFile(path); err != nil || (len(content) > 0) != schema.Valid {
				t.Errorf("the file has %d bytes, %v", len(content), err)
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
