package harness

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"organizations-api/contracttests/judge"
)

// Session is one run of one check. The subject's validator judges every exchange of it. It is safe for concurrent use.
type Session struct {
	Subject *Subject

	ctx    context.Context
	check  string
	before *Snapshot // of a live target's organization, to be put back

	mu       sync.Mutex
	failures []Failure
	secrets  []secret // that no answer may contain
	names    int      // given out by Fresh
}

func newSession(ctx context.Context, subject *Subject, check string) *Session {
	s := &Session{Subject: subject, ctx: ctx, check: check}
	s.secrets = append(s.secrets, newSecret("the cause of a fault", FaultText))
	return s
}

// Context returns the context of the run. The check must stop when it ends.
func (s *Session) Context() context.Context { return s.ctx }

// Live reports whether the check runs on a live target, where it shares its organization with other checks.
func (s *Session) Live() bool { return s.Subject.Provision == nil }

// Failf reports a fault and goes on.
func (s *Session) Failf(format string, args ...any) { s.fail("", "", format, args...) }

// FailExchange reports a fault of one answer and goes on.
func (s *Session) FailExchange(x judge.Exchange, format string, args ...any) {
	answer := ""
	if x.Response.Status != 0 {
		answer = judge.Show(x.Response)
	}
	s.fail(judge.Curl(x.Request), answer, format, args...)
}

// FailScript reports a fault that several requests show together, with the commands that send them, and goes on.
func (s *Session) FailScript(commands []string, format string, args ...any) {
	s.fail(strings.Join(commands, "\n    "), "", format, args...)
}

// Stop reports a fault that makes the rest of the check pointless, and ends the check. Call it in the check's own
// goroutine.
func (s *Session) Stop(format string, args ...any) {
	s.Failf(format, args...)
	panic(errStopped)
}

// StopExchange reports a fault of one answer and ends the check, as Stop does.
func (s *Session) StopExchange(x judge.Exchange, format string, args ...any) {
	s.FailExchange(x, format, args...)
	panic(errStopped)
}

// Failed reports whether anything has been reported.
func (s *Session) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures) > 0
}

// Try runs steps in a session of its own, on the same subject. It returns their failures and does not report them. On a
// live target, the changes are put back at the end of s.
func (s *Session) Try(steps func(s *Session)) []Failure {
	inner := newSession(s.ctx, s.Subject, s.check)
	inner.before = s.before
	inner.protect(func() { steps(inner) })
	s.before = inner.before
	if inner.disturbed() {
		s.others("somebody else is at work on the organization")
	}
	return inner.failures
}

// Send sends a request to the subject and judges the answer.
func (s *Session) Send(r judge.Request) judge.Exchange { return s.SendTo(s.Subject.Target, r) }

// SendTo sends a request to another target of the same contract, such as one with a fault, and judges the answer.
func (s *Session) SendTo(target Target, r judge.Request) judge.Exchange {
	response, err := target.Send(s.ctx, r)
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
	s.notice(x)
	s.scan(x)
	return x
}

// WantStatus reports an answer with another status, and returns whether the status is right. A request without an
// answer was reported by Send.
func (s *Session) WantStatus(x judge.Exchange, status int) bool {
	if x.Response.Status != status && x.Response.Status != 0 {
		s.FailExchange(x, "status is %d, want %d", x.Response.Status, status)
	}
	return x.Response.Status == status
}

// WantError reports an answer that is not an error of that status and code.
func (s *Session) WantError(x judge.Exchange, status int, code string) {
	if !s.WantStatus(x, status) {
		return
	}
	var answer struct{ Error struct{ Code string } }
	_ = json.Unmarshal(x.Response.Body, &answer) // a body that is not an error has no code
	if got := answer.Error.Code; got != code {
		s.FailExchange(x, "the error's code is %s, want %s", judge.Describe(got, nil), code)
	}
}

// WantSame reports a record that is not the same as before, to the byte. The text says what was done in between.
func (s *Session) WantSame(before, now Snapshot, format string, args ...any) {
	if !now.SameBytes(before) {
		s.FailExchange(now.Exchange, format+": %s", append(args, before.Compare(now))...)
	}
}

// Snapshot returns the organization that an answer shows. It ends the check if the answer shows none.
func (s *Session) Snapshot(x judge.Exchange) Snapshot {
	shown, ok := NewSnapshot(x)
	if !ok {
		s.StopExchange(x, "status is %d, want 200 and an organization", x.Response.Status)
	}
	return shown
}

// Fresh returns a text that the organization does not have yet, not even if an earlier run was interrupted before it
// put the organization back.
func (s *Session) Fresh(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names++
	if mark := s.Subject.Mark; mark != "" {
		what += "-run" + mark
	}
	return what + "-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(s.names)
}

// NewRequest returns a request for the organization of the key. A body that is not nil is sent as JSON. Headers are
// given as name, value, name, value.
func NewRequest(method, key string, body []byte, headers ...string) judge.Request {
	r := judge.Request{Method: method, URL: Path, Header: http.Header{}, Body: body}
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

// Together calls a function several times at once and returns the results in the order of i.
func Together[T any](times int, call func(i int) T) []T {
	out := make([]T, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { out[i] = call(i) })
	}
	all.Wait()
	return out
}
