package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"organizations-api/shared/load"
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
		{"bootstraps", newTables(t), []string{"--functions", buildFunctions(t)}, functionConcurrency},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if strings.HasPrefix(test.env[storeVariable], "dynamodb:") {
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
			if left := mustJSON[listed](t, test.env, "list").Organizations; len(left) != 1 || left[0].Name != demoName {
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
