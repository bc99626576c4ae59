package contracttests_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness/local"
)

// TestServedAtURL runs orgs contract against orgs serve, each in a process of its own, with rate limits and without. It
// runs it twice, so that the second run finds what the first one leaves.
func TestServedAtURL(t *testing.T) {
	t.Parallel()
	orgs := buildOrgs(t)
	for _, limits := range []string{"off", "on"} {
		t.Run("rate-limits-"+limits, func(t *testing.T) {
			t.Parallel()
			served := serve(t, orgs, limits)
			// The suite makes more requests a minute than the demo organization may.
			served.patch(t, `{"rate_limits":{"metadata":1000000,"data":77},"metadata":{"kept":12345678901234567890.10},"logo_url":"x"}`)
			before := served.record(t)
			for _, round := range []string{"first", "second"} {
				out, found := served.contract(t, orgs)
				if !found.Passed || found.Subjects[0].Passed == 0 {
					t.Errorf("the %s run says\n%s", round, out)
				}
				if diff := cmp.Diff(before, served.record(t)); diff != "" {
					t.Errorf("after the %s run the record differs (-before +after):\n%s", round, diff)
				}
				if limits == "on" {
					wantAnnounced(t, out, found)
				}
			}
		})
	}
	t.Run("as-operator", func(t *testing.T) {
		t.Parallel()
		served := serve(t, orgs, "on")
		out, found := served.contract(t, orgs, "--as-operator", "--store", served.store)
		if not := found.Subjects[0].NotShown; !found.Passed || not > 7 {
			t.Errorf("the run does not show %d checks, want those alone that need a store that fails, or minutes. "+
				"It says\n%s",
				not, out)
		}
		list, err := exec.CommandContext(t.Context(), orgs, "list", "--store", served.store, "--json").Output()
		if err != nil || strings.Count(string(list), `"organization_id"`) != 2 {
			t.Errorf("after the run the store has\n%s, %v, want the two organizations from before", list, err)
		}
	})
}

// report is what the test reads of a run's report.json.
type report struct {
	Passed   bool
	Subjects []struct {
		Passed   int
		NotShown int `json:"not_shown"`
	}
	Coverage struct{ Exchanges int }
}

// contract runs orgs contract with the keys of the served organizations.
func (s served) contract(t *testing.T, orgs string, arguments ...string) (string, report) {
	t.Helper()
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), orgs,
		append([]string{"contract", s.url, "--report", folder}, arguments...)...)
	command.Env = append(os.Environ(), "ADMIN_KEY="+s.admin, "READ_KEY="+s.read, "OTHER_KEY="+s.other)
	out, err := command.CombinedOutput()
	if strings.Contains(string(out), s.admin[:len(s.admin)-5]) {
		t.Error("the run prints a key")
	}
	text, errRead := os.ReadFile(filepath.Join(folder, "report.json"))
	if errRead != nil {
		t.Fatalf("orgs contract: %v\n%s", err, out)
	}
	var found report
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	if (err == nil) != found.Passed {
		t.Errorf("orgs contract: %v, and the report says passed = %v", err, found.Passed)
	}
	return string(out), found
}

var announced = regexp.MustCompile(`makes about (\d+)`)

// wantAnnounced checks that a run makes about as many requests as it says, by which it tells how long it takes.
func wantAnnounced(t *testing.T, out string, found report) {
	t.Helper()
	said := announced.FindStringSubmatch(out)
	if said == nil {
		t.Fatalf("the run does not say how many requests it makes:\n%s", out)
	}
	about, err := strconv.Atoi(said[1])
	if off := float64(found.Coverage.Exchanges)/float64(about) - 1; err != nil || off < -0.1 || off > 0.1 {
		t.Errorf("the run says that it makes about %d requests, and makes %d: mend requestsOfAll", about,
			found.Coverage.Exchanges)
	}
}

func buildOrgs(t *testing.T) string {
	t.Helper()
	binary, err := local.BuildOrgs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// served is orgs serve in a process, with the demo organization that it makes, and a second one.
type served struct{ store, url, admin, read, other string }

func serve(t *testing.T, orgs, limits string) served {
	t.Helper()
	store := "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")
	command := exec.CommandContext(t.Context(), orgs, "serve", "--addr", "127.0.0.1:0", "--store", store,
		"--rate-limits", limits, "--json")
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
	out, err := exec.CommandContext(t.Context(), orgs, "create", "--name", "Second 2", "--tier", "enterprise",
		"--store", store, "--json").Output()
	var created struct{ Key struct{ Key string } }
	if err := json.Unmarshal(out, &created); err != nil {
		t.Fatalf("orgs create says %q: %v", out, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return served{store, welcome.URL, welcome.Demo.Keys[0].Key, welcome.Demo.Keys[1].Key, created.Key.Key}
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
