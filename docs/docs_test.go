// Package docs_test keeps the documents true. It runs every command in them that needs no account, in a fresh clone of
// the last commit, and checks that every make target in them exists.
package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository.
const root = ".."

// A fence of commands may be left out for these reasons. The test makes a dry run of its make targets.
const (
	needsAccount = "needs an AWS account"
	isInCheck    = "make check runs it"
	sameInCheck  = "make check runs the same code"
)

// fence is a fenced block of a document.
type fence struct {
	file     string
	line     int
	language string
	reason   string // why it is not run; "" where it is
	lines    []string
}

func (f fence) String() string { return fmt.Sprintf("%s:%d", f.file, f.line) }

// commands returns the commands of the fence, each on one line.
func (f fence) commands() []string {
	text := strings.ReplaceAll(strings.Join(f.lines, "\n"), "\\\n", " ")
	return slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// documents returns the paths of all documents, the README first: what the others assume is what it has one do.
func documents(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := slices.DeleteFunc(strings.Fields(string(out)), func(s string) bool { return s == "README.md" })
	return append([]string{"README.md"}, files...)
}

var reasonPattern = regexp.MustCompile(`^<!-- not run: (.+) -->$`)

// fencesOf reads the fences of a document.
func fencesOf(t *testing.T, file string) []fence {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var (
		fences []fence
		open   *fence
		reason string
	)
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		language, isFence := strings.CutPrefix(trimmed, "```")
		switch match := reasonPattern.FindStringSubmatch(trimmed); {
		case open != nil && isFence:
			fences, open = append(fences, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		case isFence:
			open, reason = &fence{file: file, line: i + 1, language: language, reason: reason}, ""
		case match != nil:
			reason = match[1]
		case trimmed != "" && reason != "":
			t.Errorf("%s:%d: the reason %q is not before a fence", file, i, reason)
			reason = ""
		}
	}
	if open != nil {
		t.Errorf("%v is never closed", open)
	}
	return fences
}

var commandPattern = regexp.MustCompile(`^\s*(\$ )?(make|orgs|build/orgs|go|curl|export|cd|npm|npx|git|aws|sam)( |$)`)

// TestEveryFenceIsClassified finds commands that would otherwise be run by nobody, unnoticed.
func TestEveryFenceIsClassified(t *testing.T) {
	t.Parallel()
	commands := 0
	for _, file := range documents(t) {
		for _, f := range fencesOf(t, file) {
			switch f.language {
			case "sh":
				commands += len(f.commands())
				checkReason(t, f)
			case "", "json", "yaml", "go", "mermaid":
				if f.reason != "" {
					t.Errorf("%v: only commands have a reason not to be run", f)
				}
				for _, line := range f.lines {
					if commandPattern.MatchString(line) {
						t.Errorf("%v: %q is a command; its fence must be of the language sh", f, line)
					}
				}
			default:
				t.Errorf("%v is of the language %q, want sh for commands, or json, yaml, go, mermaid or none", f, f.language)
			}
		}
	}
	if commands < 20 {
		t.Errorf("the documents have %d commands; they have more", commands)
	}
}

// checkReason checks the reason as far as a test can, and checks that make knows the commands that are not run.
func checkReason(t *testing.T, f fence) {
	t.Helper()
	switch f.reason {
	case "":
		return
	case needsAccount, sameInCheck:
	case isInCheck:
		for _, command := range f.commands() {
			command, _, _ := strings.Cut(command, " #")
			target := strings.TrimPrefix(strings.TrimSpace(command), "make ")
			if target != "check" && !slices.Contains(partsOfCheck(t), target) {
				t.Errorf("%v: %q is no part of make check", f, command)
			}
		}
	default:
		t.Errorf("%v is not run because it %q, which is none of the reasons", f, f.reason)
	}
	for _, command := range f.commands() {
		command, _, _ = strings.Cut(command, " #")
		if words := strings.Fields(command); words[0] == "make" {
			dryRun(t, f, words[1:])
		}
	}
}

func dryRun(t *testing.T, f fence, args []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "make", append([]string{"--dry-run", "-C", root}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: make %q: %v\n%s", f, args, err, out)
	}
}

func makefile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func partsOfCheck(t *testing.T) []string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^check: ([^#\n]*)`).FindStringSubmatch(makefile(t))
	if match == nil {
		t.Fatal("the Makefile has no target check")
	}
	return strings.Fields(match[1])
}

// TestTargetsExist looks for the targets that the text names, and for targets that no document needs to name but help
// must.
func TestTargetsExist(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`make ([a-z][a-z-]*)")
	for _, file := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			if !regexp.MustCompile(`(?m)^` + match[1] + `:.*## `).MatchString(makefile(t)) {
				t.Errorf("%s names make %s, which make help does not have", file, match[1])
			}
		}
	}
}

// TestTargetsAreNamed: the section on targets of development.md has each that make lists.
func TestTargetsAreNamed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "development.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Targets\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := regexp.MustCompile(`(?m)^([a-z][a-z-]*):.*## `).FindAllStringSubmatch(makefile(t), -1)
	if len(listed) < 20 {
		t.Errorf("make lists %d targets, want all of them", len(listed))
	}
	for _, target := range listed {
		if target[1] != "help" && !strings.Contains(section, "`"+target[1]+"`") {
			t.Errorf("the section on targets of docs/development.md lacks %s", target[1])
		}
	}
}

// TestLinksHold follows the links to other files of the repository.
func TestLinksHold(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, file := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(file), match[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, match[1], err)
			}
		}
	}
}

// TestREADMEIsShort: details belong into docs.
func TestREADMEIsShort(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines > 100 {
		t.Errorf("the README has %d lines, want at most 100", lines)
	}
}
