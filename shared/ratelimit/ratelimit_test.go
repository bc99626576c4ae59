package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"organizations-api/shared/organization"
	"organizations-api/shared/ratelimit"
)

const org organization.ID = "org_0000000000000"

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// counter is a store.Counters in memory.
type counter struct {
	mu     sync.Mutex
	sums   map[counted]int64
	calls  int
	lease  int64 // the most that was drawn at once
	before func() error
}

type counted struct {
	id       organization.ID
	category organization.Category
	window   int64
}

func newCounter() *counter { return &counter{sums: map[counted]int64{}} }

func (c *counter) Count(
	_ context.Context, id organization.ID, category organization.Category, window time.Time, n int64,
) (int64, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return 0, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.lease = max(c.lease, n)
	of := counted{id, category, window.Unix()}
	c.sums[of] += n
	return c.sums[of], nil
}

// sum returns the counter of a minute.
func (c *counter) sum(window time.Time) int64 {
	return c.sums[counted{org, organization.Metadata, window.Unix()}]
}

// sandboxes are processes that share a counter, as the service's sandboxes do.
func sandboxes(c *counter, n int) []*ratelimit.Limiter {
	all := make([]*ratelimit.Limiter, n)
	for i := range all {
		all[i] = ratelimit.New(c)
	}
	return all
}

func take(t *testing.T, l *ratelimit.Limiter, limit int64, at time.Time) ratelimit.Ticket {
	t.Helper()
	ticket, err := l.Take(t.Context(), org, organization.Metadata, limit, at)
	if err != nil || !ticket.Settled(limit) {
		t.Fatalf("Take = %+v, %v, want a ticket that says whether the request passes", ticket, err)
	}
	return ticket
}

// minute sends requests in one minute through the sandboxes, each through the one that choose returns. It checks every
// answer, and returns how many passed in each sandbox.
func minute(
	t *testing.T, all []*ratelimit.Limiter, c *counter, limit int64, start time.Time, requests int, choose func(i int) int,
) []int64 {
	t.Helper()
	passed, total := make([]int64, len(all)), int64(0)
	for i := range requests {
		at, which := start.Add(time.Duration(i)*time.Minute/time.Duration(requests)), choose(i)
		ticket, err := all[which].Take(t.Context(), org, organization.Metadata, limit, at)
		if err != nil || !ticket.Settled(limit) {
			t.Fatalf("request %d = %+v, %v, want a ticket that says whether it passes", i, ticket, err)
		}
		within := ticket.Within(limit)
		if within {
			passed[which]++
			total++
		}
		// What passed, what sandboxes hold and what the counter has left together are the limit.
		if remaining := ticket.Remaining(limit); remaining > limit-total {
			t.Fatalf("request %d: %d remain, but %d of %d passed", i, remaining, total, limit)
		} else if left := limit - c.sum(start); within && remaining == 0 && left > 0 {
			t.Fatalf("request %d: none remains, but the counter has %d left", i, left)
		}
		if !ticket.End.Equal(start.Add(time.Minute)) {
			t.Fatalf("request %d counts until %v, want the end of its minute", i, ticket.End)
		}
	}
	if total > limit {
		t.Fatalf("%d requests passed, want at most %d", total, limit)
	}
	return passed
}

// TestLimitOf100000: eight sandboxes serve more than the limit in each of fifty minutes (ten with -short), in equal and
// in unequal shares. Never more than the limit pass, what is lost is within its bound, and few requests write.
func TestLimitOf100000(t *testing.T) {
	t.Parallel()
	const limit, processes, requests = 100_000, 8, 108_000
	minutes := 50
	if testing.Short() {
		minutes = 10
	}
	c := newCounter()
	all := sandboxes(c, processes)
	random := rand.New(rand.NewPCG(1, 2))
	shares := []func(int) int{
		func(int) int { return random.IntN(processes) },
		func(i int) int { return i % processes },
		func(int) int { return min(random.IntN(processes), random.IntN(processes), random.IntN(processes)) },
		func(i int) int { return i * processes / requests }, // one after the other
		func(i int) int { return min(i, processes-1) },      // seven serve one request, and one all others
	}
	for m := range minutes {
		start, before := noon.Add(time.Duration(m)*time.Minute), c.calls
		passed := minute(t, all, c, limit, start, requests, shares[m%len(shares)])
		sum, lost := int64(0), int64(limit)
		for _, n := range passed {
			sum += n
		}
		lost -= sum
		most := int64(0)
		for _, n := range passed {
			most += min(n, limit/100-1)
		}
		if lost > most {
			t.Errorf("minute %d: %d requests passed by %v, so %d are lost, want at most %d", m, sum, passed, lost, most)
		}
		if writes := float64(c.calls-before) / requests; writes > 0.02 {
			t.Errorf("minute %d: %.4f writes for each request, want at most 0.02", m, writes)
		}
	}
	t.Logf("%.4f writes for each request, at most %d at once", float64(c.calls)/float64(minutes*requests), c.lease)
}

