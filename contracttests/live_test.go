package contracttests_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness/local"
)

// TestServedAtURL runs the suite against orgs serve in another process, as the flags do, with rate limits and without.
// It runs it twice, so that the second run starts with the state that the first one leaves.
func TestServedAtURL(t *testing.T) {
	t.Parallel()
	orgs := buildOrgs(t)
	for _, limits := range []string{"off", "on"} {
		t.Run("rate-limits-"+limits, func(t *testing.T) {
			t.Parallel()
			served := serve(t, orgs, limits)
			subject := local.AtURL(t, served.url, served.admin, served.read, served.other)
			// The suite makes more requests a minute than the demo organization may.
			served.patch(t, `{"rate_limits":{"metadata":1000000,"data":77},"metadata":{"kept":12345678901234567890.10},"logo_url":"x"}`)
			before := served.record(t)
			for _, round := range []string{"first", "second"} {
				t.Run(round, func(t *testing.T) {
					found := runAtURL(t.Context(), t, subject, served.url)
					if text := new(strings.Builder); t.Failed() {
						_ = found.WriteText(text)
						t.Log(text)
					}
				})
				if diff := cmp.Diff(before, served.record(t)); diff != "" {
					t.Errorf("after the %s run the record differs (-before +after):\n%s", round, diff)
				}
			}
		})
	}
}

func buildOrgs(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "orgs")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "organizations-api/cmd/orgs").CombinedOutput(); err != nil {
		t.Fatalf("building orgs: %v\n%s", err, out)
	}
	return binary
}

// served is orgs serve in a process, with the demo organization that it makes, and a second one.
type served struct{ url, admin, read, other string }

func serve(t *testing.T, orgs, limits string) served {
	t.Helper()
	store := "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")
	command := exec.CommandContext(t.Context(), orgs, "serve", "--addr", "127.0.0.1:0", "--store", store, "--rate-limits", limits, "--json")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // the end of the test has told it to end
	var welcome struct {
		URL  string
		Demo struct{ Keys []struct{ Key string } }
	}
	if err := json.NewDecoder(stdout).Decode(&welcome); err != nil || len(welcome.Demo.Keys) != 2 {
		t.Fatalf("orgs serve says %+v, %v, want a URL and two keys", welcome, err)
	}
	out, err := exec.CommandContext(t.Context(), orgs, "create", "--name", "Second 2", "--tier", "enterprise", "--store", store, "--json").Output()
	var created struct{ Key struct{ Key string } }
	if err := json.Unmarshal(out, &created); err != nil {
		t.Fatalf("orgs create says %q: %v", out, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return served{welcome.URL, welcome.Demo.Keys[0].Key, welcome.Demo.Keys[1].Key, created.Key.Key}
}

func (s served) patch(t *testing.T, body string) { s.ask(t, http.MethodPatch, strings.NewReader(body)) }

// record returns the service's record of the first organization, without the time of the last change.
func (s served) record(t *testing.T) map[string]string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(s.ask(t, http.MethodGet, nil), &members); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, value := range members {
		if name != "updated_at" {
			texts[name] = string(value)
		}
	}
	return texts
}

func (s served) ask(t *testing.T, method string, body io.Reader) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/v1/organizations", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.admin)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s = %d %s, %v", method, response.StatusCode, text, err)
	}
	return text
}
