package transfer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/store"
)

// TestNothingReplaced backs up to a path that is taken. The file there must stay as it is, and so must the target of a
// link.
func TestNothingReplaced(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	for name, put := range map[string]func(path string) error{
		"a file":             func(path string) error { return os.WriteFile(path, []byte("my diary\n"), 0o644) },
		"a folder":           func(path string) error { return os.Mkdir(path, 0o700) },
		"a named pipe":       func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a link to nothing":  func(path string) error { return os.Symlink("elsewhere", path) },
		"a link to a device": func(path string) error { return os.Symlink(os.DevNull, path) },
	} {
		path := filepath.Join(t.TempDir(), "orgs.backup")
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		wantNotReplaced(t, name, s, path, transfer.Options{})
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		late := transfer.Options{Progress: func(int) { // the first call puts it there, in the midst of the backup
			if err := put(path); err != nil && !errors.Is(err, os.ErrExist) {
				t.Error(err)
			}
		}}
		wantNotReplaced(t, name+" that comes meanwhile", s, path, late)
	}
}

func wantNotReplaced(t *testing.T, name string, s store.Archive, path string, o transfer.Options) {
	t.Helper()
	if _, err := transfer.Write(t.Context(), s, path, o); !errors.Is(err, transfer.ErrExists) {
		t.Errorf("Write where there is %s = %v, want ErrExists", name, err)
	}
	wantFiles(t, path, "orgs.backup")
	f, err := transfer.Open(t.Context(), path)
	if err == nil {
		t.Errorf("%s is a backup now", name)
		f.Close()
	}
}

// TestLeftover: the file that a killed backup leaves does not disturb the next backup, and cannot be restored.
func TestLeftover(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	whole, _ := write(t, s)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "orgs.backup")
	leftover := path + ".123.partial"
	if err := os.WriteFile(leftover, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Write(t.Context(), s, path, transfer.Options{}); err != nil {
		t.Errorf("Write = %v, want no error", err)
	}
	wantIdentical(t, path, s, 3)
	wantFiles(t, path, "orgs.backup", "orgs.backup.123.partial")
	wantRefused(t, leftover, "the line breaks off")
}

// TestNoFolder backs up to a folder that does not exist.
func TestNoFolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "orgs.backup")
	if _, err := transfer.Write(t.Context(), open(t), path, transfer.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Write into a folder that is missing = %v, want it to say so", err)
	}
}

// TestOnlyFilesAreRead opens things that are not files. Open must neither wait for them nor read without end.
func TestOnlyFilesAreRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, pipe, "/dev/zero"} {
		wantRefused(t, path, path+" is not a regular file")
	}
	link := filepath.Join(folder, "link")
	s := filled(t, 3)
	path, _ := write(t, s)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	wantIdentical(t, link, s, 3)
}

// TestOpenInterrupted ends the check of a file.
func TestOpenInterrupted(t *testing.T) {
	t.Parallel()
	path, _ := write(t, filled(t, 3))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := transfer.Open(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("Open, interrupted = %v, want context.Canceled", err)
	}
}

// wantRefused checks that the file is refused, for a reason that has the text and no secret.
func wantRefused(t *testing.T, path, text string) {
	t.Helper()
	f, err := transfer.Open(t.Context(), path)
	if err == nil {
		t.Errorf("Open(%s) = no error, want %q", path, text)
		f.Close()
	} else if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "openai_key") {
		t.Errorf("Open = %v, want %q and no secret", err, text)
	}
}
