package transfer_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

// TestEverythingIsSet makes sure that the tests of this package have a value in everything that a file has to carry.
func TestEverythingIsSet(t *testing.T) {
	t.Parallel()
	e := full(1)
	values := []any{e.Organization, e.Keys[0]}
	for entry := range e.Trail {
		values = append(values, entry, entry.Changes[0])
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

// fixed returns the organization of testdata/format2.backup.
func fixed() store.Export {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)
	o := storetest.Full(at)
	o.ID, o.InternalID, o.DeletedAt = "org_0123456789ABC", organization.StoredInternalID("int_0123456789ABCDEFGHIJK"), &at
	e := store.Export{Organization: o}
	for i, p := range []apikey.Permission{apikey.Read, apikey.Write, apikey.Delete, apikey.Admin} {
		e.Keys = append(e.Keys, apikey.Record{
			ID: fmt.Sprintf("key_000000000000%d", i), Hash: sha256.Sum256([]byte{byte(i)}), Permission: p, Mode: apikey.Live,
			CreatedAt: at.Add(time.Duration(i) * time.Hour),
		})
	}
	last := &e.Keys[3]
	last.Mode, last.ExpiresAt, last.RevokedAt, last.ReplacedBy = apikey.Test, &at, &at, e.Keys[0].ID
	e.Trail = store.Entries(store.Entry{
		ID: organization.FormatTime(at) + "-00000000", Action: store.Updated, Actor: store.OperatorActor, RequestID: "req_1", Version: 7,
		Changes: []organization.Change{{Field: "organization_name", Before: `"<a>&\u2028"`, After: `"ä🧪"`}},
	}, store.Entry{ID: organization.FormatTime(at) + "-00000001", Action: store.Deleted, Actor: e.Keys[3].ID})
	return e
}

// fixedSecret is an archive with a secret that is always the same.
type fixedSecret struct{ store.Archive }

func (fixedSecret) KeySecrets(context.Context) (apikey.Secrets, error) {
	secret, err := apikey.ParseSecret("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg")
	return apikey.Secrets{secret}, err
}

// TestFormat pins the format: a file of before can be restored, and the same organization makes the same file.
func TestFormat(t *testing.T) {
	t.Parallel()
	const pinned = "testdata/format2.backup"
	s := storeOf(t, fixed())
	wantSame(t, pinned, s, 1)

	path := filepath.Join(t.TempDir(), "orgs.backup")
	o := transfer.Options{From: "here", At: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
	if _, err := transfer.Write(t.Context(), fixedSecret{s}, path, o); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(pinned)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("Write = %v (-want +got):\n%s", err, diff)
	}
}

// TestBounds backs up an organization with everything at its bound, and refuses it with a key more.
func TestBounds(t *testing.T) {
	t.Parallel()
	e := full(1)
	const frame = `{"k":""}`
	object := organization.NewObject(`{"k":"` + strings.Repeat(`\"`, (organization.MaxObjectSize-len(frame))/2) + `"}`)
	o := &e.Organization
	o.Name, o.Metadata, o.Credentials = strings.Repeat("\x01", organization.MaxNameLength), object, object
	o.LogoURL = new(strings.Repeat("\x01", organization.MaxURLLength))
	for len(e.Keys) < apikey.MaxPerOrganization {
		k := full(0).Keys[0]
		k.CreatedAt = k.CreatedAt.Add(time.Duration(len(e.Keys)) * time.Second)
		e.Keys = append(e.Keys, k)
	}
	s := storeOf(t, e)
	path, summary := write(t, s)
	if summary.Bytes < 4*organization.MaxObjectSize || summary.Bytes > 400<<10 {
		t.Errorf("Write = %+v, want less than 400 KB, and metadata and credentials escaped in it", summary)
	}
	wantSame(t, path, s, 1)

	e.Keys = append(e.Keys, full(0).Keys[0])
	path = filepath.Join(t.TempDir(), "orgs.backup")
	if _, err := transfer.Write(t.Context(), storeOf(t, e), path, transfer.Options{}); err == nil {
		t.Error("Write of an organization with a key too many = no error, want it refused")
	}
}
