package backup_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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

// TestEverythingIsSet sees to it that the tests of this package have a value in everything that a file has to carry.
func TestEverythingIsSet(t *testing.T) {
	t.Parallel()
	d := full(1)
	values := []any{d.Organization, d.Keys[0]}
	for e := range d.Trail {
		values = append(values, e, e.Changes[0])
	}
	for _, value := range values {
		v := reflect.ValueOf(value)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%T.%s is not set", value, v.Type().Field(i).Name)
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	s := filled(t, 200)
	path, _ := write(t, s)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(content, []byte("\n"))
	lines = lines[:len(lines)-1] // nothing comes after the last
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	without := func(i int) []byte { return append(join(lines[:i]...), join(lines[i+1:]...)...) }
	changed := func(from, to string) []byte { return bytes.Replace(content, []byte(from), []byte(to), 1) }
	last := len(lines) - 1
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "line 0: the end is missing"},
		{"something else", []byte("my diary\n"), "line 1: it is not a line of a backup"},
		{"no header", without(0), "line 1: a header comes first"},
		{"no end", without(last), "the end is missing"},
		{"torn", content[:len(content)-3], "the line breaks off"},
		{"an organization is gone", without(7), "another SHA-256"},
		{"a checkpoint is gone", without(65), "another SHA-256"},
		{"a value is changed", changed(`"credit_count":987654`, `"credit_count":987655`), "another SHA-256"},
		{"a member is added", changed(`"credit_count"`, `"extra":1,"credit_count"`), "it is not a line of a backup"},
		{"a key cannot be read", changed(`"permission":"admin"`, `"permission":"owner"`), "permission cannot be read"},
		{"an organization twice", join(content[:len(lines[0])], lines[1], content[len(lines[0]):]), "another SHA-256"},
		{"two backups", append(append([]byte{}, content...), content...), "a header comes first"},
		{"something after the end", append(append([]byte{}, content...), lines[1]...), "something comes after the end"},
		{"newer format", changed(`{"format":1`, `{"format":2`), "has the format 2"},
		{"a checkpoint is changed", changed(`"organizations":64`, `"organizations":65`), "another number"},
	}
	for _, test := range tests {
		file := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(file, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backup.Check(file)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Check = %v, want %q", test.name, err, test.want)
		}
		if strings.Contains(test.want, "format") == errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s: Check = %v; is it ErrDamaged?", test.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "sk-proj-1") {
			t.Errorf("%s: Check = %v, which has a secret", test.name, err)
		}
	}
}

// TestDifferent restores into a store that has some of the organizations, one of them otherwise.
func TestDifferent(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	from, to := open(t), open(t)
	all := []store.Export{full(3), full(3), full(3), full(3)}
	if _, err := from.Restore(ctx, all); err != nil {
		t.Fatal(err)
	}
	path, _ := write(t, from)
	other := all[1]
	other.Organization.Name = "another"
	if _, err := to.Restore(ctx, []store.Export{all[0], other}); err != nil {
		t.Fatal(err)
	}
	other1 := []organization.ID{other.Organization.ID}

	got, err := backup.Compare(ctx, path, to, 1, nil)
	if err != nil || got.Identical != 1 || !cmp.Equal(got.Different, other1) || len(got.Missing) != 2 {
		t.Errorf("Compare before = %+v, %v, want one identical, %s different, two missing", got, err, other1)
	}
	if got, err := backup.Restore(ctx, path, to, 1, nil); err != nil || got != 2 {
		t.Errorf("Restore = %d, %v, want 2: those that are missing", got, err)
	}
	got, err = backup.Compare(ctx, path, to, 1, nil)
	if diff := cmp.Diff(backup.Report{Identical: 3, Different: other1}, got); err != nil || diff != "" {
		t.Errorf("Compare after = %v (-want +got):\n%s", err, diff)
	}
	if o, _, err := to.Get(ctx, other.Organization.ID); err != nil || o.Name != "another" {
		t.Errorf("what differs is now %q, %v, want it as it was", o.Name, err)
	}
}

// meddled is a source that something happens to while a trail is read.
type meddled struct {
	backup.Source
	meddle func(store.Export) // called before each trail is read to the end
}

func (m meddled) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	page, next, err := m.Source.ExportPage(ctx, cursor, limit)
	for i, d := range page {
		page[i] = m.wrap(d)
	}
	return page, next, err
}

