package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/telemetry"
	"organizations-api/shared/telemetry/telemetrytest"
)

func observed(t *testing.T, r telemetry.Request, cold bool) telemetrytest.Line {
	t.Helper()
	var logs bytes.Buffer
	more := func(context.Context, telemetry.Request) []slog.Attr {
		return r.Embedded(telemetry.Function{Name: "get-organization", Version: "7"}, cold)
	}
	telemetry.Log(slog.New(slog.NewJSONHandler(&logs, nil)), more)(t.Context(), r)
	lines, err := telemetrytest.Lines(logs.String())
	if err != nil || len(lines) != 1 {
		t.Fatalf("Lines = %v, %v, want one", lines, err)
	}
	return lines[0]
}

func request(change func(*telemetry.Request)) telemetry.Request {
	r := telemetry.Request{
		ID: "r", Operation: "get", Route: "GET /v1/organizations", Status: 200,
		Started: time.UnixMilli(1767605415000), Duration: 1500 * time.Microsecond,
		StoreCalls: 2, ReadUnits: 1, WriteUnits: 1,
	}
	change(&r)
	return r
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	base := map[string]any{
		"Requests": 1., "Successes": 1., "ClientErrors": 0., "ServerErrors": 0., "RateLimited": 0., "Latency": 1.5,
		"ColdStarts": 0., "StoreThrottles": 0., "UncountedRequests": 0., "ReadUnits": 1., "WriteUnits": 1.,
	}
	for _, test := range []struct {
		name   string
		cold   bool
		change func(*telemetry.Request)
		want   map[string]any
		level  string
	}{
		{"success", false, func(*telemetry.Request) {}, nil, "INFO"},
		{"not modified", true, func(r *telemetry.Request) { r.Status = 304 }, map[string]any{"ColdStarts": 1.}, "INFO"},
		{"caller's mistake", false, func(r *telemetry.Request) { r.Status = 422 },
			map[string]any{"Successes": 0., "ClientErrors": 1.}, "INFO"},
		{"over the limit", false, func(r *telemetry.Request) { r.Status = 429 },
			map[string]any{"Successes": 0., "ClientErrors": 1., "RateLimited": 1.}, "INFO"},
		{"throttled", false, func(r *telemetry.Request) { r.Status, r.StoreThrottles, r.Err = 503, 3, errors.New("x") },
			map[string]any{"Successes": 0., "ServerErrors": 1., "StoreThrottles": 3.}, "ERROR"},
		{"not counted", false, func(r *telemetry.Request) { r.CountErr = errors.New("x") },
			map[string]any{"UncountedRequests": 1.}, "WARN"},
	} {
		line := observed(t, request(test.change), test.cold)
		if err := telemetrytest.CheckMetrics(line); err != nil {
			t.Errorf("%s: CheckMetrics = %v", test.name, err)
		}
		got, want := map[string]any{}, map[string]any{}
		for name := range base {
			got[name], want[name] = line[name], base[name]
			if value, changed := test.want[name]; changed {
				want[name] = value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: metrics (-want +got):\n%s", test.name, diff)
		}
		if line["level"] != test.level {
			t.Errorf("%s: level = %v, want %s", test.name, line["level"], test.level)
		}
	}
}

// TestFaultsAreCountedByVersion: a 5xx counts once more under the version that answered, and nothing else does, as
// each metric costs money.
func TestFaultsAreCountedByVersion(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]any{200: nil, 304: nil, 422: nil, 429: nil, 500: "7", 503: "7"} {
		line := observed(t, request(func(r *telemetry.Request) { r.Status = status }), false)
		if err := telemetrytest.CheckMetrics(line); err != nil {
			t.Errorf("%d: CheckMetrics = %v", status, err)
		}
		all, _ := line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)
		last, _ := all[len(all)-1].(map[string]any)
		byVersion := map[string]any{
			"Namespace": "OrganizationsAPI", "Dimensions": []any{[]any{"function_name", "function_version"}},
			"Metrics": []any{map[string]any{"Name": "ServerErrors", "Unit": "Count"}},
		}
		if line["function_version"] != want || cmp.Equal(last, byVersion) != (want != nil) || (len(all) == 2) != (want != nil) {
			t.Errorf("%d: function_version %v, directives %v; want version %v", status, line["function_version"], all, want)
		}
	}
}

func TestErrorsAreToldOnlyWhereTheyAreOurs(t *testing.T) {
	t.Parallel()
	mistake := observed(t, request(func(r *telemetry.Request) { r.Status, r.Code, r.Err = 400, "body_malformed", errors.New("cause") }), false)
	fault := observed(t, request(func(r *telemetry.Request) { r.Status, r.Code, r.Err = 500, "internal", errors.New("cause") }), false)
	if mistake["error"] != nil || mistake["code"] != "body_malformed" || fault["error"] != "cause" {
		t.Errorf("error = %v for a 400 and %v for a 500, want none and the cause", mistake["error"], fault["error"])
	}
}

// TestCheckMetricsRefuses: the check itself can fail.
func TestCheckMetricsRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(telemetrytest.Line){
		"no directive":         func(l telemetrytest.Line) { delete(l, "_aws") },
		"no time":              func(l telemetrytest.Line) { delete(l["_aws"].(map[string]any), "Timestamp") },
		"metric without value": func(l telemetrytest.Line) { delete(l, "Latency") },
		"metric as text":       func(l telemetrytest.Line) { l["Latency"] = "1.5" },
		"dimension missing":    func(l telemetrytest.Line) { delete(l, "function_name") },
	} {
		line := observed(t, request(func(*telemetry.Request) {}), false)
		spoil(line)
		if err := telemetrytest.CheckMetrics(line); err == nil {
			t.Errorf("CheckMetrics with %s = nil, want an error", name)
		}
	}
}
