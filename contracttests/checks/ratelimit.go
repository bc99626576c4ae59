package checks

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// limitedChange: an update that gets 429 is not made. The record cannot be read in that minute. So the update asks for
// a higher limit, which would show in the headers of the next answer.
func limitedChange(s *harness.Session) {
	for range 3 {
		c := s.Caller(harness.TenantSpec{Limit: 1, Keys: []harness.KeyKind{}})
		c.Get(harness.KeyAdmin)
		x := c.Patch(`{"rate_limits":{"metadata":1000000}}`)
		if x.Response.Status == http.StatusOK {
			continue // a new minute has begun
		}
		s.WantError(x, http.StatusTooManyRequests, "rate_limited")
		if now := c.Get(harness.KeyAdmin); readMeter(s, now).limit != 1 {
			s.FailExchange(x, "the update was refused and has raised the limit to %d", readMeter(s, now).limit)
		}
		return
	}
	s.Stop("the minute ended again and again")
}

// meter is the limit as the headers of an answer show it.
type meter struct{ limit, remaining, reset int }

// readMeter reads the headers of an answer. It ends the check if they are missing.
func readMeter(s *harness.Session, x judge.Exchange) meter {
	h := judge.Canonical(x.Response.Header)
	number := func(name string) int {
		n, err := strconv.Atoi(h.Get(name))
		if err != nil {
			s.StopExchange(x, "there is no number in %s", name)
		}
		return n
	}
	return meter{number("X-RateLimit-Limit"), number("X-RateLimit-Remaining"), number("X-RateLimit-Reset")}
}

// withinOneMinute returns answers from one minute. If the minute ends meanwhile, it asks again, with another
// organization.
func withinOneMinute(s *harness.Session, limit int, ask func(c harness.Caller) []judge.Exchange) []judge.Exchange {
	var answers []judge.Exchange
	for range 3 {
		answers = ask(s.Caller(harness.TenantSpec{Limit: limit, Keys: []harness.KeyKind{harness.KeyRead}}))
		first := readMeter(s, answers[0]).reset
		if !slices.ContainsFunc(answers, func(x judge.Exchange) bool { return readMeter(s, x).reset != first }) {
			return answers
		}
	}
	s.Stop("the minute ended again and again")
	return answers
}

// countsDown: every request reduces the number of remaining requests by one, down to zero, for any method and status.
func countsDown(s *harness.Session) {
	const limit = 5
	began := time.Now()
	answers := withinOneMinute(s, limit, func(c harness.Caller) []judge.Exchange {
		first := c.Get(harness.KeyRead)
		etag := judge.Canonical(first.Response.Header).Get("ETag")
		return []judge.Exchange{
			first, c.Get(harness.KeyAdmin, "If-None-Match", etag), c.Patch(`{}`), c.Patch(newName(c)),
			c.Get(harness.KeyRead),
			c.Get(harness.KeyRead), c.Patch(newName(c)), c.Get(harness.KeyAdmin),
		}
	})
	for i, x := range answers {
		want := meter{limit, max(0, limit-1-i), readMeter(s, answers[0]).reset}
		if got := readMeter(s, x); got != want {
			s.FailExchange(x, "request %d of a minute has limit, remaining and reset %v, want %v", i+1, got, want)
		}
		if i >= limit {
			s.WantError(x, http.StatusTooManyRequests, "rate_limited")
			wantRetryAfter(s, x)
		} else if x.Response.Status >= 400 {
			s.FailExchange(x, "request %d of %d allowed ones was answered with %d", i+1, limit, x.Response.Status)
		}
	}
	reset := time.Unix(int64(readMeter(s, answers[0]).reset), 0)
	if reset.Before(began) || reset.After(time.Now().Add(time.Minute+time.Second)) {
		s.FailExchange(answers[0], "the minute is said to end in %v", time.Until(reset).Round(time.Second))
	}
}

// wantRetryAfter reports a 429 whose Retry-After is not the end of the minute.
func wantRetryAfter(s *harness.Session, x judge.Exchange) {
	after, err := strconv.Atoi(judge.Canonical(x.Response.Header).Get("Retry-After"))
	back := time.Now().Add(time.Duration(after) * time.Second)
	over := time.Unix(int64(readMeter(s, x).reset), 0)
	if off := back.Sub(over); err != nil || off < -2*time.Second || off > 30*time.Second {
		s.FailExchange(x, "Retry-After is %ds, and the minute is over in %v", after,
			time.Until(over).Round(time.Second))
	}
}

