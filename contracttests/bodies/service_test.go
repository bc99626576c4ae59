package bodies

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/sample"
)

var (
	generatedBodies = flag.Int("contract.bodies", 0, "how many random bodies to send to the service; 0: 2,000, or 400 with -short")
	generatedSeed   = flag.Uint64("contract.seed", GenerationSeed, "the seed of the random bodies")
)

// generation returns the random bodies to send: the same ones always, or with -short fewer, by the seed of the samples.
func generation() (seed uint64, bodies int) {
	return sample.SeedOr(*generatedSeed), cmp.Or(*generatedBodies, sample.Size(2000, 400))
}

// TestGeneratedChecks: the service agrees with its document on every body, on the engine that it is developed with.
// With -short it sends a sample of them, as contracttests.TestSuite sends every keyword.
func TestGeneratedChecks(t *testing.T) {
	t.Parallel()
	subject := local.New(t, local.SQLite(t), local.Options{Unlimited: true})
	checks := All()
	if testing.Short() {
		checks = Generation{Seed: sample.Seed(), Bodies: 20, Every: 8}.Checks()
	}
	for _, check := range checks {
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			for _, failure := range harness.Run(t.Context(), subject, check) {
				t.Error(failure)
			}
		})
	}
}

// TestGeneratedBodies sends random bodies on every processor.
func TestGeneratedBodies(t *testing.T) {
	t.Parallel()
	subject := local.New(t, local.NewMemory(), local.Options{Unlimited: true})
	count := countStatuses(subject)
	seed, bodies := generation()
	workers := runtime.GOMAXPROCS(0)
	started := time.Now()
	var wg sync.WaitGroup
	for i := range workers {
		first, end := bodies*i/workers, bodies*(i+1)/workers
		checks := Generation{Seed: seed, First: first, Bodies: end - first}.Checks()
		wg.Go(func() {
			for _, failure := range harness.Run(t.Context(), subject, checks[1]) {
				t.Error(failure)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(started)
	valid, invalid, unreadable := count(200), count(422), count(400)
	t.Logf("seed %d: %d bodies, %d valid, %d invalid, %d unreadable; %.1f s, %.0f a second", seed, bodies,
		valid, invalid, unreadable, elapsed.Seconds(), float64(bodies)/elapsed.Seconds())
	if valid+invalid+unreadable != bodies && !t.Failed() {
		t.Errorf("%d bodies were answered, want %d", valid+invalid+unreadable, bodies)
	}
	for _, n := range []int{valid, invalid, unreadable} {
		if n < bodies/20 {
			t.Errorf("a verdict is shown by %d of %d bodies only", n, bodies)
		}
	}
}

// countStatuses has the subject count the answers to updates by status.
func countStatuses(subject *harness.Subject) func(status int) int {
	var mu sync.Mutex
	counts := map[int]int{}
	subject.Observe = func(x judge.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		if x.Request.Method == http.MethodPatch {
			counts[x.Response.Status]++
		}
	}
	return func(status int) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[status]
	}
}

// wrongService answers as the service does, except for the changes of alter.
func wrongService(t *testing.T, alter func(send func(judge.Request) judge.Response, r judge.Request) judge.Response) *harness.Subject {
	t.Helper()
	subject := local.New(t, local.NewMemory(), local.Options{Unlimited: true})
	right := subject.Target
	subject.Target = harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
		send := func(r judge.Request) judge.Response {
			response, err := right.Send(ctx, r)
			if err != nil {
				panic(fmt.Errorf("answering in process: %w", err))
			}
			return response
		}
		return alter(send, r), nil
	})
	return subject
}

// alteration is a way for a service to depart from the document.
type alteration struct {
	name  string
	alter func(send func(judge.Request) judge.Response, r judge.Request) judge.Response
	body  string // the smallest that shows it, as a pattern
}

func alterations() []alteration {
	replaced := func(old, text string) func(func(judge.Request) judge.Response, judge.Request) judge.Response {
		return func(send func(judge.Request) judge.Response, r judge.Request) judge.Response {
			r.Body = []byte(strings.ReplaceAll(string(r.Body), old, text))
			return send(r)
		}
	}
	return []alteration{
		{"takes texts for numbers", replaced(`"20"`, "20"), `^\{"[a-z_]+":(\{"[a-z]+":)?"20"\}?\}$`},
		{"cuts numbers", replaced("1.00000000000000000001", "1"), `^\{"rate_limit(s|_overrides)":\{"[a-z]+":1\.00000000000000000001\}\}$`},
		{"takes anything for an email", replaced("notifications_email", "unknown"), `^\{"notifications_email":.{0,12}\}$`},
		{"refuses characters beyond the BMP", replaced("😀", `\ud800`), `^\{"[a-z_]+":(\{"[^"]*":)?"?\[?"?😀"?.*\}$|^\{("[a-z_]+":\{)?"😀":.*\}$`},
		{"says nothing of limits", func(send func(judge.Request) judge.Response, r judge.Request) judge.Response {
			response := send(r)
			if response.Status == 422 {
				response.Body = bytes.ReplaceAll(response.Body, []byte(`"rate_limits","search"`), []byte(`"rate_limits"`))
			}
			return response
		}, `^\{"rate_limits":\{"search":.{1,22}\}\}$`},
		{"keeps what it refuses", func(send func(judge.Request) judge.Response, r judge.Request) judge.Response {
			response := send(r)
			if response.Status == 422 && bytes.Contains(r.Body, []byte("logo_url")) {
				r.Body = fmt.Appendf(nil, `{"organization_name":"changed at %d"}`, time.Now().UnixNano())
				send(r)
			}
			return response
		}, `^\{"logo_url":.{1,12}\}$|^\{.*"logo_url":.{1,12}\}$`},
		{"forgets what it took", func(send func(judge.Request) judge.Response, r judge.Request) judge.Response {
			response := send(r)
			if r.Method == http.MethodGet {
				response.Body = bytes.ReplaceAll(response.Body, []byte(`"metadata":{"`), []byte(`"metadata":{"a":1,"`))
			}
			return response
		}, ``}, // any body may be the first to be followed by a look
	}
}

// TestWrongServices: a service that departs from the document is found out, and the body that shows it is small.
func TestWrongServices(t *testing.T) {
	t.Parallel()
	for _, c := range sample.Of(t, alterations(), 3) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checks := Generation{Seed: *generatedSeed, Bodies: 1500}.Checks()
			found := harness.Run(t.Context(), wrongService(t, c.alter), checks[1])
			if len(found) == 0 {
				t.Fatal("it was not found out")
			}
			t.Log(found[0])
			_, command, _ := strings.Cut(found[0].Curl, "--data-binary '")
			if body := strings.TrimSuffix(command, "'"); !regexp.MustCompile(c.body).MatchString(body) {
				t.Errorf("shown by %s, want a match of %s", body, c.body)
			}
			if found := harness.Run(t.Context(), wrongService(t, c.alter), checks[0]); len(found) == 0 {
				t.Error("the list of single keywords did not find it out")
			}
		})
	}
}

// TestSuiteFault: if the validator lacks a rule, generator and validator differ, and the service is not blamed.
func TestSuiteFault(t *testing.T) {
	t.Parallel()
	subject := local.New(t, local.NewMemory(), local.Options{Unlimited: true})
	subject.Validator = subject.Validator.Without(judge.RuleSchemaFormat)
	for _, check := range All() {
		found := harness.Run(t.Context(), subject, check)
		if len(found) == 0 || !strings.Contains(found[0].Message, "a fault of the suite") {
			t.Errorf("%s without a rule of the validator found %v", check.Name, found)
		}
	}
}
