package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"organizations-api/local/apigateway"
)

var noon = time.Date(2026, 11, 21, 20, 30, 0, 123_000_000, time.FixedZone("one hour east", 3600))

func now() time.Time { return noon }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// serve returns the answer of a gateway that has one route, for method and path, and that function.
func serve(t *testing.T, f apigateway.Function, r *http.Request) *http.Response {
	t.Helper()
	return serveOptions(t, apigateway.Options{
		Routes: []apigateway.Route{{Method: r.Method, Path: r.URL.Path, Function: f}},
		Now:    now,
		Logger: quiet(),
	}, r)
}

func serveOptions(t *testing.T, o apigateway.Options, r *http.Request) *http.Response {
	t.Helper()
	g, err := apigateway.New(o)
	if err != nil {
		t.Fatalf("New() = %v, want no error", err)
	}
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, r)
	return recorder.Result()
}

type (
	event    = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// function turns a Go function into a Function that reads and writes JSON.
func function(f func(context.Context, event) (response, error)) apigateway.Function {
	return func(ctx context.Context, text []byte) ([]byte, error) {
		var e event
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil {
			return nil, err
		}
		r, err := f(ctx, e)
		if err != nil {
			return nil, err
		}
		return json.Marshal(r)
	}
}

// returns makes a function that returns the response for every event.
func returns(r response) apigateway.Function {
	return function(func(context.Context, event) (response, error) { return r, nil })
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNewRefusesBadOptions(t *testing.T) {
	t.Parallel()
	f := returns(events.APIGatewayV2HTTPResponse{StatusCode: 200})
	tests := []struct {
		name    string
		options apigateway.Options
		want    string // part of the error
	}{
		{"no clock", apigateway.Options{Logger: quiet()}, "clock"},
		{"no logger", apigateway.Options{Now: now}, "logger"},
		{"negative timeout", apigateway.Options{Now: now, Logger: quiet(), Timeout: -1}, "negative"},
		{"no method", apigateway.Options{Now: now, Logger: quiet(), Routes: []apigateway.Route{{Path: "/", Function: f}}}, "no method"},
		{"no path", apigateway.Options{Now: now, Logger: quiet(), Routes: []apigateway.Route{{Method: "GET", Function: f}}}, "slash"},
		{"no function", apigateway.Options{Now: now, Logger: quiet(), Routes: []apigateway.Route{{Method: "GET", Path: "/"}}}, "no function"},
		{"one route twice", apigateway.Options{Now: now, Logger: quiet(), Routes: []apigateway.Route{
			{Method: "GET", Path: "/", Function: f}, {Method: "GET", Path: "/", Function: f},
		}}, "two routes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := apigateway.New(test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New(%+v) = _, %v, want an error with %q", test.options, err, test.want)
			}
		})
	}
}

func TestRoutesMatchExactly(t *testing.T) {
	t.Parallel()
	g, err := apigateway.New(apigateway.Options{
		Routes: []apigateway.Route{
			{Method: "GET", Path: "/v1/organizations", Function: returns(events.APIGatewayV2HTTPResponse{StatusCode: 201})},
			{Method: "PATCH", Path: "/v1/organizations", Function: returns(events.APIGatewayV2HTTPResponse{StatusCode: 202})},
		},
		Now:    now,
		Logger: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	const unknown = `{"message":"Not Found"}`
	tests := []struct {
		method, path string
		wantStatus   int
		wantBody     string
	}{
		{"GET", "/v1/organizations", 201, ""},
		{"GET", "/v1/organizations?a=b", 201, ""},
		{"GET", "/v1/%6Frganizations", 201, ""},
		{"PATCH", "/v1/organizations", 202, ""},
		{"HEAD", "/v1/organizations", 404, ""},
		{"PUT", "/v1/organizations", 404, unknown},
		{"OPTIONS", "/v1/organizations", 404, unknown},
		{"get", "/v1/organizations", 404, unknown},
		{"GET", "/v1/organizations/", 404, unknown},
		{"GET", "/v1//organizations", 404, unknown},
		{"GET", "//v1/organizations", 404, unknown},
		{"GET", "/v1/x/../organizations", 404, unknown},
		{"GET", "/v1/./organizations", 404, unknown},
		{"GET", "/V1/organizations", 404, unknown},
		{"GET", "/v1/organizations%20", 404, unknown},
		{"GET", "/", 404, unknown},
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if got := body(t, response); response.StatusCode != test.wantStatus || got != test.wantBody {
				t.Errorf("%s %s = %d %q, want %d %q", test.method, test.path, response.StatusCode, got, test.wantStatus, test.wantBody)
			}
			if got := response.Header.Get("Content-Type"); test.wantStatus == 404 && got != "application/json" {
				t.Errorf("Content-Type of a 404 = %q, want application/json", got)
			}
		})
	}
}

