package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is one deliberate fault in the code.
type mutant struct {
	Name    string
	File    string // relative to the root of the module
	Package string // of the test, such as ./shared/api
	Test    string // name of the test that must catch it; may end in /subtest
	Claim   string // beginning of a claim in docs/security.md that the test holds; "" for none
	Old     string // text that occurs once in the file
	New     string // what stands in its place
}

//go:embed mutants.txt
var tableText string

// These lines structure the table. Everything between them is text of the code.
const (
	beginLine = "=== "
	oldLine   = "--- old"
	newLine   = "--- new"
)

var nameForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// readTable reads a table. See mutants.txt for its form.
func readTable(text string) ([]mutant, error) {
	var all []mutant
	names := make(map[string]bool)
	_, text, _ = strings.Cut("\n"+text, "\n"+beginLine) // the introduction
	for block := range strings.SplitSeq(text, "\n"+beginLine) {
		m, err := readMutant(block)
		if err != nil {
			return nil, fmt.Errorf("the mutant %q: %w", m.Name, err)
		}
		if names[m.Name] {
			return nil, fmt.Errorf("there are two mutants %q", m.Name)
		}
		names[m.Name] = true
		all = append(all, m)
	}
	return all, nil
}

func readMutant(block string) (mutant, error) {
	head, code, ok := strings.Cut(block, "\n"+oldLine+"\n")
	name, head, _ := strings.Cut(head, "\n")
	m := mutant{Name: name}
	if !nameForm.MatchString(name) || !ok {
		return m, fmt.Errorf("it needs a name of letters, digits and hyphens, and a line %q", oldLine)
	}
	for line := range strings.Lines(head) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch field {
		case "file":
			m.File = value
		case "test":
			m.Package, m.Test, _ = strings.Cut(value, " ")
		case "claim":
			m.Claim = value
		default:
			return m, fmt.Errorf("the field %q is none of file, test and claim", field)
		}
	}
	m.Old, m.New, ok = strings.Cut(code+"\n", "\n"+newLine+"\n")
	if !ok || m.Old == "" {
		return m, fmt.Errorf("it needs an old text and a line %q", newLine)
	}
	m.New = strings.TrimSuffix(strings.TrimSuffix(m.New, "\n"), "\n") // the blank line before the next mutant
	if m.File == "" || m.Package == "" || !strings.HasPrefix(m.Test, "Test") {
		return m, fmt.Errorf("it needs a file, and a test as PACKAGE TestName")
	}
	return m, nil
}

// apply returns the file with the fault. It is an error if the old text does not occur exactly once, because the table
// then no longer fits the code.
func (m mutant) apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return "", fmt.Errorf("the old text occurs %d times in %s, want once: mend the entry in mutants.txt", n, m.File)
	}
	return strings.Replace(string(text), m.Old, m.New, 1), nil
}
