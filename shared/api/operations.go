package api

import (
	"context"
	"math/rand/v2"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
)

func (s *Service) getOrganization(_ context.Context, c *call) (response, error) {
	conditions, problems := readConditions(c.request)
	if len(problems) > 0 {
		return response{}, invalid(problems)
	}
	out, err := organizationResponse(c.found.Organization)
	if err != nil {
		return response{}, err
	}
	c.header.Set("ETag", out.etag)
	return conditions.forRead(out)
}

// maxAttempts bounds how often an update that lost the race against another is tried. With the delays of backoff it takes
// about as long as a request may.
const maxAttempts = 40

func (s *Service) updateOrganization(ctx context.Context, c *call) (response, error) {
	patch, conditions, err := readUpdate(c.request)
	if err != nil {
		return response{}, err
	}
	for attempt := 1; ; attempt++ {
		out, err := s.tryUpdate(ctx, c, patch, conditions)
		kind := store.KindOf(err)
		if kind != store.Conflict && kind != store.NotFound {
			return out, err
		}
		if attempt == maxAttempts {
			return response{}, c.contended(err)
		}
		select {
		case <-time.After(backoff(attempt)):
		case <-ctx.Done():
			return response{}, c.contended(err)
		}
		// Someone else changed the organization meanwhile, its keys perhaps: everything is decided anew.
		if err := s.authenticate(ctx, c); err != nil {
			return response{}, err
		}
		if err := authorize(c, apikey.Admin); err != nil {
			return response{}, err
		}
	}
}

// contended says that an update lost every race. Nothing was changed.
func (c *call) contended(cause error) error {
	c.retryAfter(0)
	return &Error{
		Kind:    Unavailable,
		Message: "The organization is being changed by too many others. Nothing was changed by this request.",
		Cause:   cause,
	}
}

// backoff returns how long to wait before the next attempt: at random, so that contenders spread out, and longer the more
// attempts were lost.
func backoff(attempt int) time.Duration {
	const shortest, longest = 4 * time.Millisecond, 250 * time.Millisecond
	return rand.N(min(shortest<<min(attempt, 10), longest))
}
