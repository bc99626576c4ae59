package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyThisMachine(t *testing.T) {
	t.Parallel()
	well := Plan{URL: "http://127.0.0.1:1", Keys: []string{"k"}, Steps: []int{1}, Duration: time.Second, PatchShare: 10}
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
		{"no steps", func(p *Plan) { p.Steps = nil }, "1 to 1024 callers"},
		{"too many callers", func(p *Plan) { p.Steps = []int{1, 1025} }, "1 to 1024 callers"},
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
	if err := Run(t.Context(), well, nil); err == nil || err.Error() != "there is no key" {
		t.Errorf("Run without keys = %v, want it refused", err)
	}
}

func TestLatencyOf(t *testing.T) {
	t.Parallel()
	times := func(n int) []time.Duration {
		var all []time.Duration
		for i := n; i > 0; i-- {
			all = append(all, time.Duration(i)*time.Millisecond)
		}
		return all
	}
	tests := []struct {
		n    int
		want Latency
	}{
		{0, Latency{}},
		{1, Latency{1, 1, 1, 1, 1, 1}},
		{2, Latency{2, 1, 2, 2, 2, 2}},
		{1000, Latency{1000, 500, 900, 990, 999, 1000}},
		{1001, Latency{1001, 501, 901, 991, 1000, 1001}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, latencyOf(times(test.n))); diff != "" {
			t.Errorf("latencyOf(%d down to 1 ms) (-want +got):\n%s", test.n, diff)
		}
	}
}

// counting is an API that counts what it is asked, and how much of that at once.
type counting struct {
	mutex           sync.Mutex
	methods, keys   map[string]int
	bodies          map[string]bool
	atOnce, highest int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mutex.Lock()
	c.methods[r.Method+" "+r.URL.Path]++
	c.keys[r.Header.Get("Authorization")]++
	n := c.methods[r.Method+" "+r.URL.Path]
	if r.Method == http.MethodPatch {
		c.bodies[string(body)] = true
	}
	c.atOnce++
	c.highest = max(c.highest, c.atOnce)
	c.mutex.Unlock()
	time.Sleep(time.Millisecond)
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
	var steps []Step
	plan := Plan{URL: server.URL + "/", Keys: []string{"a", "b"}, Steps: []int{1, 4}, Duration: 300 * time.Millisecond, PatchShare: 25, PID: os.Getpid()}
	if err := Run(t.Context(), plan, func(s Step) { steps = append(steps, s) }); err != nil {
		t.Fatal(err)
	}
	requests, failed := 0, 0
	for i, s := range steps {
		requests, failed = requests+s.Requests, failed+s.Failed
		if s.Callers != plan.Steps[i] || s.Requests == 0 || s.Get.P50 < 1 || s.Get.P50 > s.Get.P99 || s.Get.P99 > s.Get.Max ||
			s.Get.Requests+s.Patch.Requests != s.Requests || s.Statuses["200"]+s.Statuses["503"] != s.Requests ||
			s.Failed != s.Statuses["503"] || s.Throughput <= 0 || s.Memory < 1<<20 {
			t.Errorf("step %d = %+v", i, s)
		}
	}
	get, patch := api.methods["GET "+path], api.methods["PATCH "+path]
	if len(steps) != 2 || get+patch != requests || failed != patch/10 {
		t.Errorf("%d steps with %d requests, %d failed; the API saw %v", len(steps), requests, failed, api.methods)
	}
	if share := float64(patch) / float64(requests); share < 0.2 || share > 0.26 { // a caller begins with GETs
		t.Errorf("%d of %d requests were changes, want a quarter", patch, requests)
	}
	if len(api.bodies) != patch || api.highest < 2 || api.highest > 4 || api.keys["Bearer a"] == 0 || api.keys["Bearer b"] == 0 {
		t.Errorf("%d changes had %d bodies; up to %d at once, want 2 to 4; keys %v", patch, len(api.bodies), api.highest, api.keys)
	}
}

// TestRunWithoutAnswers has nobody listen, and then ends early.
func TestRunWithoutAnswers(t *testing.T) {
	t.Parallel()
	plan := Plan{URL: "http://127.0.0.1:1", Keys: []string{"a"}, Steps: []int{1}, Duration: 20 * time.Millisecond}
	err := Run(t.Context(), plan, func(s Step) {
		if s.Failed != s.Requests || s.Statuses["none"] != s.Requests || s.Requests == 0 || s.FirstError == "" {
			t.Errorf("step = %+v, want every request to fail", s)
		}
	})
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, plan, func(Step) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run when ctx is done = %v, want %v", err, context.Canceled)
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

func TestChart(t *testing.T) {
	t.Parallel()
	steps := []Step{
		{Callers: 1, Throughput: 700, Get: Latency{P50: 1, P99: 3}, Patch: Latency{P50: 2, P99: 40}},
		{Callers: 2, Throughput: 1400, Get: Latency{P50: 1, P99: 3}, Patch: Latency{P50: 2, P99: 4}},
	}
	got := string(Chart("Load", steps))
	for _, want := range []string{">2000<", ">50<", ">PATCH p99<", ">requests a second<"} {
		if !strings.Contains(got, want) {
			t.Errorf("the chart has no %q:\n%s", want, got)
		}
	}
}
