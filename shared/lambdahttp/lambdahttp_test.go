package lambdahttp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/lambdahttp"
)

type (
	event    = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func recorded(t *testing.T, name string) event {
	t.Helper()
	text, err := os.ReadFile("../../events/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// serve answers an event by a handler, once with Handle and once with Invoke. It checks that both answers are the same
// and that neither returns an error.
func serve(t *testing.T, e event, handler http.HandlerFunc) response {
	t.Helper()
	adapter := lambdahttp.New(handler, quiet())
	r, err := adapter.Handle(t.Context(), e)
	if err != nil {
		t.Fatalf("Handle = %v, want no error", err)
	}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	invoked := invoke(t, adapter, payload)
	if diff := cmp.Diff(r, invoked); diff != "" {
		t.Errorf("Invoke is not Handle (-Handle +Invoke):\n%s", diff)
	}
	return r
}

func invoke(t *testing.T, adapter *lambdahttp.Adapter, payload []byte) (r response) {
	t.Helper()
	text, err := adapter.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("Invoke(%s) = %v, want no error", payload, err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("Invoke(%s) = %s: %v", payload, text, err)
	}
	return r
}

// seen is a request as the handler got it.
type seen struct {
	Method, URL, URI, Host, Remote, Body string
	Length                               int64
	Header                               http.Header
	BodyError                            bool
}

func look(t *testing.T, e event) seen {
	t.Helper()
	var s seen
	serve(t, e, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		s = seen{r.Method, r.URL.String(), r.RequestURI, r.Host, r.RemoteAddr, string(body), r.ContentLength, r.Header, err != nil}
	})
	return s
}

func TestRequestOfRecordedEvent(t *testing.T) {
	t.Parallel()
	got := look(t, recorded(t, "update.json"))
	body := `{"organization_name": "Northwind Video", "metadata": {"region": "eu"}, "rate_limits": {"search": 120}}`
	want := seen{
		Method: "PATCH", URL: "/v1/organizations", URI: "/v1/organizations",
		Host:   "0123456789.execute-api.eu-central-1.amazonaws.com",
		Remote: "192.0.2.7:0", Body: body, Length: int64(len(body)),
		Header: http.Header{
			"Accept":            {"application/json"},
			"Authorization":     {"Bearer YOUR_API_KEY"},
			"Content-Type":      {"application/json"},
			"User-Agent":        {"curl/8.5.0"},
			"X-Amzn-Trace-Id":   {"Root=1-67891233-abcdef012345678912345678"},
			"X-Forwarded-For":   {"192.0.2.7"},
			"X-Forwarded-Port":  {"443"},
			"X-Forwarded-Proto": {"https"},
			"X-Request-Id":      {"JKJaXmPLvHcESHA="},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	base := recorded(t, "get.json")
	tests := []struct {
		name   string
		change func(*event)
		check  func(seen) bool
	}{
		{"header values stay whole", func(e *event) { e.Headers["if-none-match"] = `"a", W/"b,c"` },
			func(s seen) bool { return cmp.Equal(s.Header["If-None-Match"], []string{`"a", W/"b,c"`}) }},
		{"stage stays in the path", func(e *event) { e.RequestContext.Stage, e.RawPath = "prod", "/prod/v1/organizations" },
			func(s seen) bool { return s.URL == "/prod/v1/organizations" }},
		{"stage of the path's first segment", func(e *event) { e.RequestContext.Stage = "v1" },
			func(s seen) bool { return s.URL == "/v1/organizations" }},
		{"decoded path is not decoded again", func(e *event) { e.RawPath = "/a%zz?b#c\x00" },
			func(s seen) bool { return s.URL == "/a%25zz%3Fb%23c%00" }},
		{"query as sent", func(e *event) { e.RawQueryString = "a=1&a=%zz;+" },
			func(s seen) bool { return s.URL == "/v1/organizations?a=1&a=%zz;+" }},
		{"cookies", func(e *event) { e.Cookies = []string{"a=1", "b=2"} },
			func(s seen) bool { return s.Header.Get("Cookie") == "a=1; b=2" }},
		{"gateway's request id wins", func(e *event) { e.Headers["x-request-id"] = "mine" },
			func(s seen) bool { return s.Header.Get("X-Request-Id") == "JKJaXmPLvHcESHA=" }},
		{"client's request id never passes",
			func(e *event) { e.Headers["x-request-id"], e.RequestContext.RequestID = "mine", "" },
			func(s seen) bool { return s.Header.Get("X-Request-Id") == "" }},
		{"base64 body", func(e *event) { e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("\xff{}")), true },
			func(s seen) bool { return s.Body == "\xff{}" && s.Length == 3 && !s.BodyError }},
		{"bad base64 body", func(e *event) { e.Body, e.IsBase64Encoded = "%%%", true },
			func(s seen) bool { return s.BodyError }},
		{"method as sent", func(e *event) { e.RequestContext.HTTP.Method = "get" },
			func(s seen) bool { return s.Method == "get" }},
		{"empty event", func(e *event) { *e = event{} }, func(s seen) bool { return s.Method == "" && s.Header != nil }},
		{"claimed context", func(e *event) { e.Headers["x-golambdaproxy-apigw-context"] = `{"stage":"x"}` },
			func(s seen) bool { return s.URL == "/v1/organizations" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := base
			e.Headers = make(map[string]string)
			for name, value := range base.Headers {
				e.Headers[name] = value
			}
			test.change(&e)
			if got := look(t, e); !test.check(got) {
				t.Errorf("request = %+v", got)
			}
		})
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	get := recorded(t, "get.json")
	head := get
	head.RequestContext.HTTP.Method = "HEAD"
	tests := []struct {
		name    string
		event   event
		handler http.HandlerFunc
		status  int
		body    string
		headers map[string]string
	}{
		{"nothing said", get, func(http.ResponseWriter, *http.Request) {}, 200, "", nil},
		{"body alone", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		}, 200, "{}", map[string]string{"Content-Type": "application/json"}},
		{"first status wins", get, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-Late", "1")
			w.WriteHeader(http.StatusOK)
		}, 418, "", map[string]string{"X-Late": ""}},
		{"no status that is none", get, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) }, 200, "", nil},
		{"no body with 304", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"a,b"`)
			w.WriteHeader(http.StatusNotModified)
			_, _ = io.WriteString(w, "{}")
		}, 304, "", map[string]string{"Etag": `"a,b"`, "Content-Type": ""}},
		{"no body for HEAD", head, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, 200, "", nil},
		{"length is the gateway's", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, "{}")
		}, 200, "{}", map[string]string{"Content-Length": ""}},
		{"a header value cannot end its line", get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "a\r\nX-B: b")
		}, 200, "", map[string]string{"X-A": "a  X-B: b", "X-B": ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, test.event, test.handler)
			if got.StatusCode != test.status || got.Body != test.body || got.IsBase64Encoded {
				t.Errorf("response = %d %q (Base64 %v), want %d %q", got.StatusCode, got.Body, got.IsBase64Encoded, test.status, test.body)
			}
			for name, want := range test.headers {
				if value := got.Headers[name] + strings.Join(got.MultiValueHeaders[name], "|"); value != want {
					t.Errorf("header %s = %q, want %q", name, value, want)
				}
			}
		})
	}
}

func TestHandlerStopsBeforeLambdaDoes(t *testing.T) {
	t.Parallel()
	lambda, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	end, _ := lambda.Deadline()
	var deadline time.Time
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { deadline, _ = r.Context().Deadline() })
	if _, err := lambdahttp.New(handler, quiet()).Handle(lambda, recorded(t, "get.json")); err != nil {
		t.Fatal(err)
	}
	if margin := end.Sub(deadline); margin != 500*time.Millisecond {
		t.Errorf("the handler's deadline is %v before Lambda's, want 500ms", margin)
	}
}

func TestContextReachesHandler(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got error
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Context().Err() })
	if _, err := lambdahttp.New(handler, quiet()).Handle(ctx, recorded(t, "get.json")); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(got, context.Canceled) {
		t.Errorf("the request's context has the error %v, want %v", got, context.Canceled)
	}
}
