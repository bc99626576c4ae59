package local

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/store/dynamo"
)

// bootstraps are the functions by the methods that they answer, under the names that template.yaml has for them.
func bootstraps() map[string]string {
	return map[string]string{http.MethodGet: "GetOrganizationFunction", http.MethodPatch: "UpdateOrganizationFunction"}
}

// concurrency is more than any check needs, so that no request is throttled.
const concurrency = 64

// Bootstraps returns the service as the processes that are deployed, built as they are for Lambda but for this machine's
// processor, behind the gateway and on DynamoDB Local. It needs make, and Linux.
func Bootstraps(t testing.TB) *harness.Subject {
	t.Helper()
	folder := buildBootstraps(t)
	engine, settings := newTables(t)
	start := func(endpoint string) harness.Target {
		t.Helper()
		handler, err := runBootstraps(t, folder, settings, endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return harness.HandlerTarget(handler)
	}
	validator, err := GatewayValidator()
	if err != nil {
		t.Fatal(err)
	}
	faulty := map[harness.Fault]harness.Target{}
	for _, fault := range faults() {
		faulty[fault] = start(faultyEndpoint(t, settings.Endpoint, fault))
	}
	operator := &operator{engine: engine, keys: map[string]string{}}
	return &harness.Subject{
		Name:      onBootstraps,
		Target:    start(settings.Endpoint),
		Validator: validator,
		Provision: operator.provision,
		Revoke:    operator.revoke,
		Faulty:    func(f harness.Fault) harness.Target { return faulty[f] },
	}
}

// buildBootstraps calls what sam build calls, and returns the folder with a folder for each function.
func buildBootstraps(t testing.TB) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("finding the project: %v", err)
	}
	dir := t.TempDir()
	for _, name := range bootstraps() {
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		build := exec.CommandContext(t.Context(), "make", "--no-print-directory", "build-"+name, "ARTIFACTS_DIR="+folder, "ARCH="+runtime.GOARCH)
		build.Dir = filepath.Dir(strings.TrimSpace(string(module)))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("make build-%s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// runBootstraps returns the functions behind the gateway, on the DynamoDB at the endpoint. Their processes start with
// the first requests and end with the test.
func runBootstraps(t testing.TB, folder string, tables dynamo.Settings, endpoint string) (http.Handler, error) {
	t.Helper()
	var routes []apigateway.Route
	for method, name := range bootstraps() {
		function, err := lambda.NewFunction(lambda.Settings{
			Bootstrap:   filepath.Join(folder, name, "bootstrap"),
			Name:        name,
			Region:      tables.Region,
			Timeout:     10 * time.Second,
			Credentials: lambda.Credentials{AccessKeyID: "local", SecretAccessKey: "local"},
			Variables: map[string]string{
				"ORGANIZATIONS_TABLE": tables.Tables.Organizations, "COUNTERS_TABLE": tables.Tables.Counters,
				"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "RATE_LIMITS": "on", "GOMAXPROCS": "1",
			},
		}, concurrency)
		if err != nil {
			return nil, fmt.Errorf("running %s: %w", name, err)
		}
		t.Cleanup(function.Close)
		routes = append(routes, apigateway.Route{Method: method, Path: "/v1/organizations", Function: apigateway.Remote(function.Invoke)})
	}
	return apigateway.New(apigateway.Options{Routes: routes, Now: time.Now, Logger: quiet()})
}
