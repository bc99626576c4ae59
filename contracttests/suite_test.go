package contracttests_test

import (
	"context"
	"errors"
	"flag"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"organizations-api/contracttests"
	"organizations-api/contracttests/internal/subjects"
)

var (
	target   = flag.String("target", "", "base `URL` of a service to run the suite against, instead of those that it starts itself")
	adminKey = flag.String("admin-key", "", "a `key` of the target with the permission admin; its organization is changed and put back")
	readKey  = flag.String("read-key", "", "a `key` of the same organization that can only read")
	otherKey = flag.String("other-key", "", "a `key` of a second organization, which is only read")

	machineSeed = flag.Uint64("machine-seed", contracttests.DefaultMachine().Seed, "`seed` of the state machine's sequences")
	machineRuns = flag.Int("machine-runs", contracttests.DefaultMachine().Runs, "`number` of the state machine's sequences")
)

// TestSuite runs the suite on every way to reach the service on this machine, or on the target of the flags.
//
// On a target it creates nothing, and it puts back what it changes, also when it is interrupted or runs out of time,
// and stops where it cannot; but it must not be killed, and nobody else should change the organization meanwhile. Checks run one after the other
// there, and wait where the target says that there are too many requests. With over a thousand of them that takes long
// under the limits of most tiers: raise the organization's limit, or give go test a -timeout. With -v the test says what
// a target cannot show.
func TestSuite(t *testing.T) {
	t.Parallel()
	if *target != "" {
		ctx, stop := untilInterrupted(t)
		defer stop()
		runAtURL(ctx, t, liveSubject(t, *target, *adminKey, *readKey, *otherKey))
		return
	}
	r := newSuiteRecord(t)
	t.Run("local", func(t *testing.T) { // returns when all that runs in parallel has ended
		for name, start := range subjects.Local() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				subject := start(t)
				subject.Observe = r.coverage.Observe
				for _, check := range slices.Concat(checks(), contracttests.GenerationChecks()) {
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

// checks returns the suite, with the state machine as the flags have it.
func checks() []contracttests.Check {
	machine := contracttests.DefaultMachine()
	machine.Seed, machine.Runs = *machineSeed, *machineRuns
	asked := contracttests.StateMachine(machine)
	all := contracttests.Checks()
	all[slices.IndexFunc(all, func(c contracttests.Check) bool { return c.Name == asked.Name })] = asked
	return all
}

func report(t *testing.T, failures []contracttests.Failure) {
	t.Helper()
	for _, failure := range failures {
		t.Error(failure)
	}
}

// liveSubject returns the service at a URL, of which there is nothing but keys. All but the first key may be "".
func liveSubject(t *testing.T, url, admin, read, other string) *contracttests.Subject {
	t.Helper()
	reached, err := contracttests.URLTarget(url)
	validator, errJudge := subjects.GatewayValidator()
	if err := errors.Join(err, errJudge); err != nil {
		t.Fatal(err)
	}
	if admin == "" {
		t.Fatal("a target needs an -admin-key")
	}
	subject := &contracttests.Subject{
		Name:      "at-url",
		Target:    contracttests.Patient(contracttests.Uninterrupted(reached)),
		Validator: validator,
		Given:     contracttests.Tenant{Keys: map[contracttests.KeyKind]string{contracttests.KeyAdmin: admin}},
	}
	if read != "" {
		subject.Given.Keys[contracttests.KeyRead] = read
	}
	if other != "" {
		subject.Other = &contracttests.Tenant{Keys: map[contracttests.KeyKind]string{contracttests.KeyAdmin: other}}
	}
	return subject
}

// runAtURL runs, one after the other, the checks that the subject can show, and says which it cannot, and why.
func runAtURL(ctx context.Context, t *testing.T, subject *contracttests.Subject) {
	t.Helper()
	var requests atomic.Int64
	subject.Observe = func(contracttests.Exchange) { requests.Add(1) }
	var shown []contracttests.Check
	hidden := map[string][]string{}
	for _, check := range checks() {
		if reasons := contracttests.Lacks(subject, check); len(reasons) > 0 {
			why := strings.Join(reasons, ", and ")
			hidden[why] = append(hidden[why], check.Name)
			continue
		}
		shown = append(shown, check)
	}
	err := contracttests.OneByOne(ctx, shown, func(check contracttests.Check) (failures []contracttests.Failure) {
		t.Run(check.Name, func(t *testing.T) {
			failures = contracttests.Run(ctx, subject, check)
			report(t, failures)
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
