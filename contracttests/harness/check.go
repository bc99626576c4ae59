// Package harness is the base of every check of the contract. A Subject is a service with everything that is needed to
// test it. A Check is one test of it. Run runs one check and returns its failures. A check works through its Session,
// which sends requests, judges every answer by the document, and looks for secrets in it.
//
// The package also has the rules of the organizations API that no schema can state (rules.go), and right exchanges for
// the tests of other packages (fixture.go). Package local, below it, starts the service itself.
//
// It must not import the service's own code, such as its validation or its JSON, so that the tests cannot share a fault
// with the service. Of the module it imports judge, spec and the document.
package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"organizations-api/contracttests/judge"
)

// Check is one test of the suite. It reports through its Session and never through package testing, so that it also
// runs against services that are wrong on purpose.
type Check struct {
	Name string // such as "laws/patch-persists"
	// Needs says what the check cannot do without. A check whose needs a live target cannot meet is skipped there.
	Needs Need
	Run   func(s *Session)
}

// Need is something that a check cannot do without. Needs are combined with |.
type Need int

// The needs of a check.
const (
	NeedProvision Need = 1 << iota // organizations of its own
	NeedFaults                     // a store that fails
	NeedOther                      // a second organization
	NeedRead                       // a key that can only read
	NeedRevoke                     // a key that is revoked in the middle of it
	NeedLater                      // the service minutes later
)

// SkipReasons returns why the check cannot run against the subject. It returns nothing if the check can run.
func (c Check) SkipReasons(subject *Subject) []string {
	live := subject.Provision == nil
	var reasons []string
	for _, need := range []struct {
		need   Need
		lacks  bool
		reason string
	}{
		{NeedProvision, live, "it needs organizations of its own, in states that only their operator can bring about"},
		{NeedFaults, subject.Faulty == nil, "it needs a store that fails"},
		{NeedOther, live && subject.Other == nil, "it needs a key of a second organization"},
		{NeedRead, live && subject.Given.Keys[KeyRead] == "", "it needs a key that can only read"},
		{NeedRevoke, subject.Revoke == nil, "it needs to revoke a key"},
		{NeedLater, subject.Later == nil, "it needs to wait for minutes, or to set the clock"},
	} {
		if c.Needs&need.need != 0 && need.lacks {
			reasons = append(reasons, need.reason)
		}
	}
	return reasons
}

// Failure is one fault that a check found.
type Failure struct {
	Check   string
	Message string // on one line, bounded, without credentials
	Curl    string // commands that show it again; "" where no request shows it
	// Answer is what the service answered, without credentials and bounded; "" where it is no one answer's.
	Answer string
	// Others says that somebody else changes the organization of a live target meanwhile.
	Others bool

	// LeftChanged says that the organization of a live target is not what it was before the check.
	LeftChanged bool
}

// MaxMessage is the longest message of a failure. Longer ones are cut.
const MaxMessage = 600

func (f Failure) String() string {
	text := f.Check + ": " + f.Message
	if f.Curl != "" {
		text += "\n    " + f.Curl
	}
	return text
}

// Run runs one check against the subject and returns its failures. A check that panics has failed. On a live target it
// puts the organization back as it was.
func Run(ctx context.Context, subject *Subject, check Check) []Failure {
	s := newSession(ctx, subject, check.Name)
	s.protect(func() { check.Run(s) })
	s.protect(s.putBack)
	if s.disturbed() {
		// What else the check found may be the doing of others.
		return slices.DeleteFunc(s.failures, func(f Failure) bool { return !f.Others && !f.LeftChanged })
	}
	return s.failures
}

// RunSerially calls run for each check, one after the other. It is for live targets, where all checks share one
// organization. It stops early when ctx ends, when somebody else changes the organization, or when a check leaves it
// changed: the next check would take the changed state for the state to put back. It returns an error if not all checks
// ran.
func RunSerially(ctx context.Context, checks []Check, run func(Check) []Failure) error {
	for _, check := range checks {
		if ctx.Err() != nil {
			return errors.New("interrupted; what was changed has been put back")
		}
		for _, f := range run(check) {
			switch {
			case f.LeftChanged:
				return fmt.Errorf("stopped: %s has left the organization changed, and nothing else will put it back",
					check.Name)
			case f.Others:
				return errors.New("stopped: somebody else changes the organization, perhaps another run of the " +
					"checks; run one at a time")
			}
		}
	}
	return nil
}

// errStopped is the value of the panic that ends a check early.
var errStopped = errors.New("the check has stopped")

// maxFailures is the largest number of failures that one run of a check reports.
const maxFailures = 20

// fail reports a failure with the commands that reproduce it. After maxFailures it reports no more.
func (s *Session) fail(curl, answer, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) < maxFailures {
		message := judge.Clip(fmt.Sprintf(format, args...), MaxMessage)
		s.failures = append(s.failures, Failure{Check: s.check, Message: message, Curl: curl, Answer: answer})
	}
}

// protect calls a step of the check and turns a panic into a failure.
func (s *Session) protect(step func()) {
	defer func() {
		if p := recover(); p != nil && p != errStopped { //nolint:errorlint // the very value
			s.Failf("panic: %v", p)
		}
	}()
	step()
}
