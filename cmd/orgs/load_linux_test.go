package main

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/serve"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/load"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// make load turns these up.
var (
	loadMost     = flag.Int("load.most", 4, "TestLoad: callers at once in the last step")
	loadDuration = flag.String("load.duration", "300ms", "TestLoad: how long a step takes")
	loadOut      = flag.String("load.out", "", "TestLoad: folder for a chart and JSON of each")
)

// maxGatewayMemory bounds what the gateway, and all processes of built functions with it, may take under any load.
const maxGatewayMemory = 1 << 30

// TestLoad puts the gateway under load, as a process of its own, on SQLite and with the built functions on DynamoDB. Nothing
// may fail, and its memory is bounded.
func TestLoad(t *testing.T) {
	tests := []struct {
		name string
		env  environment
		args []string
		most int // beyond which requests are throttled on purpose
	}{
		{"sqlite", newStore(t), nil, load.MaxCallers},
		{"bootstraps", newTables(t), []string{"--functions", buildFunctions(t)}, serve.FunctionConcurrency},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strings.HasPrefix(test.env[cli.StoreVariable], "dynamodb:") {
				must(t, test.env, "tables", "create")
			}
			p := startProcess(t, test.env, append(test.args, "--rate-limits", "off")...)
			chart := filepath.Join(t.TempDir(), "load.svg")
			args := []string{"load", "--url", p.url, "--most", strconv.Itoa(min(*loadMost, test.most)), "--duration", *loadDuration,
				"--pid", strconv.Itoa(p.command.Process.Pid), "--chart", chart, "--json"}
			r := orgs(t, test.env, args...)
			if r.code != exitOK {
				t.Fatalf("orgs %q = %+v", args, r)
			}
			steps := decode[struct{ Steps []load.Step }](t, r.stdout).Steps
			for _, s := range steps {
				t.Logf("%3d callers: %6.0f a second, GET p50 %6.2f p99 %7.2f ms, PATCH p50 %6.2f p99 %7.2f ms, %d failed, %d MiB",
					s.Callers, s.Throughput, s.Get.P50, s.Get.P99, s.Patch.P50, s.Patch.P99, s.Failed, s.Memory>>20)
				if s.Failed != 0 || s.Requests == 0 || s.Memory == 0 || s.Memory > maxGatewayMemory {
					t.Errorf("step %+v, want answers, none but 200, and at most %d bytes of memory", s, maxGatewayMemory)
				}
			}
			if left := mustJSON[listed](t, test.env, "list").Organizations; len(left) != 1 || left[0].Name != serve.DemoName {
				t.Errorf("after the load there are %d organizations, want the demo's alone", len(left))
			}
			keepLoad(t, test.name, chart, r.stdout)
			p.terminate(t)
		})
	}
}

// keepLoad copies the results to the folder that was asked for.
func keepLoad(t *testing.T, name, chart, figures string) {
	t.Helper()
	drawing, err := os.ReadFile(chart)
	if err != nil || !strings.Contains(string(drawing), "<svg") {
		t.Errorf("the chart: %v", err)
	}
	if *loadOut == "" {
		return
	}
	for file, text := range maps.All(map[string]string{name + ".svg": string(drawing), name + ".json": figures}) {
		if err := os.WriteFile(filepath.Join(*loadOut, file), []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func TestStepsTo(t *testing.T) {
	t.Parallel()
	for most, want := range map[int][]int{1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 16: {1, 2, 4, 8, 16}, 24: {1, 2, 4, 8, 16, 24}} {
		if got := stepsTo(most); !slices.Equal(got, want) {
			t.Errorf("stepsTo(%d) = %v, want %v", most, got, want)
		}
	}
}

// TestLoadSaysWhatItLeft: an organization that cannot be removed again is named, beside what else went wrong.
func TestLoadSaysWhatItLeft(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	must(t, env, "tables", "create")
	through := maps.Clone(env)
	p := dynamotest.StartProxy(t, env[backend.EndpointVariable], dynamotest.On("Query", dynamotest.Refuse(400, "ValidationException")))
	through[backend.EndpointVariable] = p.URL
	r := orgs(t, through, "load", "--url", "http://127.0.0.1:1", "--most", "1", "--duration", "10ms")
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

// TestLoadWithoutAReader: whoever stops reading the progress or the results does not keep load from removing what it made.
func TestLoadWithoutAReader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer time.Duration // after which the API answers; progress is written when a step took term.LinePace
		closed func(command *exec.Cmd, pipe *os.File)
	}{
		{"results", 0, func(command *exec.Cmd, pipe *os.File) { command.Stdout = pipe }},
		{"progress", term.LinePace, func(command *exec.Cmd, pipe *os.File) { command.Stderr = pipe }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(test.answer) }))
			t.Cleanup(api.Close)
			env := newStore(t)
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), os.Args[0], "load", "--url", api.URL, "--most", "1", "--duration", "10ms")
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
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"--url", "http://example.com"}, "nothing else is put under load"},
		{[]string{"--patch", "101"}, "0 to 100"},
		{[]string{"--keys", keys}, "line 1 of " + keys + " is no key"},
		{[]string{"--url", "http://127.0.0.1:1", "--most", "1", "--duration", "10ms"}, "were not answered with 200"},
	}
	for _, test := range tests {
		r := orgs(t, env, append([]string{"load"}, test.args...)...)
		if r.code != exitFailed || !strings.Contains(r.stderr, test.want) {
			t.Errorf("orgs load %q = %+v, want %d and %q", test.args, r, exitFailed, test.want)
		}
		if strings.Contains(r.stderr, "nonsense") {
			t.Errorf("orgs load %q prints a key: %q", test.args, r.stderr)
		}
	}
	if got := mustJSON[listed](t, env, "list").Organizations; len(got) != 0 {
		t.Errorf("load left %d organizations", len(got))
	}
}
