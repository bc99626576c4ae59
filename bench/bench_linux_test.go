package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"organizations-api/contracttests/sample"
)

// TestMeasure makes all measurements in a few rounds, but those of the peers, which need npm. With -short it makes
// those of one section. It checks that they work, not how fast anything is.
func TestMeasure(t *testing.T) {
	t.Parallel()
	only := ""
	if testing.Short() {
		only = sample.Of(t, []string{"cold start", "warm", roundTripsIn, "all CPU"}, 1)[0]
	}
	figures := filepath.Join(t.TempDir(), "new", "bench.json")
	var out, progress bytes.Buffer
	arguments := []string{"-quick", "-peers=false", "-only", only, "-json", figures}
	if err := run(t.Context(), arguments, &out, &progress); err != nil {
		t.Fatalf("run = %v\n%s", err, progress.String())
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if want := sample.Size(4, 1); len(r.Sections) < want {
		t.Errorf("%d sections, want %d, as the cold start, warm invocations, round trips and TLS", len(r.Sections), want)
	}
	checkFigures(t, r)
	want := []string{"BOUNDS"}
	for _, section := range r.Sections {
		want = append(want, strings.ToUpper(section.Title))
	}
	for _, text := range want {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the table has no %q:\n%s", text, out.String())
		}
	}
}

// checkFigures checks that every figure is a number, that each base is 1, and that functions are larger than the
// floor.
func checkFigures(t *testing.T, r report) {
	t.Helper()
	for _, section := range r.Sections {
		for i, row := range section.Rows {
			for _, metric := range section.Metrics {
				f, ok := row.Figures[metric]
				sound := f.Median > 0 && f.Low > 0 && f.Low <= f.Ratio && f.Ratio <= f.High && !math.IsInf(f.High, 0)
				if !ok || !sound || i == 0 && f.Ratio != 1 {
					t.Errorf("%s, %s, %s = %+v, %v", section.Title, row.Name, metric, f, ok)
				}
			}
		}
	}
	for _, b := range bounds() {
		if b.metric != metricSize && b.metric != metricPeak {
			continue
		}
		measured := slices.ContainsFunc(r.Sections, func(s result) bool { return s.Title == b.section })
		if f, ok := r.figure(b); ok != measured || ok && f.Ratio <= 1 {
			t.Errorf("%s of %s = %+v, %v, want more than the floor's", b.metric, b.row, f, ok)
		}
	}
	checkVariants(t, r)
}

// checkVariants checks that the variants really differ from the function, by figures that hardly depend on the
// machine.
func checkVariants(t *testing.T, r report) {
	t.Helper()
	if r.Sections[0].Title != "cold start" {
		return
	}
	cold := r.Sections[0].Rows
	of := func(name, metric string) float64 {
		i := slices.IndexFunc(cold, func(row row) bool { return row.Name == name })
		return cold[i].Figures[metric].Median
	}
	for _, name := range []string{viaConfig, withRPC, withSymbols} {
		if of(name, metricSize) <= of(get, metricSize) {
			t.Errorf("%s is %v MB and %s %v MB, want it larger", name, of(name, metricSize), get, of(get, metricSize))
		}
	}
}

// TestOverlayFailsLoudly: an edit that no longer fits, or a file that is gone, is an error. Without it go build would
// build the function unchanged, and the measurement would compare a function with itself.
func TestOverlayFailsLoudly(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]build{
		"gone file":     {edits: []edit{{"gone.go", "a", "b"}}},
		"gone text":     {edits: []edit{{"bench/main.go", "no such text", "b"}}},
		"repeated text": {edits: []edit{{"bench/main.go", "\n", "b"}}},
		"gone copy":     {add: map[string]string{"bench/floor/more.go": "gone.go"}},
	} {
		b.name, b.path = name, "./bench/floor"
		if _, err := b.bootstrap(t.Context(), "..", t.TempDir()); err == nil {
			t.Errorf("bootstrap with a %s = nil, want an error", name)
		}
	}
}

// TestChecks: a wrong answer stops a measurement.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		``, `{}`, `{"statusCode":500,"body":"{\"organization_name\":\"Floor\"}"}`, `{"statusCode":200,"body":"{}"}`,
	} {
		if err := checkFloor([]byte(wrong)); err == nil {
			t.Errorf("checkFloor(%q) = nil, want an error", wrong)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []float64
		part float64
		want float64
	}{
		{[]float64{3}, 0.5, 3},
		{[]float64{1, 2}, 0.5, 1.5},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{5, 4, 3, 2, 1}, 0.25, 2},
		{[]float64{1, 2, 3, 4, 5}, 1, 5},
		{[]float64{1, 2, 3, 4, 5}, 0, 1},
	} {
		if got := quantile(c.of, c.part); got != c.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", c.of, c.part, got, c.want)
		}
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile(nothing) = %v, want NaN", got)
	}
}

// TestRatios: a ratio compares two values of one round. A round that was slow for both changes no ratio.
func TestRatios(t *testing.T) {
	t.Parallel()
	s := section{metrics: []string{metricInit}, variants: []variant{{name: "base"}, {name: "same"}, {name: "other"}}}
	r := s.result(map[string][]values{
		"base":  {{metricInit: 1}, {metricInit: 10}, {metricInit: 1}},
		"same":  {{metricInit: 2}, {metricInit: 20}, {metricInit: 2}},
		"other": {{metricInit: 1}, {metricInit: 20}, {metricInit: 3}},
	})
	for i, want := range []figure{{1, 1, 1, 1}, {2, 2, 2, 2}, {3, 2, 1.5, 2.5}} {
		if got := r.Rows[i].Figures[metricInit]; got != want {
			t.Errorf("%s = %+v, want %+v", r.Rows[i].Name, got, want)
		}
	}
}

// TestWrongAnswer: one wrong answer ends the measurement with an error, and so does the end of the context.
func TestWrongAnswer(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	path, err := build{name: floor, path: "./bench/floor"}.bootstrap(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	s := section{title: "one", rounds: 1, invocations: 100, metrics: []string{metricP50}, variants: []variant{{
		name: floor, bootstrap: path, event: []byte(`{}`),
		check: func([]byte) error {
			if answers++; answers == 150 {
				return errors.New("not this")
			}
			return nil
		},
	}}}
	want := "floor: the answer is wrong: not this"
	if _, err := s.run(t.Context(), io.Discard); err == nil || err.Error() != want {
		t.Errorf("run = %v after %d answers, want %q", err, answers, want)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.run(canceled, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("run = %v, want context.Canceled", err)
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	if peak, err := peakMemory(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("peakMemory(this) = %d, %v, want more than a megabyte", peak, err)
	}
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for after := before; after <= before; {
		if after, err = cpuTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
}
