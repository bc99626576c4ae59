package mutants

import (
	"bytes"
	"net/http"
	"strconv"

	"organizations-api/contracttests/judge"
)

// This file breaks how many requests are answered in a minute, and how many are said to be left.

// limitMutants returns mutants whose limit differs from the one in their headers.
func limitMutants() []mutant {
	return []mutant{
		{"limit-enforced-early", "refuses the last read of the minute that the limit allows",
			answerError(onMethod(http.MethodGet, func(_ *call, out *judge.Response) bool {
				return out.Status == http.StatusOK && out.Header.Get("X-RateLimit-Remaining") == "0"
			}), 429, "rate_limited")},
		{"window-of-half-a-minute", "allows all requests again after thirty seconds", sends(halfAMinute)},
		{"window-never-ends", "refuses a caller for good when it has used up a window",
			answerError(func(c *call, out *judge.Response) bool {
				reset, err := strconv.Atoi(out.Header.Get("X-RateLimit-Reset"))
				first := c.world.windows.change(c.token(), func(first int) int {
					if first == 0 {
						return reset
					}
					return first
				})
				return err == nil && reset > first+60
			}, 429, "rate_limited")},
		{"limit-not-of-updates", "does not count updates", sends(func(c *call) (judge.Response, error) {
			if c.updates() && bytes.HasPrefix(c.Body, []byte("{")) {
				return c.world.Direct.Send(c.ctx, c.Request)
			}
			return c.send()
		})},
	}
}

// halfAMinute serves what was refused with 429 in the second half of the minute.
func halfAMinute(c *call) (judge.Response, error) {
	out, err := c.send()
	if seconds, errRead := strconv.Atoi(out.Header.Get("Retry-After")); err != nil || errRead != nil || seconds > 30 {
		return out, err
	}
	return unlimited(c)
}

// unlimited serves what was refused with 429, with the headers of the refusal.
func unlimited(c *call) (judge.Response, error) {
	out, err := c.send()
	if err != nil || out.Status != http.StatusTooManyRequests {
		return out, err
	}
	refused := judge.Canonical(out.Header)
	out, err = c.world.Direct.Send(c.ctx, c.Request)
	if err != nil {
		return out, err
	}
	out.Header = judge.Canonical(out.Header).Clone()
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
		"X-RateLimit-Window"} {
		setHeader(out.Header, name, refused.Values(name)...)
	}
	return out, nil
}

// limitHeaderMutants break the headers about the limit.
func limitHeaderMutants() []mutant {
	const limit, remaining, reset = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
	metered := func(_ *call, out *judge.Response) bool { return out.Header.Get(limit) != "" }
	answered := func(c *call, out *judge.Response) bool {
		return metered(c, out) && out.Status != http.StatusTooManyRequests
	}
	adding := func(name, text string) mutation {
		return answerHeaderText(metered, name, func(was string) string { return was + text })
	}
	return []mutant{
		{"remaining-missing", "leaves X-RateLimit-Remaining out", answerHeader(metered, remaining)},
		{"window-alone", "states the window of requests that are not counted",
			answerHeader(func(c *call, out *judge.Response) bool {
				return !metered(c, out)
			}, "X-RateLimit-Window", "60")},
		{"limit-header-of-another-category", "states another limit than that of the category metadata",
			adding(limit, "0")},
		{"remaining-does-not-count-down", "always states all requests of the minute as left",
			answerHeaders(answered, func(h http.Header) {
				setHeader(h, remaining, h.Get(limit))
			})},
		{"remaining-after-refusal", "refuses a request for its number and states that one is left",
			answerHeader(onStatus(429), remaining, "1")},
		{"remaining-by-key", "counts the requests of every key on its own", remembering(remainingByKey)},
		{"reset-in-milliseconds", "states the reset in milliseconds", adding(reset, "000")},
	}
}

func remainingByKey() mutation {
	var sent memory[int]
	return answers(func(c *call, out *judge.Response) {
		most, err := strconv.Atoi(out.Header.Get("X-RateLimit-Limit"))
		if err != nil || out.Status == http.StatusTooManyRequests {
			return
		}
		used := adding(&sent, c.token()+out.Header.Get("X-RateLimit-Reset"), 1)
		setHeader(out.Header, "X-RateLimit-Remaining", strconv.Itoa(max(0, most-used)))
	})
}
