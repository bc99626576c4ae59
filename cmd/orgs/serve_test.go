package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/serve"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/openapi"
)

// TestFirstRun does what the screen tells a newcomer to do, and starts again.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := startServer(t, env)
	screen := first.stdout.String()
	var curls []*http.Request
	for line := range strings.Lines(screen) {
		if words := shellWords(line); len(words) > 0 && words[0] == "curl" {
			curls = append(curls, curlRequest(t, words))
		}
	}
	if len(curls) != 2 || curls[0].Method != "GET" || curls[1].Method != "PATCH" {
		t.Fatalf("the screen says\n%s\nwant a curl for GET and one for PATCH", screen)
	}
	client := newClient(t)
	got := send(t, client, curls[0])
	var record map[string]any
	if err := json.Unmarshal([]byte(got.body), &record); err != nil || got.status != 200 {
		t.Fatalf("the first curl = %d %s, want 200 and a record", got.status, got.body)
	}
	if record["organization_name"] != serve.DemoName || record["account_type"] != "pro" || record["internal_id"] != nil {
		t.Errorf("the demo organization is %s, want %q, pro, without its internal id", got.body, serve.DemoName)
	}
	changed := send(t, client, curls[1])
	if changed.status != 200 || !strings.Contains(changed.body, `"organization_name":"Renamed Organization"`) {
		t.Errorf("the second curl = %d %s, want 200 and the new name", changed.status, changed.body)
	}
	first.stop(t)
	checkPrintedKeys(t, screen, first.stderr.String())

	second := startServer(t, env)
	again := ask(t, client, "GET", second.url+organizations, strings.TrimPrefix(curls[0].Header.Get("Authorization"), "Bearer "), "")
	if diff := cmp.Diff(changed.body, again.body); diff != "" {
		t.Errorf("the record after a restart (-before +after):\n%s", diff)
	}
	checkPrintedKeys(t, second.stdout.String(), second.stderr.String())
	if diff := cmp.Diff(keyPattern.FindAllString(screen, -1), keyPattern.FindAllString(second.stdout.String(), -1)); diff != "" {
		t.Errorf("the keys of the demo organization after a restart (-before +after):\n%s", diff)
	}
	if list := mustJSON[listed](t, env, "list").Organizations; len(list) != 1 || list[0].Version != 1 {
		t.Errorf("list = %+v, want the demo organization in version 1", list)
	}
}

// checkPrintedKeys checks that the screen has two keys, each once alone and once in a curl, and the log has none.
func checkPrintedKeys(t *testing.T, screen, log string) {
	t.Helper()
	times := make(map[string]int)
	for _, key := range keyPattern.FindAllString(screen, -1) {
		times[key]++
	}
	for key, n := range times {
		if n != 2 {
			t.Errorf("the screen has the key %s %d times, want 2", key, n)
		}
	}
	if len(times) != 2 {
		t.Errorf("the screen says\n%s\nwant two keys", screen)
	}
	if keyPattern.MatchString(log) {
		t.Errorf("the log has a key:\n%s", log)
	}
}

// shellWords splits a line into words as a shell does. It knows single quotes only.
func shellWords(line string) []string {
	var words []string
	for _, match := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, match[1]+match[2])
	}
	return words
}

// curlRequest returns the request that curl makes of its arguments.
func curlRequest(t *testing.T, words []string) *http.Request {
	t.Helper()
	method, url, body := "GET", "", ""
	header := make(http.Header)
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-sS":
		case "-X":
			i++
			method = words[i]
		case "-H":
			i++
			name, value, _ := strings.Cut(words[i], ": ")
			header.Set(name, value)
		case "-d":
			i++
			body = words[i]
		default:
			url = words[i]
		}
	}
	request := newRequest(t.Context(), method, url, "", body)
	request.Header = header
	return request
}

// welcome is what serve --json prints.
type welcome struct {
	URL    string `json:"url"`
	Store  string `json:"store"`
	SignIn string `json:"sign_in"`
	Demo   *struct {
		Organization admin.OrganizationJSON
		Keys         []admin.IssuedKeyJSON
	} `json:"demo"`
}

func TestServeJSON(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := startServer(t, env, "--json")
	got := decode[welcome](t, first.stdout.String())
	if got.URL != first.url || got.Store != env[cli.StoreVariable] || got.Demo == nil || len(got.Demo.Keys) != 2 {
		t.Fatalf("serve --json = %+v, want %s, the store and a demo with two keys", got, first.url)
	}
	for i, want := range []string{"admin", "read"} {
		key := got.Demo.Keys[i]
		if key.Permission != want {
			t.Errorf("permission of key %d = %s, want %s", i, key.Permission, want)
		}
		if status := ask(t, newClient(t), "GET", got.URL+organizations, key.Key, "").status; status != 200 {
			t.Errorf("GET with the %s key = %d, want 200", want, status)
		}
	}
	other := newStore(t)
	must(t, other, "create", "--name", "A")
	if second := decode[welcome](t, startServer(t, other, "--json").stdout.String()); second.Demo != nil || second.SignIn != "" {
		t.Errorf("serve --json of a store with an organization = %+v, want no demo and no link", second)
	}
}

