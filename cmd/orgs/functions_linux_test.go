package main

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/serve"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// The folders that sam build builds the functions into.
var getFunction, updateFunction = serve.Folders[http.MethodGet][1], serve.Folders[http.MethodPatch][1]

// buildFunctions builds both functions for this machine, as sam build would for Lambda, and returns their folder.
func buildFunctions(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, function := range []string{getFunction, updateFunction} {
		target := filepath.Join(dir, function)
		if err := os.Mkdir(target, 0o755); err != nil {
			t.Fatal(err)
		}
		command := exec.Command("make", "--no-print-directory", "build-"+function, "ARTIFACTS_DIR="+target, "ARCH="+runtime.GOARCH)
		command.Dir = "../.."
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("make build-%s: %v\n%s", function, err, out)
		}
	}
	return dir
}

// killBootstraps kills every process that runs a bootstrap below the folder, and returns how many there were.
func killBootstraps(t *testing.T, dir string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, link := range links {
		path, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(path, dir+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("killing the process %d: %v", pid, err)
		}
		killed++
	}
	return killed
}

// TestBuiltFunctions runs the bootstraps that would be deployed as Lambda runs them, behind the gateway and on the real
// DynamoDB API.
func TestBuiltFunctions(t *testing.T) {
	t.Parallel()
	dir := buildFunctions(t)
	env := newTables(t)
	must(t, env, "tables", "create")
	made := mustJSON[created](t, env, "create", "--name", "Northwind Video", "--tier", "pro")
	key := made.Key.Key
	direct := maps.Clone(env)
	p := dynamotest.StartProxy(t, env[backend.EndpointVariable], dynamotest.Clean())
	env[backend.EndpointVariable] = p.URL
	s, client := startServer(t, env, "--functions", dir), newClient(t)
	url := s.url + organizations

	first := ask(t, client, "GET", url, key, "")
	if first.status != http.StatusOK || !strings.Contains(first.body, `"organization_name":"Northwind Video"`) {
		t.Fatalf("GET = %d %s, want the organization", first.status, first.body)
	}
	changed := ask(t, client, "PATCH", url, key, `{"organization_name":"Fabrikam"}`)
	if changed.status != http.StatusOK || !strings.Contains(changed.body, `"organization_name":"Fabrikam"`) {
		t.Fatalf("PATCH = %d %s, want the change", changed.status, changed.body)
	}
	if again := ask(t, client, "GET", url, key, ""); again.body != changed.body {
		t.Errorf("GET = %s after PATCH answered %s", again.body, changed.body)
	}
	gate := dynamotest.NewGate()
	killMidRequest(t, p, dynamotest.On("GetItem", dynamotest.HoldCall(gate)), gate, filepath.Join(dir, getFunction),
		func() answer { return ask(t, client, "GET", url, key, "") })
	if after := ask(t, client, "GET", url, key, ""); after.status != http.StatusOK || after.body != changed.body {
		t.Errorf("GET after the function was killed = %d %s, want %s", after.status, after.body, changed.body)
	}
	testKilledMidWrite(t, p, filepath.Join(dir, updateFunction), func(method, body string) answer { return ask(t, client, method, url, key, body) },
		func() []admin.EntryJSON { return mustJSON[trail](t, direct, "audit", made.Organization.ID).Entries })
	s.stop(t)
	if left := killBootstraps(t, dir); left != 0 {
		t.Errorf("%d processes of functions are left when the gateway has stopped, want none", left)
	}
	checkFunctionLogs(t, s.stderr.String(), key)
}

// killMidRequest sends a request, kills the processes of the function in the folder while one waits for DynamoDB by the
// plan, and checks what the gateway answers.
func killMidRequest(t *testing.T, p *dynamotest.Proxy, plan dynamotest.Plan, gate *dynamotest.Gate, dir string, send func() answer) {
	t.Helper()
	p.Follow(plan)
	defer p.Follow(dynamotest.Clean())
	answered := make(chan answer, 1)
	go func() { answered <- send() }()
	<-gate.Arrived()
	if n := killBootstraps(t, dir); n == 0 {
		t.Error("no process of a function was found to kill")
	}
	got := <-answered
	if got.status != http.StatusInternalServerError || got.body != `{"message":"Internal Server Error"}` {
		t.Errorf("the answer while the function is killed = %d %s, want the gateway's 500", got.status, got.body)
	}
}

// testKilledMidWrite kills the function before its transaction reaches DynamoDB, and after it took effect there. The
// record and its audit trail must both have changed, or neither.
func testKilledMidWrite(
	t *testing.T, p *dynamotest.Proxy, dir string, send func(method, body string) answer, audit func() []admin.EntryJSON,
) {
	t.Helper()
	for _, test := range []struct {
		name  string
		fault func(*dynamotest.Gate) dynamotest.Fault
		made  bool
	}{{"Before the write", dynamotest.HoldCall, false}, {"After the write", dynamotest.HoldReply, true}} {
		entries, gate := len(audit()), dynamotest.NewGate()
		killMidRequest(t, p, dynamotest.On("TransactWriteItems", test.fault(gate)), gate, dir,
			func() answer { return send("PATCH", `{"organization_name":"`+test.name+`"}`) })
		now := send("GET", "")
		if now.status != http.StatusOK || strings.Contains(now.body, test.name) != test.made {
			t.Errorf("GET after a function was killed %q = %d %s, want the change: %v", test.name, now.status, now.body, test.made)
		}
		if more := len(audit()) - entries; more != map[bool]int{true: 1, false: 0}[test.made] {
			t.Errorf("the audit trail has %d entries more after a function was killed %q", more, test.name)
		}
	}
}

// checkFunctionLogs checks that the gateway's log has the lines of the functions, and no key.
func checkFunctionLogs(t *testing.T, log, key string) {
	t.Helper()
	for _, want := range []string{`"cold_start":true`, `"cold_start":false`, `"_aws":`, `"trace_id":"Root=`, `"function_name":"update-organization"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the functions' log has no %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, key) {
		t.Error("the functions' log has the key")
	}
}

func TestFunctionsThatAreNotThere(t *testing.T) {
	t.Parallel()
	got := failed(t, newTables(t), "serve", "--addr", "127.0.0.1:0", "--functions", t.TempDir())
	if got.Kind != term.Failed || !strings.Contains(got.Message, "make build") {
		t.Errorf("serve --functions without functions = %+v, want what builds them", got)
	}
}
