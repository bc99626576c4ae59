package boot

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"organizations-api/shared/api"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// BenchmarkEvent runs a function from the bytes of an event to the bytes of the answer, without a network. The
// transport answers the store's requests.
func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name, event, want string
		limits            bool
		operation         func(*api.Service) api.Route
	}{
		{"GET", "get.json", `{"statusCode":200`, true, (*api.Service).GetOrganization},
		{"GET/unlimited", "get.json", `{"statusCode":200`, false, (*api.Service).GetOrganization},
		{"PATCH", "update.json", `{"statusCode":200`, true, (*api.Service).UpdateOrganization},
	} {
		b.Run(c.name, func(b *testing.B) {
			db, err := dynamotest.NewCanned()
			if err != nil {
				b.Fatal(err)
			}
			handler := cannedHandler(b, db, c.limits, c.operation)
			recorded, err := os.ReadFile("../../../events/" + c.event)
			if err != nil {
				b.Fatal(err)
			}
			event, ctx := db.Event(recorded), lambdaContext()
			b.ReportAllocs()
			for b.Loop() {
				out, err := handler.Invoke(ctx, event)
				if err != nil || !strings.HasPrefix(string(out), c.want) {
					b.Fatalf("Invoke = %s, %v, want %s…", out, err, c.want)
				}
			}
		})
	}
}

// cannedHandler returns the handler of a function whose transport is db.
func cannedHandler(b *testing.B, db *dynamotest.Canned, limits bool, operation func(*api.Service) api.Route) lambda.Handler {
	b.Helper()
	c := config{
		organizationsTable: "o", countersTable: "c", rateLimits: limits, region: "eu-central-1", function: "bench", version: "1",
		accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "token",
	}
	settings := c.store()
	settings.Transport = db
	records, err := dynamo.Open(settings)
	if err != nil {
		b.Fatal(err)
	}
	adapter, err := c.connect(records, io.Discard, operation)
	if err != nil {
		b.Fatal(err)
	}
	return adapter
}

// lambdaContext returns a context like those that aws-lambda-go makes for an invocation.
func lambdaContext() context.Context {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	ctx, cancel := context.WithDeadline(ctx, time.Now().Add(time.Hour))
	_ = cancel // the context lasts until the process ends
	return traced{ctx, "Root=1-67891233-abcdef012345678912345678;Sampled=0"}
}
