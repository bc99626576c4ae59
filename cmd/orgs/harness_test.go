package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// asCommand names the variable that makes the test binary run as orgs, so that tests can start it as a process.
const asCommand = "ORGS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is what a run of the command left.
type result struct {
	code           int
	stdout, stderr string
}

// environment looks up variables in a map instead of the process.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// orgs runs the command in this process.
func orgs(t *testing.T, env environment, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, env.get, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// withInput runs the command with a standard input.
func withInput(t *testing.T, env environment, stdin io.Reader, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := cli.New(env.get, &stdout, &stderr)
	a.Stdin = stdin
	code := execute(t.Context(), a, args)
	return result{code, stdout.String(), stderr.String()}
}

// must runs the command and returns what it prints. The command must succeed and write nothing to stderr.
func must(t *testing.T, env environment, args ...string) string {
	t.Helper()
	r := orgs(t, env, args...)
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("orgs %q = %d with %q on stderr, want %d and nothing", args, r.code, r.stderr, exitOK)
	}
	return r.stdout
}

// mustJSON is must with --json, decoded. Members that T does not have are an error.
func mustJSON[T any](t *testing.T, env environment, args ...string) T {
	t.Helper()
	return decode[T](t, must(t, env, append(args, "--json")...))
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("decoding %q: %v", text, err)
	}
	return v
}

// failed runs the command with --json and returns the failure that it reports. It must print nothing else.
func failed(t *testing.T, env environment, args ...string) term.Failure {
	t.Helper()
	r := orgs(t, env, append([]string{"--json"}, args...)...)
	got := decode[struct{ Error term.Failure }](t, r.stderr).Error
	want := exitFailed
	switch got.Kind {
	case term.Usage:
		want = exitUsage
	case term.Interrupted:
		want = exitInterrupted
	}
	if r.code != want || r.stdout != "" {
		t.Errorf("orgs --json %q = %+v, want %d and nothing on stdout", args, r, want)
	}
	return got
}

// newStore returns an environment that names a new, empty SQLite store.
func newStore(t *testing.T) environment {
	t.Helper()
	env := environment{cli.StoreVariable: "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")}
	s, err := backend.Open(t.Context(), backend.Choice(env[cli.StoreVariable]), env.get)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return env
}

// newTables returns an environment that names DynamoDB tables which do not exist yet.
func newTables(t *testing.T) environment {
	t.Helper()
	return environment{cli.StoreVariable: "dynamodb:" + dynamotest.Prefix(), backend.EndpointVariable: dynamotest.Endpoint(t)}
}

// onBothStores runs a test on a new store of each engine.
func onBothStores(t *testing.T, test func(t *testing.T, env environment)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newStore(t))
	})
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		env := newTables(t)
		must(t, env, "tables", "create")
		test(t, env)
	})
}

// The shapes of the answers.
type (
	created struct {
		Organization admin.OrganizationJSON `json:"organization"`
		Key          admin.IssuedKeyJSON    `json:"key"`
	}
	shown struct {
		Organization admin.OrganizationJSON `json:"organization"`
		Keys         admin.KeyCountJSON     `json:"keys"`
	}
	listed struct {
		Organizations []admin.OrganizationJSON `json:"organizations"`
		Next          *string                  `json:"next"`
	}
	updated struct {
		Organization admin.OrganizationJSON `json:"organization"`
		Changes      []admin.ChangeJSON     `json:"changes"`
		DryRun       bool                   `json:"dry_run"`
	}
	found struct {
		Found []admin.FoundJSON `json:"found"`
		More  bool              `json:"more"`
	}
	rotated struct {
		Key      admin.IssuedKeyJSON `json:"key"`
		Replaced admin.KeyJSON       `json:"replaced"`
	}
	keyList struct {
		Keys []admin.ListedKeyJSON `json:"keys"`
	}
	trail struct {
		Entries []admin.EntryJSON `json:"entries"`
		Next    *string           `json:"next"`
	}
	state struct {
		ID    string `json:"organization_id"`
		State string `json:"state"`
	}
)

