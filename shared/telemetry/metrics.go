package telemetry

import "log/slog"

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
	embedded struct {
		Timestamp         int64 // in milliseconds since 1970
		CloudWatchMetrics []directive
	}
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

// dimension is the attribute by which metrics are told apart: the function, which belongs to one operation of one stack.
// One by organization would be a metric, and a price, for each tenant; the log line answers that.
const dimension = "function_name"

// Embedded returns the attributes that make CloudWatch take metrics from the request's line. function is the name of the
// Lambda function; it must not be empty.
func (r Request) Embedded(function string, coldStart bool) []slog.Attr {
	var declarations []declared
	attributes := []slog.Attr{slog.String(dimension, function)}
	for _, m := range r.metrics(coldStart) {
		attributes = append(attributes, slog.Float64(m.name, m.value))
		declarations = append(declarations, declared{Name: m.name, Unit: m.unit})
	}
	return append(attributes, slog.Any("_aws", embedded{
		Timestamp: r.Started.UnixMilli(),
		CloudWatchMetrics: []directive{{
			Namespace:  Namespace,
			Dimensions: [][]string{{dimension}},
			Metrics:    declarations,
		}},
	}))
}
