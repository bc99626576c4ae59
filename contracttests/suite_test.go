package contracttests_test

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/coverage"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/live"
	"organizations-api/shared/openapi"
)

var (
	target = flag.String("target", "", "base `URL` of a service to run the suite against, instead of those that it starts itself")

	verbose = flag.Bool("list", false, "list what a target cannot show, instead of counting it")

	machineSeed = flag.Uint64("machine-seed", checks.DefaultMachine().Seed, "`seed` of the state machine's sequences")
	machineRuns = flag.Int("machine-runs", checks.DefaultMachine().Runs, "`number` of the state machine's sequences")
)

// These variables hold the keys of the target. They are not flags, because every user of a machine can see the
// arguments of its processes.
const (
	adminKeyVariable = "ADMIN_KEY" // with the permission admin; its organization is changed and put back
	readKeyVariable  = "READ_KEY"  // of the same organization, and can only read
	otherKeyVariable = "OTHER_KEY" // of a second organization, which is only read
)

// TestSuite runs the suite on every way to reach the service on this machine, or on the target of the flags.
//
// On a target it creates nothing. It puts back what it changes, even when it is interrupted or runs out of time, and
// stops if it cannot. It must not be killed, and nobody else should change the organization meanwhile. Checks run one
// after the other, and wait when the target answers 429. They make over a thousand requests, which takes long under the
// limits of most tiers: the run says how long, and how to raise the limit. What a target cannot show is counted, and
// listed with -list.
func TestSuite(t *testing.T) {
	t.Parallel()
	if *target != "" {
		ctx, stop := untilInterrupted(t)
		defer stop()
		subject := local.AtURL(t, *target, os.Getenv(adminKeyVariable), os.Getenv(readKeyVariable), os.Getenv(otherKeyVariable))
		found := runAtURL(ctx, t, subject, *target)
		if len(found.Subjects[0].Checks) == 0 {
			return // it could not begin, and has said why
		}
		if err := found.WriteText(os.Stdout); err != nil {
			t.Error(err)
		}
		writeReports(t, found)
		return
	}
	r := newSuiteRecord(t)
	t.Run("local", func(t *testing.T) { // returns when all that runs in parallel has ended
		for name, start := range local.Subjects() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				subject := start(t)
				subject.Observe = r.coverage.Observe
				for _, check := range slices.Concat(allChecks(), bodies.All()) {
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

// toPutBack is the time for putting the organization back: a minute for requests that were sent before, the time of the
// tries, and a minute for the last try.
const toPutBack = 5 * time.Minute

// untilInterrupted returns a context that ends while there is still time to put things back.
func untilInterrupted(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGINT, syscall.SIGTERM)
	deadline, limited := t.Deadline()
	if !limited {
		return ctx, stop
	}
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-toPutBack))
	return ctx, func() { cancel(); stop() }
}

// allChecks returns the suite, with the state machine of the flags.
func allChecks() []harness.Check {
	machine := checks.DefaultMachine()
	machine.Seed, machine.Runs = *machineSeed, *machineRuns
	asked := checks.StateMachine(machine)
	all := checks.All()
	all[slices.IndexFunc(all, func(c harness.Check) bool { return c.Name == asked.Name })] = asked
	return all
}

// runAtURL runs the checks that the subject can show, one after the other, and prints the results. It returns the input
// of the reports.
func runAtURL(ctx context.Context, t *testing.T, subject *harness.Subject, url string) coverage.ReportInput {
	t.Helper()
	run := live.Run{
		Target: url, Subject: subject, Checks: allChecks(), Document: openapi.YAML, Version: documentVersion(t), Verbose: *verbose,
		Each: func(_ context.Context, check harness.Check, run func() []harness.Failure) (failures []harness.Failure) {
			t.Run(check.Name, func(t *testing.T) {
				if failures = run(); len(failures) > 0 {
					t.Fail() // the report says why
				}
			})
			return failures
		},
	}
	if deadline, limited := t.Deadline(); limited {
		run.Deadline = deadline.Add(-toPutBack)
	}
	found, err := run.Do(ctx, os.Stdout)
	if err != nil {
		t.Error(err)
	}
	return found
}
