package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// service is a small organizations API: as much of it as a run asks for before the checks begin.
type service struct {
	mu      sync.Mutex
	name    string
	limit   string
	deaf    bool // answers a PATCH with an empty 200
	down    error
	changed int
}

const (
	adminKey, readKey, otherKey = "sk_live_admin0000", "sk_live_read00000", "sk_live_other0000"
)

// Send implements harness.Target.
func (s *service) Send(_ context.Context, r judge.Request) (judge.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return judge.Response{}, s.down
	}
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	id := map[string]string{adminKey: "org_1", readKey: "org_1", otherKey: "org_2"}[key]
	switch {
	case id == "":
		return judge.Response{Status: 401, Body: []byte(`{}`)}, nil
	case r.Method == http.MethodPatch && key == readKey:
		return judge.Response{Status: 403}, nil
	case r.Method == http.MethodPatch && s.deaf:
		return judge.Response{Status: 200}, nil
	case r.Method == http.MethodPatch && strings.Contains(string(r.Body), "organization_name"):
		_, rest, _ := strings.Cut(string(r.Body), `"organization_name":"`)
		s.name, _, _ = strings.Cut(rest, `"`)
		s.changed++
	}
	h := http.Header{"Content-Type": {"application/json"}}
	if s.limit != "" {
		h.Set("X-RateLimit-Limit", s.limit)
	}
	body := fmt.Sprintf(`{"organization_id":%q,"organization_name":%q,"updated_at":"%d"}`, id, s.name, s.changed)
	return judge.Response{Status: 200, Header: h, Body: []byte(body)}, nil
}

// run returns a run on the service, judged by what it can do.
func run(s harness.Target, keys map[harness.KeyKind]string, other string, checks ...harness.Check) Run {
	v := harness.Validator()
	subject := &harness.Subject{Target: s, Validator: silent(v), Given: harness.Tenant{Keys: keys}}
	if other != "" {
		subject.Other = &harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: other}}
	}
	return Run{Target: "http://api.example", Subject: subject, Checks: checks, Document: []byte("x")}
}

// silent returns a validator that has no violation of what the small service answers.
func silent(v *judge.Validator) *judge.Validator {
	return v.Without(judge.RuleHeaderMissing, judge.RuleSchema, judge.RuleHeaderUndeclared, judge.RuleSchemaFormat,
		judge.RuleBodyEmpty)
}

func check(name string, needs harness.Need, do func(c harness.Caller)) harness.Check {
	return harness.Check{Name: name, Needs: needs, Run: func(s *harness.Session) { do(s.Caller(harness.TenantSpec{})) }}
}

func both(admin, read string) map[harness.KeyKind]string {
	return map[harness.KeyKind]string{harness.KeyAdmin: admin, harness.KeyRead: read}
}

// TestBegin: what cannot work is said before any check runs, in the words of who started the run.
func TestBegin(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		s     *service
		keys  map[harness.KeyKind]string
		other string
		want  string // "" if the run begins
	}{
		{"right", &service{}, both(adminKey, readKey), otherKey, ""},
		{"admin key alone", &service{}, both(adminKey, ""), "", ""},
		{"unreachable", &service{down: errors.New("connection refused")}, both(adminKey, ""), "",
			"http://api.example cannot be reached: connection refused"},
		{"unknown admin key", &service{}, both("sk_live_x", ""), "", "does not know the admin key"},
		{"unknown read key", &service{}, both(adminKey, "sk_live_x"), "", "does not know the read key"},
		{"unknown other key", &service{}, both(adminKey, ""), "sk_live_x", "does not know the other key"},
		{"read key as admin key", &service{}, both(readKey, ""), "", "the admin key may not change"},
		{"admin key as read key", &service{}, both(adminKey, adminKey), "", "the read key may change"},
		{"read key of another", &service{}, both(adminKey, otherKey), "", "of another organization"},
		{"other key of the same", &service{}, both(adminKey, ""), readKey, "of the same organization"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ran := 0
			r := run(c.s, c.keys, c.other, check("a", 0, func(harness.Caller) { ran++ }))
			_, err := r.Do(t.Context(), io.Discard)
			if c.want == "" && (err != nil || ran != 1) {
				t.Errorf("Do = %v, and %d checks ran", err, ran)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || ran != 0) {
				t.Errorf("Do = %v, and %d checks ran, want an error that says %q", err, ran, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "sk_live") {
				t.Errorf("the error shows a key: %v", err)
			}
		})
	}
	page := harness.TargetFunc(func(context.Context, judge.Request) (judge.Response, error) {
		return judge.Response{Status: 200, Body: []byte("<html>a page</html>")}, nil
	})
	if _, err := run(page, both(adminKey, ""), "").Do(t.Context(), io.Discard); err == nil ||
		!strings.Contains(err.Error(), "<html>a page") {
		t.Errorf("Do = %v, want an error that shows the answer", err)
	}
}

// TestAdvice: the limit is read first, and the run says what it costs and what to do.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]string{
		"":        "name no limit",
		"x":       "name no limit",
		"1000000": "is enough",
		"100": "takes about 16 minutes.\nTo be done in less than one, let the operator raise it first, and put " +
			"it back afterwards:\n    orgs update org_1 --rate-limit metadata=3160\n",
	} {
		var out strings.Builder
		r := run(&service{limit: limit}, both(adminKey, ""), "", check("a", 0, func(harness.Caller) {}))
		if _, err := r.Do(t.Context(), &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("limit %q: %v\n%s, want %q", limit, err, out.String(), want)
		}
	}
}

