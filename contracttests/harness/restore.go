package harness

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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
	if s.before != nil {
		return
	}
	before := s.readGiven()
	if start := s.Subject.Start; start != nil {
		if s.late(before) {
			s.before = start
			s.putBack()
			before = s.readGiven()
		}
		if changed := start.Differences(before, "updated_at"); len(changed) > 0 {
			s.before = nil // it is theirs
			s.others("somebody else has changed " + strings.Join(changed, ", ") + " of the organization since the run began")
			panic(errStopped)
		}
	}
	s.before = &before
}

func (s *Session) readGiven() Snapshot {
	now := s.Snapshot(s.Send(NewRequest(http.MethodGet, s.Subject.Given.Keys[KeyAdmin], nil)))
	if s.disturbed() {
		panic(errStopped)
	}
	return now
}

// late reports whether the organization shows a text of this run. A service can make a change after it has answered that
// it may not have, and then also after the old values were put back.
func (s *Session) late(now Snapshot) bool {
	mark := s.Subject.Mark
	return mark != "" && bytes.Contains(now.Exchange.Response.Body, []byte("-run"+mark+"-"))
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

// MarkLength is the length of Subject.Mark.
const MarkLength = 10

// marked matches the mark in a text of Fresh.
var marked = regexp.MustCompile(`-run([0-9a-z]{` + strconv.Itoa(MarkLength) + `})-`)

// notice reports an answer that shows a text of another run. What an interrupted run has left there does not count.
func (s *Session) notice(x judge.Exchange) {
	if s.Subject.Mark == "" || s.Subject.Start == nil || !s.Subject.Given.has(x.Request) {
		return
	}
	for _, found := range marked.FindAllSubmatch(x.Response.Body, -1) {
		own := string(found[1]) == s.Subject.Mark
		if !own && !bytes.Contains(s.Subject.Start.Exchange.Response.Body, found[0]) &&
			!bytes.Contains(x.Request.Body, found[0]) {
			s.others("another run of the checks is at work on the organization")
			return
		}
	}
}

// has reports whether a request has a key of the organization.
func (t Tenant) has(r judge.Request) bool {
	key, ok := BearerToken(judge.Canonical(r.Header).Get("Authorization"))
	return ok && slices.Contains(slices.Collect(maps.Values(t.Keys)), key)
}

// disturbed reports whether others was called.
func (s *Session) disturbed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.failures, func(f Failure) bool { return f.Others })
}

// others reports, once, that somebody else changes the organization.
func (s *Session) others(message string) {
	if s.disturbed() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: judge.Clip(message, MaxMessage), Others: true})
}

// alarm reports that the organization is left changed, even beyond maxFailures. The request is not shown, because it
// holds the organization's own data.
func (s *Session) alarm(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: judge.Clip(message, MaxMessage),
		LeftChanged: true})
}
