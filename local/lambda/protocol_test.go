package lambda_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/local/lambda"
)

// call makes a request to the Runtime API of this process.
func call(method, path, body string) (*http.Response, string) {
	r, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	return response, string(text)
}

// runtimeAPI returns the host and the secret of this process's Runtime API.
func runtimeAPI() (host, secret string) {
	host, secret, _ = strings.Cut(os.Getenv("AWS_LAMBDA_RUNTIME_API"), "/")
	return host, secret
}

// receive waits for an event and returns its request id.
func receive() string {
	response, _ := call("GET", "invocation/next", "")
	return response.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

// reportInit is a bootstrap that says why it cannot start, and stays.
func reportInit() {
	call("POST", "init/error", `{"errorMessage":"no table","errorType":"Config"}`)
	rest()
}

// sulk is a bootstrap that answers once, and then does not ask for more.
func sulk() {
	call("POST", "invocation/"+receive()+"/response", `"enough"`)
	rest()
}

// misbehave is a bootstrap that does everything that the protocol forbids. Its response to the second event reports the
// results.
func misbehave() {
	var got []string
	note := func(what, method, path, body string) {
		response, text := call(method, path, body)
		var refusal struct{ ErrorType string }
		_ = json.Unmarshal([]byte(text), &refusal) // what is not refused has none
		got = append(got, fmt.Sprintf("%s: %d %s", what, response.StatusCode, refusal.ErrorType))
	}
	note("answer before an event", "POST", "invocation/x/response", "1")
	note("HEAD for an event", "HEAD", "invocation/next", "")
	first := receive()
	note("init error too late", "POST", "init/error", "{}")
	note("next without an answer", "GET", "invocation/next", "")
	note("wrong id", "POST", "invocation/00000000-0000-4000-8000-000000000000/response", "1")
	note("wrong path", "POST", "invocation/"+first, "1")
	note("wrong method", "PUT", "invocation/"+first+"/response", "1")
	garbage("\x16\x03\x01\x00 no HTTP\r\n\r\n")
	host, secret := runtimeAPI()
	garbage("POST /" + secret + "/2018-06-01/runtime/invocation/" + first + "/response HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 9\r\n\r\nhalf")
	note("response", "POST", "invocation/"+first+"/response", "not JSON")
	note("second response", "POST", "invocation/"+first+"/response", "1")
	note("error after the response", "POST", "invocation/"+first+"/error", "{}")
	second := receive()
	note("the id before", "POST", "invocation/"+first+"/response", "1")
	report, err := json.Marshal(got)
	if err != nil {
		panic(err)
	}
	call("POST", "invocation/"+second+"/response", string(report))
	third := receive()
	call("POST", "invocation/"+third+"/error", "not JSON")
	receive() // and ends when the event comes
}

// garbage sends the text, ends its side, and waits until the other side ends too.
func garbage(text string) {
	host, _ := runtimeAPI()
	line, err := net.Dial("tcp", host)
	if err != nil {
		panic(err)
	}
	defer line.Close()
	if _, err := io.WriteString(line, text); err != nil {
		panic(err)
	}
	if err := line.(*net.TCPConn).CloseWrite(); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, line) // a reset will do
}

