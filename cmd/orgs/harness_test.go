package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// transcript is what a running command has written so far. It is safe for concurrent use.
type transcript struct {
	mutex sync.Mutex
	text  bytes.Buffer
	news  chan struct{} // holds one where something came that nobody has looked at
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

// await returns what was written once it contains the text. Only one may wait at a time.
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

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with the key, and a JSON body where it is not "".
func ask(t *testing.T, client *http.Client, method, url, key, body string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return send(t, client, request)
}

func send(t *testing.T, client *http.Client, request *http.Request) answer {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// newClient returns a client whose connections end with the test.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}
