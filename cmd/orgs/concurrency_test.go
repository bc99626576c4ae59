package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"organizations-api/shared/store/dynamo/dynamotest"
)

// gatewayProcess is orgs serve in a process of its own.
type gatewayProcess struct {
	url            string
	command        *exec.Cmd
	stdout, stderr *transcript
}

// startProcess starts the test binary as orgs serve, with more arguments.
func startProcess(t *testing.T, env environment, args ...string) *gatewayProcess {
	t.Helper()
	return startBinary(t, os.Args[0], env, args...)
}

// startBinary starts an orgs binary as orgs serve, with more arguments.
func startBinary(t *testing.T, binary string, env environment, args ...string) *gatewayProcess {
	t.Helper()
	p := &gatewayProcess{stdout: newTranscript(), stderr: newTranscript()}
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--json"}, args...)
	p.command = exec.CommandContext(t.Context(), binary, args...)
	p.command.Stdout, p.command.Stderr = p.stdout, p.stderr
	p.command.Env = append(os.Environ(), asCommand+"=1")
	for name, value := range env {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	var welcome struct{ URL string }
	if err := json.Unmarshal([]byte(p.stdout.await(t, "\n}\n")), &welcome); err != nil {
		t.Fatalf("serve --json prints %q: %v", p.stdout, err)
	}
	p.stderr.await(t, `"msg":"serving"`)
	p.url = welcome.URL
	return p
}

// terminate sends SIGTERM and checks that the process ends well.
func (p *gatewayProcess) terminate(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("serve after SIGTERM: %v, want exit code 0; on stderr:\n%s", err, p.stderr)
	}
}

func TestConcurrentWritersSQLite(t *testing.T) {
	t.Parallel()
	testConcurrentWriters(t, newStore(t))
}

func TestConcurrentWritersDynamoDB(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	must(t, env, "tables", "create")
	testConcurrentWriters(t, env)
}

// newTables returns an environment that names DynamoDB tables which do not exist yet.
func newTables(t *testing.T) environment {
	t.Helper()
	return environment{storeVariable: "dynamodb:" + dynamotest.Prefix(), endpointVariable: dynamotest.Endpoint(t)}
}

const (
	writers          = 20
	changesPerWriter = 50
)

// outcome is what became of a writer's tries, by the names that they set.
type outcome struct {
	accepted []string // answered with 200
	unsure   []string // answered with 503: they may have taken effect all the same
}

// testConcurrentWriters has many writers change one record through two gateway processes on one store, and then looks for
// every accepted change in the audit trail.
func testConcurrentWriters(t *testing.T, env environment) {
	t.Helper()
	made := mustJSON[created](t, env, "create", "--name", "At first", "--tier", "pro")
	gateways := []*gatewayProcess{
		startProcess(t, env, "--rate-limits", "off"), startProcess(t, env, "--rate-limits", "off"),
	}
	client := newClient(t)

	var all sync.WaitGroup
	outcomes := make([]outcome, writers)
	for w := range writers {
		url := gateways[w%len(gateways)].url + organizations
		all.Go(func() { outcomes[w] = write(t, client, url, made.Key.Key, w) })
	}
	all.Wait()
	for _, g := range gateways {
		g.terminate(t)
	}
	if t.Failed() {
		return
	}
	id := made.Organization.ID
	entries := mustJSON[trail](t, env, "audit", id, "--limit", fmt.Sprint(10*writers*changesPerWriter)).Entries
	accepted, late := checkNames(t, checkTrail(t, entries), outcomes)
	if accepted != writers*changesPerWriter {
		t.Errorf("%d changes were accepted, want %d", accepted, writers*changesPerWriter)
	}
	if got := mustJSON[shown](t, env, "show", id).Organization.Version; got != int64(accepted+late) {
		t.Errorf("version = %d, want %d, the number of changes", got, accepted+late)
	}
}

// write makes the writer's changes, each a new name. A change that was refused because of the others is tried again, under
// a name of its own.
func write(t *testing.T, client *http.Client, url, key string, writer int) outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	var o outcome
	for try := 0; len(o.accepted) < changesPerWriter; try++ {
		name := fmt.Sprintf("Writer %d, change %d, try %d", writer, len(o.accepted), try)
		status, err := patchName(ctx, client, url, key, name)
		switch {
		case err == nil && status == http.StatusOK:
			o.accepted = append(o.accepted, name)
		case err == nil && status == http.StatusServiceUnavailable:
			o.unsure = append(o.unsure, name)
		case err == nil && status == http.StatusPreconditionFailed:
		default:
			t.Errorf("PATCH to %q = %d, %v, want 200, 412 or 503", name, status, err)
			return o
		}
	}
	return o
}

func patchName(ctx context.Context, client *http.Client, url, key, name string) (status int, err error) {
	body := strings.NewReader(`{"organization_name": "` + name + `"}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// checkTrail checks that the entries, the newest first, are a chain of changes without a gap, each from what the one before
// left. It returns how often each name was set.
func checkTrail(t *testing.T, entries []wireEntry) map[string]int {
	t.Helper()
	times := make(map[string]int)
	version, name := int64(len(entries)-1), ""
	for i, e := range entries {
		if e.Version != version {
			t.Fatalf("entry %d is of version %d, want %d", i, e.Version, version)
		}
		version--
		if e.Action != "organization.updated" {
			continue
		}
		before, after := decode[string](t, string(e.Changes[0].Before)), decode[string](t, string(e.Changes[0].After))
		if name != "" && after != name {
			t.Errorf("version %d left %q, and version %d found %q", e.Version, after, e.Version+1, name)
		}
		name = before
		times[after]++
	}
	if name != "At first" {
		t.Errorf("the first change found %q, want the first name", name)
	}
	return times
}

// checkNames checks that every accepted name was set once, and no other but those of which nobody was sure. It returns
// how many of both were set.
func checkNames(t *testing.T, times map[string]int, outcomes []outcome) (accepted, late int) {
	t.Helper()
	for writer, o := range outcomes {
		for _, name := range o.accepted {
			if times[name] != 1 {
				t.Errorf("%q of writer %d was set %d times, want once", name, writer, times[name])
			}
			delete(times, name)
			accepted++
		}
		for _, name := range o.unsure {
			if times[name] > 1 {
				t.Errorf("%q of writer %d was set %d times, want once at most", name, writer, times[name])
			}
			late += times[name]
			delete(times, name)
		}
	}
	if len(times) != 0 {
		t.Errorf("these changes were made by nobody: %v", times)
	}
	return accepted, late
}
