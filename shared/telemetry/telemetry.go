// Package telemetry writes one structured log line for each request. In AWS the line also contains the metrics, in
// CloudWatch's embedded metric format.
//
// It must import nothing but the standard library. It knows neither HTTP nor the store: its callers fill in a Request.
package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// Request describes one request and its response. It has no body, no key and no credentials, so that none can be
// logged.
type Request struct {
	ID        string // the response's X-Request-Id
	Operation string // the operationId of the contract
	Route     string // such as "GET /v1/organizations"
	Status    int
	Code      string // the response's error code; "": no error
	Started   time.Time
	Duration  time.Duration

	OrganizationID string // "": the caller was not authenticated
	KeyID          string // "": the same

	StoreCalls     int
	ReadUnits      float64 // DynamoDB read request units
	WriteUnits     float64 // DynamoDB write request units
	StoreThrottles int     // attempts that the store refused because of too many requests

	Err      error // the cause of a 5xx
	CountErr error // why the request was not counted for the rate limit
	UseErr   error // why the use of the key was not recorded
}

// Observer is called once for every request, after the response. It must be safe for concurrent use.
type Observer func(context.Context, Request)

// Log returns an Observer that writes one line for each request. The level is error for a 5xx, warn if the request
// could not be counted or the use of its key not recorded, and otherwise info. more returns further attributes for the
// line. It may be nil.
func Log(log *slog.Logger, more func(context.Context, Request) []slog.Attr) Observer {
	return func(ctx context.Context, r Request) {
		attributes := r.attributes()
		if more != nil {
			attributes = append(attributes, more(ctx, r)...)
		}
		log.LogAttrs(ctx, r.level(), "request", attributes...)
	}
}

func (r Request) level() slog.Level {
	switch {
	case r.Status >= 500:
		return slog.LevelError
	case r.CountErr != nil, r.UseErr != nil:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func (r Request) attributes() []slog.Attr {
	attributes := []slog.Attr{
		slog.String("request_id", r.ID),
		slog.String("operation", r.Operation),
		slog.String("route", r.Route),
		slog.Int("status", r.Status),
		slog.Float64("duration_ms", milliseconds(r.Duration)),
		slog.Int("store_calls", r.StoreCalls),
		slog.Float64("read_units", r.ReadUnits),
		slog.Float64("write_units", r.WriteUnits),
	}
	for _, optional := range []slog.Attr{
		slog.String("code", r.Code),
		slog.String("organization_id", r.OrganizationID),
		slog.String("key_id", r.KeyID),
	} {
		if optional.Value.String() != "" {
			attributes = append(attributes, optional)
		}
	}
	if r.Err != nil && r.Status >= 500 {
		attributes = append(attributes, slog.String("error", r.Err.Error()))
	}
	if r.CountErr != nil {
		attributes = append(attributes, slog.String("count_error", r.CountErr.Error()))
	}
	if r.UseErr != nil {
		attributes = append(attributes, slog.String("use_error", r.UseErr.Error()))
	}
	return attributes
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
