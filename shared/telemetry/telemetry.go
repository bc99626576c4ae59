// Package telemetry writes one structured log line for each request. In AWS the line also contains the metrics, in
// CloudWatch's embedded metric format.
//
// It must import nothing but the standard library. It knows neither HTTP nor the store: its callers fill in a Request.
package telemetry

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
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

// Namespace is the CloudWatch namespace of the metrics.
const Namespace = "OrganizationsAPI"

// The units of the metrics, by their names in CloudWatch's API reference (MetricDatum).
const (
	count  = "Count"
	millis = "Milliseconds"
)

// serverErrors is the name of the metric that alarms guard deployments by.
const serverErrors = "ServerErrors"

// metric is one measured value of a request.
type metric struct {
	name, unit string
	value      float64
}

// metrics returns the metrics of a request. It includes those that are 0, as an alarm cannot use a sum without data.
func (r Request) metrics(coldStart bool) []metric {
	is := func(condition bool) float64 {
		if condition {
			return 1
		}
		return 0
	}
	return []metric{
		{"Requests", count, 1},
		{"Successes", count, is(r.Status < 400)},
		{"ClientErrors", count, is(r.Status >= 400 && r.Status < 500)},
		{serverErrors, count, is(r.Status >= 500)},
		{"RateLimited", count, is(r.Status == 429)},
		{"Latency", millis, milliseconds(r.Duration)},
		{"ColdStarts", count, is(coldStart)},
		{"StoreThrottles", count, float64(r.StoreThrottles)},
		{"UncountedRequests", count, is(r.CountErr != nil)},
		{"ReadUnits", count, r.ReadUnits},
		{"WriteUnits", count, r.WriteUnits},
	}
}

// The JSON of the embedded metric format ("Specification: Embedded metric format" in the CloudWatch User Guide). The
// member _aws declares the names of the metrics. Their values are members of the log line with these names.
type (
	directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []declaration
	}
	declaration struct {
		Name string
		Unit string
	}
)

// embedded is the value of _aws. The directives are encoded only once.
type embedded struct {
	started    int64 // when the request began, in milliseconds since 1970
	directives []byte
}

// MarshalJSON returns the JSON of _aws. The error is always nil.
func (e embedded) MarshalJSON() ([]byte, error) {
	const room = 64 // for the time and the names of the two members
	text := make([]byte, 0, room+len(e.directives))
	text = strconv.AppendInt(append(text, `{"Timestamp":`...), e.started, 10)
	return append(append(append(text, `,"CloudWatchMetrics":`...), e.directives...), '}'), nil
}

// directives returns the JSON that declares all metrics of a request.
var directives = sync.OnceValue(func() []byte { return encode(allMetrics()) })

// faultDirectives is directives for a request that was answered with a 5xx. It also declares ServerErrors by the
// version of the function, which the alarms that guard a deployment watch. Other requests do not have that metric:
// while there are no faults, it costs nothing.
var faultDirectives = sync.OnceValue(func() []byte {
	return encode(allMetrics(), directive{
		Namespace:  Namespace,
		Dimensions: [][]string{{dimension, versionDimension}},
		Metrics:    []declaration{{Name: serverErrors, Unit: count}},
	})
})

func allMetrics() directive {
	d := directive{Namespace: Namespace, Dimensions: [][]string{{dimension}}}
	for _, m := range (Request{}).metrics(false) {
		d.Metrics = append(d.Metrics, declaration{Name: m.name, Unit: m.unit})
	}
	return d
}

func encode(all ...directive) []byte {
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // strings always encode
	}
	return text
}

// dimension is the attribute that separates the metrics: the name of the function, which serves one operation of one
// stack. The organization is not a dimension, as every tenant would then have metrics of its own, and each metric costs
// money. The log line names the organization.
const dimension = "function_name"

// versionDimension is the attribute of a fault with the version of the function, such as "12".
const versionDimension = "function_version"

// Function says which Lambda function served a request. Neither field may be empty.
type Function struct {
	Name    string
	Version string // "$LATEST", or a number
}

// Embedded returns the attributes from which CloudWatch takes the metrics of the request.
func (r Request) Embedded(function Function, coldStart bool) []slog.Attr {
	metrics := r.metrics(coldStart)
	attributes := make([]slog.Attr, 0, len(metrics)+3)
	attributes = append(attributes, slog.String(dimension, function.Name))
	aws := embedded{started: r.Started.UnixMilli(), directives: directives()}
	if r.Status >= 500 {
		attributes = append(attributes, slog.String(versionDimension, function.Version))
		aws.directives = faultDirectives()
	}
	for _, m := range metrics {
		attributes = append(attributes, slog.Float64(m.name, m.value))
	}
	return append(attributes, slog.Any("_aws", aws))
}
