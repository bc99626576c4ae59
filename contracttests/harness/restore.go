package harness

import (
	"context"
	"net/http"
	"strings"
	"time"

	"organizations-api/contracttests/judge"
)

// Restorable returns the fields of a PATCH that an answer shows as they were sent, so that the old value can be sent
// again. rate_limits is not one of them: an answer shows the limits in force, not which of them are the organization's
// own. No check may change rate_limits on a live target.
func Restorable() []string {
	return []string{"organization_name", "logo_url", "metadata", "billing_email", "notifications_email",
		"default_llm_credentials", "nsfw_check_enabled", "nsfw_fail_closed"}
}

// How long and how often putting back is tried. It is tried even if the check was told to stop.
const (
	restoreTime  = 2 * time.Minute
	restorePause = 5 * time.Second
)

// remember reads the organization of a live target before the check changes it.
func (s *Session) remember() {
	if s.before == nil {
		before := s.Snapshot(s.Send(NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil)))
		s.before = &before
	}
}

// putBack gives the organization of a live target its old values. updated_at and the ETag stay changed. A try that
// fails is made again, because a service may be unavailable for a while.
func (s *Session) putBack() {
	if s.before == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), restoreTime)
	defer cancel()
	for {
		wrong := s.tryToPutBack(ctx)
		if wrong == "" {
			return
		}
		select {
		case <-time.After(restorePause):
		case <-ctx.Done():
			s.alarm("the organization could not be put back: " + wrong)
			return
		}
	}
}

// tryToPutBack returns what is still wrong, "" if nothing is.
func (s *Session) tryToPutBack(ctx context.Context) string {
	now, ok := s.ask(ctx, NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil))
	if ok && len(s.before.Differences(now, "updated_at")) == 0 {
		return ""
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
	for mediaType, fields := range map[string][]string{"application/json": values, MergePatchType: nulls} {
		if len(fields) == 0 {
			continue
		}
		body := []byte("{" + strings.Join(fields, ",") + "}")
		request := NewRequest(http.MethodPatch, s.Subject.Given.Keys[KeyAdmin], body, "Content-Type", mediaType)
		if now, ok = s.ask(ctx, request); !ok {
			return "there was no answer that shows it"
		}
	}
	if left := s.before.Differences(now, "updated_at"); len(left) > 0 {
		return "still changed is " + strings.Join(left, ", ")
	}
	return ""
}

// ask sends a request that is not part of the check. It returns false if the answer shows no organization.
func (s *Session) ask(ctx context.Context, r judge.Request) (Snapshot, bool) {
	response, err := s.Subject.Target.Send(ctx, r)
	if err != nil {
		return Snapshot{}, false
	}
	return NewSnapshot(judge.Exchange{Request: r, Response: response})
}

// alarm reports that the organization is left changed, even beyond maxFailures. The request is not shown, because it
// holds the organization's own data.
func (s *Session) alarm(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: judge.Clip(message, MaxMessage), LeftChanged: true})
}
