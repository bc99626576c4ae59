package browser

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once.
const patience = time.Minute

// gateway is orgs serve, running as a process on a store of its own.
type gateway struct {
	url         string
	id          string // of the organization
	admin, read string // keys of it
	store       string
	signIn      string // a link that signs in with the admin key, once
	stop        func() // ends the process and waits until it has ended
}

// command returns the built orgs command with arguments.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path := os.Getenv("ORGS")
	if path == "" {
		t.Fatal("ORGS does not name the built command; make test-browser sets it")
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// start runs orgs serve on an empty store, which makes the demo organization. It ends with the test.
func start(t *testing.T, args ...string) *gateway {
	t.Helper()
	g := &gateway{store: "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")}
	var welcome struct {
		Demo struct {
			Organization struct {
				ID string `json:"organization_id"`
			} `json:"organization"`
			Keys []struct {
				Key string `json:"key"`
			} `json:"keys"`
		} `json:"demo"`
		URL    string `json:"url"`
		SignIn string `json:"sign_in"`
	}
	serve := command(t, append([]string{"serve", "--json", "--addr", "127.0.0.1:0", "--store", g.store}, args...)...)
	var log bytes.Buffer
	serve.Stderr = &log
	stdout, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	g.stop = sync.OnceFunc(func() {
		_ = serve.Process.Signal(syscall.SIGINT)
		_ = serve.Wait()
	})
	t.Cleanup(func() {
		g.stop()
		if text := log.String(); strings.Contains(text, `"level":"ERROR"`) || strings.Contains(text, "sk_") || strings.Contains(text, "sign-in") {
			t.Errorf("the gateway logged an error, a key or a link:\n%s", text)
		}
	})
	if err := json.NewDecoder(stdout).Decode(&welcome); err != nil {
		t.Fatalf("reading what orgs serve says: %v\n%s", err, &log)
	}
	g.url, g.id, g.signIn = welcome.URL, welcome.Demo.Organization.ID, welcome.SignIn
	g.admin, g.read = welcome.Demo.Keys[0].Key, welcome.Demo.Keys[1].Key
	return g
}

// patch changes the organization as another client would, and returns the record.
func (g *gateway) patch(t *testing.T, body string) string {
	t.Helper()
	return g.send(t, http.MethodPatch, body)
}

// record returns the record as the API gives it.
func (g *gateway) record(t *testing.T) string {
	t.Helper()
	return g.send(t, http.MethodGet, "")
}

func (g *gateway) send(t *testing.T, method, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, g.url+"/v1/organizations", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+g.admin)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s = %d %s (%v), want 200", method, body, response.StatusCode, text, err)
	}
	return string(text)
}
