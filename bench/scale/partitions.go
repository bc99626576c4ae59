package main

import (
	"hash/fnv"
	"math"
	"strconv"
)

// itemWrites is how many write units a second one partition takes, and so one item: "Best practices for designing and
// using partition keys effectively" in the DynamoDB Developer Guide.
const itemWrites = 1000

// rates shares the requests out among organizations by Zipf's law: the nth has 1/n^skew of what the first has. Skew 0
// is the same for each.
func rates(total float64, organizations int, skew float64) []float64 {
	all := make([]float64, organizations)
	sum := 0.0
	for n := range all {
		all[n] = 1 / math.Pow(float64(n+1), skew)
		sum += all[n]
	}
	for n := range all {
		all[n] *= total / sum
	}
	return all
}

// heat says what the organizations' counters meet: each request is one write of one item, whether it is refused or not.
type heat struct {
	largest   float64 // requests a second of the largest organization
	beyond    int     // organizations with more than one item takes
	uncounted float64 // share of all requests that DynamoDB refuses to count
}

func heatOf(rates []float64) heat {
	var h heat
	total, over := 0.0, 0.0
	for _, rate := range rates {
		total += rate
		h.largest = max(h.largest, rate)
		if rate > itemWrites {
			h.beyond++
			over += rate - itemWrites
		}
	}
	h.uncounted = over / total
	return h
}

// refusedBy returns the share of writes that partitions refuse which DynamoDB has not split for heat yet.
// Organizations lie on them by a hash of their key.
func refusedBy(partitions int, rates []float64) float64 {
	load := make([]float64, partitions)
	total := 0.0
	for n, rate := range rates {
		hash := fnv.New64a()
		hash.Write(strconv.AppendInt([]byte("RATE#"), int64(n), 10)) // never fails
		load[mix(hash.Sum64())%uint64(partitions)] += rate
		total += rate
	}
	over := 0.0
	for _, l := range load {
		over += max(0, l-itemWrites)
	}
	return over / total
}

// mix spreads the bits of a hash: the last step of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
