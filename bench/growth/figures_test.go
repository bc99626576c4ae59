package growth

import (
	"slices"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 1000 {
		times = append(times, time.Duration(i+1)*time.Microsecond)
	}
	slices.Reverse(times)
	tests := []struct {
		times    []time.Duration
		perMille int
		want     float64
	}{
		{times, p50, 500},
		{times, p99, 990},
		{times, 1000, 1000},
		{times[:1], p99, 1000},
	}
	for _, test := range tests {
		if got := quantile(test.times, test.perMille); got != test.want {
			t.Errorf("quantile(%d times, %d ‰) = %v µs, want %v", len(test.times), test.perMille, got, test.want)
		}
	}
}

func TestRatios(t *testing.T) {
	t.Parallel()
	var base, times []time.Duration
	for i := range 100 { // in blocks of ten: 1, 2, … 10 times the base
		base = append(base, time.Millisecond)
		times = append(times, time.Duration(i/10+1)*time.Millisecond)
	}
	if low, median, high := ratios(times, base); low != 1 || median != 6 || high != 10 {
		t.Errorf("ratios = %v, %v, %v, want 1, 6, 10", low, median, high)
	}
}
