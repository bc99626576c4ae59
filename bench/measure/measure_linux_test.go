package measure

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []float64
		part float64
		want float64
	}{
		{[]float64{3}, 0.5, 3},
		{[]float64{1, 2}, 0.5, 1.5},
		{[]float64{1, 2, 3}, 0.5, 2},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
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

// TestRatios: a ratio is of one round. A round that was slow for both changes no ratio.
func TestRatios(t *testing.T) {
	t.Parallel()
	section := Section{Metrics: []string{Init}, Variants: []Variant{{Name: "base"}, {Name: "own"}, {Name: "other"}}, Bases: map[string]string{"other": "own"}}
	result := section.result(map[string][]values{
		"base":  {{Init: 1}, {Init: 10}, {Init: 1}},
		"own":   {{Init: 2}, {Init: 20}, {Init: 2}},
		"other": {{Init: 2}, {Init: 40}, {Init: 6}},
	})
	for i, want := range []Figure{{1, 1, 1, 1}, {2, 2, 2, 2}, {6, 2, 1.5, 2.5}} {
		if got := result.Rows[i].Figures[Init]; got != want {
			t.Errorf("%s = %+v, want %+v", result.Rows[i].Name, got, want)
		}
	}
}

// TestWrongAnswer: one wrong answer ends the measurement, and no process stays.
func TestWrongAnswer(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path, err := Builder{Root: root, Dir: t.TempDir()}.Bootstrap(t.Context(), Build{Name: "floor", Package: "./bench/floor"})
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	section := Section{Title: "one", Rounds: 1, Invocations: 100, Metrics: []string{P50}, Variants: []Variant{{
		Name: "floor", Binary: path, Event: []byte(`{}`),
		Check: func([]byte) error {
			if answers++; answers == 150 {
				return errors.New("not this")
			}
			return nil
		},
	}}}
	if _, err := section.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "floor: the answer is wrong: not this") {
		t.Errorf("Run = %v after %d answers, want the error of the check", err, answers)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := section.Run(canceled, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context.Canceled", err)
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
