package contracttests_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"organizations-api/contracttests"
	"organizations-api/contracttests/internal/subjects"
)

var (
	mutantsAll  = flag.Bool("mutants.all", false, "run every check against every mutant, and not only until one catches it")
	mutantsJSON = flag.String("mutants.json", "", "`file` to write the results of the mutants to")
)

// mutantChecks is the suite that mutants are to be caught by.
func mutantChecks() []contracttests.Check {
	return slices.Concat(contracttests.Checks(), contracttests.GenerationChecks())
}

// TestMutants shows that the suite can fail: it has nothing to say of the service, and something of every mutant.
func TestMutants(t *testing.T) {
	t.Parallel()
	engine := newMemory() // one for all: what one mutant does to its organizations is nothing to the others
	t.Run("harmless", func(t *testing.T) {
		for _, mutant := range contracttests.HarmlessMutants() {
			t.Run(mutant.Name, func(t *testing.T) {
				t.Parallel()
				subject := mutantSubject(t, engine, mutant)
				for _, check := range mutantChecks() {
					for _, failure := range contracttests.Run(t.Context(), subject, check) {
						t.Errorf("the service is caught, and nothing is wrong with it: %s", failure)
					}
				}
			})
		}
	})
	results := tryMutants(t, engine, contracttests.Mutants())
	t.Logf("\n%s", contracttests.MutantTable(results))
	if *mutantsJSON != "" {
		writeMutants(t, *mutantsJSON, results)
	}
}

func tryMutants(t *testing.T, engine subjects.Engine, list []contracttests.Mutant) []contracttests.MutantResult {
	t.Helper()
	results := make([]contracttests.MutantResult, len(list))
	t.Run("each", func(t *testing.T) {
		for i, mutant := range list {
			t.Run(mutant.Name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				results[i] = mutant.Try(ctx, mutantSubject(t, engine, mutant), mutantChecks(), *mutantsAll)
				if !results[i].Caught {
					t.Errorf("no check catches a service that %s", mutant.Does)
				}
				t.Log(results[i].Failure)
			})
		}
	})
	return results
}

// mutantSubject returns the service with a mutant before it.
func mutantSubject(t *testing.T, engine subjects.Engine, mutant contracttests.Mutant) *contracttests.Subject {
	t.Helper()
	direct, err := subjects.OverHTTP(engine, nil)
	if err != nil {
		t.Fatal(err)
	}
	subject := subjects.New(t, "in-process-sqlite", engine, subjects.OverHTTP, subjects.Validator)
	return mutant.Before(subject, contracttests.HandlerTarget(direct))
}

func writeMutants(t *testing.T, path string, results []contracttests.MutantResult) {
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
	groups := []string{
		contracttests.GroupSchema, contracttests.GroupAcceptance, contracttests.GroupBehaviour, contracttests.GroupHeaders,
		contracttests.GroupSecurity,
	}
	seen := map[string]bool{}
	for _, m := range contracttests.Mutants() {
		if seen[m.Name] {
			t.Errorf("two mutants are named %s", m.Name)
		}
		seen[m.Name] = true
		if m.Does == "" || !slices.Contains(groups, m.Group) || m.Wrap == nil {
			t.Errorf("mutant %s is incomplete: %+v", m.Name, m)
		}
	}
}
