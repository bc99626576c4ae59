package main

import (
	"context"
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/ratelimit"
)

// How many units a second one partition takes, and so one item: "Best practices for designing and using partition keys
// effectively" in the DynamoDB Developer Guide.
const (
	itemReads  = 3000
	itemWrites = 1000
)

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

// heat says what the items of the organizations meet: each request reads its organization's item.
type heat struct {
	largest float64 // requests a second of the largest organization
	beyond  int     // organizations with more requests than one item has reads
	refused float64 // share of all requests whose read DynamoDB refuses
}

func heatOf(rates []float64) heat {
	var h heat
	total, over := 0.0, 0.0
	for _, rate := range rates {
		total += rate
		h.largest = max(h.largest, rate)
		if rate > itemReads {
			h.beyond++
			over += rate - itemReads
		}
	}
	h.refused = over / total
	return h
}

// took is how long a sandbox is busy with a request: the 11 ms of docs/scale.md.
const took = 11 * time.Millisecond

// counterWrites returns how many times a second one organization's counter is written, in a minute with so many
// requests a second. The sandboxes count as those of the service do.
func counterWrites(rate float64, limit int64) float64 {
	var written counter
	sandboxes := make([]*ratelimit.Limiter, int(math.Ceil(rate*took.Seconds())))
	for i := range sandboxes {
		sandboxes[i] = ratelimit.New(&written)
	}
	for i := range int(rate * ratelimit.Window.Seconds()) {
		_, _ = sandboxes[i%len(sandboxes)].Take(context.Background(), "org", organization.Metadata, limit, time.Time{}) // never fails
	}
	return float64(written.writes) / ratelimit.Window.Seconds()
}

// counter is a store.Counters of one organization in one minute.
type counter struct{ writes, sum int64 }

func (c *counter) Count(_ context.Context, _ organization.ID, _ organization.Category, _ time.Time, n int64) (int64, error) {
	c.writes++
	c.sum += n
	return c.sum, nil
}

// refusedBy returns the share of reads that partitions refuse which DynamoDB has not split for heat yet.
// Organizations lie on them by a hash of their key.
func refusedBy(partitions int, rates []float64) float64 {
	load := make([]float64, partitions)
	total := 0.0
	for n, rate := range rates {
		hash := fnv.New64a()
		hash.Write(strconv.AppendInt([]byte("ORG#"), int64(n), 10)) // never fails
		load[mix(hash.Sum64())%uint64(partitions)] += rate
		total += rate
	}
	over := 0.0
	for _, l := range load {
		over += max(0, l-itemReads)
	}
	return over / total
}

// mix spreads the bits of a hash: the last step of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