func TestForbiddenCalls(t *testing.T) {
	t.Parallel()
	s := start(t, settings(t, "misbehaves"))
	if got, err := s.Invoke(t.Context(), []byte("1")); err != nil || string(got.Payload) != "not JSON" {
		t.Fatalf("Invoke(1) = %q, %v, want the response as it was sent", got.Payload, err)
	}
	report, err := s.Invoke(t.Context(), []byte("2"))
	if err != nil {
		t.Fatalf("Invoke(2) = %v, want no error", err)
	}
	var got []string
	if err := json.Unmarshal(report.Payload, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"answer before an event: 403 InvalidStateTransition",
		"HEAD for an event: 405 ",
		"init error too late: 403 InvalidStateTransition",
		"next without an answer: 403 InvalidStateTransition",
		"wrong id: 400 InvalidRequestID",
		"wrong path: 404 ",
		"wrong method: 405 ",
		"response: 202 ",
		"second response: 403 InvalidStateTransition",
		"error after the response: 403 InvalidStateTransition",
		"the id before: 400 InvalidRequestID",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers to forbidden calls (-want +got):\n%s", diff)
	}
	var failed *lambda.FunctionError
	if _, err := s.Invoke(t.Context(), []byte("3")); !errors.As(err, &failed) || failed.Type != "Function.Unknown" || string(failed.Payload) != "not JSON" {
		t.Errorf("Invoke(3) = %#v, want a FunctionError of unknown type", err)
	}
	var exit *lambda.ExitError
	if _, err := s.Invoke(t.Context(), []byte("4")); !errors.As(err, &exit) || exit.Status != 0 || exit.Signal != 0 {
		t.Errorf("Invoke(4) = %v, want an ExitError with status 0", err)
	}
}

// TestProcessThatAsksNoMore: the answer counts, and the process is not kept.
func TestProcessThatAsksNoMore(t *testing.T) {
	t.Parallel()
	set := settings(t, "sulks")
	set.Timeout = 3 * time.Second // which the answer must not take
	s := start(t, set)
	got, err := s.Invoke(t.Context(), []byte("1"))
	if err != nil || string(got.Payload) != `"enough"` {
		t.Errorf("Invoke() = %q, %v, want the answer", got.Payload, err)
	}
	select {
	case <-s.Exited():
	default:
		t.Error("the process runs, want it killed")
	}
}

func TestInitReported(t *testing.T) {
	t.Parallel()
	_, err := lambda.Start(t.Context(), settings(t, "reports"))
	var failed *lambda.FunctionError
	if !errors.As(err, new(*lambda.InitError)) || !errors.As(err, &failed) {
		t.Fatalf("Start() = %#v, want an InitError for a FunctionError", err)
	}
	if failed.Type != "Config" || failed.Message != "no table" || !bytes.Contains(failed.Payload, []byte("errorType")) {
		t.Errorf("report = %+v, want Config: no table", failed)
	}
}

// intrude is a bootstrap that asks for events first as another process and as a page in a browser would, and then as
// itself. Its response to the first event reports the results.
func intrude() {
	host, secret := runtimeAPI()
	const next = "/2018-06-01/runtime/invocation/next"
	var got []string
	for _, try := range []struct{ what, host, path string }{
		{"no secret", host, next},
		{"another secret", host, "/" + strings.Repeat("0", len(secret)) + next},
		{"a part of the secret", host, "/" + secret[:len(secret)-1] + next},
		{"an empty secret", host, "/" + next},
		{"another host", "evil.example", "/" + secret + next},
		{"localhost", "localhost:" + host[strings.LastIndex(host, ":")+1:], "/" + secret + next},
		{"no port", "127.0.0.1", "/" + secret + next},
	} {
		r, err := http.NewRequest("GET", "http://"+host+try.path, nil)
		if err != nil {
			panic(err)
		}
		r.Host = try.host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			panic(err)
		}
		response.Body.Close()
		got = append(got, fmt.Sprintf("%s: %d", try.what, response.StatusCode))
	}
	report, err := json.Marshal(got)
	if err != nil {
		panic(err)
	}
	call("POST", "invocation/"+receive()+"/response", string(report))
	receive()
}

// TestRuntimeAPIOfOthers: who lacks the secret, or names another host, gets no event and is not taken for the process.
func TestRuntimeAPIOfOthers(t *testing.T) {
	t.Parallel()
	s := start(t, settings(t, "intrudes"))
	report, err := s.Invoke(t.Context(), []byte("1"))
	if err != nil {
		t.Fatalf("Invoke(1) = %v, want no error", err)
	}
	var got []string
	if err := json.Unmarshal(report.Payload, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"no secret: 403", "another secret: 403", "a part of the secret: 403", "an empty secret: 403",
		"another host: 403", "localhost: 403", "no port: 403",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls of others (-want +got):\n%s", diff)
	}
}
