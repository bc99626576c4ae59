package contracttests

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// rateLimitLaws are about counting requests.
func rateLimitLaws() []Check {
	return []Check{
		law("rate-limit-counts-down", NeedProvision, countsDown),
		law("rate-limit-is-exact", NeedProvision, limitIsExact),
		law("rate-limit-is-each-tenant's-own", NeedProvision, limitsApart),
		law("rate-limit-is-that-of-the-record", NeedProvision, limitOfRecord),
	}
}

// meter is what the headers of an answer say of the limit.
type meter struct{ limit, remaining, reset int }

// meter reads the headers of an answer, and reports where they are missing: whoever provisions enforces limits.
func (s *Session) meter(x Exchange) meter {
	h := canonical(x.Response.Header)
	number := func(name string) int {
		n, err := strconv.Atoi(h.Get(name))
		if err != nil {
			s.FailExchange(x, "there is no number in %s", name)
			panic(errStopped)
		}
		return n
	}
	return meter{number("X-RateLimit-Limit"), number("X-RateLimit-Remaining"), number("X-RateLimit-Reset")}
}

// withinOneMinute returns the answers that were made within one minute: where the minute ended meanwhile, they are made
// once more, of another organization.
func (s *Session) withinOneMinute(limit int, ask func(c caller) []Exchange) []Exchange {
	var answers []Exchange
	for range 3 {
		answers = ask(s.caller(TenantSpec{Limit: limit, Keys: []KeyKind{KeyRead}}))
		first := s.meter(answers[0]).reset
		if !slices.ContainsFunc(answers, func(x Exchange) bool { return s.meter(x).reset != first }) {
			return answers
		}
	}
	s.Stop("the minute ended again and again")
	return answers
}

// countsDown: each request leaves one less, of either operation and whatever becomes of it, down to none and not below.
func countsDown(s *Session) {
	const limit = 5
	began := time.Now()
	answers := s.withinOneMinute(limit, func(c caller) []Exchange {
		first := c.get(KeyRead)
		etag := canonical(first.Response.Header).Get("ETag")
		return []Exchange{
			first, c.get(KeyAdmin, "If-None-Match", etag), c.patch(`{}`), c.patch(c.rename()), c.get(KeyRead),
			c.get(KeyRead), c.patch(c.rename()), c.get(KeyAdmin),
		}
	})
	for i, x := range answers {
		want := meter{limit, max(0, limit-1-i), s.meter(answers[0]).reset}
		if got := s.meter(x); got != want {
			s.FailExchange(x, "request %d of a minute has limit, remaining and reset %v, want %v", i+1, got, want)
		}
		if i >= limit {
			s.wantError(x, http.StatusTooManyRequests, "rate_limited")
			s.wantRetryAfter(x)
		} else if x.Response.Status >= 400 {
			s.FailExchange(x, "request %d of %d allowed ones was answered with %d", i+1, limit, x.Response.Status)
		}
	}
	reset := time.Unix(int64(s.meter(answers[0]).reset), 0)
	if reset.Before(began) || reset.After(time.Now().Add(time.Minute+time.Second)) {
		s.FailExchange(answers[0], "the minute is said to end in %v", time.Until(reset).Round(time.Second))
	}
}

// wantRetryAfter reports a refusal that does not say to come back when the minute is over.
func (s *Session) wantRetryAfter(x Exchange) {
	after, err := strconv.Atoi(canonical(x.Response.Header).Get("Retry-After"))
	back := time.Now().Add(time.Duration(after) * time.Second)
	over := time.Unix(int64(s.meter(x).reset), 0)
	if off := back.Sub(over); err != nil || off < -2*time.Second || off > 30*time.Second {
		s.FailExchange(x, "Retry-After is %ds, and the minute is over in %v", after, time.Until(over).Round(time.Second))
	}
}

// limitIsExact: of many requests at once, as many as the limit says are answered, each with a number of its own left.
func limitIsExact(s *Session) {
	const limit, several = 7, 12
	answers := s.withinOneMinute(limit, func(c caller) []Exchange {
		all := together(several, func(int) Exchange { return c.get(KeyRead) })
		return append(all, c.get(KeyRead))
	})
	var left []int
	for _, x := range answers {
		if x.Response.Status == http.StatusOK {
			left = append(left, s.meter(x).remaining)
		} else {
			s.wantError(x, http.StatusTooManyRequests, "rate_limited")
		}
	}
	slices.Sort(left)
	if fmt.Sprint(left) != "[0 1 2 3 4 5 6]" {
		s.Failf("of %d requests at once under a limit of %d, those that passed had left %v, want each of 0 to %d once",
			several, limit, left, limit-1)
	}
}

// limitsApart: what one organization uses up is not taken from another.
func limitsApart(s *Session) {
	other := s.caller(TenantSpec{Limit: 3, Keys: []KeyKind{KeyRead}})
	s.withinOneMinute(2, func(c caller) []Exchange {
		return []Exchange{c.get(KeyRead), c.get(KeyRead), c.get(KeyRead), c.get(KeyRead)}
	})
	x := other.get(KeyRead)
	if s.wantStatus(x, http.StatusOK) {
		if got := s.meter(x); got.limit != 3 || got.remaining != 2 {
			s.FailExchange(x, "the first request of an organization has %d of %d left, want 2 of 3", got.remaining, got.limit)
		}
	}
}

// limitOfRecord: the limit that is enforced is the one that the record shows, and a change of it is in force at once.
func limitOfRecord(s *Session) {
	c := s.caller(TenantSpec{Tier: "free", Keys: []KeyKind{}})
	for _, step := range []struct {
		body  string
		limit int
	}{
		{`{"rate_limits":{"metadata":500}}`, 500}, {`{"rate_limits":null}`, 20}, {`{"rate_limits":{"data":1}}`, 20},
		{`{"rate_limits":{"metadata":1000000,"search":1}}`, 1_000_000},
	} {
		c.change(step.body)
		if x := c.get(KeyAdmin); s.wantStatus(x, http.StatusOK) && s.meter(x).limit != step.limit {
			s.FailExchange(x, "after %s the limit is said to be %d, want %d", step.body, s.meter(x).limit, step.limit)
		}
	}
	c.change(`{"rate_limits":{"metadata":1}}`)
	s.wantError(s.untilRefused(c.get(KeyAdmin)), http.StatusTooManyRequests, "rate_limited")
}
