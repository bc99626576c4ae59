package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"organizations-api/contracttests/testnames"
)

const root = "../.."

// TestTableFitsTheCode: each fault can still be made, and the test that must catch it exists. Whether it does is shown
// by make mutants-code, which takes long.
func TestTableFitsTheCode(t *testing.T) {
	t.Parallel()
	table, err := readTable(tableText)
	if err != nil {
		t.Fatal(err)
	}
	const least = 80
	if len(table) < least {
		t.Errorf("the table has %d mutants, want %d at least", len(table), least)
	}
	for _, m := range table {
		faulty, err := m.apply(root)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if strings.HasSuffix(m.File, "_test.go") || m.New == m.Old || !strings.Contains(faulty, m.New) {
			t.Errorf("%s makes no fault in the code", m.Name)
		}
		name, _, _ := strings.Cut(m.Test, "/")
		if found, err := testnames.Declares(filepath.Join(root, m.Package), name); err != nil || !found {
			t.Errorf("%s: %s has no %s (%v)", m.Name, m.Package, name, err)
		}
	}
}

var (
	claimRow    = regexp.MustCompile("(?m)^\\| (.*) \\| (`.*`) \\|$")
	namedTest   = regexp.MustCompile("`([a-z/]+)\\.(Test\\w*)`")
	claimTables = "| they cannot | held by |\n|---|---|\n"
)

// TestClaimsHaveMutants: each claim of docs/security.md has a fault that breaks it, and one of the tests that the
// document names for the claim must catch that fault. A test that does not test its claim is found by make
// mutants-code.
func TestClaimsHaveMutants(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := readTable(tableText)
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	claims := 0
	for _, part := range strings.Split(string(text), claimTables)[1:] {
		rows, _, _ := strings.Cut(part, "\n\n")
		for _, row := range claimRow.FindAllStringSubmatch(rows, -1) {
			claims++
			broken := false
			for _, m := range table {
				if m.Claim == "" || !strings.HasPrefix(row[1], m.Claim) {
					continue
				}
				used[m.Name] = true
				if names(row[2], m) {
					broken = true
				} else {
					t.Errorf("%s: docs/security.md does not name %s.%s for %q", m.Name, m.Package, m.Test, row[1])
				}
			}
			if !broken {
				t.Errorf("no mutant breaks the claim %q: add one to mutants.txt, with a line claim", row[1])
			}
		}
	}
	for _, m := range table {
		if m.Claim != "" && !used[m.Name] {
			t.Errorf("%s: docs/security.md has no claim that begins with %q", m.Name, m.Claim)
		}
	}
	const least = 25
	if claims < least {
		t.Errorf("docs/security.md has %d claims with tests, want %d at least; the expression finds too few", claims, least)
	}
}

// names reports whether a cell of the document names the test of the mutant.
func names(cell string, m mutant) bool {
	for _, test := range namedTest.FindAllStringSubmatch(cell, -1) {
		name, _, _ := strings.Cut(m.Test, "/")
		if "./"+test[1] == m.Package && test[2] == name {
			return true
		}
	}
	return false
}

func TestReadTable(t *testing.T) {
	t.Parallel()
	const good = "about\n\n=== a-1\nfile f.go\ntest ./p TestA/b\nclaim do it\n--- old\n\tx\n\n\ty\n--- new\n\tz\n\n=== b\nfile f.go\ntest ./p TestB\n--- old\nx\n--- new\n\n"
	table, err := readTable(good)
	want := []mutant{
		{Name: "a-1", File: "f.go", Package: "./p", Test: "TestA/b", Claim: "do it", Old: "\tx\n\n\ty", New: "\tz"},
		{Name: "b", File: "f.go", Package: "./p", Test: "TestB", Old: "x"},
	}
	if err != nil || len(table) != 2 || table[0] != want[0] || table[1] != want[1] {
		t.Errorf("readTable = %+v, %v, want %+v", table, err, want)
	}
	for name, text := range map[string]string{
		"nothing":       "",
		"no old text":   "=== a\nfile f\ntest ./p TestA\n--- new\nx\n",
		"empty old":     "=== a\nfile f\ntest ./p TestA\n--- old\n\n--- new\nx\n",
		"no new text":   "=== a\nfile f\ntest ./p TestA\n--- old\nx\n",
		"no file":       "=== a\ntest ./p TestA\n--- old\nx\n--- new\ny\n",
		"no test":       "=== a\nfile f\n--- old\nx\n--- new\ny\n",
		"no package":    "=== a\nfile f\ntest TestA\n--- old\nx\n--- new\ny\n",
		"unknown field": "=== a\nfiles f\ntest ./p TestA\n--- old\nx\n--- new\ny\n",
		"odd name":      "=== A b\nfile f\ntest ./p TestA\n--- old\nx\n--- new\ny\n",
		"twice":         strings.ReplaceAll(good, "=== b", "=== a-1"),
	} {
		if table, err := readTable(text); err == nil {
			t.Errorf("%s: readTable = %+v, want an error", name, table)
		}
	}
}

// TestApplyNeedsOneOccurrence: a table that no longer fits the code is an error, and nothing is passed over.
func TestApplyNeedsOneOccurrence(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "f.go"), []byte("one two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]string{"one": "1 two two", "two": "", "three": ""} {
		got, err := mutant{Name: "m", File: "f.go", Old: old, New: "1"}.apply(folder)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("apply of %q = %q, %v, want %q", old, got, err, want)
		}
	}
}
