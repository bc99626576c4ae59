package checks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
)

// between returns the subject with something between the suite and it: r is changed, or answered where it returns an
// answer.
func between(subject *harness.Subject, change func(r *judge.Request) *judge.Response) *harness.Subject {
	out := *subject
	out.Target = harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		if answer := change(&r); answer != nil {
			return *answer, nil
		}
		return subject.Target.Send(ctx, r)
	})
	return &out
}

// TestSequenceIsShrunk: what is left of a failing sequence is the one request that the service gets wrong, as a command.
func TestSequenceIsShrunk(t *testing.T) {
	t.Parallel()
	wrong := between(local.InProcess(t), func(r *judge.Request) *judge.Response {
		r.Body = bytes.ReplaceAll(r.Body, []byte(`"billing_email":null`), []byte(`"billing_email_":null`))
		return nil
	})
	machine := checks.StateMachine(checks.DefaultMachine())
	failures := harness.Run(t.Context(), wrong, machine)
	if len(failures) != 1 {
		t.Fatalf("%d failures, want one: %v", len(failures), failures)
	}
	shown := regexp.MustCompile(`seed 1, sequence \d, (\d+) steps: billing_email is not what it must be`).FindStringSubmatch(failures[0].Message)
	script := failures[0].Curl
	cleared := strings.Contains(script, `'{"billing_email":null}'`) && strings.Contains(script, "$KEY_1_ADMIN")
	if shown == nil || shown[1] != "2" || strings.Count(script, "-X PATCH") != 2 || !cleared {
		t.Errorf("failure = %v\nwant one PATCH that sets billing_email, and one that clears it and nothing else", failures[0])
	}
	again := harness.Run(t.Context(), wrong, machine)
	if len(again) != 1 || again[0].Message != failures[0].Message {
		t.Errorf("run again, it fails with %v, want the same", again)
	}
}

// TestSequencesReachEverything: the few sequences that are run by default see every status that they can.
func TestSequencesReachEverything(t *testing.T) {
	t.Parallel()
	subject := local.InProcess(t)
	var mu sync.Mutex
	seen := map[string]map[int]bool{http.MethodGet: {}, http.MethodPatch: {}}
	subject.Observe = func(x judge.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen[x.Request.Method][x.Response.Status] = true
	}
	local.Report(t, harness.Run(t.Context(), subject, checks.StateMachine(checks.DefaultMachine())))
	for method, statuses := range map[string][]int{"GET": {200, 304, 412}, "PATCH": {200, 400, 403, 412, 422}} {
		for _, status := range statuses {
			if !seen[method][status] {
				t.Errorf("no sequence has a %s that is answered with %d", method, status)
			}
		}
	}
}

// given returns the subject as one of which there is nothing but keys.
func given(t *testing.T, subject *harness.Subject) *harness.Subject {
	t.Helper()
	tenant, err := subject.Provision(t.Context(), harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}})
	if err != nil {
		t.Fatal(err)
	}
	out := *subject
	out.Provision, out.Revoke, out.Faulty, out.Given = nil, nil, nil, tenant
	return &out
}

func record(t *testing.T, subject *harness.Subject) string {
	t.Helper()
	r, err := subject.Target.Send(t.Context(), harness.NewRequest(http.MethodGet, subject.Given.Keys[harness.KeyAdmin], nil))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`"updated_at":"[^"]*"`).ReplaceAllString(string(r.Body), "")
}

// TestPutBack: a given organization is as before, however a check ends.
func TestPutBack(t *testing.T) {
	t.Parallel()
	change := func(s *harness.Session) {
		key := s.Provision(harness.TenantSpec{}).Keys[harness.KeyAdmin]
		body := `{"organization_name":"Changed","logo_url":null,"billing_email":null,"notifications_email":"x@y.example",` +
			`"metadata":{},"default_llm_credentials":{"a":"b"}}`
		s.Send(harness.NewRequest(http.MethodPatch, key, []byte(body)))
	}
	for name, end := range map[string]func(*harness.Session, context.CancelFunc){
		"returns":     func(*harness.Session, context.CancelFunc) {},
		"stops":       func(s *harness.Session, _ context.CancelFunc) { s.Stop("enough") },
		"panics":      func(*harness.Session, context.CancelFunc) { panic("oh") },
		"interrupted": func(_ *harness.Session, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := given(t, local.InProcess(t))
			before, changed := record(t, subject), ""
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			harness.Run(ctx, subject, harness.Check{Name: "changing", Run: func(s *harness.Session) {
				change(s)
				changed = record(t, subject)
				end(s, cancel)
			}})
			if after := record(t, subject); changed == before || after != before {
				t.Errorf("the record was\n%s\nthe check made it\n%s\nand left\n%s", before, changed, after)
			}
		})
	}
}

// TestLiveSubjectWaits: the suite does not hang up on a target when it is interrupted.
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
	subject := local.AtURL(t, server.URL, "key", "", "")
	answer, err := subject.Target.Send(ctx, harness.NewRequest(http.MethodPatch, "key", []byte(`{}`)))
	if err != nil || answer.Status != http.StatusTeapot {
		t.Errorf("Send = %d, %v, want the answer to what was sent before the interruption", answer.Status, err)
	}
}
