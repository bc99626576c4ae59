package contracttests

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// restorable are the fields that come back as they are sent, so that what was there can be sent again. rate_limits is
// not among them: an answer shows the limits in force, and not which of them are the organization's own. No check may
// change them on a live target.
func restorable() []string {
	return []string{"organization_name", "logo_url", "metadata", "billing_email", "notifications_email", "default_llm_credentials"}
}

// restoreTime is how long putting back may take, even where the check was told to stop.
const restoreTime = 2 * time.Minute

// remember keeps what the organization is before the check changes it.
func (s *Session) remember() {
	if s.before == nil {
		before := s.snapshot(s.Send(NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil)))
		s.before = &before
	}
}

// putBack makes the organization of a live target what it was. updated_at and the ETag tell that it was changed.
func (s *Session) putBack() {
	if s.before == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), restoreTime)
	defer cancel()
	now, ok := s.ask(ctx, NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil))
	if ok && len(s.before.differences(now, "updated_at")) == 0 {
		return
	}
	var fields []member
	for _, name := range restorable() {
		if value, shown := s.before.members[name]; shown {
			fields = append(fields, member{name, string(value)})
		}
	}
	now, ok = s.ask(ctx, NewRequest(http.MethodPatch, s.Subject.Given.Keys[KeyAdmin], []byte(object(fields...))))
	if !ok {
		s.alarm("the organization could not be put back: there was no answer that shows it")
	} else if left := s.before.differences(now, "updated_at"); len(left) > 0 {
		s.alarm("the organization could not be put back: still changed is " + strings.Join(left, ", "))
	}
}

// ask sends a request that is no part of the check.
func (s *Session) ask(ctx context.Context, r Request) (snapshot, bool) {
	response, err := s.Subject.Target.Send(ctx, r)
	if err != nil {
		return snapshot{}, false
	}
	return newSnapshot(Exchange{Request: r, Response: response})
}

// alarm reports what must not be lost among many other failures. The request is not shown, as it holds the
// organization's own data.
func (s *Session) alarm(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: clip(message, maxMessage)})
}
