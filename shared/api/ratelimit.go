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
	c.limitHeaders(limit, max(0, limit-count), end)
	if count <= limit {
		return nil
	}
	return &Error{
		Type:    TooManyRequests,
		Message: "The organization has used up its requests for this minute.",
		Details: map[string]any{
			"category":    string(organization.Metadata),
			"limit":       limit,
			"window":      "1m",
			"retry_after": c.retryAfter(end.Sub(s.now())),
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
