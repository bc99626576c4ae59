package contracttests_test

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
)

var (
	target = flag.String("target", "", "base `URL` of a service to run the suite against, instead of those that it starts itself")

	machineSeed = flag.Uint64("machine-seed", checks.DefaultMachine().Seed, "`seed` of the state machine's sequences")
	machineRuns = flag.Int("machine-runs", checks.DefaultMachine().Runs, "`number` of the state machine's sequences")
)

// The variables with the keys of the target. They are no flags, as every user of a machine can see the arguments of its
// processes.
const (
	adminKeyVariable = "ADMIN_KEY" // with the permission admin; its organization is changed and put back
	readKeyVariable  = "READ_KEY"  // of the same organization, and can only read
	otherKeyVariable = "OTHER_KEY" // of a second organization, which is only read
)

// TestSuite runs the suite on every way to reach the service on this machine, or on the target of the flags.
//
// On a target it creates nothing. It puts back what it changes, even when it is interrupted or runs out of time, and stops
// if it cannot. It must not be killed, and nobody else should change the organization meanwhile. Checks run one after
// the other, and wait when the target answers 429. They make over a thousand requests, which takes long under the limits
// of most tiers: raise the organization's limit, or give go test a -timeout. With -v the test says what a target cannot
// show.
func TestSuite(t *testing.T) {
	t.Parallel()
	if *target != "" {
		ctx, stop := untilInterrupted(t)
		defer stop()
		runAtURL(ctx, t, local.AtURL(t, *target, os.Getenv(adminKeyVariable), os.Getenv(readKeyVariable), os.Getenv(otherKeyVariable)))
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

// untilInterrupted returns a context that ends while there is still time to put things back.
func untilInterrupted(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGINT, syscall.SIGTERM)
	deadline, limited := t.Deadline()
	if !limited {
		return ctx, stop
	}
	// A minute each for what was sent before and for the last try to put back, and the time of the tries between.
	const toPutBack = 5 * time.Minute
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-toPutBack))
	return ctx, func() { cancel(); stop() }
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

// runAtURL runs the checks that the subject can show, one after the other, and logs which it cannot show, and why.
func runAtURL(ctx context.Context, t *testing.T, subject *harness.Subject) {
	t.Helper()
	var requests atomic.Int64
	subject.Observe = func(judge.Exchange) { requests.Add(1) }
	var shown []harness.Check
	hidden := map[string][]string{}
	for _, check := range allChecks() {
		if reasons := check.SkipReasons(subject); len(reasons) > 0 {
			why := strings.Join(reasons, ", and ")
			hidden[why] = append(hidden[why], check.Name)
			continue
		}
		shown = append(shown, check)
	}
	err := harness.RunSerially(ctx, shown, func(check harness.Check) (failures []harness.Failure) {
		t.Run(check.Name, func(t *testing.T) {
			failures = harness.Run(ctx, subject, check)
			local.Report(t, failures)
		})
		return failures
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d checks on %d requests", len(shown), requests.Load())
	for why, names := range hidden {
		slices.Sort(names)
		t.Logf("not shown, as %s:\n\t%s", why, strings.Join(names, "\n\t"))
	}
}
