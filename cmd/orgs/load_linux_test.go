package main

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/load"
	"organizations-api/cmd/orgs/internal/serve"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// make load gives these flags larger values.
var (
	loadMost     = flag.Int("load.most", 4, "TestLoad: workers in the last step")
	loadDuration = flag.String("load.duration", "300ms", "TestLoad: how long a step takes")
	loadOut      = flag.String("load.out", "", "TestLoad: folder for the figures as JSON and the plots as HTML")
)

// maxGatewayMemory bounds the memory of the gateway, with all its processes of functions, under any load.
const maxGatewayMemory = 1 << 30

// TestLoad puts the gateway, as a separate process, under load: on SQLite, and with the built functions on DynamoDB. No
// request may fail, and the memory is bounded. On SQLite it then sends requests at half of the highest throughput. It
// does not do so with functions: if one answer is late, more than serve.FunctionConcurrency requests are due, and some
// get 429.
func TestLoad(t *testing.T) {
	tests := []struct {
		name   string
		env    environment
		args   []string
		most   int // with more workers, requests are throttled on purpose
		atRate bool
	}{
		{"sqlite", newStore(t), nil, load.MaxWorkers, true},
		{"bootstraps", newTables(t), []string{"--functions", buildFunctions(t)}, serve.FunctionConcurrency, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strings.HasPrefix(test.env[cli.StoreVariable], "dynamodb:") {
				must(t, test.env, "tables", "create")
			}
			p := startProcess(t, test.env, append(test.args, "--rate-limits", "off")...)
			most := strconv.Itoa(min(*loadMost, test.most))
			args := []string{"load", "--url", p.url, "--most", most, "--duration", *loadDuration,
				"--pid", strconv.Itoa(p.command.Process.Pid)}
			highest := 0.0
			for _, s := range runLoad(t, test.env, test.name, args...) {
				highest = max(highest, s.All.Throughput)
			}
			if test.atRate {
				rate := max(int(highest/2), 1)
				steps := runLoad(t, test.env, test.name+"-rate", append(args, "--rate", strconv.Itoa(rate))...)
				if len(steps) != 1 || steps[0].Rate != rate {
					t.Errorf("load at %d requests per second has the steps %+v, want one at this rate", rate, steps)
				}
			}
			if left := mustJSON[listed](t, test.env, "list").Organizations; len(left) != 1 || left[0].Name != serve.DemoName {
				t.Errorf("after the load there are %d organizations, want the demo's alone", len(left))
			}
			p.terminate(t)
		})
	}
}

// runLoad runs orgs load, checks the steps, and writes the figures and the plot to the folder of -load.out.
func runLoad(t *testing.T, env environment, name string, args ...string) []load.Step {
	t.Helper()
	folder := *loadOut
	if folder == "" {
		folder = t.TempDir()
	}
	page := filepath.Join(folder, name+".html")
	r := orgs(t, env, append(args, "--plot", page, "--json")...)
	if r.code != exitOK {
		t.Fatalf("orgs %q = %+v", args, r)
	}
	steps := decode[load.Report](t, r.stdout).Steps
	for _, s := range steps {
		get, patch := s.Get.Latencies, s.Patch.Latencies
		t.Logf("%s: %4d workers: %6.0f a second, GET p50 %v p99 %v, PATCH p50 %v p99 %v, %d MiB",
			name, s.Workers, s.All.Throughput, get.P50, get.P99, patch.P50, patch.P99, s.Memory>>20)
		if s.All.Requests == 0 || s.All.Success != 1 || s.Failed() != 0 || s.Memory == 0 || s.Memory > maxGatewayMemory {
			t.Errorf("step %+v, want answers, none but 200, and at most %d bytes of memory", s, maxGatewayMemory)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, name+".json"), []byte(r.stdout), 0o644); err != nil {
		t.Error(err)
	}
	if plot, err := os.ReadFile(page); err != nil || !strings.Contains(string(plot), ": GET") {
		t.Errorf("the plot has no line of GET requests: %v", err)
	}
	return steps
}

// fakeAPI is an API that takes its time. It answers a request without a key with 401, the first one with a key with
// first, and the others with then.
func fakeAPI(t *testing.T, takes time.Duration, first, then int) string {
	t.Helper()
	var asked atomic.Bool
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case asked.Swap(true):
			<-time.After(takes)
			w.WriteHeader(then)
		default:
			w.WriteHeader(first)
		}
	}))
	t.Cleanup(api.Close)
	return api.URL
}

