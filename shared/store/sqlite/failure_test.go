package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestLocked writes while another program holds the lock.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s := mustOpen(t, path)
	o, key := create(t, s)
	other, err := raw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}

	s.patience = 0
	err = s.Update(t.Context(), renamed(o, "too late"))
	if store.KindOf(err) != store.Throttled {
		t.Errorf("Update of a locked database = %v, want an error of the kind %q", err, store.Throttled)
	}
	checkHidden(t, err)

	s.patience = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 2*slice)
	defer cancel()
	if err := s.Update(ctx, renamed(o, "too late")); store.KindOf(err) != store.Unreachable {
		t.Errorf("Update until the deadline = %v, want an error of the kind %q", err, store.Unreachable)
	}
	if found, err := s.Find(t.Context(), o.ID, key.Hash); err != nil || found.Organization.Name != o.Name {
		t.Errorf("Find in a locked database = %q, %v, want %q", found.Organization.Name, err, o.Name)
	}

	done := make(chan error)
	go func() { done <- s.Update(t.Context(), renamed(o, "in time")) }()
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Update after the lock is gone = %v, want no error", err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o, key := create(t, s)
	mustExec(t, s.writer, "PRAGMA max_page_count = 1") // SQLite raises this to the pages that exist
	large := organization.Object(`{"k":"` + strings.Repeat("x", 60_000) + `"}`)
	err := s.Update(t.Context(), patched(o, organization.Patch{Metadata: organization.Set(large)}))
	if store.KindOf(err) != store.Unreachable {
		t.Errorf("Update on a full disk = %v, want an error of the kind %q", err, store.Unreachable)
	}
	checkHidden(t, err)
	if found, err := s.Find(t.Context(), o.ID, key.Hash); err != nil || found.Organization.Version != o.Version {
		t.Errorf("Find after that = version %d, %v, want %d", found.Organization.Version, err, o.Version)
	}
}

// TestLightWriteCutShort ends the context before the statement that makes writes light. The driver returns an error but
// has run the statement. The connection must wait for the disk again.
func TestLightWriteCutShort(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	connection, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.transactLightly(ctx, connection, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("transactLightly after the end = %v, want %v", err, context.Canceled)
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	const full = 2
	var got int
	if err := s.writer.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got); err != nil || got != full {
		t.Errorf("PRAGMA synchronous = %d, %v, want %d", got, err, full)
	}
}

// TestDamagedRows checks the error for a damaged row. It names the table and the column, and does not quote the value.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	tests := []struct{ table, column string }{
		{"organizations", "tier"}, {"organizations", "created_at"}, {"organizations", "updated_at"},
		{"organizations", "deleted_at"}, {"keys", "mode"}, {"keys", "issued_at"}, {"keys", "expires_at"},
		{"keys", "revoked_at"}, {"audit", "changes"},
	}
	for _, test := range tests {
		t.Run(test.table+"/"+test.column, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			o, key := create(t, s)
			mustExec(t, s.writer, "UPDATE "+test.table+" SET "+test.column+" = ?", secret)
			_, findErr := s.Find(t.Context(), o.ID, key.Hash)
			_, _, getErr := s.Get(t.Context(), o.ID)
			_, _, auditErr := s.Audit(t.Context(), o.ID, "", 10)
			_, _, listErr := s.List(t.Context(), "", 10)
			errs := map[string][]error{
				"organizations": {findErr, getErr, listErr},
				"keys":          {findErr, getErr},
				"audit":         {auditErr},
			}
			for _, err := range errs[test.table] {
				if err == nil || store.KindOf(err) != store.Unknown || strings.Contains(err.Error(), secret) ||
					!strings.Contains(err.Error(), test.table) || !strings.Contains(err.Error(), test.column) {
					t.Errorf("reading a bad %s.%s = %v, want an error that names it, of no kind", test.table, test.column, err)
				}
			}
		})
	}
}

func TestUnknownPermissionPermitsNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o, key := create(t, s)
	mustExec(t, s.writer, "UPDATE keys SET permission = 'superuser'")
	found, err := s.Find(t.Context(), o.ID, key.Hash)
	if err != nil || found.Key == nil || found.Key.Permission.String() != "none" {
		t.Errorf("Find with an unknown permission = %+v, %v, want none", found.Key, err)
	}
}

// TestDamagedFile overwrites all pages after the first, as a bad disk may do.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	o, key := create(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const pageSize = 4096
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, string(content[:pageSize])+strings.Repeat("\xa5", len(content)-pageSize))
	_, err = mustOpen(t, path).Find(t.Context(), o.ID, key.Hash)
	if err == nil || store.KindOf(err) != store.Unknown {
		t.Errorf("Find in a damaged file = %v, want an error of no kind", err)
	}
	checkHidden(t, err)
}

// TestRowsOfOthers: a read refuses a row of another organization. Here SQLite finds one because the test's schema
// compares identifiers without regard to case, as a damaged schema might.
func TestRowsOfOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	s := mustOpen(t, path)
	o, key := create(t, s)
	once := patched(o, organization.Patch{Name: organization.Set("B")})
	once.Audit.ChangeID = "once"
	if err := s.StoreRevision(t.Context(), once); err != nil {
		t.Fatal(err)
	}
	row := func() *sql.Row { return s.reader.QueryRowContext(t.Context(), findQuery, key.Hash.Hex(), string(o.ID)) }
	if _, err := readFound(row(), o.ID, key.Hash); err != nil {
		t.Errorf("readFound = %v, want no error", err)
	}
	if _, err := readFound(row(), o.ID, apikey.Hash{}); !errors.Is(err, store.ErrNotAsked) {
		t.Errorf("readFound of a row with another key = %v, want ErrNotAsked", err)
	}

	db := raw(t, path)
	mustExec(t, db, `PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY NOT NULL', 'PRIMARY KEY NOT NULL COLLATE NOCASE') WHERE name = 'organizations';
		UPDATE sqlite_schema SET sql = replace(sql, 'organization TEXT NOT NULL', 'organization TEXT NOT NULL COLLATE NOCASE')`)
	other := []byte(o.ID)
	for i, c := range other[len("org_"):] {
		if c >= 'A' {
			other[len("org_")+i] = c ^ ('a' - 'A')
		}
	}
	id := organization.ID(other)
	s = mustOpen(t, path)
	for name, call := range map[string]func() error{
		"Find":      func() error { _, err := s.Find(t.Context(), id, key.Hash); return err },
		"Get":       func() error { _, _, err := s.Get(t.Context(), id); return err },
		"Export":    func() error { _, err := s.Export(t.Context(), id); return err },
		"Audit":     func() error { _, _, err := s.Audit(t.Context(), id, "", 10); return err },
		"KeyUses":   func() error { _, err := s.KeyUses(t.Context(), id); return err },
		"HasChange": func() error { _, err := s.HasChange(t.Context(), id, "once"); return err },
		"keys": func() error {
			_, err := all(t.Context(), s.reader, of(id, readKey), keysQuery, string(id))
			return err
		},
		"trail": func() error {
			_, err := all(t.Context(), s.reader, of(id, readEntry), trailQuery, string(id))
			return err
		},
	} {
		if err := call(); !errors.Is(err, store.ErrNotAsked) || store.KindOf(err) != store.Unknown {
			t.Errorf("%s, answered with rows of another organization = %v, want ErrNotAsked, of no kind", name, err)
		}
	}
}
