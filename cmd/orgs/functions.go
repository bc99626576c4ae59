package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/api"
	"organizations-api/shared/store/dynamo"
)

// functionSettings returns what built functions need to use the tables: variables as template.yaml sets them, and the
// credentials that Lambda would give them, anew for each process. The template's LOG_LEVEL is not among the variables, as
// it has the functions' own default, nor is SSL_CERT_DIR, which is about the image that Lambda runs; process adds RATE_LIMITS.
func functionSettings(ctx context.Context, s dynamo.Settings) (*lambda.Settings, error) {
	renew := func(ctx context.Context) (lambda.Credentials, error) {
		c, err := s.Credentials.Retrieve(ctx)
		if err != nil {
			return lambda.Credentials{}, fail(kindNoAccess,
				"no AWS credentials: %v; sign in as for the AWS CLI, such as with AWS_PROFILE", err)
		}
		expires := time.Time{}
		if c.CanExpire {
			expires = c.Expires
		}
		return lambda.Credentials{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Expires: expires,
		}, nil
	}
	if _, err := renew(ctx); err != nil {
		return nil, err
	}
	return &lambda.Settings{
		Region: s.Region,
		Renew:  renew,
		Variables: map[string]string{
			"ORGANIZATIONS_TABLE":       s.Tables.Organizations,
			"COUNTERS_TABLE":            s.Tables.Counters,
			"AWS_ENDPOINT_URL_DYNAMODB": s.Endpoint,
			"GOMAXPROCS":                "1",
		},
	}, nil
}

// The functions as template.yaml has them.
const (
	functionTimeout     = 10 * time.Second
	functionMemory      = 512
	functionConcurrency = 20 // processes of one function at a time; beyond that requests are throttled, as in Lambda
)

// processes returns the operations, each answered by the bootstrap in the folder that is built for it, and what ends the
// processes.
func (a *app) processes(operations []api.Route, s *storage, limits bool, dir string) ([]apigateway.Route, func(), error) {
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
		f, err := a.process(operation.Method, s, limits, dir)
		if err != nil {
			stop()
			return nil, nil, err
		}
		running = append(running, f)
		routes = append(routes, apigateway.Route{Method: operation.Method, Path: operation.Path, Function: invocation(f)})
	}
	return routes, stop, nil
}

// builtAs names the folders that a method's function is built into, by make build and by sam build.
var builtAs = map[string][]string{
	http.MethodGet:   {"get-organization", "GetOrganizationFunction"},
	http.MethodPatch: {"update-organization", "UpdateOrganizationFunction"},
}

func (a *app) process(method string, s *storage, limits bool, dir string) (*lambda.Function, error) {
	settings := *s.functions
	settings.Name = builtAs[method][0]
	settings.Timeout, settings.Memory, settings.Output = functionTimeout, functionMemory, a.stderr
	settings.Variables = maps.Clone(settings.Variables)
	settings.Variables["RATE_LIMITS"] = map[bool]string{true: "on", false: "off"}[limits]
	for _, folder := range builtAs[method] {
		path := filepath.Join(dir, folder, "bootstrap")
		if _, err := os.Stat(path); err == nil {
			settings.Bootstrap = path
		}
	}
	if settings.Bootstrap == "" {
		return nil, fail(kindFailed, "no bootstrap of %s in %s; build it with: make build", settings.Name, dir)
	}
	f, err := lambda.NewFunction(settings, functionConcurrency)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", settings.Name, err)
	}
	return f, nil
}

// invocation returns the function as the gateway calls it.
func invocation(f *lambda.Function) apigateway.Function {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (out events.APIGatewayV2HTTPResponse, err error) {
		payload, err := json.Marshal(event)
		if err != nil {
			return out, fmt.Errorf("encoding an event: %w", err)
		}
		answer, err := f.Invoke(ctx, payload)
		if err != nil {
			return out, err
		}
		if err := json.Unmarshal(answer, &out); err != nil {
			return out, fmt.Errorf("decoding the function's answer: %w", err)
		}
		return out, nil
	}
}
