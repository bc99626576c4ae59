package apigateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"organizations-api/local/apigateway"
)

// crossOriginOf returns the CORS headers of a response.
func crossOriginOf(r *http.Response) map[string]string {
	all := make(map[string]string)
	for name, values := range r.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			all[name] = strings.Join(values, " and ")
		}
	}
	return all
}

func TestCORS(t *testing.T) {
	t.Parallel()
	preflight := func(origin string) map[string]string {
		return map[string]string{
			"Access-Control-Allow-Origin":  origin,
			"Access-Control-Allow-Methods": "GET,PATCH",
			"Access-Control-Allow-Headers": "authorization,content-type",
			"Access-Control-Max-Age":       "600",
		}
	}
	response := func(origin string) map[string]string {
		return map[string]string{"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "etag"}
	}
	const app, other = "https://app.example.com", "http://localhost:3000"
	tests := []struct {
		name       string
		origins    []string
		method     string
		path       string
		origin     string
		asks       string // Access-Control-Request-Method
		wantStatus int
		want       map[string]string
	}{
		{"preflight", []string{other, app}, "OPTIONS", "/a", app, "PATCH", 204, preflight(app)},
		{"preflight for another method, which the browser refuses", []string{app}, "OPTIONS", "/a", app, "PUT", 204, preflight(app)},
		{"preflight of no route", []string{app}, "OPTIONS", "/b", app, "GET", 204, preflight(app)},
		{"preflight from elsewhere", []string{app}, "OPTIONS", "/a", other, "GET", 204, nil},
		{"preflight from a longer origin", []string{app}, "OPTIONS", "/a", app + ".example.org", "GET", 204, nil},
		{"OPTIONS that asks for no method", []string{app}, "OPTIONS", "/a", app, "", 204, nil},
		{"OPTIONS without an origin", []string{app}, "OPTIONS", "/a", "", "GET", 204, nil},
		{"OPTIONS that has a route", []string{app}, "OPTIONS", "/options", app, "GET", 200, response(app)},
		{"everybody", []string{"*"}, "OPTIONS", "/a", app, "GET", 204, preflight("*")},
		{"a scheme", []string{"https://*"}, "OPTIONS", "/a", app, "GET", 204, preflight(app)},
		{"another scheme", []string{"https://*"}, "OPTIONS", "/a", other, "GET", 204, nil},
		{"preflight, off", nil, "OPTIONS", "/a", app, "GET", 404, nil},

		{"response", []string{app}, "GET", "/a", app, "", 200, response(app)},
		{"response to everybody", []string{"*"}, "GET", "/a", app, "", 200, response("*")},
		{"response to elsewhere", []string{app}, "GET", "/a", other, "", 200, nil},
		{"response to no page", []string{app}, "GET", "/a", "", "", 200, nil},
		{"the gateway's own response", []string{app}, "GET", "/b", app, "", 404, nil},
		{"response, off", nil, "GET", "/a", app, "", 200, map[string]string{"Access-Control-Allow-Origin": "the function's", "Access-Control-Max-Age": "1"}},
	}
	f := returns(events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{
		"access-control-allow-origin": "the function's", "Access-Control-Max-Age": "1",
	}})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(test.method, test.path, nil)
			for name, value := range map[string]string{"Origin": test.origin, "Access-Control-Request-Method": test.asks} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			response := serveOptions(t, apigateway.Options{
				Routes: []apigateway.Route{{Method: "GET", Path: "/a", Function: f}, {Method: "OPTIONS", Path: "/options", Function: f}},
				Now:    now, Logger: quiet(),
				CORS: apigateway.CORS{
					Origins: test.origins, Methods: []string{"GET", "PATCH"}, Headers: []string{"authorization", "content-type"},
					Exposed: []string{"etag"}, MaxAge: 10 * time.Minute,
				},
			}, r)
			if response.StatusCode != test.wantStatus || response.Header.Get("Apigw-Requestid") == "" {
				t.Errorf("%s %s = %d %v, want %d and a request id", test.method, test.path, response.StatusCode, response.Header, test.wantStatus)
			}
			want := test.want
			if want == nil {
				want = map[string]string{}
			}
			gateway := test.path == "/b" && test.method == "GET" // which answers all origins alike
			if got := response.Header.Get("Vary"); (got == "Origin") != (test.origins != nil && !gateway) {
				t.Errorf("Vary = %q, want Origin if and only if the answer depends on it", got)
			}
			if diff := cmp.Diff(want, crossOriginOf(response)); diff != "" {
				t.Errorf("CORS headers (-want +got):\n%s", diff)
			}
		})
	}
}
