package api

import (
	"context"
	"strconv"
	"sync"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/ratelimit"
	"organizations-api/shared/recent"
)

// countTimeout is the longest that a count may delay a request. A healthy store counts much faster, so a burst does not
// pass uncounted, and most of requestTimeout is left for the request itself.
const countTimeout = 2500 * time.Millisecond

// acceptedKeys remembers which keys were accepted lately, by their hashes. It is a hint of what the store will answer,
// and saves time if it is right: such a key needs no checksum, and its request is counted while the store is read. It
// is no authority: every request reads the store, and that decides. It is safe for concurrent use.
type acceptedKeys struct {
	mu   sync.Mutex
	keys *recent.Map[apikey.Hash, acceptance]
}

// acceptance is what was known when a key was accepted.
type acceptance struct {
	at    time.Time
	limit int64 // of the organization
}

const (
	// acceptedFor is how long a key is remembered after a request. A key that is refused counts at most one request in
	// each process that remembers it, and at the same time.
	acceptedFor = 5 * time.Minute
	// maxAccepted is how many keys are remembered at least. They take less than a megabyte.
	maxAccepted = 1 << 12
)

func newAcceptedKeys() acceptedKeys {
	return acceptedKeys{keys: recent.New[apikey.Hash, acceptance](maxAccepted)}
}

// get returns what was known when the key was accepted, if that was lately.
func (a *acceptedKeys) get(key apikey.Hash, now time.Time) (acceptance, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.keys.Get(key)
	return known, ok && now.Sub(known.at) < acceptedFor
}

func (a *acceptedKeys) put(key apikey.Hash, known acceptance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys.Put(key, known)
}

func (a *acceptedKeys) forget(key apikey.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys.Delete(key)
}

// counting is the count of one request.
type counting struct {
	beside sync.WaitGroup // the count that runs beside the read
	ticket ratelimit.Ticket
	err    error // why the request was not counted
}

// countBeside starts the count of a request whose key is remembered. The rest of the request runs meanwhile, and must
// wait for c.count.beside before it looks at c.count. Both operations belong to the category metadata.
func (s *Service) countBeside(ctx context.Context, c *call) {
	if !c.remembered || s.limiter == nil {
		return
	}
	c.count.beside.Add(1)
	go func() {
		defer c.count.beside.Done()
		s.count(ctx, c, c.key.Organization(), c.known.limit)
	}()
}

// count takes the ticket of the request. If the count fails, the request passes: availability comes before metering.
func (s *Service) count(ctx context.Context, c *call, id organization.ID, limit int64) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	c.count.ticket, c.count.err = s.limiter.Take(ctx, id, organization.Metadata, limit, c.started)
}

// limit returns a 429 error if the organization has used up its minute. It counts the request, unless that was done
// beside the read.
func (s *Service) limit(ctx context.Context, c *call) error {
	if s.limiter == nil {
		return nil
	}
	limit := int64(c.found.Organization.Limits().Metadata)
	if c.count.err == nil && !c.count.ticket.Settled(limit) {
		s.count(ctx, c, c.found.Organization.ID, limit)
	}
	if c.count.err != nil {
		return nil
	}
	ticket := c.count.ticket
	c.limitHeaders(limit, ticket.Remaining(limit), ticket.End)
	if ticket.Within(limit) {
		return nil
	}
	return &Error{
		Type:    TooManyRequests,
		Message: "The organization has used up its requests for this minute.",
		Details: map[string]any{
			"category":    string(organization.Metadata),
			"limit":       limit,
			"window":      "1m",
			"retry_after": c.retryAfter(ticket.End.Sub(s.now())),
		},
	}
}

// The headers of a counted request, in the form of http.CanonicalHeaderKey: writing them costs less then.
const (
	limitHeader     = "X-Ratelimit-Limit"
	remainingHeader = "X-Ratelimit-Remaining"
	resetHeader     = "X-Ratelimit-Reset"
	windowHeader    = "X-Ratelimit-Window"
)

// limitHeaders sets the headers of a counted request.
func (c *call) limitHeaders(limit, remaining int64, end time.Time) {
	values := []string{
		strconv.FormatInt(limit, 10), strconv.FormatInt(remaining, 10), strconv.FormatInt(end.Unix(), 10),
	}
	c.header[limitHeader] = values[0:1:1]
	c.header[remainingHeader] = values[1:2:2]
	c.header[resetHeader] = values[2:3:3]
	c.header[windowHeader] = windowSeconds
}
