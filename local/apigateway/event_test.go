package apigateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

// eventOf returns the event that the function gets for the request.
func eventOf(t *testing.T, r *http.Request) events.APIGatewayV2HTTPRequest {
	t.Helper()
	var got events.APIGatewayV2HTTPRequest
	f := function(func(_ context.Context, e event) (response, error) {
		got = e
		return response{StatusCode: 204}, nil
	})
	if status := serve(t, f, r).StatusCode; status != 204 {
		t.Fatalf("%s %s = %d, want 204", r.Method, r.URL, status)
	}
	return got
}

func TestWholeEvent(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("PATCH", "http://api.example.com:8080/v1/organizations?b=2&a=1&a=%32", strings.NewReader(`{"a":"é"}`))
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "curl/8.5.0")
	r.Header.Add("X-Several", "one")
	r.Header.Add("X-Several", "two, three")
	r.Header.Add("Cookie", "a=1; b=2")
	r.Header.Add("Cookie", "c=3")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c")
	got := eventOf(t, r)
	if id := got.RequestContext.RequestID; !regexp.MustCompile(`^[0-9A-Za-z]{15}=$`).MatchString(id) {
		t.Errorf("requestId = %q, want 15 letters and digits and an =", id)
	}
	want := events.APIGatewayV2HTTPRequest{
		Version:        "2.0",
		RouteKey:       "PATCH /v1/organizations",
		RawPath:        "/v1/organizations",
		RawQueryString: "b=2&a=1&a=%32",
		Cookies:        []string{"a=1", "b=2", "c=3"},
		Headers: map[string]string{
			"content-length":    "10",
			"content-type":      "application/json",
			"host":              "api.example.com:8080",
			"user-agent":        "curl/8.5.0",
			"x-amzn-trace-id":   "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c",
			"x-forwarded-for":   "192.0.2.7",
			"x-forwarded-port":  "8080",
			"x-forwarded-proto": "http",
			"x-several":         "one,two, three",
		},
		QueryStringParameters: map[string]string{"a": "1,2", "b": "2"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     "PATCH /v1/organizations",
			AccountID:    "000000000000",
			Stage:        "$default",
			RequestID:    got.RequestContext.RequestID,
			APIID:        "local",
			DomainName:   "api.example.com",
			DomainPrefix: "api",
			Time:         "21/Nov/2026:19:30:00 +0000",
			TimeEpoch:    1795289400123,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    "PATCH",
				Path:      "/v1/organizations",
				Protocol:  "HTTP/1.1",
				SourceIP:  "192.0.2.7",
				UserAgent: "curl/8.5.0",
			},
		},
		Body: `{"a":"é"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestSmallestEvent(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://[::1]/", nil)
	r.RemoteAddr = "[::1]:1234"
	got := eventOf(t, r)
	if trace := got.Headers["x-amzn-trace-id"]; !regexp.MustCompile(fmt.Sprintf(`^Root=1-%08x-[0-9a-f]{24}$`, noon.Unix())).MatchString(trace) {
		t.Errorf("x-amzn-trace-id = %q, want a fresh one of noon", trace)
	}
	want := events.APIGatewayV2HTTPRequest{
		Version:  "2.0",
		RouteKey: "GET /",
		RawPath:  "/",
		Headers: map[string]string{
			"content-length":    "0",
			"host":              "[::1]",
			"x-amzn-trace-id":   got.Headers["x-amzn-trace-id"],
			"x-forwarded-for":   "::1",
			"x-forwarded-port":  "80",
			"x-forwarded-proto": "http",
		},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     "GET /",
			AccountID:    "000000000000",
			Stage:        "$default",
			RequestID:    got.RequestContext.RequestID,
			APIID:        "local",
			DomainName:   "::1",
			DomainPrefix: "::1",
			Time:         "21/Nov/2026:19:30:00 +0000",
			TimeEpoch:    1795289400123,
			HTTP:         events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "GET", Path: "/", Protocol: "HTTP/1.1", SourceIP: "::1"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestPathAndQueryOfEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target    string
		wantPath  string
		wantQuery string
		want      map[string]string
	}{
		{"/a%20b%2Fc", "/a b/c", "", nil},
		{"/%C3%A9", "/é", "", nil},
		{"//x/../y", "//x/../y", "", nil},
		{"/?", "/", "", nil},
		{"/?a", "/", "a", map[string]string{"a": ""}},
		{"/?a=", "/", "a=", map[string]string{"a": ""}},
		{"/?a=b%20c+d&e=%26", "/", "a=b%20c+d&e=%26", map[string]string{"a": "b c d", "e": "&"}},
		{"/?a=1&b=2&a=3,4", "/", "a=1&b=2&a=3,4", map[string]string{"a": "1,3,4", "b": "2"}},
		{"/?a=%zz&b=1", "/", "a=%zz&b=1", map[string]string{"b": "1"}},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", test.target, nil)
			got := eventOf(t, r)
			if got.RawPath != test.wantPath || got.RequestContext.HTTP.Path != test.wantPath {
				t.Errorf("rawPath, path of %s = %q, %q, want %q", test.target, got.RawPath, got.RequestContext.HTTP.Path, test.wantPath)
			}
			if got.RawQueryString != test.wantQuery {
				t.Errorf("rawQueryString of %s = %q, want %q", test.target, got.RawQueryString, test.wantQuery)
			}
			if diff := cmp.Diff(test.want, got.QueryStringParameters); diff != "" {
				t.Errorf("queryStringParameters of %s (-want +got):\n%s", test.target, diff)
			}
		})
	}
}

func TestHeadersOfEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		header     http.Header
		wantHeader string
		want       string
		wantCookie []string
	}{
		{"a list with commas stays whole", http.Header{"If-None-Match": {`"a", "b"`}}, "if-none-match", `"a", "b"`, nil},
		{"forwarded already", http.Header{"X-Forwarded-For": {"203.0.113.9"}}, "x-forwarded-for", "203.0.113.9, 192.0.2.1", nil},
		{"forwarded by a liar", http.Header{"X-Forwarded-Proto": {"https"}}, "x-forwarded-proto", "http", nil},
		{"cookies", http.Header{"Cookie": {" a=b;; c=d=e ;"}}, "cookie", "", []string{"a=b", "c=d=e"}},
		{"an empty cookie header", http.Header{"Cookie": {""}}, "cookie", "", nil},
		{"an empty header", http.Header{"X-Empty": {""}}, "x-empty", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header = test.header
			got := eventOf(t, r)
			if value := got.Headers[test.wantHeader]; value != test.want {
				t.Errorf("header %s of %v = %q, want %q", test.wantHeader, test.header, value, test.want)
			}
			if diff := cmp.Diff(test.wantCookie, got.Cookies); diff != "" {
				t.Errorf("cookies of %v (-want +got):\n%s", test.header, diff)
			}
			for name := range got.Headers {
				if name != strings.ToLower(name) || name == "cookie" {
					t.Errorf("headers of %v have %q, want lower case and no cookie", test.header, name)
				}
			}
		})
	}
}

func TestBodyOfEvent(t *testing.T) {
	t.Parallel()
	const utf8Text, latinText = "caf\u00e9", "caf\xe9"
	const utf8Base64, latinBase64 = "Y2Fmw6k=", "Y2Fm6Q=="
	tests := []struct {
		contentType, body string
		want              string
		wantBase64        bool
	}{
		{"application/json", utf8Text, utf8Text, false},
		{"application/json; charset=utf-8", utf8Text, utf8Text, false},
		{"Application/JSON; Charset=\"UTF-8\"", utf8Text, utf8Text, false},
		{"application/xml", utf8Text, utf8Text, false},
		{"application/javascript", utf8Text, utf8Text, false},
		{"text/plain", utf8Text, utf8Text, false},
		{"text/csv", utf8Text, utf8Text, false},
		{"text/plain; charset=iso-8859-1", utf8Text, utf8Base64, true},
		{"text/plain", latinText, latinBase64, true},
		{"application/json", latinText, latinBase64, true},
		{"application/problem+json", utf8Text, utf8Base64, true},
		{"application/x-www-form-urlencoded", utf8Text, utf8Base64, true},
		{"application/octet-stream", utf8Text, utf8Base64, true},
		{"", utf8Text, utf8Base64, true},
		{"nonsense", utf8Text, utf8Base64, true},
		{"application/json; charset", utf8Text, utf8Base64, true},
		{"application/json", "", "", false},
		{"application/octet-stream", "", "", false},
		{"application/json", "\x00\n", "\x00\n", false},
	}
	for _, test := range tests {
		t.Run(test.contentType+" "+test.body, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("PATCH", "/", io.NopCloser(strings.NewReader(test.body)))
			r.Header.Set("Content-Type", test.contentType)
			got := eventOf(t, r)
			if got.Body != test.want || got.IsBase64Encoded != test.wantBase64 {
				t.Errorf("body of %q as %q = %q, base64 %v, want %q, base64 %v",
					test.body, test.contentType, got.Body, got.IsBase64Encoded, test.want, test.wantBase64)
			}
		})
	}
}
