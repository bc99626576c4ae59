package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	well := Plan{
		URL: "http://127.0.0.1:1", Keys: []string{"k"}, Paces: []Pace{{Workers: 1}}, Duration: time.Second, PatchShare: 10,
	}
	tests := []struct {
		name   string
		change func(*Plan)
		want   string // "" where the plan is good
	}{
		{"good", func(*Plan) {}, ""},
		{"IPv6", func(p *Plan) { p.URL = "http://[::1]:8080" }, ""},
		{"localhost", func(p *Plan) { p.URL = "http://localhost:8080" }, ""},
		{"another host", func(p *Plan) { p.URL = "http://example.com" }, "of this machine"},
		{"a host that starts like ours", func(p *Plan) { p.URL = "http://127.0.0.1.example.com" }, "of this machine"},
		{"a host after a user", func(p *Plan) { p.URL = "http://localhost@example.com" }, "of this machine"},
		{"a private network", func(p *Plan) { p.URL = "http://192.168.0.1" }, "of this machine"},
		{"everywhere", func(p *Plan) { p.URL = "http://0.0.0.0:8080" }, "of this machine"},
		{"TLS", func(p *Plan) { p.URL = "https://127.0.0.1" }, "of this machine"},
		{"no URL", func(p *Plan) { p.URL = "" }, "of this machine"},
		{"no keys yet", func(p *Plan) { p.Keys = nil }, ""},
		{"no steps", func(p *Plan) { p.Paces = nil }, "no steps"},
		{"too many workers", func(p *Plan) { p.Paces = []Pace{{Workers: 1}, {Workers: 1025}} }, "1 to 1024 workers"},
		{"no workers", func(p *Plan) { p.Paces = []Pace{{Rate: 1}} }, "1 to 1024 workers"},
		{"too fast", func(p *Plan) { p.Paces = []Pace{{Workers: 1, Rate: 100_001}} }, "at most 100000"},
		{"too long", func(p *Plan) { p.Duration = time.Hour }, "up to 5m0s"},
		{"more changes than requests", func(p *Plan) { p.PatchShare = 101 }, "0 to 100"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := well
			test.change(&p)
			err := p.Check()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Check(%+v) = %v, want %q", p, err, test.want)
			}
		})
	}
	well.Keys = nil
	if _, err := Run(t.Context(), well, nil); err == nil || err.Error() != "there is no key" {
		t.Errorf("Run without keys = %v, want it refused", err)
	}
}

// counting is an API that counts its requests, and how many of them it has at once. It fails every tenth PATCH
// request.
type counting struct {
	mutex           sync.Mutex
	methods, keys   map[string]int
	bodies          map[string]bool
	atOnce, highest int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := r.Method + " " + r.URL.Path
	c.mutex.Lock()
	c.methods[call]++
	c.keys[r.Method+" "+r.Header.Get("Authorization")]++
	n := c.methods[call]
	if r.Method == http.MethodPatch {
		c.bodies[string(body)] = true
	}
	c.atOnce++
	c.highest = max(c.highest, c.atOnce)
	c.mutex.Unlock()
	time.Sleep(2 * time.Millisecond)
	if r.Method == http.MethodPatch && n%10 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	c.mutex.Lock()
	c.atOnce--
	c.mutex.Unlock()
}

func TestRun(t *testing.T) {
	t.Parallel()
	api := &counting{methods: map[string]int{}, keys: map[string]int{}, bodies: map[string]bool{}}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	plan := Plan{
		URL: server.URL + "/", Keys: []string{"a", "b"}, Paces: []Pace{{Workers: 1}, {Workers: 4}},
		Duration: 300 * time.Millisecond, PatchShare: 25, PID: os.Getpid(),
	}
	done := 0
	report, err := Run(t.Context(), plan, func() { done++ })
	if err != nil {
		t.Fatal(err)
	}
	requests, failed := 0, 0
	for i, s := range report.Steps {
		requests, failed = requests+int(s.All.Requests), failed+s.Failed()
		l := s.Get.Latencies
		if s.Patch.Requests != s.All.Requests/4 {
			t.Errorf("%d of %d requests were changes, want a quarter", s.Patch.Requests, s.All.Requests)
		}
		if s.Pace != plan.Paces[i] || s.All.Requests == 0 || s.Get.Requests+s.Patch.Requests != s.All.Requests ||
			s.All.StatusCodes["200"]+s.All.StatusCodes["503"] != int(s.All.Requests) || s.Get.StatusCodes["503"] != 0 ||
			s.Failed() != s.All.StatusCodes["503"] || s.All.Throughput <= 0 || s.Memory < 1<<20 ||
			l.P50 < time.Millisecond || l.P50 > l.P99 || l.P99 > l.Max {
			t.Errorf("step %d = %+v", i, s)
		}
	}
	get, patch := api.methods["GET /v1/organizations"], api.methods["PATCH /v1/organizations"]
	if len(report.Steps) != 2 || done != 2 || get+patch != requests || failed != patch/10 {
		t.Errorf("%d steps with %d requests, %d failed; the API saw %v", len(report.Steps), requests, failed, api.methods)
	}
	if len(api.bodies) != patch || api.highest < 2 || api.highest > 4 {
		t.Errorf("%d changes had %d bodies; up to %d at once, want 2 to 4", patch, len(api.bodies), api.highest)
	}
	for _, method := range []string{"GET", "PATCH"} { // each method takes the keys in turn, from the start in each step
		a, b := api.keys[method+" Bearer a"], api.keys[method+" Bearer b"]
		if a+b != api.methods[method+" /v1/organizations"] || a-b < -2 || a-b > 2 {
			t.Errorf("%s requests had the keys a and b %d and %d times, want each for half", method, a, b)
		}
	}
	checkPlot(t, report, "1 workers: GET", "4 workers: GET")
}

