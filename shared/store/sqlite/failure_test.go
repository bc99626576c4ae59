package sqlite

import (
	"context"
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

func patched(o organization.Organization, name string) store.Update {
	after, changes := o.Apply(organization.Patch{Name: organization.Set(name)}, time.Now())
	return store.Update{Before: o, After: after, Audit: store.Entry{
		ID: store.NewEntryID(after.UpdatedAt), Action: store.Updated, Version: after.Version, Changes: changes}}
}

// TestLocked has another program hold the lock all the while.
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
	err = s.Update(t.Context(), patched(o, "too late"))
	if store.KindOf(err) != store.Throttled {
		t.Errorf("Update of a locked database = %v, want an error of the kind %q", err, store.Throttled)
	}
	checkHidden(t, err)

	s.patience = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 2*slice)
	defer cancel()
	if err := s.Update(ctx, patched(o, "too late")); store.KindOf(err) != store.Unreachable {
		t.Errorf("Update until the deadline = %v, want an error of the kind %q", err, store.Unreachable)
	}
	if found, err := s.Find(t.Context(), o.ID, key.Hash); err != nil || found.Organization.Name != o.Name {
		t.Errorf("Find in a locked database = %q, %v, want %q", found.Organization.Name, err, o.Name)
	}

	done := make(chan error)
	go func() { done <- s.Update(t.Context(), patched(o, "in time")) }()
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Update after the lock is gone = %v, want no error", err)
	}
}

// TestOpenLocked opens a database while someone writes: what has its schema needs no lock.
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

func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	o, key := create(t, s)
	mustExec(t, s.writer, "PRAGMA max_page_count = 1") // the least it can be: as many as there are
	after, changes := o.Apply(organization.Patch{
		Metadata: organization.Set(organization.Object(`{"k":"` + strings.Repeat("x", 60_000) + `"}`))}, time.Now())
	err := s.Update(t.Context(), store.Update{Before: o, After: after, Audit: store.Entry{ID: "1", Changes: changes}})
	if store.KindOf(err) != store.Unreachable {
		t.Errorf("Update on a full disk = %v, want an error of the kind %q", err, store.Unreachable)
	}
	checkHidden(t, err)
	if found, err := s.Find(t.Context(), o.ID, key.Hash); err != nil || found.Organization.Version != o.Version {
		t.Errorf("Find after that = version %d, %v, want %d", found.Organization.Version, err, o.Version)
	}
}

// TestDamagedRows checks that a row that makes no sense is named, that nothing of it is quoted, and that nothing
// panics.
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
			s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
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
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	o, key := create(t, s)
	mustExec(t, s.writer, "UPDATE keys SET permission = 'superuser'")
	found, err := s.Find(t.Context(), o.ID, key.Hash)
	if err != nil || found.Key == nil || found.Key.Permission.String() != "none" {
		t.Errorf("Find with an unknown permission = %+v, %v, want none", found.Key, err)
	}
}

// TestDamagedFile overwrites all pages behind the first, as a bad disk may.
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

func TestPageSizes(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	o, _ := create(t, s)
	for _, limit := range []int{0, -1} {
		if _, _, err := s.List(t.Context(), "", limit); err == nil {
			t.Errorf("List(%q, %d) = no error, want one", "", limit)
		}
		if _, _, err := s.Audit(t.Context(), o.ID, "", limit); err == nil {
			t.Errorf("Audit(%q, %d) = no error, want one", "", limit)
		}
	}
	if found, next, err := s.List(t.Context(), "", 1); len(found) != 1 || next != "" || err != nil {
		t.Errorf("List of the only one = %d, %q, %v, want it and no cursor", len(found), next, err)
	}
}

func TestCountForgets(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	now := time.Now().Truncate(time.Minute)
	for _, age := range []time.Duration{remembered + time.Minute, remembered, 0, 0} {
		if _, err := s.Count(t.Context(), "org_x", organization.Metadata, now.Add(-age)); err != nil {
			t.Fatalf("Count of %v ago = %v, want no error", age, err)
		}
	}
	var windows int
	err := s.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM counters").Scan(&windows)
	if err != nil || windows != 2 {
		t.Errorf("counters hold %d windows, %v, want 2", windows, err)
	}
}

// TestAllOrNothing has every change fail at its last step, by an entry whose identifier is taken.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	o, key := create(t, s)
	now := time.Now()
	taken := store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.KeyIssued}
	second := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Read, now, nil)
	if err := s.AddKey(t.Context(), o.ID, second, taken); err != nil {
		t.Fatal(err)
	}
	update := patched(o, "half-way")
	update.Audit.ID = taken.ID
	third := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Read, now, nil)
	for call, err := range map[string]error{
		"Update":    s.Update(t.Context(), update),
		"AddKey":    s.AddKey(t.Context(), o.ID, third, taken),
		"RevokeKey": s.RevokeKey(t.Context(), o.ID, key.ID, now, taken),
		"Delete":    s.Delete(t.Context(), o.ID, now, taken),
	} {
		if err == nil || store.KindOf(err) != store.Unknown {
			t.Errorf("%s with a taken entry = %v, want an error of no kind", call, err)
		}
		checkHidden(t, err)
	}
	got, keys, err := s.Get(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got, storetest.Options()); diff != "" {
		t.Errorf("Get(%s) (-want +got):\n%s", o.ID, diff)
	}
	if diff := cmp.Diff([]apikey.Record{key, second}, keys, storetest.Options()); diff != "" {
		t.Errorf("Get(%s), keys (-want +got):\n%s", o.ID, diff)
	}
}
