package contracttests_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/live"
	"organizations-api/shared/openapi"
)

var (
	cleanRuns   = flag.Int("clean.runs", 1, "`number` of runs at a URL that must all be clean")
	cleanAtOnce = flag.Int("clean.at-once", 1,
		"`number` of them at the same time, each with an organization of its own")
	cleanDelay = flag.Duration("clean.delay", 4*time.Millisecond,
		"longest `time` that the proxy takes for a request; the shortest is a twentieth")
)

// TestCleanBehindProxy: on a right service behind a slow proxy, which closes connections as soon as they are idle, every
// run at the URL is clean. It runs in large by
//
//	go test ./contracttests -run '^TestCleanBehindProxy$' -v -timeout 5h -clean.runs 100 -clean.at-once 6 -clean.delay 200ms
func TestCleanBehindProxy(t *testing.T) {
	t.Parallel()
	subjects := map[string]func(testing.TB) *harness.Subject{
		"in-process": func(t testing.TB) *harness.Subject { return local.New(t, local.SQLite(t), local.Options{}) },
	}
	if runtime.GOOS == "linux" { // what Lambda runs, and what the functions are built for
		subjects["functions"] = local.BuiltFunctions
	}
	for name, start := range subjects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := start(t)
			target := service.Target
			var unavailable atomic.Int64
			if name == "functions" { // which alone use DynamoDB Local
				target = counting(target, &unavailable)
			}
			url := serveSlowly(t, target, *cleanDelay)
			var runs sync.WaitGroup
			places := make(chan struct{}, max(1, *cleanAtOnce))
			for i := range *cleanRuns {
				places <- struct{}{}
				runs.Go(func() {
					defer func() { <-places }()
					if err := cleanRunInTime(t.Context(), service, url, &unavailable); err != nil {
						t.Errorf("run %d: %v", i+1, err)
						return
					}
					t.Logf("run %d is clean", i+1)
				})
			}
			runs.Wait()
		})
	}
}

// counting returns the target, with a count of the answers that say that the store is not available.
func counting(target harness.Target, unavailable *atomic.Int64) harness.Target {
	return harness.TargetFunc(func(ctx context.Context, request judge.Request) (judge.Response, error) {
		response, err := target.Send(ctx, request)
		if err == nil && response.Status == http.StatusServiceUnavailable {
			unavailable.Add(1)
		}
		return response, err
	})
}

// cleanRunInTime makes a run, and up to two more if the store was not available in it. On a machine that is busy enough,
// DynamoDB Local takes longer than a request may. Then the service has to answer 503, and the suite has to report it.
func cleanRunInTime(ctx context.Context, service *harness.Subject, url string, unavailable *atomic.Int64) error {
	var err error
	for range 3 {
		before := unavailable.Load()
		if err = cleanRun(ctx, service, url); err == nil || unavailable.Load() == before {
			return err
		}
	}
	return err
}

// cleanRun makes a run with two new organizations, as with keys alone. It returns what is wrong.
func cleanRun(ctx context.Context, service *harness.Subject, url string) error {
	keys := func(spec harness.TenantSpec) (harness.Tenant, error) { return service.Provision(ctx, spec) }
	own, err := keys(harness.TenantSpec{Full: true, Keys: []harness.KeyKind{harness.KeyRead}})
	if err != nil {
		return err
	}
	other, err := keys(harness.TenantSpec{Keys: []harness.KeyKind{}})
	if err != nil {
		return err
	}
	subject, err := live.AtURL(url, live.Keys{
		Admin: own.Keys[harness.KeyAdmin], Read: own.Keys[harness.KeyRead], Other: other.Keys[harness.KeyAdmin],
	})
	if err != nil {
		return err
	}
	run := live.Run{Target: url, Subject: subject, Checks: checks.All(), Document: openapi.YAML}
	found, err := run.Do(ctx, io.Discard)
	if passed, failed := found.Checks(); err != nil || failed > 0 || passed == 0 {
		var text strings.Builder
		_ = found.WriteText(&text) // a strings.Builder never fails
		return errors.Join(err, fmt.Errorf("%d checks passed, %d failed\n%s", passed, failed, text.String()))
	}
	return nil
}

// serveSlowly serves the target through a proxy in front of a server. It returns the proxy's URL.
func serveSlowly(t *testing.T, target harness.Target, longest time.Duration) string {
	t.Helper()
	behind := httptest.NewServer(serving(target))
	t.Cleanup(behind.Close)
	to, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	proxy := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		time.Sleep(longest/20 + rand.N(longest*19/20+1)) //nolint:gosec // no secret
		r.SetURL(to)
		r.Out.URL.RawQuery = r.In.URL.RawQuery // without what it cannot read, the service could not refuse it
	}}
	front := httptest.NewUnstartedServer(proxy)
	// Less than a pause between two requests: the server often closes a connection just when the client sends on it.
	front.Config.IdleTimeout, front.Config.ErrorLog = time.Millisecond, quiet
	front.Start()
	t.Cleanup(front.Close)
	return front.URL
}

// serving returns the target as a handler.
func serving(target harness.Target) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		request := judge.Request{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header, Body: body}
		response, err := target.Send(context.WithoutCancel(r.Context()), request)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.Status)
		_, _ = w.Write(response.Body) // the client that is gone says so itself
	})
}
