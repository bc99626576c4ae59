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
	if got, want := heatOf([]float64{4000, 1000, 500, 500}), (heat{largest: 4000, beyond: 1, refused: 1000.0 / 6000}); got != want {
		t.Errorf("heatOf() = %+v, want %+v", got, want)
	}
	if got := refusedBy(1, []float64{4500, 1500}); got != 0.5 {
		t.Errorf("refusedBy(1) = %v, want half", got)
	}
	if tight, ample := refusedBy(33, rates(100_000, 100_000, 0)), refusedBy(100, rates(100_000, 100_000, 0)); tight <= ample || ample > 0.001 {
		t.Errorf("refused: %v by 33 partitions, %v by 100, want fewer by more, and none", tight, ample)
	}
}

// TestCounterWrites: however many requests an organization sends, its counter is far from what one item takes.
func TestCounterWrites(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{20, 599, 600, 180_000, 1_000_000_000} {
		if writes := counterWrites(3000, limit); writes > itemWrites/10 {
			t.Errorf("3,000 requests a second under a limit of %d make %.0f writes a second, want few of %d", limit, writes, itemWrites)
		}
	}
	if writes := counterWrites(5, 400); writes != 5 {
		t.Errorf("5 requests a second under a limit of 400 make %.1f writes a second, want one each", writes)
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
