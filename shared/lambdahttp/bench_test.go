package lambdahttp_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"organizations-api/shared/lambdahttp"
)

// BenchmarkEvent answers an event by a handler that does nothing.
func BenchmarkEvent(b *testing.B) {
	event, err := os.ReadFile("../../events/get.json")
	if err != nil {
		b.Fatal(err)
	}
	nothing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/organizations" || r.Header.Get("Authorization") == "" {
			b.Errorf("the request is %s %s", r.Method, r.URL)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	handler := lambdahttp.New(nothing, slog.New(slog.NewTextHandler(io.Discard, nil)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handler.Invoke(context.Background(), event); err != nil {
			b.Fatal(err)
		}
	}
}
