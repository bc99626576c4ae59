package api_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/lambdahttp"
)

// TestRouting sends events of every stage. Their paths are those that API Gateway, sam local or a custom domain's API
// mapping sends for an operation. The service ignores the stage, so no name of a stage breaks the routing.
func TestRouting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	function := lambdahttp.New(w.handler(t, http.MethodGet), slog.New(slog.DiscardHandler))
	const own = "/v1/organizations"
	stages := []string{"$default", "", "prod", "v1", "V1", "organizations", "v1organizations", "api"}
	mappings := []string{"", "v1", "orgs", "organizations", "a/b", "v1/organizations"}
	send := func(stage, path string) int {
		event := events.APIGatewayV2HTTPRequest{
			Version: "2.0", RawPath: path, Headers: map[string]string{"authorization": "Bearer " + w.key.Reveal()},
		}
		event.RequestContext.Stage, event.RequestContext.HTTP.Method = stage, http.MethodGet
		answer, err := function.Handle(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	for _, stage := range stages {
		paths := []string{own, "/" + stage + own}
		for _, mapping := range mappings {
			paths = append(paths, "/"+mapping+own, "/"+mapping+"/"+stage+own, "/"+stage+"/"+mapping+own)
		}
		for _, path := range paths {
			if got := send(stage, path); got != http.StatusOK {
				t.Errorf("GET %s in the stage %q = %d, want 200", path, stage, got)
			}
		}
		for _, path := range []string{
			"", "/", "/v1", "/organizations", "/" + stage, own + "/", own + "/" + stage, own + "x", "/x" + own[1:], "/v2/organizations",
			strings.ToUpper(own), "/v1//organizations", "v1/organizations",
		} {
			if path != own && strings.HasSuffix(path, own) {
				continue // a stage makes it the operation's path
			}
			if got := send(stage, path); got != http.StatusNotFound {
				t.Errorf("GET %s in the stage %q = %d, want 404", path, stage, got)
			}
		}
	}
}
