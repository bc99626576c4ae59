package contracttests_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "organizations-api/"

// importRule says what some packages must not import, in files that are not tests. Packages are written as in go list,
// relative to the module: "a/b" is one package, "a/..." is a and all below it. Outside packages have their full path.
type importRule struct {
	why  string
	from []string
	// only are the packages of the module that may be imported; nil allows all. An empty list allows none.
	only []string
	// standard allows the standard library and the packages of only, and nothing from other modules.
	standard bool
	never    []string // packages that must not be imported
	// linked means never holds for what the imported packages import too: for everything that ends up in the binary.
	linked bool
}

const contract, command = "contracttests/", "cmd/orgs/internal/"

// importRules returns the arrows between the packages. A failure reads: package X imports (or links) package Y, and
// why it must not. To mend it, move the code that needs Y to a package that may import Y, or pass what X needs as an
// argument. Change a rule only together with the layout, and with docs/development.md.
func importRules() []importRule {
	adapters := []string{"shared/api/...", "shared/lambdahttp/...", "shared/store/dynamo/...",
		"shared/store/sqlite/..."}
	rules := []importRule{
		{why: "the domain is pure", from: []string{"shared/organization", "shared/apikey"}, standard: true,
			only: []string{"shared/base62", "shared/plainjson", "shared/organization"}},
		{why: "a function must not carry what only a laptop or a test needs",
			from:  []string{"shared/...", "functions/..."},
			never: []string{"local/...", "cmd/...", "contracttests/...", "bench/..."}},
		{why: "it would slow down the start of the function", from: []string{"functions/..."}, linked: true,
			never: []string{"shared/store/sqlite/...", "modernc.org/...", "github.com/pb33f/...", "local/...",
				contract + "..."}},
		{why: "orgs contract alone runs the checks", never: []string{contract + "..."}, from: []string{
			"cmd/orgs", "cmd/orgs/web/...", command + "admin/...", command + "backend/...", command + "cli/...",
			command + "doctor/...",
			command + "load/...", command + "seed/...", command + "serve/...", command + "term/...", command +
				"transfer/...",
		}},
		{why: "a command has no flags of tests", from: []string{"cmd/orgs"}, linked: true,
			never: []string{"testing", "pgregory.net/rapid"}},
		{why: "a stand-in for AWS serves any function", from: []string{"local/..."},
			never: []string{"shared/store/..."}},
		{why: "the document's reader knows nothing of organizations", from: []string{contract + "spec"},
			only: []string{}},
		{why: "the judge knows nothing of organizations", from: []string{contract + "judge"},
			only: []string{contract + "spec"}},
		{why: "the judge must not share a fault with the judged", from: []string{contract + "harness"},
			only: []string{contract + "judge", contract + "spec", "shared/openapi"}},
		{why: "checks and mutants reach the service through the harness alone",
			from: []string{contract + "checks", contract + "mutants"},
			only: []string{contract + "harness", contract + "judge", contract + "spec"}},
		{why: "generated requests reach the service through the harness alone", from: []string{contract + "bodies"},
			only: []string{contract + "harness", contract + "judge", contract + "spec", "shared/openapi"}},
		// harness: for Failure, which a report lists.
		{why: "coverage judges what others exercised", from: []string{contract + "coverage"},
			only: []string{contract + "harness", contract + "judge", contract + "spec"}},
		{why: "a run at a URL is given its checks, and nothing of the service", from: []string{contract + "live"},
			only: []string{contract + "coverage", contract + "harness", contract + "judge", contract + "spec"}},
		{why: "starting the service is for every test, so it must not know the checks",
			from:  []string{contract + "harness/local", contract + "harness/operator"},
			never: []string{contract + "bodies", contract + "checks", contract + "coverage", contract + "mutants"}},
		{why: "it is for tests only", from: []string{"..."},
			never: []string{contract + "harness/local", contract + "harness/fixture", contract + "attacks", contract +
				"linearizability"}},
	}
	for _, adapter := range adapters {
		rules = append(rules, importRule{why: "adapters never import each other", from: []string{adapter},
			never: slices.DeleteFunc(slices.Clone(adapters), func(other string) bool { return other == adapter })})
	}
	return rules
}

// TestImports holds the packages of the module to importRules.
func TestImports(t *testing.T) {
	t.Parallel()
	imports := moduleImports(t, "..")
	for _, rule := range importRules() {
		held := 0
		for _, from := range slices.Sorted(maps.Keys(imports)) {
			if !matchesAny(from, rule.from) {
				continue
			}
			held++
			verb, imported := "imports", imports[from]
			if rule.linked {
				verb, imported = "links", linked(imports, from)
			}
			for _, to := range imported {
				if to != from && rule.forbids(to) {
					t.Errorf("%s %s %s: %s", from, verb, to, rule.why)
				}
			}
		}
		if held == 0 {
			t.Errorf("the rule %q is about no package: %q", rule.why, rule.from)
		}
	}
}

func (r importRule) forbids(to string) bool {
	if matchesAny(to, r.never) {
		return true
	}
	first, _, _ := strings.Cut(to, "/")
	switch {
	case inModule(to):
		return r.only != nil && !matchesAny(to, r.only)
	default:
		return r.standard && strings.Contains(first, ".") // a host's name; the standard library has none
	}
}

// inModule reports whether a package, written as in importRule, is of this module.
func inModule(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"bench", "cmd", "contracttests", "docs", "functions", "local", "shared"}, first)
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		below, all := strings.CutSuffix(pattern, "...")
		return name == pattern || all && (strings.HasPrefix(name, below) || name+"/" == below)
	})
}

// linked returns all packages of the module that a package imports, directly or through others.
func linked(imports map[string][]string, from string) []string {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		for _, to := range imports[name] {
			if !seen[to] {
				seen[to] = true
				visit(to)
			}
		}
	}
	visit(from)
	return slices.Sorted(maps.Keys(seen))
}

// moduleImports returns what each package of the module imports in files that are not tests.
func moduleImports(t *testing.T, root string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, errModule := os.Stat(filepath.Join(file, "go.mod"))
			if hidden := strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".."; hidden ||
				entry.Name() == "testdata" || errModule == nil && file != root {
				return filepath.SkipDir // another module, or no package
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name = path.Clean(filepath.ToSlash(name))
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[name] = append(imports[name], strings.TrimPrefix(imported, module))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}