// TestDemoKeysAgain: the keys of the demo organization can be shown until one of them is revoked. Only their owner can read
// the file.
func TestDemoKeysAgain(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := decode[welcome](t, startServer(t, env, "--json").stdout.String())
	file := strings.TrimPrefix(env[cli.StoreVariable], "sqlite:") + ".demo-keys"
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the keys: %v, %v, want the mode 0600", info, err)
	}
	shown := must(t, env, "serve", "keys")
	for _, key := range first.Demo.Keys {
		if strings.Count(shown, key.Key) != 1 {
			t.Errorf("serve keys prints\n%s\nwant the %s key", shown, key.Permission)
		}
	}
	again := mustJSON[struct {
		Organization admin.OrganizationJSON `json:"organization"`
		Keys         []admin.IssuedKeyJSON  `json:"keys"`
	}](t, env, "serve", "keys")
	if diff := cmp.Diff(first.Demo.Keys, again.Keys); diff != "" {
		t.Errorf("serve keys --json (-first +again):\n%s", diff)
	}
	must(t, env, "keys", "revoke", first.Demo.Organization.ID, first.Demo.Keys[1].ID)
	if got := failed(t, env, "serve", "keys"); got.Kind != term.NotFound || !strings.Contains(got.Message, "keys issue") {
		t.Errorf("after a key is revoked, serve keys = %+v, want that the keys are not known, and what to do", got)
	}
	second := startServer(t, env)
	if screen := second.stdout.String(); keyPattern.MatchString(screen) || !strings.Contains(screen, "orgs keys issue "+first.Demo.Organization.ID) {
		t.Errorf("after a key is revoked, the screen says\n%s\nwant how to issue a key, and none", screen)
	}
	other := newStore(t)
	must(t, other, "create", "--name", "A")
	if got := failed(t, other, "serve", "keys"); got.Kind != term.NotFound {
		t.Errorf("serve keys without a demo organization = %+v, want not found", got)
	}
}

// TestSignInLink uses the link once. Neither the log nor the page has the token or the key.
func TestSignInLink(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	s, client := startServer(t, env), newClient(t)
	screen := s.stdout.String()
	_, rest, found := strings.Cut(screen, s.url+"/console#sign-in=")
	token, _, _ := strings.Cut(rest, "\n")
	if !found || len(token) != 32 || !strings.Contains(screen, "Ctrl-C stops.") {
		t.Fatalf("the screen says\n%s\nwant a sign-in link, and how to stop", screen)
	}
	redeem := func(token string) answer {
		t.Helper()
		return send(t, client, newRequest(t.Context(), "POST", s.url+"/console/sign-in", "", `{"token": "`+token+`"}`))
	}
	if got := redeem(strings.Repeat("0", len(token))); got.status != 403 || keyPattern.MatchString(got.body) {
		t.Errorf("another token = %d %s, want 403", got.status, got.body)
	}
	first := redeem(token)
	var given struct{ Key string }
	if err := json.Unmarshal([]byte(first.body), &given); err != nil || first.status != 200 {
		t.Fatalf("the token = %d %s, want 200 and a key", first.status, first.body)
	}
	if got := ask(t, client, "PATCH", s.url+organizations, given.Key, `{"organization_name": "By link"}`); got.status != 200 {
		t.Errorf("PATCH with the key of the link = %d %s, want 200", got.status, got.body)
	}
	if got := redeem(token); got.status != 403 {
		t.Errorf("the token again = %d, want 403", got.status)
	}
	s.stop(t)
	if log := s.stderr.String(); strings.Contains(log, token) || keyPattern.MatchString(log) {
		t.Errorf("the log has the token or a key:\n%s", log)
	}
}

// TestLogFormats: lines of JSON where nobody looks, short lines for a person.
func TestLogFormats(t *testing.T) {
	t.Parallel()
	for format, pattern := range map[string]string{
		"auto":   `(?m)^\{"time":.*"msg":"request".*"status":401`,
		"json":   `(?m)^\{"time":.*"msg":"request".*"status":401`,
		"pretty": `(?m)^\d\d:\d\d:\d\d  GET    /v1/organizations  401  +\d+\.\d ms  api_key_missing$`,
	} {
		port := freePort(t)
		out := newTranscript()
		ctx, interrupt := context.WithCancel(t.Context())
		code := make(chan int, 1)
		env := newStore(t)
		go func() {
			code <- run(ctx, []string{"serve", "--addr", port, "--log", format}, env.get, newTranscript(), out)
		}()
		out.await(t, "serving")
		ask(t, newClient(t), "GET", "http://"+port+organizations, "", "")
		out.await(t, "401")
		interrupt()
		if got := receive(t, code, "serve to end"); got != exitOK {
			t.Errorf("serve --log %s = %d, want %d", format, got, exitOK)
		}
		match(t, out.String(), pattern)
	}
	if got := failed(t, newStore(t), "serve", "--log", "xml"); got.Kind != term.Usage {
		t.Errorf("serve --log xml = %+v, want a usage failure", got)
	}
}

