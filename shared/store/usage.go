package store

import "context"

// Usage is what the store was asked for while one request was served.
type Usage struct {
	Calls      int
	ReadUnits  float64 // of DynamoDB; other engines have none
	WriteUnits float64
	Throttles  int // attempts after which the engine asked to slow down
}

type usageKey struct{}

// WithUsage returns a context under which an engine adds to the Usage. One request, which is one goroutine, uses it.
func WithUsage(ctx context.Context) (context.Context, *Usage) {
	u := new(Usage)
	return context.WithValue(ctx, usageKey{}, u), u
}

// UsageOf returns the Usage to add to. Where nobody asked for one, it is one that nobody reads.
func UsageOf(ctx context.Context) *Usage {
	if u, ok := ctx.Value(usageKey{}).(*Usage); ok {
		return u
	}
	return new(Usage)
}
