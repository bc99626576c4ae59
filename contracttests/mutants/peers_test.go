package mutants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/mutants"
	"organizations-api/shared/openapi"
)

var prism = flag.String("prism", "", "`path` of Prism's command line, to count the mutants that it catches as a proxy")

// replayed is a request of TestReplay, and the status that the right service answers.
type replayed struct {
	method string
	key    harness.KeyKind
	body   string
	header []string // ETAG in a value stands for the current ETag
	status int
}

// replays are the requests that a person writes for a tool that has none of its own: each operation, each field, and a
// body of each kind that is refused.
func replays() []replayed {
	const get, patch, admin, read = http.MethodGet, http.MethodPatch, harness.KeyAdmin, harness.KeyRead
	return []replayed{
		{get, admin, "", nil, 200}, {get, read, "", nil, 200}, {get, "", "", nil, 401},
		{get, harness.KeyUnknown, "", nil, 401},
		{get, harness.KeyRevoked, "", nil, 401}, {get, admin, "", []string{"If-None-Match", "ETAG"}, 304},
		{patch, read, `{"organization_name":"No"}`, nil, 403}, {patch, admin, `{}`, nil, 200},
		{patch, admin, `{"organization_name":"New","billing_email":"a@b.example","metadata":{"a":{"b":1.5}},"logo_url":"x"}`, nil, 200},
		{patch, admin, `{"rate_limits":{"search":7},"notifications_email":"n@b.example","nsfw_check_enabled":true}`,
			nil, 200},
		{patch, admin, `{"default_llm_credentials":{"openai":"c"},"nsfw_fail_closed":true,"billing_email":null}`, nil,
			200},
		{patch, admin, `{"logo_url":null,"metadata":{"a":null}}`, []string{"Content-Type", harness.MergePatchType},
			200},
		{patch, admin, `{"organization_name":1}`, nil, 422}, {patch, admin, `{"organization_name":""}`, nil, 422},
		{patch, admin, `{"billing_email":"nobody"}`, nil, 422}, {patch, admin, `{"rate_limits":{"data":0}}`, nil, 422},
		{patch, admin, `{"metadata":[]}`, nil, 422}, {patch, admin, `{"default_llm_credentials":{"a":1}}`, nil, 422},
		{patch, admin, `{"nsfw_check_enabled":"yes"}`, nil, 422}, {patch, admin, `{"organization_name":`, nil, 400},
		{patch, admin, `{}`, []string{"Content-Type", "text/plain"}, 400},
		{patch, admin, `{}`, []string{"If-Match", `"x"`}, 412},
		{patch, admin, `{"organization_name":"Newer"}`, []string{"If-Match", "ETAG"}, 200}, {get, admin, "", nil, 200},
	}
}

// TestReplay sends the requests to the right service, which answers each as it is written there. With -prism it sends
// them through Prism too, to every mutant, and logs how many Prism catches: those where an answer breaks the document
// by Prism's judgement, or has another status.
func TestReplay(t *testing.T) {
	t.Parallel()
	engine := local.NewMemory()
	url, serve := switched(t)
	serve(mutantSubject(t, engine, mutants.HarmlessMutants()[0]))
	if found := replay(t, mutantSubject(t, engine, mutants.HarmlessMutants()[0]), serve, url); found != "" {
		t.Fatalf("the right service is found wrong: %s", found)
	}
	if *prism == "" {
		return
	}
	url = startPrism(t, url)
	if found := replay(t, mutantSubject(t, engine, mutants.HarmlessMutants()[0]), serve, url); found != "" {
		t.Fatalf("Prism finds the right service wrong: %s", found)
	}
	caught, all := map[string]int{}, map[string]int{}
	for _, m := range mutants.All() {
		all[m.Group]++
		if found := replay(t, mutantSubject(t, engine, m), serve, url); found != "" {
			caught[m.Group]++
			t.Logf("Prism catches %s: %s", m.Name, found)
		} else {
			t.Logf("Prism does not catch %s", m.Name)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(all)) {
		t.Logf("%s: Prism catches %d of %d", group, caught[group], all[group])
	}
}

// switched starts a server of one subject after another. It returns its URL, and what gives it the next subject.
func switched(t *testing.T) (string, func(*harness.Subject)) {
	t.Helper()
	var now atomic.Pointer[harness.Subject]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		request := judge.Request{Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header, Body: body}
		response, err := now.Load().Target.Send(r.Context(), request)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.Status)
		_, _ = w.Write(response.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL, now.Store
}

// replay sends the requests for a new organization. It returns the first thing that is wrong, "" if nothing is.
func replay(t *testing.T, subject *harness.Subject, serve func(*harness.Subject), url string) string {
	t.Helper()
	serve(subject)
	tenant, err := subject.Provision(t.Context(), harness.TenantSpec{Full: true})
	if err != nil {
		t.Fatal(err)
	}
	etag := ""
	for i, r := range replays() {
		var body []byte
		if r.body != "" {
			body = []byte(r.body)
		}
		request := harness.NewRequest(r.method, tenant.Keys[r.key], body, r.header...)
		for _, values := range request.Header {
			values[0] = strings.ReplaceAll(values[0], "ETAG", etag)
		}
		answer, err := send(t.Context(), url, request)
		if err != nil {
			return fmt.Sprintf("request %d has no answer: %v", i, err)
		}
		if tag := answer.Header.Get("ETag"); tag != "" {
			etag = tag
		}
		if wrong := violations(answer.Header.Get("sl-violations")); wrong != "" || answer.StatusCode != r.status {
			return fmt.Sprintf("request %d has status %d, want %d; %s", i, answer.StatusCode, r.status, wrong)
		}
	}
	return ""
}

func send(ctx context.Context, url string, r judge.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // a proxy can fail to end what it cannot read
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.Method, url+r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	request.Header = r.Header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response, err
}

// violations returns what Prism says of an answer, without what it says of the request.
func violations(header string) string {
	var all []struct {
		Location []string
		Severity string
		Message  string
	}
	_ = json.Unmarshal([]byte(header), &all) // no header is no violation
	for _, v := range all {
		if len(v.Location) > 0 && v.Location[0] == "response" && v.Severity == "Error" {
			return strings.Join(v.Location, ".") + " " + v.Message
		}
	}
	return ""
}

// startPrism starts Prism as a proxy before the URL, and returns its own.
func startPrism(t *testing.T, before string) string {
	t.Helper()
	document := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(document, openapi.YAML, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), *prism, "proxy", document, before, "--port", fmt.Sprint(address.Port),
		"--validate-request=false")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // the end of the test ends it
	url := "http://" + address.String()
	for range 600 {
		if _, err := send(t.Context(), url, harness.NewRequest(http.MethodGet, "", nil)); err == nil {
			return url
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("Prism does not answer")
	return ""
}
