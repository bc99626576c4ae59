package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// changed says what became of the changes of a record.
type changed struct{ accepted, lost int }

func (c changed) share() float64 {
	if c.accepted == 0 {
		return 0
	}
	return float64(c.lost) / float64(c.accepted)
}

// changes simulates two regions that change one record, each at random times, and replicate it with a lag. Each
// checks the version of its own replica, as conditional writes do, so every change is accepted. Where a region
// changes the record before the other's change has arrived, the later one wins and the earlier is lost, without an
// error to anybody.
func changes(perMinute float64, lag, span time.Duration) changed {
	random := rand.New(rand.NewPCG(seed, seed))
	type change struct {
		at     time.Duration
		region int
	}
	var all []change
	for region := range 2 {
		for at := time.Duration(0); ; {
			at += time.Duration(random.ExpFloat64() / perMinute * float64(time.Minute))
			if at >= span {
				break
			}
			all = append(all, change{at, region})
		}
	}
	slices.SortFunc(all, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	c := changed{accepted: len(all)}
	for i, earlier := range all {
		for _, later := range all[i+1:] {
			if later.at-earlier.at >= lag {
				break
			}
			if later.region != earlier.region {
				c.lost++ // the later one was made without it, and wins
				break
			}
		}
	}
	return c
}

// letThrough simulates a limit of so many requests a minute, counted by adding one to an item of a global table, with
// requests at even distances in each of two regions. It returns how many requests the two regions let through in the
// minute. A region's write carries the whole item to the other region after the lag, where it wins if it is later
// than the last write.
func letThrough(limit, perSecond int, lag time.Duration) int {
	type replica struct {
		count   int
		written time.Duration
	}
	type arrival struct {
		at, written time.Duration
		to, count   int
	}
	var (
		replicas = [2]replica{{written: -1}, {written: -1}} // before the first write
		underway []arrival
		through  int
	)
	step := time.Second / time.Duration(perSecond)
	for n := range 60 * perSecond {
		for region := range 2 {
			at := time.Duration(n)*step + time.Duration(region)*step/2
			for len(underway) > 0 && underway[0].at <= at {
				a := underway[0]
				underway = underway[1:]
				if a.written > replicas[a.to].written {
					replicas[a.to] = replica{a.count, a.written}
				}
			}
			own := &replicas[region]
			own.count++
			own.written = at
			underway = append(underway, arrival{at: at + lag, written: at, to: 1 - region, count: own.count})
			if own.count <= limit {
				through++
			}
		}
	}
	return through
}
