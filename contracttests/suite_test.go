package contracttests_test

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/sample"
)

var (
	machineSeed = flag.Uint64("machine-seed", checks.DefaultMachine().Seed, "`seed` of the state machine's sequences")
	machineRuns = flag.Int("machine-runs", checks.DefaultMachine().Runs, "`number` of the state machine's sequences")
)

// TestSuite runs the suite on every way to reach the service on this machine. orgs contract runs it at a URL.
func TestSuite(t *testing.T) {
	t.Parallel()
	r := newSuiteRecord(t)
	t.Run("local", func(t *testing.T) { // returns when all that runs in parallel has ended
		for name, start := range local.Subjects() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				subject := start(t)
				subject.Observe = r.coverage.Observe
				for _, check := range suiteOf(name) {
					t.Run(check.Name, func(t *testing.T) {
						t.Parallel()
						r.run(t, subject, check)
					})
				}
			})
		}
	})
	r.finish(t)
}

// suiteOf returns the checks for a subject. With -short each check runs on one of the two subjects on DynamoDB.
func suiteOf(subject string) []harness.Check {
	all := slices.Concat(allChecks(), generatedChecks(subject))
	if !testing.Short() || runtime.GOOS != "linux" || strings.HasSuffix(subject, "-sqlite") {
		return all
	}
	coins := rand.New(rand.NewPCG(sample.Seed(), 0)) // the same for both subjects
	return slices.DeleteFunc(all, func(harness.Check) bool {
		return (coins.IntN(2) == 0) != (subject == "bootstraps-dynamodb")
	})
}

// allChecks returns the suite, with the state machine as the flags have it.
func allChecks() []harness.Check {
	machine := checks.DefaultMachine()
	machine.Seed, machine.Runs = *machineSeed, *machineRuns
	asked := checks.StateMachine(machine)
	all := checks.All()
	all[slices.IndexFunc(all, func(c harness.Check) bool { return c.Name == asked.Name })] = asked
	return all
}

// generatedChecks returns the checks with generated bodies for the subject. A service judges a body before it asks its
// store. So every keyword of the document is sent on SQLite, which is fast, and a sample of them on DynamoDB. With
// -short only the service in process gets every keyword.
func generatedChecks(subject string) []harness.Check {
	sampled := bodies.Generation{Seed: sample.Seed(), Bodies: sample.Size(50, 20), Every: sample.Size(8, 24)}
	switch onSQLite := strings.HasSuffix(subject, "-sqlite"); {
	case onSQLite && !testing.Short():
		return bodies.All()
	case subject == "in-process-sqlite":
		sampled.Every = 1
	}
	return sampled.Checks()
}
