package telemetry_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"organizations-api/shared/telemetry"
)

func BenchmarkLine(b *testing.B) {
	more := func(_ context.Context, r telemetry.Request) []slog.Attr {
		return r.Embedded(telemetry.Function{Name: "get-organization", Version: "7"}, false)
	}
	observe := telemetry.Log(slog.New(slog.NewJSONHandler(io.Discard, nil)), more)
	r := request(func(*telemetry.Request) {})
	b.ReportAllocs()
	for b.Loop() {
		observe(context.Background(), r)
	}
}
