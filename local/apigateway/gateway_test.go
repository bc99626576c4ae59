package apigateway_test

import (
	"bytes"
	"context"
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

// returns makes a function that returns the response whatever the event.
func returns(response events.APIGatewayV2HTTPResponse) apigateway.Function {
	return func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return response, nil
	}
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

func TestBodySize(t *testing.T) {
	t.Parallel()
	const limit = 10 << 20
	tests := []struct {
		name       string
		size       int
		declared   bool // by Content-Length
		wantStatus int
		wantBody   string
	}{
		{"the largest", limit, true, 200, "done"},
		{"the largest, in chunks", limit, false, 200, "done"},
		{"a byte more", limit + 1, true, 413, `{"message":"Request Entity Too Large"}`},
		{"a byte more, in chunks", limit + 1, false, 413, `{"message":"Request Entity Too Large"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := returns(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "done"})
			r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", test.size)))
			r.Header.Set("Content-Type", "text/plain")
			if !test.declared {
				r.ContentLength = -1
			}
			response := serve(t, f, r)
			if got := body(t, response); response.StatusCode != test.wantStatus || got != test.wantBody {
				t.Errorf("a body of %d bytes = %d %q, want %d %q", test.size, response.StatusCode, got, test.wantStatus, test.wantBody)
			}
		})
	}
}

func TestBrokenBody(t *testing.T) {
	t.Parallel()
	f := func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		t.Error("the function was invoked, want it left alone")
		return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
	}
	r := httptest.NewRequest("POST", "/", brokenReader{})
	response := serve(t, f, r)
	if got, want := body(t, response), `{"message":"Bad Request"}`; response.StatusCode != 400 || got != want {
		t.Errorf("a body that breaks off = %d %q, want 400 %q", response.StatusCode, got, want)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }

func TestRequestIDsAreFresh(t *testing.T) {
	t.Parallel()
	var inEvents, inHeaders []string
	f := func(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		inEvents = append(inEvents, e.RequestContext.RequestID)
		return events.APIGatewayV2HTTPResponse{StatusCode: 204}, nil
	}
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
