// Command scale simulates what docs/scale.md says about growth: how evenly requests meet DynamoDB's partitions, and
// what becomes of changes and counts in two regions with global tables. The numbers of AWS in it are those that
// docs/scale.md cites.
//
// It needs no AWS account, takes seconds, and prints the same figures each time.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"organizations-api/shared/ratelimit"
)

// The seed makes every run the same.
const seed = 1

func main() {
	rate := flag.Int("rate", 100_000, "requests a second of all organizations together")
	flag.Parse()
	if *rate < 1 {
		fmt.Fprintln(os.Stderr, "rate must be 1 or more")
		os.Exit(2)
	}
	report(os.Stdout, float64(*rate))
}

// report writes all tables. w must not fail.
func report(w io.Writer, rate float64) {
	fmt.Fprintf(w, "Items at %.0f requests a second\n\n", rate)
	fmt.Fprintln(w, "| organizations | skew | the largest, requests a second | organizations beyond one item | requests refused |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|")
	for _, organizations := range []int{1_000, 10_000, 100_000} {
		for _, skew := range []float64{0, 0.8, 1.1} {
			h := heatOf(rates(rate, organizations, skew))
			fmt.Fprintf(w, "| %d | %.1f | %.0f | %d | %.1f %% |\n", organizations, skew, h.largest, h.beyond, 100*h.refused)
		}
	}
	fmt.Fprintf(w, "\nWrites of one organization's counter a second; one item takes %d\n", itemWrites)
	fmt.Fprintln(w, "\n| its requests a second | under a limit that lets all pass | under a limit of 200 a minute |")
	fmt.Fprintln(w, "|---:|---:|---:|")
	for _, requests := range []float64{10, 100, 1_000, 3_000} {
		fmt.Fprintf(w, "| %.0f | %.1f | %.1f |\n", requests,
			counterWrites(requests, int64(requests*ratelimit.Window.Seconds())), counterWrites(requests, 200))
	}
	fmt.Fprintf(w, "\nPartitions of a table that is warm for %.0f reads a second, 100,000 organizations, skew 0.8\n\n", rate)
	fmt.Fprintln(w, "| partitions | reads refused until they split |")
	fmt.Fprintln(w, "|---:|---:|")
	for _, spare := range []float64{1, 1.5, 2, 3} {
		partitions := int(rate * spare / itemReads)
		if partitions < 1 {
			partitions = 1
		}
		fmt.Fprintf(w, "| %d | %.1f %% |\n", partitions, 100*refusedBy(partitions, rates(rate, 100_000, 0.8)))
	}
	fmt.Fprintln(w, "\nChanges of one record in two regions, replicated within a second, last writer wins, an hour")
	fmt.Fprintln(w, "\n| changes a minute in each region | answered with 200 | of these lost |")
	fmt.Fprintln(w, "|---:|---:|---:|")
	for _, perMinute := range []float64{0.1, 1, 10, 60} {
		c := changes(perMinute, time.Second, time.Hour)
		fmt.Fprintf(w, "| %.1f | %d | %.1f %% |\n", perMinute, c.accepted, 100*c.share())
	}
	fmt.Fprintln(w, "\nOne limit of 200 a minute, counted in a global table, as many requests in each of two regions")
	fmt.Fprintln(w, "\n| requests a second in each region | let through in a minute |")
	fmt.Fprintln(w, "|---:|---:|")
	for _, perSecond := range []int{2, 10, 100} {
		fmt.Fprintf(w, "| %d | %d |\n", perSecond, letThrough(200, perSecond, time.Second))
	}
}
