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

// BenchmarkEvent goes from an event to an answer as a function does, both as JSON, without a network: the store's requests
// are answered where they would be sent.
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

// cannedHandler is a function as it is started, but for the network.
func cannedHandler(b *testing.B, db *dynamotest.Canned, limits bool, operation func(*api.Service) api.Route) lambda.Handler {
	b.Helper()
	c := config{
		organizationsTable: "o", countersTable: "c", rateLimits: limits, region: "eu-central-1", function: "bench",
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

// lambdaContext is a context as aws-lambda-go makes it for an invocation.
func lambdaContext() context.Context {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	ctx, cancel := context.WithDeadline(ctx, time.Now().Add(time.Hour))
	_ = cancel // when the process ends
	return traced{ctx, "Root=1-67891233-abcdef012345678912345678;Sampled=0"}
}
