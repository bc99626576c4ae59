package harness

import (
	"context"
	"net/http"
	"strings"
	"time"

	"organizations-api/contracttests/judge"
)

// Restorable returns the fields of a PATCH that an answer shows as they were sent, so that a check can send the old
// value again. rate_limits is not among them: an answer shows the limits in force, and not which of them are the
// organization's own. No check may change rate_limits on a live target.
func Restorable() []string {
	return []string{"organization_name", "logo_url", "metadata", "billing_email", "notifications_email",
		"default_llm_credentials", "nsfw_check_enabled", "nsfw_fail_closed"}
}

// putBack tries for this long, with a pause between two tries, even if the check was told to stop. A service that may
// be unavailable for a while gets more time than one that answers, because one that answers will not change its answer
// later.
const (
	restoreTime    = 2 * time.Minute
	restorePause   = 5 * time.Second
	answeringTime  = 8 * time.Second
	answeringPause = 2 * time.Second
)

// remember reads the organization of a live target before the check changes it.
func (s *Session) remember() {
	if s.before == nil {
		before := s.Snapshot(s.Send(NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil)))
		if start := s.Subject.Start; start != nil {
			if changed := start.Differences(before, "updated_at"); len(changed) > 0 {
				s.others("somebody else has changed " + strings.Join(changed, ", ") + " of the organization since the run began")
				panic(errStopped)
			}
		}
		s.before = &before
	}
}

// putBack gives the organization of a live target its old values. updated_at and the ETag stay changed. After a failure
// it tries again, because a service may be unavailable for a while.
func (s *Session) putBack() {
	if s.before == nil {
		return
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), restoreTime)
	defer cancel()
	for {
		wrong, answers := s.tryToPutBack(ctx)
		if wrong == "" {
			return
		}
		pause := restorePause
		if answers {
			pause = answeringPause
		}
		if answers && time.Since(began)+pause > answeringTime {
			s.alarm("the organization could not be put back: " + wrong)
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			s.alarm("the organization could not be put back: " + wrong)
			return
		}
	}
}

// tryToPutBack returns what is still wrong, or "", and whether the service is available.
func (s *Session) tryToPutBack(ctx context.Context) (wrong string, answers bool) {
	now, shown, _ := s.ask(ctx, NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil))
	if shown && len(s.before.Differences(now, "updated_at")) == 0 {
		return "", true
	}
	// JSON replaces objects and a merge patch clears what is null, so it takes one of each.
	var values, nulls []string
	for _, name := range Restorable() {
		value, shown := s.before.Members[name]
		field := `"` + name + `":` + string(value) // as it was written, so that it has the same size
		switch {
		case !shown:
		case string(value) == "null":
			nulls = append(nulls, field)
		default:
			values = append(values, field)
		}
	}
	for _, part := range []struct {
		mediaType string
		fields    []string
	}{{"application/json", values}, {MergePatchType, nulls}} {
		if len(part.fields) == 0 {
			continue
		}
		body := []byte("{" + strings.Join(part.fields, ",") + "}")
		key := s.Subject.Given.Keys[KeyAdmin]
		now, shown, answers = s.ask(ctx, NewRequest(http.MethodPatch, key, body, "Content-Type", part.mediaType))
		if !shown {
			return "no answer to a PATCH shows it", answers
		}
	}
	if left := s.before.Differences(now, "updated_at"); len(left) > 0 {
		return "still changed is " + strings.Join(left, ", "), true
	}
	return "", true
}

// ask sends a request that is not part of the check. It reports whether the answer shows an organization, and whether
// the service is available.
func (s *Session) ask(ctx context.Context, r judge.Request) (now Snapshot, shown, answers bool) {
	response, err := s.Subject.Target.Send(ctx, r)
	if err != nil {
		return Snapshot{}, false, false
	}
	now, shown = NewSnapshot(judge.Exchange{Request: r, Response: response})
	return now, shown, response.Status < 500 && response.Status != http.StatusTooManyRequests
}

// others reports that somebody else changes the organization.
func (s *Session) others(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: judge.Clip(message, MaxMessage), Others: true})
}

// alarm reports that the organization is left changed, even beyond maxFailures. The request is not shown, because it
// holds the organization's own data.
func (s *Session) alarm(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: judge.Clip(message, MaxMessage), LeftChanged: true})
}
