package transfer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
)

// empty is a store without organizations.
type empty struct{ store.Archive }

func (empty) ExportPage(context.Context, string, int) ([]store.Export, string, error) {
	return nil, "", nil
}

func (empty) KeySecrets(context.Context) (apikey.Secrets, error) { return nil, nil }

// TestBackupIsOnDisk: the file is whole when it is synced, and has its name when the folder is. A backup whose sync
// fails has failed.
func TestBackupIsOnDisk(t *testing.T) {
	t.Parallel()
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(closed.Close(), (Options{}).flush(closed)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("flush of a closed file = %v, want the error of Sync", err)
	}
	failure := errors.New("the disk is gone")
	for failing := range 3 { // of the two syncs; none at last
		folder := t.TempDir()
		path := filepath.Join(folder, "a.backup")
		synced := 0
		_, err := Write(t.Context(), empty{}, path, Options{sync: func(f *os.File) error {
			synced++
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			_, named := os.Lstat(path)
			switch {
			case synced == 1:
				content, err := os.ReadFile(f.Name())
				if err != nil || info.IsDir() || named == nil || !bytes.Contains(content, []byte(`"sha256"`)) || !bytes.HasSuffix(content, []byte("\n")) {
					t.Errorf("the first sync is of %s with %q (%v), want the whole backup before it is named", f.Name(), content, err)
				}
			case !info.IsDir() || f.Name() != folder || named != nil:
				t.Errorf("the second sync is of %s (%v), want the folder, with the backup in it", f.Name(), named)
			}
			if synced == failing+1 {
				return failure
			}
			return nil
		}})
		if want := failing < 2; errors.Is(err, failure) != want || err != nil && !want || synced != min(failing+1, 2) {
			t.Errorf("Write = %v after %d syncs, of which number %d failed", err, synced, failing+1)
		}
	}
}

// TestPublishWithoutLink publishes as on a file system without links.
func TestPublishWithoutLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	temporary, path := filepath.Join(folder, "temporary"), filepath.Join(folder, "path")
	for _, test := range []struct {
		text string
		want error
	}{
		{"first", nil},
		{"second", os.ErrExist},
	} {
		if err := os.WriteFile(temporary, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := publishWithoutLink(temporary, path); !errors.Is(err, test.want) {
			t.Errorf("publishWithoutLink = %v, want %v", err, test.want)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
			t.Errorf("the file has %q, %v, want what came first", got, err)
		}
	}
}

// TestPublishReplaced: if somebody exchanges the written file, the backup fails.
func TestPublishReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, planted := filepath.Join(folder, "path"), filepath.Join(folder, "planted")
	file, err := createTemporary(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := os.WriteFile(planted, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(planted, file.Name()); err != nil {
		t.Fatal(err)
	}
	if err := publish(file, path, (*os.File).Sync); err == nil || !strings.Contains(err.Error(), "somebody put another file") {
		t.Errorf("publish = %v, want an error", err)
	}
}
