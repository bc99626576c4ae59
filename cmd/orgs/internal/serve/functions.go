package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/api"
	"organizations-api/shared/store/dynamo"
)

// The functions as template.yaml has them.
const (
	functionTimeout = 10 * time.Second
	functionMemory  = 512

	// FunctionConcurrency is how many processes of one function run at a time. Further requests are throttled, as in
	// Lambda.
	FunctionConcurrency = 20
)

// Folders names the folders that the function of a method is built into: by make build, and by sam build.
var Folders = map[string][2]string{
	http.MethodGet:   {"get-organization", "GetOrganizationFunction"},
	http.MethodPatch: {"update-organization", "UpdateOrganizationFunction"},
}

// processes returns the operations, each answered by its built function, and what ends the functions' processes.
func (g *gateway) processes(operations []api.Route) ([]apigateway.Route, func(), error) {
	var (
		routes  []apigateway.Route
		running []*lambda.Function
	)
	stop := func() {
		for _, f := range running {
			f.Close()
		}
	}
	for _, operation := range operations {
		f, err := g.process(operation.Method)
		if err != nil {
			stop()
			return nil, nil, err
		}
		running = append(running, f)
		invoke := func(ctx context.Context, event []byte) ([]byte, error) {
			return f.Invoke(lambda.WithTraceID(ctx, apigateway.TraceID(ctx)), event)
		}
		routes = append(routes, apigateway.Route{Method: operation.Method, Path: operation.Path, Function: invoke})
	}
	return routes, stop, nil
}

// buildAdvice has the architecture, because make build builds for that of the template otherwise.
const buildAdvice = "build it for this machine with: make build ARCH=" + runtime.GOARCH

func (g *gateway) process(method string) (*lambda.Function, error) {
	tables := *g.store.DynamoDB
	settings := lambda.Settings{
		Name:      Folders[method][0],
		Region:    tables.Region,
		Memory:    functionMemory,
		Timeout:   functionTimeout,
		Output:    g.log,
		Variables: variables(tables, g.options.limits),
		Renew:     func(ctx context.Context) (lambda.Credentials, error) { return credentials(ctx, tables) },
	}
	for _, folder := range Folders[method] {
		path := filepath.Join(g.options.functions, folder, "bootstrap")
		if _, err := os.Stat(path); err == nil {
			settings.Bootstrap = path
		}
	}
	if settings.Bootstrap == "" {
		return nil, term.Fail(term.Failed, "no bootstrap of %s in %s; %s", settings.Name, g.options.functions, buildAdvice)
	}
	f, err := lambda.NewFunction(settings, FunctionConcurrency)
	if platform := (*lambda.PlatformError)(nil); errors.As(err, &platform) {
		return nil, term.Fail(term.Failed, "%v; %s", platform, buildAdvice)
	}
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", settings.Name, err)
	}
	return f, nil
}

// variables returns the environment that template.yaml gives to the functions, with the defaults of its parameters.
func variables(tables dynamo.Settings, limits bool) map[string]string {
	return map[string]string{
		"ORGANIZATIONS_TABLE":       tables.Tables.Organizations,
		"COUNTERS_TABLE":            tables.Tables.Counters,
		"AWS_ENDPOINT_URL_DYNAMODB": tables.Endpoint,
		"RATE_LIMITS":               map[bool]string{true: "on", false: "off"}[limits],
		"LOG_LEVEL":                 "info",
		"GOMAXPROCS":                "1",
		"SSL_CERT_DIR":              "/nonexistent",
	}
}

// credentials returns those that Lambda would give to a new process.
func credentials(ctx context.Context, tables dynamo.Settings) (lambda.Credentials, error) {
	c, err := backend.Credentials(ctx, tables)
	if err != nil {
		return lambda.Credentials{}, err
	}
	expires := time.Time{}
	if c.CanExpire {
		expires = c.Expires
	}
	return lambda.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Expires: expires,
	}, nil
}
