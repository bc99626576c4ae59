package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"organizations-api/local/apigateway"
)

func TestResponses(t *testing.T) {
	t.Parallel()
	type headers = map[string]string
	tests := []struct {
		name       string
		response   events.APIGatewayV2HTTPResponse
		wantStatus int
		wantBody   string
		want       http.Header // without the request id
	}{
		{
			"text without a type",
			events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "hé"},
			200, "hé", http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {"3"}},
		}, {
			"headers and cookies",
			events.APIGatewayV2HTTPResponse{
				StatusCode:        401,
				Headers:           headers{"content-type": "application/json", "WWW-Authenticate": "Bearer, Basic"},
				MultiValueHeaders: map[string][]string{"Vary": {"Accept", "Origin"}},
				Body:              "{}",
				Cookies:           []string{"a=1; Secure", "b=2"},
			},
			401, "{}", http.Header{
				"Content-Type": {"application/json"}, "Content-Length": {"2"},
				"Www-Authenticate": {"Bearer, Basic"}, "Set-Cookie": {"a=1; Secure", "b=2"},
			},
		}, {
			"base64",
			events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: headers{"Content-Type": "image/png"}, Body: "/wAB", IsBase64Encoded: true},
			200, "\xff\x00\x01", http.Header{"Content-Type": {"image/png"}, "Content-Length": {"3"}},
		}, {
			"a wrong length",
			events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: headers{"Content-Length": "99", "transfer-encoding": "chunked"}, Body: "x"},
			200, "x", http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {"1"}},
		}, {
			"304 has no body",
			events.APIGatewayV2HTTPResponse{StatusCode: 304, Headers: headers{"ETag": `"1"`}, Body: "x"},
			304, "", http.Header{"Etag": {`"1"`}},
		}, {
			"204 has no body", events.APIGatewayV2HTTPResponse{StatusCode: 204, Body: "x"}, 204, "", http.Header{},
		}, {
			"the function's own 500",
			events.APIGatewayV2HTTPResponse{StatusCode: 500, Headers: headers{"Content-Type": "application/json"}, Body: "{}"},
			500, "{}", http.Header{"Content-Type": {"application/json"}, "Content-Length": {"2"}},
		}, {
			"an unusual status", events.APIGatewayV2HTTPResponse{StatusCode: 599}, 599, "",
			http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {"0"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, returns(test.response), httptest.NewRequest("GET", "/", nil))
			if b := body(t, got); got.StatusCode != test.wantStatus || b != test.wantBody {
				t.Errorf("%+v became %d %q, want %d %q", test.response, got.StatusCode, b, test.wantStatus, test.wantBody)
			}
			if got.Header.Get("Apigw-Requestid") == "" {
				t.Error("Apigw-Requestid is missing")
			}
			got.Header.Del("Apigw-Requestid")
			if diff := cmp.Diff(test.want, got.Header); diff != "" {
				t.Errorf("headers of %+v (-want +got):\n%s", test.response, diff)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	const failed, waited = `{"message":"Internal Server Error"}`, `{"message":"Service Unavailable"}`
	slow := func(d time.Duration) apigateway.Function {
		return function(func(context.Context, event) (response, error) {
			time.Sleep(d) // in a bubble: no time passes
			return response{StatusCode: 200}, nil
		})
	}
	tests := []struct {
		name       string
		timeout    time.Duration
		function   apigateway.Function
		wantStatus int
		wantBody   string
		wantLog    string // part of the one line
	}{
		{"error", 0, func(context.Context, []byte) ([]byte, error) { return nil, errors.New("out of luck") }, 500, failed, "out of luck"},
		{"panic", 0, func(context.Context, []byte) ([]byte, error) { panic("no hope") }, 500, failed, "no hope"},
		{"status 0", 0, returns(response{}), 500, failed, "status 0"},
		{"no JSON", 0, answers(`<p>`), 500, failed, "no JSON"},
		{"nothing", 0, answers(``), 500, failed, "no JSON"},
		{"a status in words", 0, answers(`{"statusCode":"OK"}`), 500, failed, "no response of format 2.0"},
		{"a header of two values", 0, answers(`{"statusCode":200,"headers":{"Vary":["A","B"]}}`), 500, failed, "no response of format 2.0"},
		{"more than Lambda gives", 0, answers(`"` + strings.Repeat("x", 6<<20+99) + `"`), 500, failed, "6291557 bytes"},
		{"status 99", 0, returns(response{StatusCode: 99}), 500, failed, "status 99"},
		{"status 100", 0, returns(response{StatusCode: 100}), 500, failed, "status 100"},
		{"status 600", 0, returns(response{StatusCode: 600}), 500, failed, "status 600"},
		{"negative status", 0, returns(response{StatusCode: -200}), 500, failed, "status -200"},
		{"bad base64", 0, returns(response{StatusCode: 200, Body: "*", IsBase64Encoded: true}), 500, failed, "not base64"},
		{"too slow", 0, slow(apigateway.DefaultTimeout + time.Second), 500, failed, "in its time"},
		{"too slow for its own timeout", time.Second, slow(2 * time.Second), 500, failed, "in its time"},
		{"too slow for the gateway", time.Minute, slow(31 * time.Second), 503, waited, "in the gateway's time"},
		{"just in time", time.Second, slow(time.Second - 1), 200, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				got := serveOptions(t, apigateway.Options{
					Routes:  []apigateway.Route{{Method: "GET", Path: "/", Function: test.function}},
					Timeout: test.timeout,
					Now:     time.Now,
					Logger:  slog.New(slog.NewJSONHandler(&log, nil)),
				}, httptest.NewRequest("GET", "/", nil))
				if b := body(t, got); got.StatusCode != test.wantStatus || b != test.wantBody {
					t.Errorf("answer = %d %q, want %d %q", got.StatusCode, b, test.wantStatus, test.wantBody)
				}
				time.Sleep(time.Minute) // a late function returns; nobody minds
				checkLog(t, log.String(), test.wantLog, got.Header.Get("Apigw-Requestid"))
			})
		})
	}
}

