package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"organizations-api/contracttests/judge"
)

// Check is one test of the suite. It reports through its Session and never through package testing, so that it can be
// run against services that are wrong on purpose.
type Check struct {
	Name string // such as "laws/patch-persists"
	// Needs says what the check cannot do without, so that a live target can name what it does not show.
	Needs Need
	Run   func(s *Session)
}

// Need is what a check cannot do without; needs can be combined with |.
type Need int

// The needs.
const (
	NeedProvision Need = 1 << iota // organizations of its own
	NeedFaults                     // a store that fails
	NeedOther                      // a second organization
	NeedRead                       // a key that can only read
	NeedRevoke                     // a key that is revoked in the middle of it
)

// Failure is one thing that a check found wrong.
type Failure struct {
	Check   string
	Message string // on one line, bounded, without credentials
	Curl    string // how to see it again; "" where one request does not show it

	// LeftChanged says that the organization of a live target is not what it was before the check.
	LeftChanged bool
}

func (f Failure) String() string {
	if f.Curl == "" {
		return f.Check + ": " + f.Message
	}
	return f.Check + ": " + f.Message + "\n    " + f.Curl
}

// Session is one run of one check. Every exchange it makes is judged by the subject's validator. It is safe for
// concurrent use.
type Session struct {
	Subject *Subject
	Ctx     context.Context
	Check   string

	Before *Snapshot // of a live target's organization, to be put back

	Mu       sync.Mutex
	Failures []Failure
	secrets  []secret // that no answer may contain
	names    int      // given out by fresh
}

// maxFailures bounds what one run of a check reports; it stops at that.
const maxFailures = 20

// ErrStopped unwinds a check.
var ErrStopped = errors.New("the check has stopped")

// Run runs one check against the subject and returns what it found. A check that panics has failed.
func Run(ctx context.Context, subject *Subject, check Check) []Failure {
	s := &Session{Subject: subject, Ctx: ctx, Check: check.Name}
	s.GuardFaults()
	s.Protect(func() { check.Run(s) })
	s.Protect(s.putBack)
	return s.Failures
}

// Protect calls a step of the check and makes a failure of a panic.
func (s *Session) Protect(step func()) {
	defer func() {
		if p := recover(); p != nil && p != ErrStopped { //nolint:errorlint // the very value
			s.Failf("panic: %v", p)
		}
	}()
	step()
}

// Context returns the context that the check has to stop with.
func (s *Session) Context() context.Context { return s.Ctx }

// Failf reports something that is wrong and goes on.
func (s *Session) Failf(format string, args ...any) { s.fail("", format, args...) }

// FailExchange reports something that is wrong with one answer and goes on.
func (s *Session) FailExchange(x judge.Exchange, format string, args ...any) {
	s.fail(judge.Curl(x.Request), format, args...)
}

// Stop reports something without which the check is pointless, and ends it. It must be called in the check's goroutine.
func (s *Session) Stop(format string, args ...any) {
	s.Failf(format, args...)
	panic(ErrStopped)
}

func (s *Session) fail(curl, format string, args ...any) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if len(s.Failures) < maxFailures {
		s.Failures = append(s.Failures, Failure{Check: s.Check, Message: judge.Clip(fmt.Sprintf(format, args...), MaxMessage), Curl: curl})
	}
}

const MaxMessage = 600

// Failed reports whether anything has been reported.
func (s *Session) Failed() bool {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return len(s.Failures) > 0
}

// Send sends a request to the subject and judges the answer.
func (s *Session) Send(r judge.Request) judge.Exchange { return s.SendTo(s.Subject.Target, r) }

// SendTo sends a request to another target of the same contract, such as one with a fault.
func (s *Session) SendTo(target Target, r judge.Request) judge.Exchange {
	response, err := target.Send(s.Ctx, r)
	x := judge.Exchange{Request: r, Response: response}
	if err != nil {
		s.FailExchange(x, "no answer: %v", err)
		return x
	}
	if s.Subject.Observe != nil {
		s.Subject.Observe(x)
	}
	for _, violation := range s.Subject.Validator.Check(x) {
		s.FailExchange(x, "%s", violation)
	}
	s.scan(x)
	return x
}

// NewRequest returns a request for the organization of the key. A body that is not nil is sent as JSON. Headers are given
// as name, value, name, value.
func NewRequest(method, key string, body []byte, headers ...string) judge.Request {
	r := judge.Request{Method: method, URL: "/v1/organizations", Header: http.Header{}, Body: body}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}
