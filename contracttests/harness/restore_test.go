package harness_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/live"
)

// givenSubject returns a service as a live target: one organization and its keys.
func givenSubject(t *testing.T) *harness.Subject {
	t.Helper()
	subject := local.New(t, local.NewMemory(), local.Options{})
	tenant, err := subject.Provision(t.Context(), harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	if err != nil {
		t.Fatal(err)
	}
	subject.Provision, subject.Revoke, subject.Faulty, subject.Given = nil, nil, nil, tenant
	return subject
}

// record returns the given organization as it is now, without the time of the last change.
func record(t *testing.T, right harness.Target, given harness.Tenant) string {
	t.Helper()
	r, err := right.Send(t.Context(), harness.NewRequest(http.MethodGet, given.Keys[harness.KeyAdmin], nil))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`"updated_at":"[^"]*"`).ReplaceAllString(string(r.Body), "")
}

// troubledSubject returns a live target behind something that can go wrong, and a function that reads its organization
// past that. change is called before each request. The request is passed on if change returns nil and no error.
func troubledSubject(
	t *testing.T, change func(ctx context.Context, r judge.Request, send func()) (*judge.Response, error),
) (*harness.Subject, func() string) {
	t.Helper()
	subject := givenSubject(t)
	right := subject.Target
	behind := harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		send := func() { _, _ = right.Send(context.WithoutCancel(ctx), r) } // nobody waits for the answer
		if answer, err := change(ctx, r, send); err != nil {
			return judge.Response{}, err
		} else if answer != nil {
			return *answer, nil
		}
		return right.Send(ctx, r)
	})
	subject.Target = harness.HonourRetryAfter(harness.WithoutCancel(behind))
	return subject, func() string { return record(t, right, subject.Given) }
}

// renaming is a check that changes the organization once.
func renaming() harness.Check {
	return harness.Check{Name: "renaming", Run: func(s *harness.Session) {
		s.Caller(harness.TenantSpec{}).Patch(`{"organization_name":"Changed"}`)
	}}
}

// TestPutBack: after a check, a given organization is as before, even if the check panics or is stopped.
func TestPutBack(t *testing.T) {
	t.Parallel()
	const change = `{"organization_name":"Changed","logo_url":null,"billing_email":null,"notifications_email":"x@y.example",` +
		`"metadata":{},"default_llm_credentials":{"a":"b"}}`
	for name, end := range map[string]func(*harness.Session, context.CancelFunc){
		"returns":     func(*harness.Session, context.CancelFunc) {},
		"stops":       func(s *harness.Session, _ context.CancelFunc) { s.Stop("enough") },
		"panics":      func(*harness.Session, context.CancelFunc) { panic("oh") },
		"interrupted": func(_ *harness.Session, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := givenSubject(t)
			before, changed := record(t, subject.Target, subject.Given), ""
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			harness.Run(ctx, subject, harness.Check{Name: "changing", Run: func(s *harness.Session) {
				s.Caller(harness.TenantSpec{}).Patch(change)
				changed = record(t, subject.Target, subject.Given)
				end(s, cancel)
			}})
			if after := record(t, subject.Target, subject.Given); changed == before || after != before {
				t.Errorf("the record was\n%s\nthe check made it\n%s\nand left\n%s", before, changed, after)
			}
		})
	}
}

// TestLiveSubjectWaits: the suite waits for an answer of a live target even if it is interrupted meanwhile.
func TestLiveSubjectWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const enough = 300 * time.Millisecond // a client that hangs up does it within a few
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees a client hang up only after that
		cancel()
		select {
		case <-r.Context().Done():
			t.Error("the client hangs up")
		case <-time.After(enough):
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	subject, err := live.AtURL(server.URL, live.Keys{Admin: "key"})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := subject.Target.Send(ctx, harness.NewRequest(http.MethodPatch, "key", []byte(`{}`)))
	if err != nil || answer.Status != http.StatusTeapot {
		t.Errorf("Send = %d, %v, want the answer to what was sent before the interruption", answer.Status, err)
	}
}

