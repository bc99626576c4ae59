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
		URL string `json:"url"`
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
	t.Cleanup(func() {
		_ = serve.Wait()
		if strings.Contains(log.String(), `"level":"ERROR"`) {
			t.Errorf("the gateway logged an error:\n%s", &log)
		}
	})
	t.Cleanup(func() { _ = serve.Process.Signal(syscall.SIGINT) })
	if err := json.NewDecoder(stdout).Decode(&welcome); err != nil {
		t.Fatalf("reading what orgs serve says: %v\n%s", err, &log)
	}
	g.url, g.id = welcome.URL, welcome.Demo.Organization.ID
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
