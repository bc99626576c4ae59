package telemetry

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "OrganizationsAPI"

// The units of metrics that are used here (API reference of CloudWatch, MetricDatum).
const (
	count  = "Count"
	millis = "Milliseconds"
)

// metric is one value of a request and its unit.
type metric struct {
	name, unit string
	value      float64
}

// metrics returns what a request is counted as. Zeros are sent too: a sum of no data is no number to alarm on.
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
		{"ServerErrors", count, is(r.Status >= 500)},
		{"RateLimited", count, is(r.Status == 429)},
		{"Latency", millis, milliseconds(r.Duration)},
		{"ColdStarts", count, is(coldStart)},
		{"StoreThrottles", count, float64(r.StoreThrottles)},
		{"UncountedRequests", count, is(r.CountErr != nil)},
		{"ReadUnits", count, r.ReadUnits},
		{"WriteUnits", count, r.WriteUnits},
	}
}

// The shape of the embedded metric format ("Specification: Embedded metric format" in the CloudWatch User Guide). The
// values stand beside _aws, under the names that it declares.
type (
	directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []declared
	}
	declared struct {
		Name string
		Unit string
	}
)

// embedded is the value of _aws: when a request began, in milliseconds since 1970. The rest of it is the same for every
// request, and encoded once.
type embedded int64

// MarshalJSON never fails.
func (e embedded) MarshalJSON() ([]byte, error) {
	const longest = 64 // of the time and its name
	text := make([]byte, 0, longest+len(directives()))
	text = strconv.AppendInt(append(text, `{"Timestamp":`...), int64(e), 10)
	return append(append(append(text, `,"CloudWatchMetrics":`...), directives()...), '}'), nil
}

// directives declares all metrics of a request.
var directives = sync.OnceValue(func() []byte {
	var declarations []declared
	for _, m := range (Request{}).metrics(false) {
		declarations = append(declarations, declared{Name: m.name, Unit: m.unit})
	}
	text, err := json.Marshal([]directive{{Namespace: Namespace, Dimensions: [][]string{{dimension}}, Metrics: declarations}})
	if err != nil {
		panic(err) // strings always encode
	}
	return text
})

// dimension is the attribute by which metrics are told apart: the function, which belongs to one operation of one stack.
// One by organization would be a metric, and a price, for each tenant; the log line answers that.
const dimension = "function_name"

// Embedded returns the attributes that make CloudWatch take metrics from the request's line. function is the name of the
// Lambda function; it must not be empty.
func (r Request) Embedded(function string, coldStart bool) []slog.Attr {
	metrics := r.metrics(coldStart)
	attributes := make([]slog.Attr, 0, len(metrics)+2)
	attributes = append(attributes, slog.String(dimension, function))
	for _, m := range metrics {
		attributes = append(attributes, slog.Float64(m.name, m.value))
	}
	return append(attributes, slog.Any("_aws", embedded(r.Started.UnixMilli())))
}
