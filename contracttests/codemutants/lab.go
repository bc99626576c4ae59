package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// verdict is the result for one mutant.
type verdict string

const (
	caught       verdict = "caught"
	notCaught    verdict = "NOT caught"
	doesNotApply verdict = "DOES NOT APPLY" // the old text is not in the file, or not once
	doesNotBuild verdict = "DOES NOT BUILD"
	noTest       verdict = "NO SUCH TEST"
	failsWithout verdict = "FAILS WITHOUT" // the test fails without the fault, so it shows nothing
)

// testTimeout is the time limit of one test. If a test hangs until then, the mutant counts as caught.
const testTimeout = 5 * time.Minute

// lab is a copy of the tree, with at most one fault at a time.
type lab struct {
	root    string // of the tree
	copy    string
	results string // file with the keys of what was caught
	tree    string // hash of the tree, without the table
	table   []mutant
	passes  map[string]bool // by package and test: it passes without a fault
}

// newLab copies the files that git tracks, and untracked files that it does not ignore. The copy always has the same
// path, because Go would compile everything again for another path.
func newLab(ctx context.Context, table []mutant) (*lab, error) {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return nil, fmt.Errorf("finding the tree: %w", err)
	}
	l := &lab{root: strings.TrimSpace(string(out)), table: table, passes: make(map[string]bool)}
	sum := sha256.Sum256([]byte(l.root))
	l.copy = filepath.Join(os.TempDir(), "codemutants-"+hex.EncodeToString(sum[:6]))
	l.results = filepath.Join(l.root, "build", "codemutants.txt")
	files, err := exec.CommandContext(ctx, "git", "-C", l.root, "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tree: %w", err)
	}
	if err := l.copyFiles(strings.Split(strings.TrimRight(string(files), "\x00"), "\x00")); err != nil {
		return nil, fmt.Errorf("copying the tree: %w", err)
	}
	return l, nil
}

// copyFiles writes the files that differ, and removes files that the tree does not have.
func (l *lab) copyFiles(names []string) error {
	slices.Sort(names)
	hash := sha256.New()
	kept := make(map[string]bool, len(names))
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(l.root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not yet committed
		}
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(l.root, name))
		if err != nil {
			return err
		}
		kept[name] = true
		if filepath.Base(name) != "mutants.txt" {
			fmt.Fprintf(hash, "%s %d\n", name, len(text))
			hash.Write(text)
		}
		target := filepath.Join(l.copy, name)
		if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, text) {
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, text, info.Mode().Perm())); err != nil {
			return err
		}
	}
	l.tree = hex.EncodeToString(hash.Sum(nil))
	// DynamoDB Local, which the tests download once.
	// Tests download there what they need. In a fresh clone the folder does not exist yet.
	downloads, cache := filepath.Join(l.root, ".cache"), filepath.Join(l.copy, ".cache")
	if err := os.MkdirAll(downloads, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(downloads, cache); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return filepath.WalkDir(l.copy, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(l.copy, path)
		if err != nil || entry.IsDir() || name == ".cache" || kept[name] {
			return err
		}
		return os.Remove(path)
	})
}

// try makes the fault, runs its test, and removes the fault.
func (l *lab) try(ctx context.Context, m mutant) (verdict, string) {
	faulty, err := m.apply(l.root)
	if err != nil {
		return doesNotApply, err.Error()
	}
	if v, output := l.passesWithout(ctx, m); v != "" {
		return v, output
	}
	path := filepath.Join(l.copy, m.File)
	right, err := os.ReadFile(path)
	if err != nil {
		return doesNotApply, err.Error()
	}
	defer func() { _ = os.WriteFile(path, right, 0o644) }() // the next run would copy it again
	if err := os.WriteFile(path, []byte(faulty), 0o644); err != nil {
		return doesNotApply, err.Error()
	}
	output, err := l.test(ctx, m.Package, m.Test)
	switch {
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return doesNotBuild, output
	case err == nil:
		return notCaught, output
	default:
		return caught, output
	}
}

// passesWithout returns "" if the mutant's test exists and passes without the fault. It runs the tests of all mutants
// of a package together, and remembers the ones that passed.
func (l *lab) passesWithout(ctx context.Context, m mutant) (verdict, string) {
	if l.passes[m.Package+" "+m.Test] {
		return "", ""
	}
	tests := []string{m.Test}
	for _, other := range l.table {
		if other.Package == m.Package && !strings.Contains(other.Test, "/") && !strings.Contains(m.Test, "/") {
			tests = append(tests, other.Test)
		}
	}
	output, err := l.test(ctx, m.Package, tests...)
	switch {
	case err != nil && len(tests) > 1:
		output, err = l.test(ctx, m.Package, m.Test) // another one may have failed
		if err != nil {
			return failsWithout, output
		}
		tests = tests[:1]
	case err != nil:
		return failsWithout, output
	}
	for _, test := range tests {
		if strings.Contains(output, "--- PASS: "+test+" ") || strings.Contains(output, "--- PASS: "+test+"/") {
			l.passes[m.Package+" "+test] = true
		}
	}
	if !l.passes[m.Package+" "+m.Test] {
		return noTest, output
	}
	return "", ""
}

// test runs tests of a package of the copy. Several must not be subtests.
func (l *lab) test(ctx context.Context, pkg string, tests ...string) (output string, err error) {
	pattern := "^(" + strings.Join(tests, "|") + ")$"
	if len(tests) == 1 {
		pattern = "^" + strings.ReplaceAll(tests[0], "/", "$/^") + "$"
	}
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-v", "-timeout", testTimeout.String(),
		"-run", pattern, pkg)
	command.Dir = l.copy
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	text, err := command.CombinedOutput()
	return string(text), err
}

// key names a mutant of this tree in the file of results.
func (l *lab) key(m mutant) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%+v", l.tree, m))
	return hex.EncodeToString(sum[:12])
}

// readResults returns the keys of the mutants that were caught. If there is no file, it returns none.
func (l *lab) readResults() map[string]bool {
	known := make(map[string]bool)
	text, err := os.ReadFile(l.results)
	if err != nil {
		return known
	}
	for line := range strings.Lines(string(text)) {
		key, _, _ := strings.Cut(line, " ")
		known[key] = true
	}
	return known
}

// note adds a mutant that was caught to the file of results.
func (l *lab) note(m mutant) error {
	if err := os.MkdirAll(filepath.Dir(l.results), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(l.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %s\n", l.key(m), m.Name)
	return errors.Join(err, file.Close())
}