// TestLowLimits: below 600 a minute every request that passes is drawn by itself, and exactly as many pass as the limit
// says. When the minute is used up, a sandbox asks the counter once and then no more.
func TestLowLimits(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1, 20, 599} {
		c := newCounter()
		all := sandboxes(c, 8)
		for m := range 5 {
			c.calls, c.lease = 0, 0
			passed := int64(0)
			for _, n := range minute(t, all, c, limit, noon.Add(time.Duration(m)*time.Minute), int(limit)+200, func(i int) int { return i % 8 }) {
				passed += n
			}
			if passed != limit || c.lease != 1 || int64(c.calls) > limit+8 {
				t.Errorf("limit %d: %d passed with %d calls of at most %d, want %d with a call each, and one more in each sandbox",
					limit, passed, c.calls, c.lease, limit)
			}
		}
	}
}

// TestSizeOfLeases: a lease is at most what the process has used in the minute, and at most a hundredth of what is
// left.
func TestSizeOfLeases(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{600, 10_000, 1_000_000_000} {
		c := newCounter()
		l := ratelimit.New(c)
		for used := range int64(20_000) {
			c.lease = 0
			left := limit - c.sum(noon)
			take(t, l, limit, noon)
			if most := max(1, min(used+1, left/100)); c.lease > most {
				t.Fatalf("limit %d: request %d draws %d of %d that are left, want at most %d", limit, used+1, c.lease, left, most)
			}
		}
	}
}

// TestLeaseEndsWithItsMinute: numbers of a minute are used until its last nanosecond, and not after it. A request that
// began in the minute before is counted there.
func TestLeaseEndsWithItsMinute(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	c := newCounter()
	l := ratelimit.New(c)
	for range 1000 {
		take(t, l, limit, noon)
	}
	last := noon.Add(time.Minute - 1)
	calls := c.calls
	if ticket := take(t, l, limit, last); c.calls != calls || !ticket.End.Equal(noon.Add(time.Minute)) {
		t.Fatalf("the last moment of the minute made %d calls, want a number of the lease", c.calls-calls)
	}
	next := noon.Add(time.Minute)
	ticket := take(t, l, limit, next.In(time.FixedZone("east", 9*3600)))
	if c.sum(next) != 1 || ticket.Remaining(limit) != limit-1 || !ticket.End.Equal(next.Add(time.Minute)) {
		t.Errorf("the first moment of the next minute = %+v, with the counter at %d, want its first number", ticket, c.sum(next))
	}
	before := c.sum(noon)
	if ticket := take(t, l, limit, last); c.sum(noon) != before+1 || !ticket.End.Equal(next) {
		t.Errorf("a late request of the minute before = %+v, with the counter at %d, want one more", ticket, c.sum(noon))
	}
	if take(t, l, limit, next); c.sum(next) != 2 {
		t.Errorf("after a late request the counter of the new minute is %d, want 2", c.sum(next))
	}
}

