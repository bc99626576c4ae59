package attacks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"organizations-api/contracttests/testnames"
)

// claim is a test as docs/security.md names it.
var claim = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Benchmark|Fuzz)[A-Z]\\w*)`")

// TestClaimsAreTested: every test that the document names exists, and every claim of a table names one.
func TestClaimsAreTested(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, match := range claim.FindAllStringSubmatch(string(text), -1) {
		folder, test := match[1], match[2]
		named[test] = true
		if found, err := testnames.Declares(filepath.Join("../..", folder), test); err != nil || !found {
			t.Errorf("docs/security.md names %s.%s, which does not exist (%v)", folder, test, err)
		}
	}
	for _, table := range strings.Split(string(text), "| they cannot | held by |\n|---|---|\n")[1:] {
		for line := range strings.Lines(table) {
			if !strings.HasPrefix(line, "|") {
				break
			}
			if !claim.MatchString(line) && !strings.Contains(line, "| as below |") {
				t.Errorf("docs/security.md claims without a test: %s", line)
			}
		}
	}
	for _, test := range ownTests(t) {
		if !named[test] {
			t.Errorf("%s holds no claim of docs/security.md", test)
		}
	}
	if len(named) < 30 {
		t.Errorf("docs/security.md names %d tests; the expression finds too few", len(named))
	}
}

// ownTests returns the tests and benchmarks of this package.
func ownTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("files = %q, %v", files, err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			all = append(all, match[1])
		}
	}
	return all
}
