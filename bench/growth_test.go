package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"organizations-api/contracttests/sample"
)

// make bench-growth turns these up.
var (
	growthCounts  = flag.String("growth.counts", "20 200", "how many organizations the stores have, ascending")
	growthData    = flag.String("growth.data", "", "folder that keeps the stores for the next run (default: none)")
	growthOut     = flag.String("growth.out", "", "folder for growth.json (default: none)")
	sqliteSamples = flag.Int("growth.sqlite", 50, "requests of each method to each SQLite store; 0 skips SQLite")
	dynamoSamples = flag.Int("growth.dynamodb", 20, "requests of each method to each DynamoDB store; 0 skips DynamoDB")
)

// TestGrowth measures how the latency of GET and PATCH depends on the number of organizations in a store, and prints
// a table. By default it is small, and shows that the code works. It fails if a request fails, never because of a
// latency.
//
// All stores of an engine are measured in one run, one request after the other in turns, so that other work on the
// machine slows all of them. The requests go to the service's handlers, with random keys and without rate limits.
func TestGrowth(t *testing.T) {
	var sizes []int
	for field := range strings.FieldsSeq(*growthCounts) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			t.Fatalf("-growth.counts has %q, want whole numbers", field)
		}
		sizes = append(sizes, n)
	}
	s := newSeeder(t, *growthData)
	var figures []growthFigure
	type engine struct {
		name    string
		samples int
		stores  func(*testing.T, seeder, []int) []growthStore
	}
	engines := []engine{
		{"SQLite", *sqliteSamples, sqliteStores},
		{"DynamoDB Local", *dynamoSamples, dynamoStores},
	}
	for _, engine := range sample.Of(t, engines, 1) {
		if engine.samples == 0 {
			continue
		}
		stores := engine.stores(t, s, sizes)
		begin := time.Now()
		measured, err := measureGrowth(engine.name, stores, engine.samples)
		if err != nil {
			t.Fatal(err)
		}
		if want := 2 * len(sizes); len(measured) != want {
			t.Errorf("measured %d figures on %s, want %d", len(measured), engine.name, want)
		}
		t.Logf("%s measured in %v", engine.name, time.Since(begin).Round(time.Second))
		figures = append(figures, measured...)
	}
	printGrowth(figures)
	if *growthOut == "" {
		return
	}
	if err := writeJSON(filepath.Join(*growthOut, "growth.json"), figures); err != nil {
		t.Fatal(err)
	}
}

// growthStore is a store to measure.
type growthStore struct {
	organizations int
	get, patch    http.Handler
	keys          []string // admin keys, one of each organization
}

// growthFigure is what was measured for one method on one store. Times are in microseconds.
type growthFigure struct {
	Engine        string  `json:"engine"`
	Method        string  `json:"operation"`
	Organizations int     `json:"organizations"`
	Samples       int     `json:"samples"`
	P50           float64 `json:"p50_us"`
	P99           float64 `json:"p99_us"`
	// Ratio compares P99 with the P99 of the smallest store. The other three are the least, the median and the greatest
	// such ratio among ten blocks of the samples, which are in the order of time.
	Ratio       float64 `json:"p99_ratio"`
	RatioLow    float64 `json:"p99_ratio_low"`
	RatioMedian float64 `json:"p99_ratio_median"`
	RatioHigh   float64 `json:"p99_ratio_high"`
}

// measureGrowth sends this many requests of each method to each store. The first store must be the smallest.
func measureGrowth(engine string, stores []growthStore, samples int) ([]growthFigure, error) {
	const warming = 300
	if _, err := interleave(stores, min(warming, samples)); err != nil {
		return nil, err
	}
	times, err := interleave(stores, samples)
	if err != nil {
		return nil, err
	}
	var figures []growthFigure
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		base := times[series{method, 0}]
		for i, s := range stores {
			own := times[series{method, i}]
			ratios := blockRatios(own, base)
			p99 := quantile(own, 0.99)
			figures = append(figures, growthFigure{
				Engine: engine, Method: method, Organizations: s.organizations, Samples: len(own),
				P50: quantile(own, 0.5), P99: p99, Ratio: p99 / quantile(base, 0.99),
				RatioLow: quantile(ratios, 0), RatioMedian: quantile(ratios, 0.5), RatioHigh: quantile(ratios, 1),
			})
		}
	}
	return figures, nil
}

// series is one method on the store with this index.
type series struct {
	method string
	store  int
}

// interleave sends one request of each series in each round, in a new random order. It returns the times in
// microseconds.
func interleave(stores []growthStore, rounds int) (map[series][]float64, error) {
	var turns []series
	for i := range stores {
		turns = append(turns, series{http.MethodGet, i}, series{http.MethodPatch, i})
	}
	times := make(map[series][]float64)
	for range rounds {
		rand.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		for _, turn := range turns {
			took, err := stores[turn.store].send(turn.method)
			if err != nil {
				return nil, err
			}
			times[turn] = append(times[turn], float64(took)/float64(time.Microsecond))
		}
	}
	return times, nil
}

// send sends one request with a random key, and returns how long the answer took. Any answer but 200 is an error.
func (s growthStore) send(method string) (time.Duration, error) {
	handler, body := s.get, ""
	if method == http.MethodPatch {
		handler, body = s.patch, fmt.Sprintf(`{"organization_name":"Renamed %d"}`, rand.Uint64())
	}
	request := httptest.NewRequest(method, "/v1/organizations", strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+s.keys[rand.IntN(len(s.keys))])
	request.Header.Set("Content-Type", "application/json")
	response := httptest.NewRecorder()
	begin := time.Now()
	handler.ServeHTTP(response, request)
	took := time.Since(begin)
	if response.Code != http.StatusOK {
		return 0, fmt.Errorf("%s with %d organizations = %d %s, want 200",
			method, s.organizations, response.Code, response.Body)
	}
	return took, nil
}

// blockRatios cuts both series into ten blocks, and returns the ratio of the p99 in each block. Fewer than ten
// samples give one block for each sample.
func blockRatios(times, base []float64) []float64 {
	var ratios []float64
	size := max(len(times)/10, 1)
	for i := 0; i+size <= len(times); i += size {
		ratios = append(ratios, quantile(times[i:i+size], 0.99)/quantile(base[i:i+size], 0.99))
	}
	return ratios
}

func TestBlockRatios(t *testing.T) {
	t.Parallel()
	var base, times []float64
	for i := range 100 { // in blocks of ten: 1, 2, … 10 times the base
		base = append(base, 1000)
		times = append(times, float64(i/10+1)*1000)
	}
	ratios := blockRatios(times, base)
	if want := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(ratios, want) {
		t.Errorf("blockRatios = %v, want %v", ratios, want)
	}
}

func printGrowth(figures []growthFigure) {
	fmt.Printf("%-15s %-6s %13s %8s %9s %9s  %s\n", "engine", "", "organizations", "samples", "p50 µs", "p99 µs",
		"p99 ratio (least, median, greatest of ten blocks)")
	for _, f := range figures {
		fmt.Printf("%-15s %-6s %13d %8d %9.0f %9.0f  %.2f (%.2f, %.2f, %.2f)\n", f.Engine, f.Method,
			f.Organizations, f.Samples, f.P50, f.P99, f.Ratio, f.RatioLow, f.RatioMedian, f.RatioHigh)
	}
}