// freePort returns an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// hasKey reports whether a text has a whole key. A mere prefix such as sk_live_ does not count.
func hasKey(text string) bool {
	return slices.ContainsFunc(keyPattern.FindAllString(text, -1), func(found string) bool {
		_, err := apikey.Parse(found)
		return err == nil
	})
}

func TestServeContractAndUnknownRoutes(t *testing.T) {
	t.Parallel()
	s, client := startServer(t, newStore(t)), newClient(t)
	got := ask(t, client, "GET", s.url+"/openapi.yaml", "", "")
	addressed := strings.Replace(string(openapi.YAML), "- url: /\n", "- url: "+s.url+"\n", 1)
	if got.status != 200 || got.body != addressed || got.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("GET /openapi.yaml = %d %s (-want +got):\n%s",
			got.status, got.header.Get("Content-Type"), cmp.Diff(addressed, got.body))
	}
	for path, want := range map[string]string{
		"/": "Demo Organization", "/docs": "API reference", "/console": "Sign in with a key", "/openapi.json": `"openapi": "3.1.0"`,
	} {
		if got := ask(t, client, "GET", s.url+path, "", ""); got.status != 200 || !strings.Contains(got.body, want) || hasKey(got.body) {
			t.Errorf("GET %s = %d %s, want 200, %q in it and no key", path, got.status, got.body, want)
		}
	}
	for _, route := range [][2]string{
		{"GET", "/nothing"}, {"GET", "/openapi.yaml/"}, {"GET", organizations + "/"}, {"PUT", organizations},
	} {
		got := ask(t, client, route[0], s.url+route[1], "", "")
		if want := `{"message":"Not Found"}`; got.status != 404 || got.body != want {
			t.Errorf("%s %s = %d %s, want 404 %s", route[0], route[1], got.status, got.body, want)
		}
	}
	if got := ask(t, client, "GET", s.url+organizations, "", "").status; got != 401 {
		t.Errorf("GET without a key = %d, want 401", got)
	}
}

// TestOperateWhileServing changes the store with commands while the gateway serves from it.
func TestOperateWhileServing(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A", "--tier", "team")
	id, adminKey := made.Organization.ID, made.Key.Key
	s, client := startServer(t, env), newClient(t)
	read := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read")
	ended := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--expires", "1ns")
	steps := []struct {
		operate []string
		method  string
		key     string
		want    int
	}{
		{nil, "GET", read.Key, 200},
		{nil, "PATCH", read.Key, 403},
		{nil, "GET", ended.Key, 401},
		{[]string{"keys", "revoke", id, read.ID}, "GET", read.Key, 401},
		{[]string{"delete", id}, "GET", adminKey, 404},
		{[]string{"undelete", id}, "PATCH", adminKey, 200},
		{[]string{"delete", id, "--purge", "--yes"}, "GET", adminKey, 401},
	}
	for _, step := range steps {
		if step.operate != nil {
			must(t, env, step.operate...)
		}
		body := ""
		if step.method == "PATCH" {
			body = `{"rate_limits": {"search": 7}, "metadata": {"n": 12345678901234567890.10}, "default_llm_credentials": {"openai": "sesame"}}`
		}
		if got := ask(t, client, step.method, s.url+organizations, step.key, body); got.status != step.want {
			t.Errorf("after orgs %q: %s = %d %s, want %d", step.operate, step.method, got.status, got.body, step.want)
		}
		if step.method == "PATCH" && step.want == 200 {
			checkPatched(t, env, id)
		}
	}
}

