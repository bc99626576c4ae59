package mutants_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/mutants"
	"organizations-api/contracttests/sample"
)

var (
	mutantsAll  = flag.Bool("mutants.all", false, "run every check against every mutant, and not only until one catches it")
	mutantsJSON = flag.String("mutants.json", "", "`file` to write the results of the mutants to")
)

// mutantChecks returns the suite that must catch the mutants.
func mutantChecks() []harness.Check {
	return slices.Concat(checks.All(), bodies.All())
}

// TestMutants shows that the suite can fail: it finds nothing wrong with the service, and something with every mutant.
func TestMutants(t *testing.T) {
	t.Parallel()
	engine := local.NewMemory() // one for all mutants: each has organizations of its own
	t.Run("harmless", func(t *testing.T) {
		for _, mutant := range sample.Of(t, mutants.HarmlessMutants(), 2) {
			t.Run(mutant.Name, func(t *testing.T) {
				t.Parallel()
				subject := mutantSubject(t, engine, mutant)
				for _, check := range mutantChecks() {
					for _, failure := range harness.Run(t.Context(), subject, check) {
						t.Errorf("the service is caught, and nothing is wrong with it: %s", failure)
					}
				}
			})
		}
	})
	results := tryMutants(t, engine, sample.Of(t, mutants.All(), 15))
	t.Logf("\n%s", mutants.Table(results))
	if *mutantsJSON != "" {
		writeMutants(t, *mutantsJSON, results)
	}
}

func tryMutants(t *testing.T, engine local.Engine, list []mutants.Mutant) []mutants.Result {
	t.Helper()
	results := make([]mutants.Result, len(list))
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
func mutantSubject(t *testing.T, engine local.Engine, mutant mutants.Mutant) *harness.Subject {
	t.Helper()
	direct := local.NewService(t, engine, local.Options{Unlimited: true})
	return mutant.Before(local.New(t, engine, local.Options{}), direct.Target())
}

func writeMutants(t *testing.T, path string, results []mutants.Result) {
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
		mutants.GroupSchema, mutants.GroupAcceptance, mutants.GroupBehaviour, mutants.GroupHeaders,
		mutants.GroupSecurity,
	}
	seen := map[string]bool{}
	for _, m := range mutants.All() {
		if seen[m.Name] {
			t.Errorf("two mutants are named %s", m.Name)
		}
		seen[m.Name] = true
		if m.Does == "" || !slices.Contains(groups, m.Group) || m.Wrap == nil {
			t.Errorf("mutant %s is incomplete: %+v", m.Name, m)
		}
	}
}
