package api

import (
	"context"
	"strconv"
	"time"

	"organizations-api/shared/organization"
)

// window is the span in which requests are counted. Limits are requests a minute.
const window = time.Minute

// countTimeout is the longest that a count may delay a request. A healthy store counts much faster, so a burst does not
// pass uncounted, and most of requestTimeout is left for the request itself.
const countTimeout = 2500 * time.Millisecond

// limit counts the request, and returns a 429 error if the organization has used up its minute. Both operations belong
// to the category metadata. If the count fails, the request passes: availability comes before metering.
func (s *Service) limit(ctx context.Context, c *call) error {
	if s.counters == nil {
		return nil
	}
	org := c.found.Organization
	start := c.started.UTC().Truncate(window)
	countCtx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	count, err := s.counters.Count(countCtx, org.ID, organization.Metadata, start)
	if err != nil {
		c.countErr = err
		return nil
	}
	limit := int64(org.Limits().Metadata)
	end := start.Add(window)
	c.header.Set("X-RateLimit-Limit", strconv.FormatInt(limit, 10))
	c.header.Set("X-RateLimit-Remaining", strconv.FormatInt(max(0, limit-count), 10))
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(end.Unix(), 10))
	if count <= limit {
		return nil
	}
	c.retryAfter(end.Sub(s.now()))
	return &Error{
		Type:    TooManyRequests,
		Message: "The organization has used up its requests for this minute.",
		Details: map[string]any{"category": string(organization.Metadata), "limit": limit},
	}
}
