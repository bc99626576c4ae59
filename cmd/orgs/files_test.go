package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/cli"
)

// TestFilesTakenAway: somebody removes the log of the store under a gateway. The gateway acknowledges nothing more, a
// key that is revoked then is accepted nowhere, and the end of the gateway does not undo the revocation.
func TestFilesTakenAway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "orgs.db")
	env := environment{cli.StoreVariable: "sqlite:" + path}
	made := mustJSON[created](t, env, "create", "--name", "At first", "--tier", "pro")
	id, key := made.Organization.ID, made.Key
	p := startProcess(t, env)
	client := newClient(t)
	if got := ask(t, client, http.MethodPatch, p.url+organizations, key.Key, renaming("Before")); got.status != http.StatusOK {
		t.Fatalf("PATCH = %d, want 200", got.status)
	}
	if err := errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm")); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		for method, body := range map[string]string{http.MethodGet: "", http.MethodPatch: renaming("Lost")} {
			got := ask(t, client, method, p.url+organizations, key.Key, body)
			if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "store_unavailable") {
				t.Errorf("%s %s = %d %s, want 503 store_unavailable", method, when, got.status, got.body)
			}
		}
	}
	check("after the log was removed")
	must(t, env, "keys", "revoke", id, key.ID)
	check("after the key was revoked")
	if runtime.GOOS == "linux" { // which tells who has a removed file open
		if got := examined(t, env, exitFailed); !strings.Contains(got.Checks[2].Detail, "orgs.db-wal") {
			t.Errorf("doctor = %+v, want it to name the removed file that is in use", got)
		}
	}

	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err == nil || !strings.Contains(p.stderr.String(), "was removed or replaced") {
		t.Errorf("the end of the gateway = %v, want an error that names the file:\n%s", err, p.stderr)
	}
	p = startProcess(t, env)
	defer p.terminate(t)
	got := ask(t, client, http.MethodGet, p.url+organizations, key.Key, "")
	if got.status != http.StatusUnauthorized || !strings.Contains(got.body, "api_key_revoked") {
		t.Errorf("GET at the next gateway = %d %s, want 401 api_key_revoked", got.status, got.body)
	}
	examined(t, env, exitOK)
}
