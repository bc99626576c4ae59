package harness_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
)

// sharedSubject is a service of which there is nothing but an organization that has a name, and the name it has now.
// change is asked before each request, and what it returns is answered instead, or no answer given.
func sharedSubject(t *testing.T, change func(ctx context.Context, r judge.Request, send func()) (*judge.Response, error)) (*harness.Subject, func() string) {
	t.Helper()
	subject := local.Simple(t, local.NewMemory())
	tenant, err := subject.Provision(t.Context(), harness.TenantSpec{})
	if err != nil {
		t.Fatal(err)
	}
	right := subject.Target
	subject.Provision, subject.Given = nil, tenant
	subject.Target = harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		send := func() { _, _ = right.Send(context.WithoutCancel(ctx), r) } // whoever hung up hears of nothing
		if answer, err := change(ctx, r, send); answer != nil || err != nil {
			if err != nil {
				return judge.Response{}, err
			}
			return *answer, nil
		}
		return right.Send(ctx, r)
	})
	return subject, func() string {
		response, err := right.Send(t.Context(), harness.NewRequest(http.MethodGet, tenant.Keys[harness.KeyAdmin], nil))
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := harness.NewSnapshot(judge.Exchange{Response: response})
		return shown.Text("organization_name")
	}
}

// renaming is a check that changes the organization once.
func renaming() harness.Check {
	return harness.Check{Name: "renaming", Run: func(s *harness.Session) {
		s.Send(harness.NewRequest(http.MethodPatch, s.Provision(harness.TenantSpec{}).Keys[harness.KeyAdmin], []byte(`{"organization_name":"Changed"}`)))
	}}
}

// TestInterruptedOnTheWay: a change that is under way when the check is interrupted is put back too, although a service
// makes it whether or not its client waits for that.
func TestInterruptedOnTheWay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	late, patches := func() {}, 0
	subject, name := sharedSubject(t, func(sent context.Context, r judge.Request, send func()) (*judge.Response, error) {
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
	subject.Target = harness.Patient(harness.Uninterrupted(subject.Target))
	before := name()
	failures := harness.Run(ctx, subject, renaming())
	late()
	if got := name(); got != before || patches != 2 || len(failures) > 0 {
		t.Errorf("after %d changes, the name is %q and the failures are %v, want 2, %q and none", patches, got, failures, before)
	}
	if _, err := subject.Target.Send(ctx, judge.Request{Method: http.MethodPatch}); !errors.Is(err, context.Canceled) || patches != 2 {
		t.Errorf("sending after the interruption = %v, with %d changes sent, want %v and 2", err, patches, context.Canceled)
	}
}

// TestPutBackFails: the organization is put back when the service can again, and where it cannot for too long, that is
// said, whatever else is, and no other check runs.
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

// failingSubject is a shared one that takes a first change, and others only after the time that it fails.
func failingSubject(t *testing.T, fails time.Duration, wrong func(func()) (*judge.Response, error)) (*harness.Subject, func() string) {
	t.Helper()
	patches, until := 0, time.Now().Add(fails)
	subject, name := sharedSubject(t, func(_ context.Context, r judge.Request, send func()) (*judge.Response, error) {
		if r.Method != http.MethodPatch {
			return nil, nil
		}
		if patches++; patches > 1 && time.Now().Before(until) {
			return wrong(send)
		}
		return nil, nil
	})
	subject.Target = harness.Patient(harness.Uninterrupted(subject.Target))
	return subject, name
}

func putBackFails(t *testing.T, fails time.Duration, wrong func(func()) (*judge.Response, error), interrupted, left bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	subject, name := failingSubject(t, fails, wrong)
	check, before, ran := renaming(), name(), 0
	var failures []harness.Failure
	err := harness.OneByOne(ctx, []harness.Check{check, check}, func(harness.Check) []harness.Failure {
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
	if changed := name() != before; changed != left {
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
		t.Errorf("OneByOne = %v after %d checks, want %q after %d", err, ran, want, wantRan)
	}
}
