// Package boot is the common part of the Lambda functions' mains. It reads the environment, connects the API to the
// DynamoDB store and the Lambda runtime, and starts.
//
// This package must import neither SQLite nor anything else that a function can do without: a new sandbox starts all
// that is linked here.
package boot

import (
	"context"
	"io"
	"log"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/telemetry"
)

// Main serves one operation of the API until Lambda ends the process. If the configuration is wrong, it logs the reason
// and exits.
func Main(operation func(*api.Service) api.Route) {
	own := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	log.SetOutput(telemetry.Libraries(own)) // no writer but ours reaches the log
	handler, err := newHandler(os.Getenv, os.Stdout, operation)
	if err != nil {
		own.Error("the function cannot start", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.Start(handler)
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
	return c.connect(records, logs, operation)
}

// connect returns the handler of events for the operation on the store, after a first call of the store.
func (c config) connect(
	records *dynamo.Store, logs io.Writer, operation func(*api.Service) api.Route,
) (*lambdahttp.Adapter, error) {
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: c.logLevel}))
	options := api.Options{Records: records, Uses: records, Now: time.Now, Observe: observer(logs, telemetry.Function{Name: c.function, Version: c.version})}
	if c.rateLimits {
		options.Counters = records
	}
	service, err := api.New(options)
	if err != nil {
		return nil, err
	}
	prepare(service)
	return lambdahttp.New(operation(service).Handler, log), nil
}

// prepareTimeout is the longest that the first call may delay a cold start if DynamoDB does not answer.
const prepareTimeout = time.Second

// prepare makes the first call of DynamoDB while the sandbox starts, when Lambda gives it a whole CPU. So the TLS
// handshake, and the first use of the SDK, cost least.
func prepare(service *api.Service) {
	ctx, cancel := context.WithTimeout(context.Background(), prepareTimeout)
	defer cancel()
	service.Prepare(ctx)
}

// traceKey is the key under which aws-lambda-go's contexts hold the X-Ray header of an invocation.
const traceKey = "x-amzn-trace-id"

// observer returns the observer that logs a line for each request. The line has the metrics, and data that only Lambda
// knows. It ignores LOG_LEVEL, because without the line the request would be missing in the metrics.
func observer(logs io.Writer, function telemetry.Function) telemetry.Observer {
	log := slog.New(slog.NewJSONHandler(logs, nil))
	var warm atomic.Bool // since the first request of this sandbox
	return telemetry.Log(log, func(ctx context.Context, r telemetry.Request) []slog.Attr {
		cold := !warm.Swap(true)
		attributes := []slog.Attr{slog.Bool("cold_start", cold)}
		if trace, ok := ctx.Value(traceKey).(string); ok && trace != "" {
			attributes = append(attributes, slog.String("trace_id", trace))
		}
		if invocation, ok := lambdacontext.FromContext(ctx); ok {
			attributes = append(attributes, slog.String("lambda_request_id", invocation.AwsRequestID))
		}
		return append(attributes, r.Embedded(function, cold)...)
	})
}
