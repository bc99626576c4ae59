package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

// TestOldKeys opens a database that was made before keys could be rotated and uses of them were noted.
func TestOldKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "organizations.db")
	now := organization.Timestamp(time.Now())
	o := storetest.Bare(now)
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live), apikey.Admin, now, nil)
	old := raw(t, path)
	mustExec(t, old, schema1)
	mustExec(t, old, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
	values := encodeOrganization(o).columns()
	mustExec(t, old, `INSERT INTO organizations (`+organizationColumns+`) VALUES (`+placeholders(len(values))+`)`, values...)
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