// TestLimitThatChanges: the limit in force decides who passes, also if the numbers were drawn under another one.
func TestLimitThatChanges(t *testing.T) {
	t.Parallel()
	c := newCounter()
	l := ratelimit.New(c)
	for range 500 {
		take(t, l, 100_000, noon)
	}
	ticket := take(t, l, 100_000, noon)
	if ticket.Within(500) || ticket.Remaining(500) != 0 || !ticket.Within(501) || ticket.Remaining(501) != 0 {
		t.Errorf("request 501 = %+v, want it beyond 500 and within 501", ticket)
	}
	for take(t, l, 20, noon).Within(100_000) && c.calls < 1000 {
	}
	calls := c.calls
	refused, err := l.Take(t.Context(), org, organization.Metadata, 20, noon)
	if err != nil || c.calls != calls || !refused.Settled(20) || refused.Within(20) || refused.Settled(100_000) || refused.Within(100_000) {
		t.Errorf("a request over a limit of 20 = %+v, %v after %d calls, want it refused, and undecided under a higher limit",
			refused, err, c.calls-calls)
	}
	if ticket := take(t, l, 100_000, noon); !ticket.Within(100_000) || c.calls != calls+1 {
		t.Errorf("after the limit was raised: %+v after %d calls, want a new number", ticket, c.calls-calls)
	}
}

// TestFailures: an error or a panic of the store is an error, and the next request asks again.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func() error{
		"an error": func() error { return errors.New("no counter today") },
		"a panic":  func() error { panic("no counter today") },
	} {
		c := newCounter()
		l := ratelimit.New(c)
		failures, calls := 0, 0
		c.before = func() error {
			if calls++; calls%3 == 0 {
				return before()
			}
			return nil
		}
		for range 20_000 {
			ticket, err := l.Take(t.Context(), org, organization.Metadata, 100_000, noon)
			if err == nil && !ticket.Within(100_000) {
				t.Fatalf("%s: Take = %+v, want a request that passes", name, ticket)
			}
			if err != nil {
				failures++
				if !strings.Contains(err.Error(), "no counter today") {
					t.Errorf("%s: Take = %v, want the cause", name, err)
				}
			}
		}
		if failures == 0 || failures != calls/3 || calls > 400 {
			t.Errorf("%s: %d requests failed in %d calls, want each third, and leases", name, failures, calls)
		}
	}
}

// TestAtOnce: requests at once get numbers of their own, also while a lease is drawn. None waits for another's call.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	const limit, requests = 50_000, 60_000
	c := newCounter()
	all := sandboxes(c, 3)
	var mu sync.Mutex
	var passed int64
	var workers sync.WaitGroup
	for w := range 24 {
		workers.Go(func() {
			for range requests / 24 {
				ticket, err := all[w%len(all)].Take(t.Context(), org, organization.Metadata, limit, noon)
				if err != nil {
					t.Error(err)
				}
				if ticket.Within(limit) {
					mu.Lock()
					passed++
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	if lost := limit - passed; lost < 0 || lost > int64(len(all))*limit/100 {
		t.Errorf("%d requests passed, want the limit of %d, or fewer by what leases may lose", passed, limit)
	}

	held, arrived := make(chan struct{}), make(chan struct{}, 2)
	slow := newCounter()
	l := ratelimit.New(slow)
	for range 3 {
		take(t, l, limit, noon) // the next draw is a lease
	}
	slow.before = func() error { arrived <- struct{}{}; <-held; return nil }
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { _, _ = l.Take(t.Context(), org, organization.Metadata, limit, noon) })
	}
	<-arrived
	<-arrived // the second does not wait for the first
	close(held)
	both.Wait()
}

// TestMemoryIsBounded: a Limiter forgets organizations, and keeps no text that it was given.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(newCounter())
	takeOne := func(id organization.ID) {
		if _, err := l.Take(t.Context(), id, organization.Metadata, 100, noon); err != nil {
			t.Fatal(err)
		}
	}
	request := strings.Repeat("x", 1<<16)
	takeOne(organization.ID(request[:17]))
	address := func(text string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(text))) }
	for id := range l.Organizations() {
		if at, begin := address(string(id)), address(request); at >= begin && at < begin+uintptr(len(request)) {
			t.Error("a Limiter keeps a part of a request")
		}
	}
	for i := range 5 * ratelimit.MaxOrganizations {
		takeOne(organization.ID(fmt.Sprintf("org_%013d", i)))
	}
	kept := 0
	for range l.Organizations() {
		kept++
	}
	if kept < ratelimit.MaxOrganizations || kept > 2*ratelimit.MaxOrganizations {
		t.Errorf("%d organizations are remembered, want %d and at most twice as many", kept, ratelimit.MaxOrganizations)
	}
}
