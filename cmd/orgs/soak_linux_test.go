package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/admin"
)

var soak = flag.Duration("soak", 0, "how long TestSoak keeps each gateway busy; 0: for four rounds")

// vitalsVariable names a file in the environment of a test binary that runs as orgs. On SIGUSR1 it writes its vitals there.
const vitalsVariable = "ORGS_TEST_VITALS"

// vitals are what must not grow while a process serves.
type vitals struct {
	Number     int // of the report, so that a reader sees a new one
	Goroutines int
	Heap       uint64 // bytes that are reachable
	Files      int    // open file descriptors
	Resident   int    // memory in kilobytes, as the system counts it
}

func init() {
	if path := os.Getenv(vitalsVariable); path != "" {
		go reportVitals(path)
	}
}

// reportVitals writes the vitals of this process to the file at each SIGUSR1.
func reportVitals(path string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for number := 1; ; number++ {
		<-asked
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		text, err := json.Marshal(vitals{Number: number, Goroutines: runtime.NumGoroutine(), Heap: memory.HeapAlloc})
		if err == nil {
			err = os.WriteFile(path+".new", text, 0o600)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			panic(err) // of a test binary
		}
	}
}

// vitals asks the process, which must have been started with vitalsVariable, for its vitals.
func (p *gatewayProcess) vitals(t *testing.T, path string, before vitals) vitals {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	var v vitals
	for wait := time.Now().Add(patience); v.Number <= before.Number; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(wait) {
			t.Fatal("the gateway does not report its vitals")
		}
		if text, err := os.ReadFile(path); err == nil {
			v = decode[vitals](t, string(text))
		}
	}
	proc := fmt.Sprintf("/proc/%d/", p.command.Process.Pid)
	files, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &v.Resident); err != nil {
		t.Fatal(err)
	}
	v.Files = len(files)
	return v
}

// TestSoak keeps a gateway busy with all that clients and operators do, round after round. After each round it is left
// alone. Then it must have no more goroutines, open files and reachable memory than after the first round, but for
// the connections of its pools.
func TestSoak(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); testSoak(t, newStore(t)) })
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		env := newTables(t)
		must(t, env, "tables", "create")
		testSoak(t, env)
	})
}

func testSoak(t *testing.T, env environment) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "vitals.json")
	started := environment{vitalsVariable: report}
	for name, value := range env {
		started[name] = value
	}
	gateway := startProcess(t, started, "--rate-limits", "off")
	var now, first vitals
	begun := time.Now()
	for round := 0; round < 4 || time.Since(begun) < *soak; round++ {
		soakRound(t, env, gateway.url)
		if round == 0 {
			first = gateway.settled(t, report, now, nil)
			now = first
			t.Logf("first: %+v", first)
			continue
		}
		now = gateway.settled(t, report, now, &first)
		if *soak > 0 && round%20 == 0 {
			t.Logf("after %s: %+v", time.Since(begun).Round(time.Second), now)
		}
	}
	t.Logf("last, after %s: %+v", time.Since(begun).Round(time.Second), now)
	// Caches of the libraries fill up to their bounds.
	if grown := int64(now.Heap) - int64(first.Heap); grown > 4<<20 {
		t.Errorf("%d bytes are reachable that were not after the first round, want at most 4 MB", grown)
	}
	gateway.terminate(t)
}

// A pool may have as many more connections than after the first round: those to SQLite's file, and idle ones to
// DynamoDB, each with two goroutines. Each round has hundreds of requests.
const pooled = 16

// settled returns the vitals once they do not change any more or, with a first report, once they are no worse.
func (p *gatewayProcess) settled(t *testing.T, path string, last vitals, first *vitals) vitals {
	t.Helper()
	for wait := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		v := p.vitals(t, path, last)
		if first == nil && v.Goroutines == last.Goroutines && v.Files == last.Files ||
			first != nil && v.Goroutines <= first.Goroutines+2*pooled && v.Files <= first.Files+pooled {
			return v
		}
		if time.Now().After(wait) {
			t.Fatalf("after the round: %+v, want no more goroutines and files than at first: %+v", v, first)
		}
		last = v
	}
}

// soakRound has clients and operators do all that they do, and leaves no connection open.
func soakRound(t *testing.T, env environment, url string) {
	t.Helper()
	made := mustJSON[created](t, env, "create", "--name", "Northwind Video", "--tier", "pro")
	key, id := made.Key.Key, string(made.Organization.ID)
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for i := range 10 {
				soakRequests(t, client, url+organizations, key, fmt.Sprintf("Name %d of %d", i, worker))
			}
		})
	}
	issued := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read")
	must(t, env, "keys", "revoke", id, issued.ID)
	must(t, env, "update", id, "--credits", "+5")
	must(t, env, "audit", id)
	workers.Wait()
	must(t, env, "delete", id)
	if a, err := do(client, newRequest(t.Context(), "GET", url+organizations, key, "")); err != nil || a.status != 404 {
		t.Errorf("GET of a deleted organization = %d, %v, want 404", a.status, err)
	}
	must(t, env, "delete", id, "--purge", "--yes")
}

// soakRequests makes one request of each kind, and leaves one before the answer.
func soakRequests(t *testing.T, client *http.Client, url, key, name string) {
	patch := func(body string) *http.Request { return newRequest(t.Context(), "PATCH", url, key, body) }
	stale := patch(`{"organization_name":"stale"}`)
	stale.Header.Set("If-Match", `"00000000000000000000000000000000"`)
	for _, c := range []struct {
		request *http.Request
		want    int
	}{
		{newRequest(t.Context(), "GET", url, key, ""), 200},
		{newRequest(t.Context(), "GET", url, key+"x", ""), 401},
		{patch(fmt.Sprintf(`{"organization_name":%q}`, name)), 200},
		{patch(`{"organization_name":""}`), 422},
		{patch(`{`), 400},
		{patch(`{"metadata":"` + strings.Repeat("x", 300<<10) + `"}`), 400},
		{stale, 412},
		{newRequest(t.Context(), "GET", url+"/nowhere", key, ""), 404},
	} {
		if a, err := do(client, c.request); err != nil || a.status != c.want && a.status != http.StatusServiceUnavailable {
			t.Errorf("%s = %d %s, %v, want %d", c.request.Method, a.status, a.body, err, c.want)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, leave)
	if _, err := do(client, newRequest(ctx, "GET", url, key, "")); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("GET that is left = %v, want no error or Canceled", err)
	}
	leave()
}