func TestLabel(t *testing.T) {
	t.Parallel()
	for want, result := range map[string]vegeta.Result{
		"GET": {Method: http.MethodGet}, "PATCH ERROR": {Method: http.MethodPatch, Error: "503 Service Unavailable"},
	} {
		if got := label(&result); got != want {
			t.Errorf("label(%+v) = %q, want %q", result, got, want)
		}
	}
}

func checkPlot(t *testing.T, report Report, labels ...string) {
	t.Helper()
	var page strings.Builder
	if err := report.WritePlot(&page); err != nil {
		t.Fatal(err)
	}
	for _, label := range labels {
		if !strings.Contains(page.String(), `"`+label+`"`) {
			t.Errorf("the plot has no line %q", label)
		}
	}
}

// TestRunAtRate uses an API that answers the first request only after ten more have arrived. Each of those is sent when
// it is due, although the first one waits, and the latencies contain the wait.
func TestRunAtRate(t *testing.T) {
	t.Parallel()
	const rate, duration, others = 100, time.Second, 10
	var arrived, held atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch arrived.Add(1) {
		case 1:
			begin := time.Now()
			select {
			case <-release:
			case <-time.After(time.Minute): // only where it fails
				w.WriteHeader(http.StatusGatewayTimeout)
			}
			held.Store(int64(time.Since(begin)))
		case 1 + others:
			close(release)
		}
	}))
	t.Cleanup(server.Close)
	plan := Plan{URL: server.URL, Keys: []string{"a"}, Paces: []Pace{{Workers: 64, Rate: rate}}, Duration: duration}
	report, err := Run(t.Context(), plan, func() {})
	if err != nil {
		t.Fatal(err)
	}
	step := report.Steps[0]
	if most := uint64(rate*duration.Seconds()) + 1; step.Failed() > 0 || step.All.Requests > most {
		t.Errorf("%d of %d requests failed, want at most %d requests and no failure", step.Failed(), step.All.Requests, most)
	}
	if held := time.Duration(held.Load()); step.All.Latencies.Max < held {
		t.Errorf("latencies = %+v, but one answer took %v", step.All.Latencies, held)
	}
	checkPlot(t, report, "100 a second: GET")
}

// TestRunWithoutAnswers sends requests to a port where nobody listens.
func TestRunWithoutAnswers(t *testing.T) {
	t.Parallel()
	const duration = 20 * time.Millisecond
	plan := Plan{URL: "http://127.0.0.1:1", Keys: []string{"a"}, Paces: []Pace{{Workers: 1}}, Duration: duration}
	report, err := Run(t.Context(), plan, func() {})
	if err != nil {
		t.Fatal(err)
	}
	s := report.Steps[0]
	if n := int(s.All.Requests); n == 0 || s.Failed() != n || s.All.StatusCodes["0"] != n || len(s.All.Errors) == 0 {
		t.Errorf("step = %+v, want every request to fail", s)
	}
}

// TestRunEnds: Run returns soon when ctx is done, although a request is in flight.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-hang
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	plan := Plan{URL: server.URL, Keys: []string{"a"}, Paces: []Pace{{Workers: 2}}, Duration: MaxDuration}
	for _, when := range []string{"in a step", "before"} {
		if _, err := Run(ctx, plan, func() {}); !errors.Is(err, context.Canceled) {
			t.Errorf("Run when ctx is done %s = %v, want %v", when, err, context.Canceled)
		}
	}
}

func TestMemoryOf(t *testing.T) {
	t.Parallel()
	if _, err := memoryOf(1 << 30); err == nil {
		t.Error("memoryOf a process that cannot be = nil, want an error")
	}
	pid, parent, resident := parseStatus("Name:\tPid: 3\nPid:\t12\nPPid:\t1\nVmHWM:\t  99 kB\nVmRSS:\t   8 kB\n")
	if pid != 12 || parent != 1 || resident != 8192 {
		t.Errorf("parseStatus = %d, %d, %d, want 12, 1, 8192", pid, parent, resident)
	}
}

func TestPacesTo(t *testing.T) {
	t.Parallel()
	tests := map[int][]int{1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 16: {1, 2, 4, 8, 16}, 24: {1, 2, 4, 8, 16, 24}}
	for most, want := range tests {
		var got []int
		for _, pace := range pacesTo(most) {
			got = append(got, pace.Workers)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pacesTo(%d) = %v, want %v", most, got, want)
		}
	}
}
