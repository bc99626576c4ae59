package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Tools of others read the contract, in the versions that tools/package-lock.json and tools/ogen/go.mod pin.

const (
	document = "../../../shared/openapi/openapi.yaml" // from the folder tools
	bin      = "node_modules/.bin/"
)

// installTools installs the npm packages once, for all tests.
var installTools = sync.OnceValue(func() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	command := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	command.Dir = "tools"
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return nil
})

// tool runs a program of the npm packages in the folder tools, which must succeed, and returns what it prints.
func tool(t *testing.T, variables []string, name string, args ...string) string {
	t.Helper()
	if err := installTools(); err != nil {
		t.Fatal(err)
	}
	return output(t, append([]string{"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"}, variables...), "tools", bin+name, args...)
}

// TestLinters: the linters fail where they have any finding.
func TestLinters(t *testing.T) {
	t.Parallel()
	tool(t, nil, "spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", document)
	tool(t, nil, "redocly", "lint", "--extends", "recommended-strict", document)
}

// TestPostman: of the collection that is made of the served document, both requests succeed. Only the key is set: the
// document has the address.
func TestPostman(t *testing.T) {
	t.Parallel()
	gateway := startGateway(t)
	address, key := strings.TrimPrefix(gateway[0], "ORGANIZATIONS_URL="), strings.TrimPrefix(gateway[1], "ORGANIZATIONS_KEY=")
	served := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(served, get(t, address+"/openapi.json", nil).body, 0o600); err != nil {
		t.Fatal(err)
	}
	collection, report := filepath.Join(t.TempDir(), "collection.json"), filepath.Join(t.TempDir(), "report.json")
	tool(t, nil, "openapi2postmanv2", "-s", served, "-o", collection, "-O", "folderStrategy=Tags,parametersResolution=Example")
	tool(t, nil, "newman", "run", collection, "--env-var", "bearerToken="+key, "--reporters", "json", "--reporter-json-export", report)
	var run struct {
		Run struct {
			Executions []struct {
				Request  struct{ Method string }
				Response struct{ Code int }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, report)), &run); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range run.Run.Executions {
		got[e.Request.Method] = e.Response.Code
	}
	if diff := cmp.Diff(map[string]int{"GET": 200, "PATCH": 200}, got); diff != "" {
		t.Errorf("what newman got (-want +got):\n%s", diff)
	}
}

// TestPrism: a mock of the contract answers each status of each operation with the body of that status.
func TestPrism(t *testing.T) {
	t.Parallel()
	address := startPrism(t)
	for _, method := range []string{"GET", "PATCH"} {
		for _, status := range []int{200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503} {
			if method == "PATCH" && status == 304 {
				continue // it has none
			}
			a := send(t, method, address+"/v1/organizations", http.Header{
				"Authorization": {"Bearer sk_live_x"}, "Content-Type": {"application/json"}, "Prefer": {fmt.Sprint("code=", status)},
			})
			var body struct {
				ID     string `json:"organization_id"`
				Status int
			}
			if status != 304 {
				if err := json.Unmarshal(a.body, &body); err != nil {
					t.Errorf("%s %d: %v: %s", method, status, err, a.body)
				}
			}
			right := a.status == status && (status < 400 && (body.ID != "") == (status == 200) || body.Status == status)
			if !right {
				t.Errorf("%s: the mock of %d answers %d %s", method, status, a.status, a.body)
			}
		}
	}
}

// startPrism runs Prism on a free port until the test ends, and returns its address.
func startPrism(t *testing.T) string {
	t.Helper()
	if err := installTools(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, bin+"prism", "mock", "--port", port, document)
	command.Dir = "tools"
	var log strings.Builder
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = command.Wait() // it was killed
	})
	address := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(patience); ; {
		if r, err := http.Get(address); err == nil {
			_ = r.Body.Close()
			return address
		}
		if time.Now().After(deadline) {
			stop()
			_ = command.Wait()
			t.Fatalf("prism does not answer:\n%s", &log)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestHeyAPI: the client that Hey API makes compiles, gets and patches.
func TestHeyAPI(t *testing.T) {
	t.Parallel()
	tool(t, nil, "openapi-ts", "--input", document, "--output", "heyapi/client", "--client", "@hey-api/client-fetch")
	tool(t, nil, "tsc", "--project", ".")
	got := output(t, startGateway(t), "tools", "node", "heyapi/build/main.js")
	if want := spokenOfTools("Renamed by Hey API"); got != want {
		t.Errorf("the client said %q, want %q", got, want)
	}
}

// TestOgen: the client that ogen makes compiles, gets and patches.
func TestOgen(t *testing.T) {
	t.Parallel()
	const folder = "tools/ogen"
	output(t, nil, folder, "go", "tool", "ogen", "--target", "api", "--package", "api", "--clean", "../"+document)
	output(t, nil, folder, "go", "mod", "tidy", "-diff")
	got := output(t, startGateway(t), folder, "go", "run", ".")
	if want := spokenOfTools("Renamed by ogen"); got != want {
		t.Errorf("the client said %q, want %q", got, want)
	}
}

func spokenOfTools(name string) string {
	return "200 it is Demo Organization\n200 it is " + name + " with 120 searches\n422 as it should\n"
}

// answer is what an HTTP server answered.
type answer struct {
	status int
	body   []byte
}

func get(t *testing.T, url string, header http.Header) answer {
	t.Helper()
	return send(t, http.MethodGet, url, header)
}

// send sends a request, a PATCH with an empty object.
func send(t *testing.T, method, url string, header http.Header) answer {
	t.Helper()
	var body io.Reader
	if method == http.MethodPatch {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{out.StatusCode, text}
}
