package measure

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Builder builds bootstraps as make builds the functions, for this machine's processor.
type Builder struct {
	Root string // of the module, with its Makefile
	Dir  string // gets a folder for each bootstrap
}

// Build is one bootstrap to build.
type Build struct {
	Name    string
	Package string            // such as ./functions/get-organization
	Flags   string            // for go build; they come after those of a function and prevail
	Edits   []Edit            // changes of the module's files
	Add     map[string]string // more files of the module, with the files that they are copies of; relative to its root
}

// Edit changes a text in a file of the module. The file must have the text once.
type Edit struct{ File, Old, New string }

// Bootstrap builds and returns the path of a copy. The linker leaves a file in the page cache in small pieces, and such a
// file starts up to a fifth slower than the same bytes written at once.
func (b Builder) Bootstrap(ctx context.Context, what Build) (string, error) {
	dir, err := os.MkdirTemp(b.Dir, "build-")
	if err != nil {
		return "", err
	}
	flags := what.Flags
	if len(what.Edits)+len(what.Add) > 0 {
		overlay, err := b.overlay(dir, what)
		if err != nil {
			return "", err
		}
		flags = strings.TrimSpace(flags + " -overlay " + overlay)
	}
	linked, path := filepath.Join(dir, "linked"), filepath.Join(dir, "bootstrap")
	build := exec.CommandContext(ctx, "make", "--no-print-directory", "build-variant", "ARCH="+runtime.GOARCH,
		"PACKAGE="+what.Package, "OUT="+linked, "BUILD_FLAGS="+flags)
	build.Dir = b.Root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", what.Name, err, out)
	}
	binary, err := os.ReadFile(linked)
	if err != nil {
		return "", err
	}
	if err := os.Remove(linked); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, binary, 0o755)
}

// overlay writes the file that makes go build see the edited and the added files ("go help build", -overlay), and returns
// its path.
func (b Builder) overlay(dir string, what Build) (string, error) {
	replace := map[string]string{}
	for file, by := range what.Add {
		replace[filepath.Join(b.Root, file)] = filepath.Join(b.Root, by)
	}
	for i, edit := range what.Edits {
		path := filepath.Join(b.Root, edit.File)
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), edit.Old); n != 1 {
			return "", fmt.Errorf("building %s: %s has the text %q %d times, want it once", what.Name, edit.File, edit.Old, n)
		}
		replace[path] = filepath.Join(dir, fmt.Sprintf("edited%d.go", i))
		if err := os.WriteFile(replace[path], []byte(strings.Replace(string(text), edit.Old, edit.New, 1)), 0o644); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o644)
}