func checkPatched(t *testing.T, env environment, id string) {
	t.Helper()
	o := mustJSON[shown](t, env, "show", id).Organization
	if got, want := compact(t, o.Metadata), `{"n":12345678901234567890.10}`; got != want || o.Version != 1 {
		t.Errorf("metadata, version = %s, %d, want %s, 1", got, o.Version, want)
	}
	if diff := cmp.Diff(&admin.LimitsJSON{Search: 7}, o.Override); diff != "" || o.RateLimits.Search != 7 || o.RateLimits.Data != 100 {
		t.Errorf("limits = %+v, override (-want +got):\n%s", o.RateLimits, diff)
	}
	text := must(t, env, "show", id)
	if !strings.Contains(text, "openai (values hidden)") || strings.Contains(text, "sesame") {
		t.Errorf("show prints\n%s\nwant the name of the credential and not its value", text)
	}
	newest := mustJSON[trail](t, env, "audit", id, "--limit", "1").Entries[0]
	if newest.Action != "organization.updated" || newest.Version != 1 || !strings.HasPrefix(newest.Actor, "key_") {
		t.Errorf("the newest entry is %+v, want the update to version 1 by a key", newest)
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	env := environment{cli.StoreVariable: "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")}
	got := orgs(t, env, "serve", "--addr", listener.Addr().String())
	if got.code != exitFailed || got.stdout != "" || !strings.Contains(got.stderr, "address already in use; choose another address with --addr") {
		t.Errorf("serve on a taken port = %+v, want %d and the reason", got, exitFailed)
	}
	if _, err := os.Stat(strings.TrimPrefix(env[cli.StoreVariable], "sqlite:")); err == nil {
		t.Error("serve on a taken port made a store, want nothing done")
	}
}

func TestOpenAddress(t *testing.T) {
	t.Parallel()
	s := startServer(t, newStore(t), "--addr", "0.0.0.0:0") // the last flag counts
	if screen := s.stdout.String(); !strings.Contains(screen, "Warning: other machines can reach this address") {
		t.Errorf("the screen says\n%s\nwant a warning", screen)
	}
	if screen := s.stdout.String(); !strings.Contains(screen, "curl -sS http://127.0.0.1:") {
		t.Errorf("the screen says\n%s\nwant an address that works", screen)
	}
	port := s.url[strings.LastIndex(s.url, ":"):]
	if got := ask(t, newClient(t), "GET", "http://127.0.0.1"+port+"/console/data/audit", "", ""); got.status != 404 {
		t.Errorf("the console's data on an open address = %d, want 404", got.status)
	}
	if got := ask(t, newClient(t), "GET", "http://127.0.0.1"+port+"/", "", ""); got.status != 200 || strings.Contains(got.body, serve.DemoName) {
		t.Errorf("the welcome page on an open address = %d %s, want 200 and no organization", got.status, got.body)
	}
	s.stderr.await(t, `"level":"WARN"`)
}

// TestAllowedOrigins sends what a browser sends for a page of another origin.
func TestAllowedOrigins(t *testing.T) {
	t.Parallel()
	const page = "http://localhost:3000"
	for _, test := range []struct {
		args       []string
		wantStatus int
		want       string
	}{
		{[]string{"--allowed-origins", page}, http.StatusNoContent, page},
		{nil, http.StatusNotFound, ""},
	} {
		s, client := startServer(t, newStore(t), test.args...), newClient(t)
		header := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"PATCH"}}
		for method, status := range map[string]int{"OPTIONS": test.wantStatus, "GET": http.StatusUnauthorized} {
			request := newRequest(t.Context(), method, s.url+organizations, "", "")
			request.Header = header
			got := send(t, client, request)
			if allowed := got.header.Get("Access-Control-Allow-Origin"); got.status != status || allowed != test.want {
				t.Errorf("%s with serve %q = %d, allowed for %q, want %d and %q", method, test.args, got.status, allowed, status, test.want)
			}
		}
	}
}

// TestShutdownFinishesRequests interrupts the gateway during a request.
func TestShutdownFinishesRequests(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	key := mustJSON[created](t, env, "create", "--name", "A").Key.Key
	s := startServer(t, env)
	client := newClient(t)
	client.Transport.(*http.Transport).ExpectContinueTimeout = patience

	reading := make(chan struct{}) // closed when the gateway reads the body
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(reading) }}
	body, write := io.Pipe()
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "PATCH", s.url+organizations, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}, "Expect": {"100-continue"},
	}
	statuses := make(chan int, 1)
	go func() {
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("the running request: %v, want an answer", err)
			statuses <- 0
			return
		}
		_ = response.Body.Close()
		statuses <- response.StatusCode
	}()
	receive(t, reading, "the gateway to read the body")
	s.interrupt()
	awaitRefusal(t, strings.TrimPrefix(s.url, "http://"))
	if _, err := io.WriteString(write, `{"organization_name": "In time"}`); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if got := receive(t, statuses, "the answer"); got != 200 {
		t.Errorf("the running request = %d, want 200", got)
	}
	s.stop(t)
	if got := mustJSON[listed](t, env, "list").Organizations[0].Name; got != "In time" {
		t.Errorf("name = %q, want %q", got, "In time")
	}
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}

// awaitRefusal returns when connections to the address are refused.
func awaitRefusal(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if ctx.Err() != nil {
			t.Fatalf("%s accepts connections after %v, want none after the interrupt", address, patience)
		}
		if err != nil {
			return
		}
		_ = connection.Close()
	}
}