// TestInterruptedOnTheWay: a change that is under way when the check is interrupted is put back too. The service makes
// it even if its client hangs up.
func TestInterruptedOnTheWay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	late, patches := func() {}, 0
	subject, now := troubledSubject(t, func(sent context.Context, r judge.Request, send func()) (*judge.Response,
		error) {
		if r.Method != http.MethodPatch {
			return nil, nil
		}
		if patches++; patches > 1 {
			return nil, nil
		}
		if cancel(); sent.Err() != nil { // the client hangs up
			late = send
			return nil, sent.Err()
		}
		return nil, nil
	})
	before := now()
	failures := harness.Run(ctx, subject, renaming())
	late()
	if got := now(); got != before || patches != 2 || len(failures) > 0 {
		t.Errorf("after %d changes, the record is %s and the failures are %v, want 2, %s and none", patches, got,
			failures, before)
	}
	if _, err := subject.Target.Send(ctx, judge.Request{Method: http.MethodPatch}); !errors.Is(err,
		context.Canceled) || patches != 2 {
		t.Errorf("sending after the interruption = %v, with %d changes sent, want %v and 2", err, patches,
			context.Canceled)
	}
}

// TestPutBackFails: a service that is unavailable for a while gets its organization back to what it was afterwards. If
// it is unavailable for too long, the last failure says so and no other check runs.
func TestPutBackFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		fails time.Duration
		wrong func(send func()) (*judge.Response, error)
		left  bool
	}{
		{"unavailable once", time.Second, unavailable, false},
		{"unavailable for a while", harness.RestoreTime - 2*harness.RestorePause, unavailable, false},
		{"unavailable", time.Hour, unavailable, true},
		{"not reached once", time.Second, notReached, false},
		{"not reached", time.Hour, notReached, true},
		{"answer lost", time.Second, answerLost, false},
	} {
		for _, interrupted := range []bool{false, true} {
			name := test.name
			if interrupted {
				name += ", interrupted"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { putBackFails(t, test.fails, test.wrong, interrupted, test.left) })
			})
		}
	}
}

func unavailable(func()) (*judge.Response, error) {
	return &judge.Response{Status: http.StatusServiceUnavailable}, nil
}

func notReached(func()) (*judge.Response, error) { return nil, errors.New("connection refused") }

func answerLost(send func()) (*judge.Response, error) {
	send()
	return nil, errors.New("connection reset")
}

// failingSubject is a live target that takes a first change, and fails all others for a while.
func failingSubject(t *testing.T, fails time.Duration, wrong func(func()) (*judge.Response, error)) (*harness.Subject,
	func() string) {
	t.Helper()
	patches, until := 0, time.Now().Add(fails)
	subject, now := troubledSubject(t, func(_ context.Context, r judge.Request, send func()) (*judge.Response, error) {
		if r.Method != http.MethodPatch {
			return nil, nil
		}
		if patches++; patches > 1 && time.Now().Before(until) {
			return wrong(send)
		}
		return nil, nil
	})
	return subject, now
}

func putBackFails(t *testing.T, fails time.Duration, wrong func(func()) (*judge.Response, error), interrupted,
	left bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	subject, now := failingSubject(t, fails, wrong)
	check, before, ran := renaming(), now(), 0
	var failures []harness.Failure
	err := harness.RunSerially(ctx, []harness.Check{check, check}, func(harness.Check) []harness.Failure {
		if ran++; ran > 1 {
			return nil
		}
		failures = harness.Run(ctx, subject, harness.Check{Name: check.Name, Run: func(s *harness.Session) {
			check.Run(s)
			for range 50 {
				s.Failf("something else")
			}
			if interrupted {
				cancel()
			}
		}})
		return failures
	})
	if changed := now() != before; changed != left {
		t.Errorf("the organization is left changed: %v, want %v", changed, left)
	}
	last := failures[len(failures)-1]
	if said := strings.Contains(last.Message, "could not be put back"); said != left || last.LeftChanged != left {
		t.Errorf("the last failure is %+v, want it to say that the organization could not be put back: %v", last, left)
	}
	want, wantRan := "", 2
	if interrupted {
		want, wantRan = "has been put back", 1
	}
	if left {
		want, wantRan = "has left the organization changed", 1
	}
	if ran != wantRan || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("RunSerially = %v after %d checks, want %q after %d", err, ran, want, wantRan)
	}
}