// TestBodySize: the gateway takes 10 MB, and Lambda events of 6 MB, whether the body is text or base64.
func TestBodySize(t *testing.T) {
	t.Parallel()
	const gateway, lambda, context = 10 << 20, 6 << 20, 2048 // room for the rest of the event
	const tooLarge = `{"message":"Request Entity Too Large"}`
	tests := []struct {
		name       string
		size       int
		kind       string
		declared   bool // by Content-Length
		wantStatus int
		wantBody   string
	}{
		{"a large one", lambda - context, "text/plain", true, 200, "done"},
		{"a large one, in chunks", lambda - context, "text/plain", false, 200, "done"},
		{"a large one in base64", lambda/4*3 - context, "", true, 200, "done"},
		{"more than Lambda takes", lambda, "text/plain", true, 413, tooLarge},
		{"more than Lambda takes, in base64", lambda / 4 * 3, "", true, 413, tooLarge},
		{"the gateway's largest", gateway, "text/plain", true, 413, tooLarge},
		{"more than the gateway takes", gateway + 1, "text/plain", true, 413, tooLarge},
		{"more than the gateway takes, in chunks", gateway + 1, "text/plain", false, 413, tooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := returns(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "done"})
			r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", test.size)))
			r.Header.Set("Content-Type", test.kind)
			if !test.declared {
				r.ContentLength = -1
			}
			answer := serve(t, f, r)
			if got := body(t, answer); answer.StatusCode != test.wantStatus || got != test.wantBody {
				t.Errorf("a body of %d bytes = %d %q, want %d %q", test.size, answer.StatusCode, got, test.wantStatus, test.wantBody)
			}
		})
	}
}

func TestBrokenBody(t *testing.T) {
	t.Parallel()
	f := function(func(context.Context, event) (response, error) {
		t.Error("the function was invoked, want it left alone")
		return response{StatusCode: 200}, nil
	})
	r := httptest.NewRequest("POST", "/", brokenReader{})
	answer := serve(t, f, r)
	if got, want := body(t, answer), `{"message":"Bad Request"}`; answer.StatusCode != 400 || got != want {
		t.Errorf("a body that breaks off = %d %q, want 400 %q", answer.StatusCode, got, want)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }

func TestRequestIDsAreFresh(t *testing.T) {
	t.Parallel()
	var inEvents, inHeaders []string
	f := function(func(_ context.Context, e event) (response, error) {
		inEvents = append(inEvents, e.RequestContext.RequestID)
		return response{StatusCode: 204}, nil
	})
	seen := make(map[string]bool)
	for range 3 {
		id := serve(t, f, httptest.NewRequest("GET", "/", nil)).Header.Get("Apigw-Requestid")
		inHeaders = append(inHeaders, id)
		if len(id) != 16 || seen[id] {
			t.Errorf("Apigw-Requestid = %q, want a fresh one of 16 characters", id)
		}
		seen[id] = true
	}
	if diff := cmp.Diff(inEvents, inHeaders); diff != "" {
		t.Errorf("request ids of events and of responses differ (-events +responses):\n%s", diff)
	}
}
