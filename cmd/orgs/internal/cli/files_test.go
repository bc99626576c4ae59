package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOpenRegular: a named pipe is refused and not waited for.
func TestOpenRegular(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, folder, os.DevNull} {
		if file, err := OpenRegular(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("OpenRegular(%s) = %v, %v, want it refused", path, file, err)
		}
	}
}

// TestReplaceFile: the target of a link stays as it is.
func TestReplaceFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, link, other := filepath.Join(folder, "a"), filepath.Join(folder, "link"), filepath.Join(folder, "other")
	for _, text := range []string{"first", "second"} {
		if err := ReplaceFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("the file has %q, %v, want %q", got, err, text)
		}
	}
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, folder} {
		if err := ReplaceFile(path, []byte("x"), 0o644); err == nil {
			t.Errorf("ReplaceFile(%s) = no error, want it refused", path)
		}
	}
	if got, err := os.ReadFile(other); len(got) > 0 || err != nil {
		t.Errorf("the other file has %q, %v, want nothing", got, err)
	}
	if entries, err := os.ReadDir(folder); len(entries) != 3 || err != nil {
		t.Errorf("the folder has %v, %v, want three files", entries, err)
	}
}
