package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The binaries. The names say what differs from a function as it is deployed.
const (
	floor       = "floor"
	get         = "get-organization"
	patch       = "update-organization"
	unprimed    = "get, not primed"
	viaConfig   = "get, client from the config package"
	withRPC     = "get, without lambda.norpc"
	withSymbols = "get, without -s -w"
)

// build is one bootstrap to build.
type build struct {
	name   string
	path   string            // of the package
	module string            // the folder of its module; "" is ours
	flags  string            // for go build; they come after those of a function and prevail
	edits  []edit            // changes of the module's files
	add    map[string]string // more files of the module, with the files that they are copies of; relative to its root
}

// edit changes a text in a file of the module. The file must have the text exactly once.
type edit struct{ file, old, new string }

func builds() []build {
	const getFunction = "./functions/get-organization"
	const boot = "functions/internal/boot/"
	return []build{
		{name: floor, path: "./bench/floor"},
		{name: get, path: getFunction},
		{name: patch, path: "./functions/update-organization"},
		{name: unprimed, path: getFunction, edits: []edit{{boot + "boot.go", "prepare(service)\n", "\n"}}},
		{
			name: viaConfig, path: getFunction,
			edits: []edit{{boot + "boot.go", "c.store()", "c.storeViaConfig()"}},
			add:   map[string]string{boot + "viaconfig.go": "bench/testdata/viaconfig.go"},
		},
		{name: getFormer, path: getFunction, edits: []edit{{besideFile, besideLine, ""}}},
		{name: patchFormer, path: "./functions/update-organization", edits: []edit{{besideFile, besideLine, ""}}},
		{name: withRPC, path: getFunction, flags: "-tags=nethttpomithttp2"},
		{name: withSymbols, path: getFunction, flags: "-ldflags="},
	}
}

// bootstrap builds the binary for this machine's processor, as make builds the functions. It returns the path of a
// copy in a new folder below dir. The linker leaves a file in the page cache in small pieces, and such a file starts
// up to a fifth slower than the same bytes written at once.
func (b build) bootstrap(ctx context.Context, root, dir string) (string, error) {
	dir, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	flags := b.flags
	if len(b.edits)+len(b.add) > 0 {
		overlay, err := b.overlay(root, dir)
		if err != nil {
			return "", err
		}
		flags = strings.TrimSpace(flags + " -overlay " + overlay)
	}
	linked, path := filepath.Join(dir, "linked"), filepath.Join(dir, "bootstrap")
	command := exec.CommandContext(ctx, "make", "--no-print-directory", "-f", filepath.Join(root, "Makefile"),
		"build-variant", "ARCH="+runtime.GOARCH, "PACKAGE="+b.path, "OUT="+linked, "BUILD_FLAGS="+flags)
	command.Dir = filepath.Join(root, b.module)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", b.name, err, out)
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

// overlay writes the file that makes go build see the edited and the added files ("go help build", -overlay), and
// returns its path.
func (b build) overlay(root, dir string) (string, error) {
	replace := map[string]string{}
	for file, by := range b.add {
		by = filepath.Join(root, by)
		if _, err := os.Stat(by); err != nil { // go build would go on without it
			return "", fmt.Errorf("building %s: %w", b.name, err)
		}
		replace[filepath.Join(root, file)] = by
	}
	for i, e := range b.edits {
		file := filepath.Join(root, e.file)
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			return "", fmt.Errorf("building %s: %s has the text %q %d times, want it once", b.name, e.file, e.old, n)
		}
		replace[file] = filepath.Join(dir, fmt.Sprintf("edited%d.go", i))
		if err := os.WriteFile(replace[file], []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o644); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "overlay.json")
	return path, writeJSON(path, map[string]any{"Replace": replace})
}
