package main

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestRates(t *testing.T) {
	t.Parallel()
	for _, skew := range []float64{0, 1.1} {
		sum := 0.0
		all := rates(1000, 50, skew)
		for _, rate := range all {
			sum += rate
		}
		if want := math.Pow(50, skew); math.Abs(sum-1000) > 1e-6 || math.Abs(all[0]/all[49]-want) > 1e-6 {
			t.Errorf("skew %v: a sum of %v and a ratio of %v, want 1000 and %v", skew, sum, all[0]/all[49], want)
		}
	}
}

func TestHeat(t *testing.T) {
	t.Parallel()
	if got, want := heatOf([]float64{2000, 1000, 500, 500}), (heat{largest: 2000, beyond: 1, uncounted: 0.25}); got != want {
		t.Errorf("heatOf() = %+v, want %+v", got, want)
	}
	if got := refusedBy(1, []float64{1500, 500}); got != 0.5 {
		t.Errorf("refusedBy(1) = %v, want half", got)
	}
	if tight, ample := refusedBy(100, rates(100_000, 100_000, 0)), refusedBy(300, rates(100_000, 100_000, 0)); tight <= ample || ample > 0.001 {
		t.Errorf("refused: %v by 100 partitions, %v by 300, want fewer by more, and none", tight, ample)
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	if c := changes(60, 0, time.Hour); c.lost != 0 || c.accepted < 6000 {
		t.Errorf("without a lag %+v, want no loss of about 7200", c)
	}
	// A change is lost if the other region makes one within the lag: by Poisson's law, with one a second, 63 %.
	if got, want := changes(60, time.Second, 10*time.Hour).share(), 1-math.Exp(-1); math.Abs(got-want) > 0.01 {
		t.Errorf("a share of %v is lost, want about %v", got, want)
	}
	if got := letThrough(200, 10, 0); got != 200 {
		t.Errorf("without a lag %d are let through, want the limit", got)
	}
	if got := letThrough(200, 10, time.Hour); got != 400 {
		t.Errorf("without replication %d are let through, want the limit in each region", got)
	}
}

// TestDocument: docs/scale.md has the tables that this command prints.
func TestDocument(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report(&out, 100_000)
	rows := 0
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "| ") {
			rows++
			if !strings.Contains(string(document), line+"\n") {
				t.Errorf("docs/scale.md lacks the row %s", line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("the command printed %d rows, want all tables", rows)
	}
}
