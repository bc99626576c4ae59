package checks_test

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
)

// between returns the subject behind change, which may change a request, or answer it by itself.
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

// TestSequenceIsShrunk: a failing sequence is reduced to two requests, shown as commands: the one that the service
// answers wrongly, and the one that prepares it.
func TestSequenceIsShrunk(t *testing.T) {
	t.Parallel()
	wrong := between(local.New(t, local.NewMemory(), local.Options{}), func(r *judge.Request) *judge.Response {
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
		t.Errorf("failure = %v\nwant one PATCH that sets billing_email, and one that clears it and nothing else",
			failures[0])
	}
	again := harness.Run(t.Context(), wrong, machine)
	if len(again) != 1 || again[0].Message != failures[0].Message {
		t.Errorf("run again, it fails with %v, want the same", again)
	}
}

// TestSequencesReachEverything: the default sequences get every status that they can get.
func TestSequencesReachEverything(t *testing.T) {
	t.Parallel()
	subject := local.New(t, local.NewMemory(), local.Options{})
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