// TestLoadSaysWhatItLeft: the error names an organization that could not be removed, beside the failed requests.
func TestLoadSaysWhatItLeft(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	must(t, env, "tables", "create")
	through := maps.Clone(env)
	refusing := dynamotest.On("Query", dynamotest.Refuse(400, "ValidationException"))
	p := dynamotest.StartProxy(t, env[backend.EndpointVariable], refusing)
	through[backend.EndpointVariable] = p.URL
	r := orgs(t, through, "load", "--url", fakeAPI(t, 0, 200, 503), "--most", "1", "--duration", "10ms")
	left := mustJSON[listed](t, env, "list").Organizations
	if len(left) != 1 {
		t.Fatalf("load left %d organizations, want the one that DynamoDB did not let it remove", len(left))
	}
	for _, want := range []string{"were not answered with 200", left[0].ID, "delete ORG --purge", "ValidationException"} {
		if r.code != exitFailed || !strings.Contains(r.stderr, want) {
			t.Errorf("load = %d, %q, want %d and %q", r.code, r.stderr, exitFailed, want)
		}
	}
}

// TestLoadWithoutAReader: load removes its organizations even if nobody reads the progress or the results any more.
func TestLoadWithoutAReader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer time.Duration // of the API; after term.LinePace, progress is written
		closed func(command *exec.Cmd, pipe *os.File)
	}{
		{"results", 0, func(command *exec.Cmd, pipe *os.File) { command.Stdout = pipe }},
		{"progress", term.LinePace, func(command *exec.Cmd, pipe *os.File) { command.Stderr = pipe }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := fakeAPI(t, test.answer, 200, 200)
			env := newStore(t)
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			args := []string{"load", "--url", url, "--most", "1", "--duration", "10ms"}
			command := exec.CommandContext(t.Context(), os.Args[0], args...)
			command.Env = append(os.Environ(), asCommand+"=1", cli.StoreVariable+"="+env[cli.StoreVariable])
			test.closed(command, writer)
			err = command.Run()
			if broken := err != nil && strings.Contains(err.Error(), "broken pipe"); broken != (test.name == "results") {
				t.Errorf("load = %v, want it ended by SIGPIPE where nobody reads its results", err)
			}
			if left := mustJSON[listed](t, env, "list").Organizations; len(left) != 0 {
				t.Errorf("load left %d organizations", len(left))
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("sk_live_nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := newStore(t)
	at := func(url string) []string { return []string{"--url", url, "--most", "1", "--duration", "10ms"} }
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	none := filepath.Join(t.TempDir(), "none")
	if err := os.WriteFile(none, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args       []string
		code       int
		want       string
		wantOutput string
	}{
		{[]string{"--url", "http://example.com"}, exitUsage, "nothing else is put under load", ""},
		{[]string{"--patch", "101"}, exitUsage, "0 to 100", ""},
		{[]string{"--duration", "1h"}, exitUsage, "at most 5m", ""},
		{[]string{"--most", "1025"}, exitUsage, "1 to 1024", ""},
		{[]string{"--rate", "0"}, exitUsage, "1 to 100000", ""},
		{[]string{"--keys", keys}, exitFailed, "line 1 of " + keys + " is no key", ""},
		{append(at(other.URL), "--keys", none), exitFailed, "answers a request without a key with 404", ""},
		{append(at(fakeAPI(t, 0, 200, 200)), "--keys", none), exitFailed, "the file of keys is empty", ""},
		{at("http://127.0.0.1:1"), exitFailed, "(dial tcp 127.0.0.1:1: connect: connection refused); start one with: orgs serve", ""},
		{at(other.URL), exitFailed, "is not this API: it answers a request without a key with 404", ""},
		{at(fakeAPI(t, 0, 401, 200)), exitFailed, "does not know the keys, which are of " + env[cli.StoreVariable], ""},
		{at(fakeAPI(t, 0, 429, 200)), exitFailed, "orgs serve --rate-limits off", ""},
		{at(fakeAPI(t, 0, 500, 200)), exitFailed, "answers a GET with 500", ""},
		{at(fakeAPI(t, 0, 200, 503)), exitFailed, "were not answered with 200", "0.00%"},
	}
	for _, test := range tests {
		r := orgs(t, env, append([]string{"load"}, test.args...)...)
		if r.code != test.code || !strings.Contains(r.stderr, test.want) || !strings.Contains(r.stdout, test.wantOutput) {
			t.Errorf("orgs load %q = %+v, want %d, %q and %q", test.args, r, test.code, test.wantOutput, test.want)
		}
		if strings.Contains(r.stderr, "nonsense") {
			t.Errorf("orgs load %q prints a key: %q", test.args, r.stderr)
		}
	}
	if got := mustJSON[listed](t, env, "list").Organizations; len(got) != 0 {
		t.Errorf("load left %d organizations", len(got))
	}
}
