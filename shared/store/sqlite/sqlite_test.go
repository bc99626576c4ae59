package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	driver "modernc.org/sqlite"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	storetest.All(t, func(t *testing.T) storetest.Engine { return mustOpen(t, path) })
}

// TestManyAtOnce is not parallel, so it runs before the parallel tests.
func TestManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "organizations.db")
	storetest.ManyAtOnce(t, func(t *testing.T) storetest.Engine { return mustOpen(t, path) })
}

// mustOpen opens the database in the file, and closes it when the test ends.
func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Open(%q) = %v, want no error", path, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v, want no error", err)
		}
	})
	return s
}

// newStore opens a new database.
func newStore(t *testing.T) *Store {
	t.Helper()
	return mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
}

// create stores an organization with every property set, and a key.
func create(t *testing.T, s *Store) (organization.Organization, apikey.Record) {
	t.Helper()
	o := storetest.Full(time.Now())
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, time.Now(), nil)
	e := store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(t.Context(), o, key, e); err != nil {
		t.Fatalf("Create(%s) = %v, want no error", o.ID, err)
	}
	return o, key
}

// patched returns the update of the record by a patch.
func patched(o organization.Organization, p organization.Patch) store.Update {
	after, changes := o.Apply(p, time.Now())
	return store.Update{Before: o, After: after, Audit: store.Entry{
		ID: store.NewEntryID(after.UpdatedAt), Action: store.Updated, Version: after.Version, Changes: changes}}
}

// renamed returns the update of the record's name.
func renamed(o organization.Organization, name string) store.Update {
	return patched(o, organization.Patch{Name: organization.Set(name)})
}

// raw opens the file without this package, as another program would do.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		mustWrite(t, path, "") // with a mode that Open accepts
	}
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

// checkHidden checks that an error does not contain an error type of the driver.
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

// TestEmptyTextIsNotNone checks that an empty text differs from no text. The suite for all engines does not, as old
// versions of DynamoDB cannot store an empty text.
func TestEmptyTextIsNotNone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o, key := create(t, s)
	u := patched(o, organization.Patch{LogoURL: organization.Set(""), BillingEmail: organization.Null[string]()})
	if err := s.Update(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	got, err := s.Find(t.Context(), o.ID, key.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(u.After, got.Organization, storetest.Options()); diff != "" {
		t.Errorf("Find(%s) (-want +got):\n%s", o.ID, diff)
	}
}

func TestPageSizes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
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
	s := newStore(t)
	now := time.Now().Truncate(time.Minute)
	for _, age := range []time.Duration{remembered + time.Minute, remembered, 0, 0} {
		if _, err := s.Count(t.Context(), "org_x", organization.Metadata, now.Add(-age), 1); err != nil {
			t.Fatalf("Count of %v ago = %v, want no error", age, err)
		}
	}
	var windows int
	err := s.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM counters").Scan(&windows)
	if err != nil || windows != 2 {
		t.Errorf("counters hold %d windows, %v, want 2", windows, err)
	}
}

// TestAllOrNothing makes every change fail at its last step: the identifier of its audit entry is taken.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o, key := create(t, s)
	now := time.Now()
	taken := store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.KeyIssued}
	second := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Read, now, nil)
	if err := s.AddKey(t.Context(), o.ID, second, taken); err != nil {
		t.Fatal(err)
	}
	update := renamed(o, "half-way")
	update.Audit.ID = taken.ID
	third := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Read, now, nil)
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
