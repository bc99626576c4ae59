package apigateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/local/apigateway"
)

// recordedEvent returns an event of an HTTP API from the test data of aws-lambda-go, and the same event as a JSON
// value. It finds the file in Go's module cache.
func recordedEvent(t *testing.T, name string) (e event, all map[string]any) {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	if err != nil {
		t.Fatalf("finding aws-lambda-go: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "events/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return e, all
}

// TestRecordedEvent repeats a request whose event was recorded in AWS. The gateway's event is the same, member by
// member, except for what docs/local.md lists: what names the API and its certificate, and the address that the
// caller used.
func TestRecordedEvent(t *testing.T) {
	t.Parallel()
	recorded, want := recordedEvent(t, "apigw-v2-request-no-authorizer.json")
	r := httptest.NewRequest(recorded.RequestContext.HTTP.Method, recorded.RawPath, nil)
	r.Host = recorded.RequestContext.DomainName
	r.RemoteAddr = recorded.RequestContext.HTTP.SourceIP + ":1234"
	for _, name := range []string{"accept", "user-agent", "x-amzn-trace-id"} {
		r.Header.Set(name, recorded.Headers[name])
	}
	var got map[string]any
	f := func(_ context.Context, text []byte) ([]byte, error) { return []byte(`{}`), json.Unmarshal(text, &got) }
	serveOptions(t, apigateway.Options{
		Routes: []apigateway.Route{{Method: r.Method, Path: r.URL.Path, Function: f}},
		Now:    func() time.Time { return time.UnixMilli(recorded.RequestContext.TimeEpoch) },
		Logger: quiet(),
	}, r)

	wantContext, gotContext := want["requestContext"].(map[string]any), got["requestContext"].(map[string]any)
	delete(wantContext, "authentication") // of mutual TLS
	for _, name := range []string{"accountId", "apiId", "requestId"} {
		if _, ok := gotContext[name].(string); !ok {
			t.Errorf("requestContext.%s = %v, want a text", name, gotContext[name])
		}
		gotContext[name] = wantContext[name]
	}
	// The recorded API had the route $default; the gateway's routes name a method and a path.
	for _, members := range []map[string]any{got, gotContext} {
		if members["routeKey"] != "GET /" {
			t.Errorf("routeKey = %v, want GET /", members["routeKey"])
		}
		members["routeKey"] = "$default"
	}
	headers := got["headers"].(map[string]any)
	if headers["x-forwarded-proto"] != "http" || headers["x-forwarded-port"] != "80" {
		t.Errorf("headers = %v, want those of a request without TLS", headers)
	}
	headers["x-forwarded-proto"], headers["x-forwarded-port"] = "https", "443"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-recorded +here):\n%s", diff)
	}
}

// kinds returns the kind of each member of a JSON value, by its path. Members of maps with free names count as one.
func kinds(path string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		into[path] = "object"
		for name, member := range v {
			switch path {
			case ".headers", ".queryStringParameters", ".pathParameters", ".stageVariables":
				name = "*"
			}
			kinds(path+"."+name, member, into)
		}
	default:
		into[path] = fmt.Sprintf("%T", v)
	}
}

// TestMembersOfEvents: every member of the gateway's event is in a recorded or in the documented event, with the same
// kind of value. The documented event is the example of payload format 2.0 in the API Gateway Developer Guide.
func TestMembersOfEvents(t *testing.T) {
	t.Parallel()
	known := map[string]string{}
	for _, name := range []string{"apigw-v2-request-no-authorizer.json", "apigw-v2-request-iam.json"} {
		_, all := recordedEvent(t, name)
		kinds("", all, known)
	}
	r := httptest.NewRequest("PATCH", "/a?b=c", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "d=e")
	here := map[string]string{}
	f := func(_ context.Context, text []byte) ([]byte, error) {
		var all map[string]any
		err := json.Unmarshal(text, &all)
		kinds("", all, here)
		return []byte(`{}`), err
	}
	if got := serve(t, f, r).StatusCode; got != 200 {
		t.Fatalf("status = %d, want 200", got)
	}
	absent := map[string]bool{} // what an API without authorizers, mutual TLS, parameters in its paths and stage variables lacks
	for path, kind := range known {
		switch {
		case strings.HasPrefix(path, ".requestContext.authorizer"), strings.HasPrefix(path, ".requestContext.authentication"),
			strings.HasPrefix(path, ".pathParameters"), strings.HasPrefix(path, ".stageVariables"):
			absent[path] = true
		case here[path] != kind:
			t.Errorf("%s is %q, want %q as in AWS", path, here[path], kind)
		}
	}
	for path, kind := range here {
		if absent[path] || known[path] == "" {
			t.Errorf("%s is a %s, which no event of AWS has here", path, kind)
		}
	}
}
