package contracttests

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	allCatchers = flag.Bool("mutants.all", false, "run every check against every mutant, and not only until one catches it")
	mutantsJSON = flag.String("mutants.json", "", "file to write the results to, as JSON")
)

// mutantChecks is the suite that mutants are to be caught by.
func mutantChecks() []Check { return Checks() }

// theService is the mutant that is none.
var theService = Mutant{Name: "none", Does: "nothing", Wrap: mutateAnswer(func(*World, Request, *Response) {})}

// TestMutants shows that the suite can fail: it has nothing to say of the service, and something of every mutant.
func TestMutants(t *testing.T) {
	results := mutantResults(t, *allCatchers)
	for _, r := range results {
		if !r.Caught {
			t.Errorf("no check catches %s, which %s", r.Name, r.Does)
		}
	}
	t.Logf("\n%s", mutantTable(results))
	if *mutantsJSON != "" {
		writeResults(t, *mutantsJSON, results)
	}
}

// mutantResults runs the suite against the service and every mutant of it. It fails the test where a check has something
// to say of the service itself.
func mutantResults(t *testing.T, all bool) []MutantResult {
	t.Helper()
	t.Run("clean", func(t *testing.T) {
		subject := mutantSubject(t, theService)
		for _, check := range mutantChecks() {
			for _, failure := range Run(t.Context(), subject, check) {
				t.Errorf("the service itself is caught: %s", failure)
			}
		}
	})
	if t.Failed() {
		t.Fatal("with a suite that fails, catching mutants proves nothing")
	}
	mutants := Mutants()
	results := make([]MutantResult, len(mutants))
	t.Run("mutants", func(t *testing.T) {
		for i, mutant := range mutants {
			t.Run(mutant.Name, func(t *testing.T) {
				t.Parallel()
				results[i] = tryMutant(t, mutant, mutantChecks(), all)
			})
		}
	})
	return results
}

// tryMutant runs checks against a mutant until one catches it, or all of them.
func tryMutant(t *testing.T, mutant Mutant, checks []Check, all bool) MutantResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	began := time.Now()
	subject := mutantSubject(t, mutant)
	result := MutantResult{Name: mutant.Name, Group: mutant.Group, Does: mutant.Does}
	for _, check := range checks {
		failures := Run(ctx, subject, check)
		if len(failures) == 0 {
			continue
		}
		result.CaughtBy = append(result.CaughtBy, check.Name)
		if testing.Verbose() {
			t.Logf("%s", failures[0])
		}
		if !all {
			break
		}
	}
	result.Caught = len(result.CaughtBy) > 0
	result.Duration = time.Since(began)
	return result
}

// mutantTable lists the results for a person.
func mutantTable(results []MutantResult) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MUTANT\tGROUP\tCAUGHT BY\tAND\tTIME")
	caught := map[string][2]int{}
	for _, r := range results {
		first, more := "NOTHING", ""
		if r.Caught {
			first = r.CaughtBy[0]
		}
		if n := len(r.CaughtBy); n > 1 {
			more = fmt.Sprintf("%d more", n-1)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\n", r.Name, r.Group, first, more, r.Duration.Round(time.Millisecond))
		n := caught[r.Group]
		n[1]++
		if r.Caught {
			n[0]++
		}
		caught[r.Group] = n
	}
	_ = w.Flush()
	for _, group := range sortedKeys(caught) {
		fmt.Fprintf(&out, "%s: %d of %d caught\n", group, caught[group][0], caught[group][1])
	}
	return out.String()
}

func writeResults(t *testing.T, path string, results []MutantResult) {
	t.Helper()
	text, err := json.MarshalIndent(results, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Errorf("writing the results: %v", err)
	}
}

// TestMutantsAreNamed: names are unique, and each mutant says what it does and to which group it belongs.
func TestMutantsAreNamed(t *testing.T) {
	t.Parallel()
	groups := []string{GroupSchema, GroupAcceptance, GroupBehaviour, GroupHeaders, GroupSecurity}
	seen := map[string]bool{}
	for _, m := range Mutants() {
		if seen[m.Name] {
			t.Errorf("two mutants are named %s", m.Name)
		}
		seen[m.Name] = true
		if m.Does == "" || !slices.Contains(groups, m.Group) || m.Wrap == nil {
			t.Errorf("mutant %s is incomplete: %+v", m.Name, m)
		}
	}
}
