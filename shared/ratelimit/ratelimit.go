// Package ratelimit numbers the requests of an organization in each minute, over all processes. A request passes if its
// number is within the limit. As no two requests of a minute have the same number, never more pass than the limit
// allows, whatever a process remembers or guesses.
//
// The numbers come from a counter in the store. A process draws several numbers at once, a lease, if the limit is high.
// So most requests are numbered without a call of the store. When the minute ends, the rest of a lease is lost: these
// requests could have passed and did not. A process loses fewer than a hundredth of the limit in a minute, and at most
// as many as it used.
//
// The package must import no engine of the store and no HTTP.
package ratelimit

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/recent"
	"organizations-api/shared/store"
)

// Window is the span in which requests are counted: a minute of the clock, in UTC. Limits are requests a minute.
const Window = time.Minute

const (
	// leastForLeases is the lowest limit with leases. Below it, numbers are drawn one by one.
	leastForLeases = 600
	// leaseShare is what a lease is at most a part of: of the numbers that were left when the process drew last. So
	// numbers are drawn one by one when fewer than two hundred are left.
	leaseShare = 100
	// maxOrganizations is how many organizations a Limiter remembers at least. They take about a megabyte. The lease of
	// an organization that it forgets is lost, as at the end of the minute.
	maxOrganizations = 1 << 12
)

// Limiter numbers requests. It is safe for concurrent use.
type Limiter struct {
	counters store.Counters

	mu     sync.Mutex
	leases *recent.Map[counted, *lease]
}

// counted says what is counted together.
type counted struct {
	organization organization.ID
	category     organization.Category
}

// lease is what this process knows about one minute of a counter.
type lease struct {
	window    time.Time // its start
	next, end int64     // these numbers were drawn and are not used; none if next > end
	sum       int64     // the counter, when this process drew last; it never goes back within a minute
	drawn     int64     // how many numbers this process has drawn
	drawing   bool      // a draw of which numbers will be left is under way
}

// New returns a Limiter that draws from the counters.
func New(counters store.Counters) *Limiter {
	return &Limiter{counters: counters, leases: recent.New[counted, *lease](maxOrganizations)}
}

// Ticket is the number of a request in its minute. The caller decides by the limit that is in force whether the request
// passes.
type Ticket struct {
	End time.Time // of the minute

	number int64 // of this request; the lowest that it could get if it is not drawn
	drawn  bool  // the number is this request's own
	next   int64 // the numbers from next to free are free, as far as this process can know
	free   int64
}

// Settled reports whether the ticket says if the request passes under the limit. The zero Ticket says nothing. Nor does
// a ticket if Take was given a lower limit, and that one is used up. The request then needs another ticket.
func (t Ticket) Settled(limit int64) bool { return t.drawn || t.number > limit }

// Within reports whether the request passes.
func (t Ticket) Within(limit int64) bool { return t.drawn && t.number <= limit }

// Remaining returns how many more requests can pass in the minute. It is never more than that. It can be less: between
// two draws a process knows only of its own lease, as others may have drawn the rest. It is 0 only if no number within
// the limit is left to draw.
func (t Ticket) Remaining(limit int64) int64 { return max(0, min(limit, t.free)-t.next+1) }

// Take returns a ticket for a request at the time at. It calls the store only if the process has no number for it. The
// limit decides how many numbers are drawn, and whether it is worth asking the counter, but not who passes. So it may
// be a limit of a moment ago. The error is the store's, or says that the store panicked.
func (l *Limiter) Take(
	ctx context.Context, id organization.ID, category organization.Category, limit int64, at time.Time,
) (Ticket, error) {
	of, window := counted{id, category}, at.UTC().Truncate(Window)
	ticket, n := l.reserve(of, window, limit)
	ticket.End = window.Add(Window)
	if n == 0 {
		return ticket, nil
	}
	sum, err := l.draw(ctx, of, window, n)
	return l.settle(of, window, ticket, n, sum, err)
}

// reserve returns a ticket of what this process has, and how many numbers have to be drawn to complete it.
func (l *Limiter) reserve(of counted, window time.Time, limit int64) (t Ticket, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.lease(of, window)
	if own == nil {
		return t, 1
	}
	if own.next <= own.end {
		t = Ticket{number: own.next, drawn: true, next: own.next + 1, free: own.end}
		own.next++
		if own.next <= own.end {
			return t, 0
		}
		// The last one of a lease. The next lease is drawn now, so that this response can say what is left.
	}
	if own.sum >= limit { // the minute is used up
		if !t.drawn {
			t.number = own.sum + 1
		}
		t.next, t.free = own.sum+1, own.sum
		return t, 0
	}
	n = 1
	if limit >= leastForLeases && !own.drawing {
		n = max(1, min(own.drawn, (limit-own.sum)/leaseShare))
	}
	own.drawing = own.drawing || leavesSome(t, n)
	return t, n
}

// lease returns the process's lease of the window. It is nil if the window is older than the one that is known: a
// request began in the last minute, and takes long. It needs the lock.
func (l *Limiter) lease(of counted, window time.Time) *lease {
	own, ok := l.leases.Get(of)
	if ok && !window.After(own.window) {
		if window.Before(own.window) {
			return nil
		}
		return own
	}
	own = &lease{window: window, end: -1}
	of.organization = organization.ID(strings.Clone(string(of.organization))) // it may be part of a whole request
	l.leases.Put(of, own)
	return own
}

// draw adds n to the counter, and returns the sum.
func (l *Limiter) draw(ctx context.Context, of counted, window time.Time, n int64) (sum int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return l.counters.Count(ctx, of.organization, of.category, window, n)
}

// settle completes the ticket by the numbers that were drawn, and keeps the rest of them as the lease.
func (l *Limiter) settle(of counted, window time.Time, t Ticket, n, sum int64, err error) (Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.lease(of, window)
	if own != nil && leavesSome(t, n) {
		own.drawing = false
	}
	if err != nil {
		return Ticket{}, err
	}
	first := sum - n + 1
	if !t.drawn {
		t.number, t.drawn = first, true
		first++
	}
	t.next, t.free = first, math.MaxInt64
	if own == nil {
		return t, nil
	}
	own.sum, own.drawn = max(own.sum, sum), own.drawn+n
	if first <= sum && own.next > own.end {
		own.next, own.end = first, sum
	}
	return t, nil
}

// leavesSome reports whether numbers are left of a draw of n when the ticket is complete.
func leavesSome(t Ticket, n int64) bool { return n > 1 || t.drawn }