// TestProgress: a run says how far it is, at most once a second, and what it did not show is in the report.
func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		slow := func(harness.Caller) { time.Sleep(600 * time.Millisecond) }
		failing := func(c harness.Caller) { c.Failf("wrong") }
		in, err := run(&service{}, both(adminKey, ""), "", check("a", 0, slow), check("b", 0, failing),
			check("c", 0, slow), check("d", 0, slow),
			check("e", harness.NeedRead, slow)).Do(t.Context(), &out)
		if err != nil {
			t.Fatal(err)
		}
		want := "[0/4] 0s, 0 requests, 0 failed: a\n[3/4] 1s, 3 requests, 1 failed: d\n"
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("the run says\n%s, want at the end\n%s", out.String(), want)
		}
		checks := in.Subjects[0].Checks
		if len(checks) != 5 || checks[4].NotShown == "" || len(checks[1].Failures) != 1 || in.Passed() ||
			in.DocumentHash == "" {
			t.Errorf("the report is %+v", in)
		}
	})
}

// TestOthers: a run that finds the organization changed by somebody else says so and stops, and leaves it to them.
func TestOthers(t *testing.T) {
	t.Parallel()
	s := &service{name: "before"}
	later := 0
	in, err := run(s, both(adminKey, ""), "",
		check("a", 0, func(c harness.Caller) { c.Change(`{"organization_name":"mine"}`) }),
		check("b", 0, func(harness.Caller) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.name = "before" // as it was: nobody is noticed
		}),
		harness.Check{Name: "c", Run: func(*harness.Session) { s.name = "theirs" }},
		check("d", 0, func(harness.Caller) { later++ }),
		check("e", 0, func(harness.Caller) { later++ }),
	).Do(t.Context(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "somebody else") || later != 0 || s.name != "theirs" ||
		in.Passed() || in.Stopped == "" {
		t.Errorf("Do = %v, %d later checks ran, the name is %q", err, later, s.name)
	}
	failures := in.Subjects[0].Checks[3].Failures
	if len(failures) != 1 || !strings.Contains(failures[0].Message, "organization_name") {
		t.Errorf("Failures = %v, want one that names what changed", failures)
	}
}

// TestAnotherRun: a run that sees a text of another run stops, and does not call the service wrong for what the other
// does. What a run left there that was interrupted earlier does not count.
func TestAnotherRun(t *testing.T) {
	t.Parallel()
	const left, theirs = "Name-run0123456789-a-1", "Name-runabcdefghij-b-1"
	s, later := &service{name: left}, 0
	in, err := run(s, both(adminKey, ""), "",
		check("a", 0, func(c harness.Caller) { c.Change(`{"organization_name":"` + c.Fresh("Name") + `"}`) }),
		check("b", 0, func(c harness.Caller) {
			c.Change(`{"organization_name":"` + c.Fresh("Name") + `"}`)
			s.mu.Lock()
			s.name = theirs
			s.mu.Unlock()
			c.Read()
			c.Failf("the name is not what was sent")
		}),
		check("c", 0, func(harness.Caller) { later++ }),
	).Do(t.Context(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "somebody else") || later != 0 || s.name != left {
		t.Errorf("Do = %v, %d later checks ran, the name is %q", err, later, s.name)
	}
	checks := in.Subjects[0].Checks
	if len(checks[0].Failures) != 0 {
		t.Errorf("Failures = %v, want none of what an earlier run left", checks[0].Failures)
	}
	if f := checks[1].Failures; len(f) != 1 || !strings.Contains(f[0].Message, "another run") {
		t.Errorf("Failures = %v, want one that names another run", f)
	}
}

// TestLateChange: a change that the service makes after all, when the old values were put back, is not taken for that of
// somebody else. It is put back too.
func TestLateChange(t *testing.T) {
	t.Parallel()
	s, later, sent := &service{name: "before"}, 0, ""
	_, err := run(s, both(adminKey, ""), "",
		check("a", 0, func(c harness.Caller) { sent = c.Fresh("Name") }),
		harness.Check{Name: "b", Run: func(*harness.Session) { s.name = sent }},
		check("c", 0, func(c harness.Caller) {
			if later++; c.Read().Text("organization_name") != "before" {
				c.Failf("the name is not put back")
			}
		}),
	).Do(t.Context(), io.Discard)
	if err != nil || later != 1 || s.name != "before" {
		t.Errorf("Do = %v, %d later checks ran, the name is %q", err, later, s.name)
	}
}

// TestWrongTargetEndsSoon: a service that answers, but not with what puts the organization back, costs at most ten
// seconds.
func TestWrongTargetEndsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{name: "before"}
		began := time.Now()
		_, err := run(s, both(adminKey, ""), "", check("a", 0, func(c harness.Caller) {
			c.Change(`{"organization_name":"mine"}`)
			s.deaf = true
		})).Do(t.Context(), io.Discard)
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "left the organization changed") ||
			took > 10*time.Second {
			t.Errorf("Do = %v after %s", err, took)
		}
	})
}