// checkLog checks that the log is one error about the request that contains the text. If the text is "", the log must
// be empty.
func checkLog(t *testing.T, log, want, requestID string) {
	t.Helper()
	if want == "" {
		if log != "" {
			t.Errorf("log = %q, want none", log)
		}
		return
	}
	var line struct {
		Level     string `json:"level"`
		Route     string `json:"route"`
		RequestID string `json:"request_id"`
		Error     string `json:"error"`
	}
	if err := json.Unmarshal([]byte(log), &line); err != nil {
		t.Fatalf("log = %q, want one line of JSON: %v", log, err)
	}
	if line.Level != "ERROR" || line.Route != "GET /" || line.RequestID != requestID || !strings.Contains(line.Error, want) {
		t.Errorf("log = %+v, want an ERROR of GET / %s with %q", line, requestID, want)
	}
}

func TestContextOfFunction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, goAway := context.WithCancel(t.Context())
		start := time.Now()
		f := function(func(ctx context.Context, _ event) (response, error) {
			goAway()
			if err := ctx.Err(); err != nil {
				t.Errorf("ctx.Err() = %v when the client has gone, want nil", err)
			}
			if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(start) != apigateway.DefaultTimeout {
				t.Errorf("ctx.Deadline() = %v, %v, want %v from now", deadline, ok, apigateway.DefaultTimeout)
			}
			return response{StatusCode: 200}, nil
		})
		if got := serve(t, f, httptest.NewRequestWithContext(client, "GET", "/", nil)).StatusCode; got != 200 {
			t.Errorf("status = %d, want 200", got)
		}
	})
}

func TestValuesPassThroughJSON(t *testing.T) {
	t.Parallel()
	f := returns(events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "\xff"})
	answer := serve(t, f, httptest.NewRequest("GET", "/", nil))
	if got, want := body(t, answer), "\ufffd"; got != want { // JSON holds no bytes that are not UTF-8
		t.Errorf("body = %q, want %q", got, want)
	}
}

// answers makes a function that returns the text.
func answers(text string) apigateway.Function {
	return func(context.Context, []byte) ([]byte, error) { return []byte(text), nil }
}

// TestInferredAnswers: JSON without a statusCode is the body of a 200, as the Developer Guide says for format 2.0.
// Members that the format does not have are ignored.
func TestInferredAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		returned   string
		wantStatus int
		wantBody   string
		wantType   string
	}{
		{`"Hello from Lambda!"`, 200, "Hello from Lambda!", "application/json"},
		{`{"message":"Hello from Lambda!"}`, 200, `{"message":"Hello from Lambda!"}`, "application/json"},
		{`[1, 2]`, 200, `[1, 2]`, "application/json"},
		{`{"body":"x","headers":{"content-type":"text/html"}}`, 200, `{"body":"x","headers":{"content-type":"text/html"}}`, "application/json"},
		{`{"statusCode":201,"body":"x","multiValueHeaders":{"Content-Type":["text/html"]}}`, 201, "x", "text/plain; charset=utf-8"},
		{`{"statusCode":202,"headers":null,"cookies":null,"body":null}`, 202, "", "text/plain; charset=utf-8"},
	} {
		got := serve(t, answers(test.returned), httptest.NewRequest("GET", "/", nil))
		if b := body(t, got); got.StatusCode != test.wantStatus || b != test.wantBody || got.Header.Get("Content-Type") != test.wantType {
			t.Errorf("%s became %d %q of %q, want %d %q of %q", test.returned, got.StatusCode, b, got.Header.Get("Content-Type"),
				test.wantStatus, test.wantBody, test.wantType)
		}
	}
}

// TestTraceID: the function's context has the trace of its event, also if the client began the trace.
func TestTraceID(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"", "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c"} {
		f := func(ctx context.Context, text []byte) ([]byte, error) {
			var e event
			err := json.Unmarshal(text, &e)
			if got, want := apigateway.TraceID(ctx), e.Headers["x-amzn-trace-id"]; got != want || want == "" || sent != "" && got != sent {
				t.Errorf("TraceID() = %q, want %q, as it is in the event, for the sent %q", got, want, sent)
			}
			return []byte(`{"statusCode":204}`), err
		}
		r := httptest.NewRequest("GET", "/", nil)
		if sent != "" {
			r.Header.Set("X-Amzn-Trace-Id", sent)
		}
		if got := serve(t, f, r).StatusCode; got != 204 {
			t.Errorf("status = %d, want 204", got)
		}
	}
	if got := apigateway.TraceID(t.Context()); got != "" {
		t.Errorf("TraceID() outside = %q, want none", got)
	}
}
