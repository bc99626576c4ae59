package transfer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublishWithoutLink does what is done on a file system that has no links.
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

// TestPublishReplaced: where somebody puts another file in the place of the one that was written, the backup fails.
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
	if err := publish(file, path); err == nil || !strings.Contains(err.Error(), "somebody put another file") {
		t.Errorf("publish = %v, want an error", err)
	}
}
