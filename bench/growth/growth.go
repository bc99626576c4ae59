// Package growth measures how the latency of GET and PATCH depends on how many organizations a store has. Its test is the
// measurement: small by default, so that the code is known to work; make bench-growth runs it with real numbers.
//
// All stores of an engine are measured in one run, request by request in turn, so that whatever else the machine does hits
// them alike. The keys are drawn at random from all organizations, through the service's handlers, without counting against
// rate limits.
//
// It is for measuring only; nothing that is deployed may import it.
package growth

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"organizations-api/shared/load"
)

// Store is one that is measured.
type Store struct {
	Organizations int
	Get, Patch    http.Handler
	Keys          []string // with the permission admin
}

// The operations.
const (
	opGet   = "GET"
	opPatch = "PATCH"
)

// Figure is what was measured of one operation on one store. Times are in microseconds.
type Figure struct {
	Engine        string  `json:"engine"`
	Operation     string  `json:"operation"`
	Organizations int     `json:"organizations"`
	Samples       int     `json:"samples"`
	P50           float64 `json:"p50_us"`
	P99           float64 `json:"p99_us"`
	// Ratio is P99 over that of the smallest store; the others are the smallest, the median and the largest such ratio where
	// the samples are cut into blocks in the order of time.
	Ratio       float64 `json:"p99_ratio"`
	RatioLow    float64 `json:"p99_ratio_low"`
	RatioMedian float64 `json:"p99_ratio_median"`
	RatioHigh   float64 `json:"p99_ratio_high"`
}

// blocks is how many parts the samples are cut into.
const blocks = 10

// Measure makes as many requests of each operation to each store as samples says. The first store is the smallest.
func Measure(engine string, stores []Store, samples int) ([]Figure, error) {
	const warming = 300
	if _, err := interleave(stores, min(warming, samples)); err != nil {
		return nil, err
	}
	times, err := interleave(stores, samples)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for _, operation := range []string{opGet, opPatch} {
		base := times[series{operation, 0}]
		for i, s := range stores {
			mine := times[series{operation, i}]
			low, median, high := ratios(mine, base)
			figures = append(figures, Figure{
				Engine: engine, Operation: operation, Organizations: s.Organizations, Samples: len(mine),
				P50: quantile(mine, p50), P99: quantile(mine, p99), Ratio: quantile(mine, p99) / quantile(base, p99),
				RatioLow: low, RatioMedian: median, RatioHigh: high,
			})
		}
	}
	return figures, nil
}

// series is an operation on the store of an index.
type series struct {
	operation string
	store     int
}

// interleave makes the requests in rounds: in each, one of each series, in an order of its own.
func interleave(stores []Store, rounds int) (map[series][]time.Duration, error) {
	var turns []series
	for i := range stores {
		turns = append(turns, series{opGet, i}, series{opPatch, i})
	}
	times := make(map[series][]time.Duration)
	for range rounds {
		rand.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		for _, turn := range turns {
			took, err := stores[turn.store].ask(turn.operation)
			if err != nil {
				return nil, err
			}
			times[turn] = append(times[turn], took)
		}
	}
	return times, nil
}

// ask makes one request with a key drawn at random, and returns how long it took.
func (s Store) ask(operation string) (time.Duration, error) {
	handler, body := s.Get, ""
	if operation == opPatch {
		handler, body = s.Patch, fmt.Sprintf(`{"organization_name":"Renamed %d"}`, rand.Uint64())
	}
	request := httptest.NewRequest(operation, "/v1/organizations", strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+s.Keys[rand.IntN(len(s.Keys))])
	request.Header.Set("Content-Type", "application/json")
	response := httptest.NewRecorder()
	begin := time.Now()
	handler.ServeHTTP(response, request)
	took := time.Since(begin)
	if response.Code != http.StatusOK {
		return 0, fmt.Errorf("%s with %d organizations = %d %s, want 200", operation, s.Organizations, response.Code, response.Body)
	}
	return took, nil
}

// The quantiles that are measured, in thousandths.
const (
	p50 = 500
	p99 = 990
)

// quantile returns a quantile of times in any order, in microseconds.
func quantile(times []time.Duration, perMille int) float64 {
	return float64(load.Quantile(slices.Sorted(slices.Values(times)), perMille)) / float64(time.Microsecond)
}

// ratios returns the least, the median and the greatest ratio of the p99 of a block to that of the base's.
func ratios(times, base []time.Duration) (low, median, high float64) {
	var all []float64
	size := max(len(times)/blocks, 1)
	for i := 0; i+size <= len(times); i += size {
		all = append(all, quantile(times[i:i+size], p99)/quantile(base[i:i+size], p99))
	}
	slices.Sort(all)
	return all[0], all[len(all)/2], all[len(all)-1]
}

// Table returns the figures as text.
func Table(figures []Figure) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-15s %-6s %13s %8s %9s %9s  %s\n", "engine", "", "organizations", "samples", "p50 µs", "p99 µs",
		"p99 ratio (least, median, greatest of ten blocks)")
	for _, f := range figures {
		fmt.Fprintf(&out, "%-15s %-6s %13d %8d %9.0f %9.0f  %.2f (%.2f, %.2f, %.2f)\n", f.Engine, f.Operation, f.Organizations,
			f.Samples, f.P50, f.P99, f.Ratio, f.RatioLow, f.RatioMedian, f.RatioHigh)
	}
	return out.String()
}
