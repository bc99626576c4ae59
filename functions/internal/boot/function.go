// Package boot is what the mains of the Lambda functions have in common: it reads the environment, connects the
// DynamoDB store, the API and the Lambda runtime, and starts.
//
// It must import neither SQLite nor anything else that a function does not need: what is linked here starts with every
// new sandbox.
package boot

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/store/dynamo"
)

// Main serves one operation of the API until Lambda ends the process. A configuration that cannot work ends it at once,
// with the reason in the log.
func Main(operation func(*api.Service) api.Route) {
	handle, err := newHandler(os.Getenv, os.Stdout, operation)
	if err != nil {
		slog.New(slog.NewJSONHandler(os.Stdout, nil)).Error("the function cannot start", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.Start(handle)
}

func newHandler(
	getenv func(string) string, logs io.Writer, operation func(*api.Service) api.Route,
) (*lambdahttp.Adapter, error) {
	c, err := readConfig(getenv)
	if err != nil {
		return nil, err
	}
	records, err := dynamo.Open(c.store())
	if err != nil {
		return nil, err
	}
	handle, err := c.connect(records, logs, operation)
	if err != nil {
		return nil, err
	}
	prime(records)
	return handle, nil
}

// connect puts the operation between the events and the store.
func (c config) connect(
	records *dynamo.Store, logs io.Writer, operation func(*api.Service) api.Route,
) (*lambdahttp.Adapter, error) {
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: c.logLevel}))
	options := api.Options{Records: records, Uses: records, Now: time.Now, Observe: observer(logs, c.function)}
	if c.rateLimits {
		options.Counters = records
	}
	service, err := api.New(options)
	if err != nil {
		return nil, err
	}
	return lambdahttp.New(operation(service).Handler, log), nil
}
