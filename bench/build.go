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
	name    string
	path    string            // of the package
	flags   string            // for go build; they come after those of a function and prevail
	replace map[string]string // files of the module, with the files that replace them; relative to the module's root
}

func builds() []build {
	const getFunction = "./functions/get-organization"
	const boot = "functions/internal/boot/"
	const variants = "bench/testdata/variants/"
	return []build{
		{name: floor, path: "./bench/floor"},
		{name: get, path: getFunction},
		{name: patch, path: "./functions/update-organization"},
		{name: unprimed, path: getFunction, replace: map[string]string{boot + "prime.go": variants + "unprimed.go"}},
		{name: viaConfig, path: getFunction, replace: map[string]string{boot + "store.go": variants + "config.go"}},
		{name: withRPC, path: getFunction, flags: "-tags="},
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
	if len(b.replace) > 0 {
		overlay, err := b.overlay(root, dir)
		if err != nil {
			return "", err
		}
		flags = strings.TrimSpace(flags + " -overlay " + overlay)
	}
	linked, path := filepath.Join(dir, "linked"), filepath.Join(dir, "bootstrap")
	command := exec.CommandContext(ctx, "make", "--no-print-directory", "build-variant", "ARCH="+runtime.GOARCH,
		"PACKAGE="+b.path, "OUT="+linked, "BUILD_FLAGS="+flags)
	command.Dir = root
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

// overlay writes the file that makes go build replace files ("go help build", -overlay), and returns its path. It
// returns an error if one of the files does not exist: go build would take it for a new file and build the function
// unchanged.
func (b build) overlay(root, dir string) (string, error) {
	absolute := map[string]string{}
	for file, by := range b.replace {
		file, by := filepath.Join(root, file), filepath.Join(root, by)
		for _, path := range []string{file, by} {
			if _, err := os.Stat(path); err != nil {
				return "", fmt.Errorf("building %s: %w", b.name, err)
			}
		}
		absolute[file] = by
	}
	path := filepath.Join(dir, "overlay.json")
	return path, writeJSON(path, map[string]any{"Replace": absolute})
}
