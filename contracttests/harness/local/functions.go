package local

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/operator"
	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// functions returns the functions' names in template.yaml, by the methods that they answer.
func functions() map[string]string {
	return map[string]string{http.MethodGet: "GetOrganizationFunction", http.MethodPatch: "UpdateOrganizationFunction"}
}

// concurrency is larger than any check needs, so that no request is throttled.
const concurrency = 64

// BuiltFunctions returns the service as the deployed processes, behind the gateway and on DynamoDB Local. They are
// built as for Lambda, but for this machine's processor. It needs make, and Linux.
func BuiltFunctions(t testing.TB) *harness.Subject {
	t.Helper()
	folder := buildFunctions(t)
	settings := dynamotest.Settings(t, dynamotest.Prefix())
	op := operator.New(NewTables(t, settings), nil)
	start := func(endpoint string) harness.Target {
		t.Helper()
		handler, err := runFunctions(t, folder, settings, endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return harness.HandlerTarget(handler)
	}
	subject := &harness.Subject{
		Name:      "bootstraps",
		Target:    start(settings.Endpoint),
		Validator: harness.BehindGateway(),
		Provision: op.Provision,
		Revoke:    op.Revoke,
	}
	failWith(subject, func(fault harness.Fault) harness.Target {
		return start(faultyEndpoint(t, settings.Endpoint, fault))
	})
	return subject
}

// BuildOrgs builds the command in the folder and returns its path. It builds it as make does, also where make test-race
// has cgo on, so that Go need not compile it again.
func BuildOrgs(folder string) (string, error) {
	binary := filepath.Join(folder, "orgs")
	build := exec.Command("go", "build", "-o", binary, "organizations-api/cmd/orgs")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building orgs: %w\n%s", err, out)
	}
	return binary, nil
}

// buildFunctions runs the make targets that sam build runs. It returns a folder that has a folder for each function.
func buildFunctions(t testing.TB) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("finding the project: %v", err)
	}
	dir := t.TempDir()
	for _, name := range functions() {
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		build := exec.CommandContext(t.Context(), "make", "--no-print-directory", "build-"+name,
			"ARTIFACTS_DIR="+folder, "ARCH="+runtime.GOARCH)
		build.Dir = filepath.Dir(strings.TrimSpace(string(module)))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("make build-%s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// runFunctions returns the functions behind the gateway, on the DynamoDB at the endpoint. Their processes start with
// the first requests and end with the test.
func runFunctions(t testing.TB, folder string, tables dynamo.Settings, endpoint string) (http.Handler, error) {
	t.Helper()
	var routes []apigateway.Route
	for method, name := range functions() {
		function, err := lambda.NewFunction(lambda.Settings{
			Bootstrap:   filepath.Join(folder, name, "bootstrap"),
			Name:        name,
			Region:      tables.Region,
			Timeout:     10 * time.Second,
			Credentials: lambda.Credentials{AccessKeyID: "local", SecretAccessKey: "local"},
			Variables: map[string]string{
				"ORGANIZATIONS_TABLE": tables.Tables.Organizations, "COUNTERS_TABLE": tables.Tables.Counters,
				"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "RATE_LIMITS": "on",
				"LOG_LEVEL": "info", "GOMAXPROCS": "1", "SSL_CERT_DIR": "/nonexistent",
			},
		}, concurrency)
		if err != nil {
			return nil, fmt.Errorf("running %s: %w", name, err)
		}
		t.Cleanup(function.Close)
		invoke := func(ctx context.Context, event []byte) ([]byte, error) {
			return function.Invoke(lambda.WithTraceID(ctx, apigateway.TraceID(ctx)), event)
		}
		routes = append(routes, apigateway.Route{Method: method, Path: harness.Path, Function: invoke})
	}
	return apigateway.New(apigateway.Options{Routes: routes, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
}
