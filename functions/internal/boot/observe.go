package boot

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"organizations-api/shared/telemetry"
)

// traceKey is the key under which aws-lambda-go's contexts hold the X-Ray header of an invocation.
const traceKey = "x-amzn-trace-id"

// observer returns what writes a function's line for each request, with what only Lambda knows of it and with the metrics
// in it. LOG_LEVEL does not hold these lines back: they are the metrics.
func observer(logs io.Writer, function string) telemetry.Observer {
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
