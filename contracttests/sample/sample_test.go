package sample

import (
	"flag"
	"slices"
	"testing"
)

// short turns -short on or off for the test.
func short(t *testing.T, on string) {
	t.Helper()
	before := flag.Lookup("test.short").Value.String()
	set := func(value string) {
		if err := flag.Set("test.short", value); err != nil {
			t.Fatal(err)
		}
	}
	set(on)
	t.Cleanup(func() { set(before) })
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestOf(t *testing.T) {
	list := numbers(100)
	short(t, "false")
	if got := Of(t, list, 10); len(got) != 100 {
		t.Errorf("without -short Of has %d cases, want all 100", len(got))
	}
	short(t, "true")
	t.Setenv(SeedVariable, "7")
	first, again := Of(t, list, 10), Of(t, list, 10)
	if len(first) != 10 || !slices.IsSorted(first) || !slices.Equal(first, again) {
		t.Errorf("Of = %v, then %v, want the same 10 cases in order", first, again)
	}
	t.Setenv(SeedVariable, "8")
	if other := Of(t, list, 10); slices.Equal(first, other) {
		t.Errorf("two seeds chose the same cases: %v", other)
	}
	if got := Of(t, list, 1000); len(got) != 100 {
		t.Errorf("a sample larger than the list has %d cases, want 100", len(got))
	}
}

// TestOfReachesAll: no case is out of reach of every seed.
func TestOfReachesAll(t *testing.T) {
	short(t, "true")
	seen := map[int]bool{}
	for seed := range 100 {
		t.Setenv(SeedVariable, string(rune('0'+seed/10))+string(rune('0'+seed%10)))
		for _, n := range Of(t, numbers(20), 5) {
			seen[n] = true
		}
	}
	if len(seen) != 20 {
		t.Errorf("100 seeds chose %d of 20 cases", len(seen))
	}
}

func TestSize(t *testing.T) {
	short(t, "false")
	if got := Size(1000, 10); got != 1000 {
		t.Errorf("Size without -short = %d, want 1000", got)
	}
	short(t, "true")
	if got := Size(1000, 10); got != 10 {
		t.Errorf("Size with -short = %d, want 10", got)
	}
}
