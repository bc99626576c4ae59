// Package telemetry is what a request leaves behind: one structured log line, which in AWS carries the metrics as well, in
// CloudWatch's embedded metric format.
//
// It must import nothing but the standard library: it is told what happened and knows neither HTTP nor stores.
package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// Request is what there is to tell of one request. It has no body, no key and no credential, so that no log can.
type Request struct {
	ID        string // X-Request-Id of the response
	Operation string // operationId of the contract
	Route     string // such as "GET /v1/organizations"
	Status    int
	Code      string // of an error
	Started   time.Time
	Duration  time.Duration

	OrganizationID string // "" where the caller was not authenticated
	KeyID          string

	StoreCalls     int
	ReadUnits      float64 // DynamoDB read request units
	WriteUnits     float64 // DynamoDB write request units
	StoreThrottles int     // attempts that the store asked to slow down

	Err      error // the cause of a 5xx
	CountErr error // why the request was not counted for the rate limit
	UseErr   error // why the use of the key was not noted
}

// Observer is told of every request, once, when it has been answered. It must be safe for concurrent use.
type Observer func(context.Context, Request)

// Log returns an Observer that writes a line for each request: at the level error for a 5xx, at warn where a request could
// not be counted or its key's use not noted, and else at info. more adds attributes; it may be nil.
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