func (m meddled) Export(ctx context.Context, id organization.ID) (store.Export, error) {
	d, err := m.Source.Export(ctx, id)
	return m.wrap(d), err
}

func (m meddled) wrap(d store.Export) store.Export {
	trail := d.Trail
	d.Trail = iter.Seq2[store.Entry, error](func(yield func(store.Entry, error) bool) {
		m.meddle(d)
		trail(yield)
	})
	return d
}

// TestChanging changes organizations between the reading of their records and that of their trails.
func TestChanging(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t)
	var all []store.Export
	for _, entries := range []int{3, 3, 3, 1200, 1200} {
		d := full(entries)
		d.Organization.DeletedAt = nil
		all = append(all, d)
	}
	all = append(all, store.Export{Organization: storetest.Bare(time.Now()), Trail: store.Entries()})
	if _, err := s.Restore(ctx, all); err != nil {
		t.Fatal(err)
	}
	meddled := meddled{Source: s, meddle: func(d store.Export) {
		var err error
		switch d.Organization.ID {
		case all[0].Organization.ID: // each time, and no end of it
			err = renamed(ctx, s, d)
		case all[1].Organization.ID, all[3].Organization.ID:
			err = givenKeys(ctx, s, d)
		case all[5].Organization.ID:
			err = s.Purge(ctx, d.Organization.ID)
		}
		if err != nil {
			t.Error(err)
		}
	}}
	path, summary := write(t, meddled)
	if summary.Organizations != 5 {
		t.Fatalf("Write = %+v, want five organizations: one was purged", summary)
	}
	to := open(t)
	if got, err := backup.Restore(ctx, path, to, 1, nil); err != nil || got != 5 {
		t.Fatalf("Restore = %d, %v, want 5", got, err)
	}
	for _, d := range all[:5] {
		wantConsistent(t, to, d.Organization.ID)
	}
}

// wantConsistent checks that the trail ends with the record's version, and has an entry for each key that was issued
// after the two that full gives.
func wantConsistent(t *testing.T, s *sqlite.Store, id organization.ID) {
	t.Helper()
	d, err := s.Export(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	version, issued := int64(0), 0
	for e, err := range d.Trail {
		if err != nil {
			t.Fatal(err)
		}
		if e.Action == store.Updated {
			version = e.Version
		} else {
			issued++
		}
	}
	if version != d.Organization.Version || issued != len(d.Keys)-2 {
		t.Errorf("%s has the version %d and %d keys, and its trail ends with version %d and has %d keys issued",
			id, d.Organization.Version, len(d.Keys), version, issued)
	}
}

// renamed renames the organization as it was read; that someone else was faster is no error.
func renamed(ctx context.Context, s *sqlite.Store, d store.Export) error {
	now := time.Now()
	after, changes := d.Organization.Apply(organization.Patch{Name: organization.Set(now.String())}, now)
	err := s.Update(ctx, store.Update{Before: d.Organization, After: after, Audit: store.Entry{
		ID: store.NewEntryID(now), Action: store.Updated, Actor: d.Keys[0].ID, Version: after.Version, Changes: changes,
	}})
	if store.KindOf(err) == store.Conflict {
		return nil
	}
	return err
}

// givenKeys adds keys, up to a number.
func givenKeys(ctx context.Context, s *sqlite.Store, d store.Export) error {
	if len(d.Keys) == 5 {
		return nil
	}
	now := time.Now()
	key := apikey.NewRecord(apikey.New(d.Organization.ID, apikey.Live), apikey.Read, now, nil)
	return s.AddKey(ctx, d.Organization.ID, key, store.Entry{
		ID: store.NewEntryID(now), Action: store.KeyIssued, Actor: store.OperatorActor,
	})
}

// TestLossRefused has a key that this version does not understand.
func TestLossRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	d := full(1)
	d.Keys[1].Permission = apikey.None
	if _, err := s.Restore(t.Context(), []store.Export{d}); err != nil {
		t.Fatal(err)
	}
	_, err := backup.Write(t.Context(), s, filepath.Join(t.TempDir(), "orgs.backup"), options())
	if err == nil || !strings.Contains(err.Error(), "cannot be backed up by this version") {
		t.Errorf("Write of a key of an unknown permission = %v, want it refused", err)
	}
}
