package judge_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// recorder keeps what a wrapper reports.
type recorder struct {
	mu    sync.Mutex
	seen  []judge.Exchange
	rules [][]judge.Rule
}

func (r *recorder) report(x judge.Exchange, found []judge.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, x)
	r.rules = append(r.rules, fixture.RulesOf(found))
}

// serve answers with the response of an exchange, and reads the request's body as a service would.
func serve(t *testing.T, x judge.Exchange) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(sent, x.Request.Body) {
			t.Errorf("the handler read %q, %v, want %q", sent, err, x.Request.Body)
		}
		for name, values := range x.Response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(x.Response.Status)
		_, _ = w.Write(x.Response.Body)
	})
}

func newRequest(t *testing.T, base string, x judge.Exchange) *http.Request {
	t.Helper()
	r, err := http.NewRequest(x.Request.Method, base+x.Request.URL, bytes.NewReader(x.Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = x.Request.Header.Clone()
	return r
}

// TestWrappers: both wrappers report the same of the same exchanges, over a real connection, and change nothing.
func TestWrappers(t *testing.T) {
	t.Parallel()
	secret := fixture.RightExchange(http.MethodPatch, 200)
	fixture.WithMember(`"internal_id":1`)(t, &secret)
	cases := map[string]struct {
		x    judge.Exchange
		want []judge.Rule
	}{
		"right":        {fixture.RightExchange(http.MethodPatch, 200), nil},
		"not modified": {fixture.RightExchange(http.MethodGet, 304), nil},
		"wrong":        {secret, rules(judge.RulePropertyUndeclared)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inside, outside recorder
			v := harness.Validator()
			server := httptest.NewServer(v.Middleware(inside.report)(serve(t, c.x)))
			defer server.Close()
			client := http.Client{Transport: v.RoundTripper(server.Client().Transport, outside.report)}
			response, err := client.Do(newRequest(t, server.URL, c.x))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if err != nil || !bytes.Equal(got, c.x.Response.Body) || response.StatusCode != c.x.Response.Status {
				t.Errorf("the client got %d %q, %v", response.StatusCode, got, err)
			}
			want := [][]judge.Rule{append([]judge.Rule{}, c.want...)}
			for _, r := range []*recorder{&inside, &outside} {
				if diff := cmp.Diff(want, r.rules); diff != "" {
					t.Fatalf("reported rules (-want +got):\n%s", diff)
				}
				if x := r.seen[0]; !bytes.Equal(x.Request.Body, c.x.Request.Body) ||
					!bytes.Equal(x.Response.Body, c.x.Response.Body) {
					t.Errorf("reported bodies %q and %q", x.Request.Body, x.Response.Body)
				}
			}
		})
	}
}

// TestMiddleware: what only the handler's side can see.
func TestMiddleware(t *testing.T) {
	t.Parallel()
	right := fixture.RightExchange(http.MethodGet, 200)
	cases := []struct {
		name    string
		method  string
		handler http.HandlerFunc
		want    []judge.Rule
	}{
		{"writes nothing", "GET", func(http.ResponseWriter, *http.Request) {},
			rules(judge.RuleBodyEmpty, judge.RuleHeaderMissing)},
		{"body on 304", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", fixture.Version1)
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("X-Request-Id", "req_1")
			w.WriteHeader(304)
			_, _ = io.WriteString(w, "{}")
		}, rules(judge.RuleBodyOn304, harness.RulePrecondition)},
		{"header after the status", "GET", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			serve(t, right).ServeHTTP(w, r)
		}, rules(judge.RuleContentType, judge.RuleHeaderMissing)},
		{"informational status first", "GET", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			serve(t, right).ServeHTTP(w, r)
		}, nil},
		{"flush", "GET", func(w http.ResponseWriter, r *http.Request) {
			for name, values := range right.Response.Header {
				w.Header()[name] = values
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			_, _ = w.Write(right.Response.Body)
		}, nil},
		{"flush by the interface", "GET", func(w http.ResponseWriter, r *http.Request) {
			flusher, ok := w.(http.Flusher)
			if !ok {
				http.Error(w, "streaming unsupported", http.StatusInternalServerError)
				return
			}
			for name, values := range right.Response.Header {
				w.Header()[name] = values
			}
			flusher.Flush()
			_, _ = w.Write(right.Response.Body)
		}, nil},
		{"HEAD, body discarded", "HEAD", serve(t, right).ServeHTTP, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var r recorder
			request := httptest.NewRequest(c.method, harness.Path, nil)
			harness.Validator().Middleware(r.report)(c.handler).ServeHTTP(httptest.NewRecorder(), request)
			if diff := cmp.Diff([][]judge.Rule{append([]judge.Rule{}, c.want...)}, r.rules); diff != "" {
				t.Errorf("reported rules (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMiddlewareInterfaces: a handler finds the optional interfaces of the server's writer, and no others.
func TestMiddlewareInterfaces(t *testing.T) {
	t.Parallel()
	type plain struct{ http.ResponseWriter }
	type flushing struct {
		http.ResponseWriter
		http.Flusher
	}
	type hijacking struct {
		http.ResponseWriter
		http.Hijacker
	}
	type pushing struct {
		http.ResponseWriter
		http.Pusher
	}
	type all struct {
		http.ResponseWriter
		http.Flusher
		http.Hijacker
		http.Pusher
	}
	abilities := func(w http.ResponseWriter) [3]bool {
		_, flushes := w.(http.Flusher)
		_, hijacks := w.(http.Hijacker)
		_, pushes := w.(http.Pusher)
		return [3]bool{flushes, hijacks, pushes}
	}
	type flushHijack struct {
		flushing
		http.Hijacker
	}
	type flushPush struct {
		flushing
		http.Pusher
	}
	type hijackPush struct {
		hijacking
		http.Pusher
	}
	w := httptest.NewRecorder()
	for _, writer := range []http.ResponseWriter{
		plain{w}, flushing{w, w}, hijacking{w, nil}, pushing{w, nil}, all{w, w, nil, nil},
		flushHijack{flushing{w, w}, nil}, flushPush{flushing{w, w}, nil}, hijackPush{hijacking{w, nil}, nil},
	} {
		var got [3]bool
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = abilities(w) })
		harness.Validator().Middleware(new(recorder).report)(handler).ServeHTTP(writer,
			httptest.NewRequest("GET", harness.Path, nil))
		if want := abilities(writer); got != want {
			t.Errorf("%T: the handler can flush, hijack, push: %v, want %v", writer, got, want)
		}
	}
}

// TestMiddlewareHijacked: a connection that the handler took over has no response to judge.
func TestMiddlewareHijacked(t *testing.T) {
	t.Parallel()
	var r recorder
	server := httptest.NewServer(harness.Validator().Middleware(r.report)(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = connection.Close()
	})))
	response, err := server.Client().Get(server.URL + harness.Path)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	server.Close() // returns when the handler has
	if response.StatusCode != http.StatusSwitchingProtocols || len(r.seen) != 0 {
		t.Errorf("the client got %d, and %d exchanges were reported", response.StatusCode, len(r.seen))
	}
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRoundTripperBrokenBody: a body that breaks off is a violation, and the client meets the same error.
func TestRoundTripperBrokenBody(t *testing.T) {
	t.Parallel()
	cut := errors.New("connection reset")
	next := roundTripperFunc(func(*http.Request) (*http.Response, error) {
		x := fixture.RightExchange(http.MethodGet, 200)
		body := io.NopCloser(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(cut)))
		return &http.Response{StatusCode: 200, Header: x.Response.Header, Body: body}, nil
	})
	var r recorder
	response, err := harness.Validator().RoundTripper(next,
		r.report).RoundTrip(newRequest(t, "http://a.example", fixture.RightExchange(http.MethodGet, 200)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if string(got) != "{" || !errors.Is(err, cut) {
		t.Errorf("the client got %q, %v", got, err)
	}
	if diff := cmp.Diff([][]judge.Rule{{judge.RuleBodyUnreadable}}, r.rules); diff != "" {
		t.Errorf("reported rules (-want +got):\n%s", diff)
	}
}

// TestRoundTripperErrors: a request that cannot be read is not sent. If no response comes, nothing is judged.
func TestRoundTripperErrors(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	next := roundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, refused })
	var r recorder
	transport := harness.Validator().RoundTripper(next, r.report)
	request := newRequest(t, "http://a.example", fixture.RightExchange(http.MethodPatch, 200))
	if _, err := transport.RoundTrip(request); !errors.Is(err, refused) {
		t.Errorf("RoundTrip = %v, want %v", err, refused)
	}
	unreadable := errors.New("unreadable")
	request.Body = io.NopCloser(iotest.ErrReader(unreadable))
	if _, err := transport.RoundTrip(request); !errors.Is(err, unreadable) {
		t.Errorf("RoundTrip = %v, want %v", err, unreadable)
	}
	if len(r.seen) != 0 {
		t.Errorf("%d exchanges were reported", len(r.seen))
	}
}
