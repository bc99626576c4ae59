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
	Replace map[string]string // files of the module by what takes their place; both relative to its root
}

// Bootstrap builds and returns the path of a copy. The linker leaves a file in the page cache in small pieces, and such a
// file starts up to a fifth slower than the same bytes written at once.
func (b Builder) Bootstrap(ctx context.Context, what Build) (string, error) {
	dir, err := os.MkdirTemp(b.Dir, "build-")
	if err != nil {
		return "", err
	}
	flags := what.Flags
	if len(what.Replace) > 0 {
		overlay, err := b.overlay(dir, what.Replace)
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

// overlay writes the file by which go build takes some files for others: "go help build", -overlay.
func (b Builder) overlay(dir string, replace map[string]string) (string, error) {
	absolute := map[string]string{}
	for file, by := range replace {
		absolute[filepath.Join(b.Root, file)] = filepath.Join(b.Root, by)
	}
	text, err := json.Marshal(map[string]any{"Replace": absolute})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o644)
}