// match checks that a text matches each of the patterns.
func match(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("the command prints\n%s\nwant it to match %s", text, pattern)
		}
	}
}

func actions(t trail) []string {
	var all []string
	for _, e := range t.Entries {
		all = append(all, e.Action)
	}
	return all
}

// compact returns JSON without white space.
func compact(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// patience is how long a test waits before it fails.
const patience = 30 * time.Second

// transcript is what a running command has written so far. It is safe for concurrent use.
type transcript struct {
	mutex sync.Mutex
	text  bytes.Buffer
	news  chan struct{} // has one element if something was written that await has not seen
}

func newTranscript() *transcript { return &transcript{news: make(chan struct{}, 1)} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	select {
	case tr.news <- struct{}{}:
	default:
	}
	return tr.text.Write(p)
}

func (tr *transcript) String() string {
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	return tr.text.String()
}

// await waits until the text was written, and returns everything that was written. Only one goroutine may wait at a
// time.
func (tr *transcript) await(t *testing.T, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		written := tr.String()
		if strings.Contains(written, text) {
			return written
		}
		select {
		case <-tr.news:
		case <-ctx.Done():
			t.Fatalf("the command wrote %q, want it to contain %q", tr, text)
		}
	}
}

// server is orgs serve, running in this process.
type server struct {
	url            string
	stdout, stderr *transcript
	interrupt      func()   // like a signal
	code           chan int // the exit code
}

// startServer runs orgs serve on a free port and returns when it listens. It ends with the test, if not before.
func startServer(t *testing.T, env environment, args ...string) *server {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	s := &server{stdout: newTranscript(), stderr: newTranscript(), interrupt: interrupt, code: make(chan int, 1)}
	go func() {
		s.code <- run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), env.get, s.stdout, s.stderr)
	}()
	t.Cleanup(func() { s.stop(t) })
	log := s.stderr.await(t, `"msg":"serving"`)
	_, rest, _ := strings.Cut(log, `"address":"`)
	address, _, _ := strings.Cut(rest, `"`)
	s.url = "http://" + address
	return s
}

// stop ends the server and checks that it ends well. It may be called more than once.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.interrupt()
	select {
	case code := <-s.code:
		s.code <- code
		if code != exitOK {
			t.Errorf("serve = %d, want %d; on stderr:\n%s", code, exitOK, s.stderr)
		}
	case <-time.After(patience):
		t.Error("serve did not end when it was asked to")
	}
}

// gatewayProcess is orgs serve in a process of its own.
type gatewayProcess struct {
	url            string
	command        *exec.Cmd
	stdout, stderr *transcript
}

// startProcess starts the test binary as orgs serve, with more arguments.
func startProcess(t *testing.T, env environment, args ...string) *gatewayProcess {
	t.Helper()
	p := &gatewayProcess{stdout: newTranscript(), stderr: newTranscript()}
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--json"}, args...)
	p.command = exec.CommandContext(t.Context(), os.Args[0], args...)
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

const organizations = "/v1/organizations"

var keyPattern = regexp.MustCompile(`sk_\w+`)

// answer is the response to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// newRequest returns a request with the key, and with a JSON body unless that is "".
func newRequest(ctx context.Context, method, url, key, body string) *http.Request {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return request
}

// do sends a request and reads the answer.
func do(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// send is do for a request that must be answered.
func send(t *testing.T, client *http.Client, request *http.Request) answer {
	t.Helper()
	got, err := do(client, request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	return got
}

// ask is send for a request with the key, and with a JSON body unless that is "".
func ask(t *testing.T, client *http.Client, method, url, key, body string) answer {
	t.Helper()
	return send(t, client, newRequest(t.Context(), method, url, key, body))
}

// newClient returns a client whose connections end with the test.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}
