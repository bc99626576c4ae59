package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"organizations-api/contracttests/judge"
)

// Restorable are the fields that come back as they are sent, so that what was there can be sent again. rate_limits is
// not among them: an answer shows the limits in force, and not which of them are the organization's own. No check may
// change them on a live target.
func Restorable() []string {
	return []string{"organization_name", "logo_url", "metadata", "billing_email", "notifications_email", "default_llm_credentials"}
}

// RestoreTime is how long putting back is tried again, even where the check was told to stop, and restorePause the time
// between two tries.
const (
	RestoreTime  = 2 * time.Minute
	RestorePause = 5 * time.Second
)

// Uninterrupted returns a Target that waits for the answer to whatever it has sent, also where ctx ends meanwhile: a
// service goes on with a change when its client hangs up, and would make it after the organization was put back. Once
// ctx has ended, it sends nothing. It is for live targets, and target must have a time limit of its own, as that of
// URLTarget has.
func Uninterrupted(target Target) Target {
	return TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		if ctx.Err() != nil {
			return judge.Response{}, context.Cause(ctx)
		}
		return target.Send(context.WithoutCancel(ctx), r)
	})
}

// OneByOne has run run each of the checks that share the organization of a live target, until ctx ends or a check leaves
// the organization changed: the next one would take that for what it has to put back. The error says why not all were
// run.
func OneByOne(ctx context.Context, checks []Check, run func(Check) []Failure) error {
	for _, check := range checks {
		if ctx.Err() != nil {
			return errors.New("interrupted, or out of time; what was changed has been put back")
		}
		if slices.ContainsFunc(run(check), func(f Failure) bool { return f.LeftChanged }) {
			return fmt.Errorf("stopped: %s has left the organization changed, and nothing else will put it back", check.Name)
		}
	}
	return nil
}

// remember keeps what the organization is before the check changes it.
func (s *Session) remember() {
	if s.Before == nil {
		before := s.Snapshot(s.Send(NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil)))
		s.Before = &before
	}
}

// putBack makes the organization of a live target what it was. updated_at and the ETag tell that it was changed. A try
// that fails is made again, as a service may be unavailable for a while.
func (s *Session) putBack() {
	if s.Before == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Ctx), RestoreTime)
	defer cancel()
	for {
		wrong := s.tryToPutBack(ctx)
		if wrong == "" {
			return
		}
		select {
		case <-time.After(RestorePause):
		case <-ctx.Done():
			s.alarm("the organization could not be put back: " + wrong)
			return
		}
	}
}

// tryToPutBack returns what is wrong still, "" where nothing is.
func (s *Session) tryToPutBack(ctx context.Context) string {
	now, ok := s.ask(ctx, NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil))
	if ok && len(s.Before.Differences(now, "updated_at")) == 0 {
		return ""
	}
	var fields []Member
	for _, name := range Restorable() {
		if value, shown := s.Before.Members[name]; shown {
			fields = append(fields, Member{name, string(value)})
		}
	}
	now, ok = s.ask(ctx, NewRequest(http.MethodPatch, s.Subject.Given.Keys[KeyAdmin], []byte(Object(fields...))))
	if !ok {
		return "there was no answer that shows it"
	}
	if left := s.Before.Differences(now, "updated_at"); len(left) > 0 {
		return "still changed is " + strings.Join(left, ", ")
	}
	return ""
}

// ask sends a request that is no part of the check.
func (s *Session) ask(ctx context.Context, r judge.Request) (Snapshot, bool) {
	response, err := s.Subject.Target.Send(ctx, r)
	if err != nil {
		return Snapshot{}, false
	}
	return NewSnapshot(judge.Exchange{Request: r, Response: response})
}

// alarm reports that the organization is left changed, which must not be lost among many other failures. The request is not
// shown, as it holds the organization's own data.
func (s *Session) alarm(message string) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Failures = append(s.Failures, Failure{Check: s.Check, Message: judge.Clip(message, MaxMessage), LeftChanged: true})
}