// limitIsExact: if many requests come at once, the service answers exactly as many as the limit allows. Each answer has
// another number of remaining requests.
func limitIsExact(s *harness.Session) {
	const limit, several = 7, 12
	answers := withinOneMinute(s, limit, func(c harness.Caller) []judge.Exchange {
		all := harness.Together(several, func(int) judge.Exchange { return c.Get(harness.KeyRead) })
		return append(all, c.Get(harness.KeyRead))
	})
	var left []int
	for _, x := range answers {
		if x.Response.Status == http.StatusOK {
			left = append(left, readMeter(s, x).remaining)
		} else {
			s.WantError(x, http.StatusTooManyRequests, "rate_limited")
		}
	}
	slices.Sort(left)
	if fmt.Sprint(left) != "[0 1 2 3 4 5 6]" {
		s.Failf("of %d requests at once under a limit of %d, those that passed had left %v, want each of 0 to %d once",
			several, limit, left, limit-1)
	}
}

// limitsApart: the requests of one organization do not count against another.
func limitsApart(s *harness.Session) {
	other := s.Caller(harness.TenantSpec{Limit: 3, Keys: []harness.KeyKind{harness.KeyRead}})
	withinOneMinute(s, 2, func(c harness.Caller) []judge.Exchange {
		return []judge.Exchange{c.Get(harness.KeyRead), c.Get(harness.KeyRead), c.Get(harness.KeyRead),
			c.Get(harness.KeyRead)}
	})
	x := other.Get(harness.KeyRead)
	if s.WantStatus(x, http.StatusOK) {
		if got := readMeter(s, x); got.limit != 3 || got.remaining != 2 {
			s.FailExchange(x, "the first request of an organization has %d of %d left, want 2 of 3", got.remaining,
				got.limit)
		}
	}
}

// windowIsMinute: a window lasts a whole minute, then it ends, and all requests are allowed again.
func windowIsMinute(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Limit: 1, Keys: []harness.KeyKind{}})
	request := c.Get(harness.KeyAdmin).Request
	begins := readMeter(s, s.Send(request)).reset // the next window
	for _, step := range []struct {
		second, status, left, resets int
	}{{1, 200, 0, 60}, {2, 429, 0, 60}, {30, 429, 0, 60}, {55, 429, 0, 60}, {61, 200, 0, 120}, {62, 429, 0, 120}} {
		target := s.Subject.Later(s.Context(), time.Unix(int64(begins+step.second), 0))
		x := s.SendTo(target, request)
		if !s.WantStatus(x, step.status) {
			s.Failf("%d seconds after a window of one request began, the status is %d, want %d", step.second,
				x.Response.Status, step.status)
			continue
		}
		if got, want := readMeter(s, x), (meter{1, step.left, begins + step.resets}); got != want {
			s.FailExchange(x, "%d seconds after a window of one request began, limit, remaining and reset are %v, "+
				"want %v",
				step.second, got, want)
		}
	}
}

// limitOfRecord: the service enforces the limit in the record. A change of it takes effect at once.
func limitOfRecord(s *harness.Session) {
	c := s.Caller(harness.TenantSpec{Tier: "free", Keys: []harness.KeyKind{}})
	for _, step := range []struct {
		body  string
		limit int
	}{
		{`{"rate_limits":{"metadata":500}}`, 500}, {`{"rate_limits":null}`, 500}, {`{"rate_limits":{}}`, 20},
		{`{"rate_limits":{"data":1}}`, 20},
		{`{"rate_limits":{"metadata":1000000,"search":1}}`, 1_000_000},
	} {
		c.Change(step.body)
		if x := c.Get(harness.KeyAdmin); s.WantStatus(x, http.StatusOK) && readMeter(s, x).limit != step.limit {
			s.FailExchange(x, "after %s the limit is said to be %d, want %d", step.body, readMeter(s, x).limit,
				step.limit)
		}
	}
	c.Change(`{"rate_limits":{"metadata":1}}`)
	s.WantError(untilRefused(s, c.Get(harness.KeyAdmin)), http.StatusTooManyRequests, "rate_limited")
}
