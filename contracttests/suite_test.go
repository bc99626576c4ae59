package contracttests_test

import (
	"flag"
	"testing"

	"organizations-api/contracttests"
	"organizations-api/contracttests/internal/subjects"
)

var (
	machineSeed = flag.Uint64("machine-seed", contracttests.DefaultMachine().Seed, "`seed` of the state machine's sequences")
	machineRuns = flag.Int("machine-runs", contracttests.DefaultMachine().Runs, "`number` of the state machine's sequences")
)

// checks returns the suite with the state machine as the flags have it.
func checks() []contracttests.Check {
	machine := contracttests.DefaultMachine()
	machine.Seed, machine.Runs = *machineSeed, *machineRuns
	asked := contracttests.StateMachine(machine)
	all := contracttests.Checks()
	for i := range all {
		if all[i].Name == asked.Name {
			all[i] = asked
		}
	}
	return all
}

// TestSuite runs the suite.
func TestSuite(t *testing.T) {
	t.Parallel()
	for _, make := range []func(testing.TB) *contracttests.Subject{
		subjects.InProcess, subjects.EventsSQLite, subjects.EventsDynamoDB,
	} {
		subject := make(t)
		t.Run(subject.Name, func(t *testing.T) {
			t.Parallel()
			for _, check := range checks() {
				t.Run(check.Name, func(t *testing.T) {
					t.Parallel()
					for _, failure := range contracttests.Run(t.Context(), subject, check) {
						t.Error(failure)
					}
				})
			}
		})
	}
}
