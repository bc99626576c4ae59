// Package sample lets an everyday run of the tests try some of many cases: another part each day, and the same part for
// the same seed. `go test -short` asks for samples. Without -short every case is tried.
//
// It is for tests alone, and knows nothing of what they test.
package sample

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// SeedVariable names the seed of all samples in the environment. `make test` sets it, prints it, and takes it back as
// SEED=N.
const SeedVariable = "ORGS_TEST_SEED"

// Seed returns the seed of the samples: that of the environment, or the number of today's date.
func Seed() uint64 {
	text := os.Getenv(SeedVariable)
	if text == "" {
		text = time.Now().UTC().Format("20060102")
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s is no number: %q", SeedVariable, text))
	}
	return seed
}

// SeedOr returns the seed of a run that is the same each time, or with -short that of the samples.
func SeedOr(same uint64) uint64 {
	if testing.Short() {
		return Seed()
	}
	return same
}

// Size returns how many cases to try: all, or with -short the other number.
func Size(all, short int) int {
	if testing.Short() {
		return short
	}
	return all
}

// Of returns the cases to try: the whole list, or with -short as many of them as said, in their order. The test logs the
// seed, so that the same sample can be tried again.
func Of[T any](t testing.TB, list []T, short int) []T {
	t.Helper()
	if !testing.Short() || short >= len(list) {
		return list
	}
	chosen := rand.New(rand.NewPCG(Seed(), uint64(len(list)))).Perm(len(list))[:short]
	in := make([]bool, len(list))
	for _, i := range chosen {
		in[i] = true
	}
	sample := make([]T, 0, short)
	for i, c := range list {
		if in[i] {
			sample = append(sample, c)
		}
	}
	t.Logf("%d of %d cases, by the seed %d", short, len(list), Seed())
	return sample
}
