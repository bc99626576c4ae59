package mutants

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// headerMutants spoil the headers that belong to every answer, or to one status.
func headerMutants() []Mutant {
	return []Mutant{
		{"tag-missing", GroupHeaders, "sends no ETag with organizations", mutateHeader(onStatus(200), "ETag")},
		{"tag-missing-with-304", GroupHeaders, "sends no ETag with 304", mutateHeader(onStatus(304), "ETag")},
		{"tag-missing-with-412", GroupHeaders, "sends no ETag with 412", mutateHeader(onStatus(412), "ETag")},
		{"tag-without-quotes", GroupHeaders, "sends the ETag without quotes", mutateHeaderText(onAll, "ETag", func(text string) string { return strings.Trim(text, `"`) })},
		{"tag-weak", GroupHeaders, "sends weak ETags", mutateHeaderText(onAll, "ETag", func(text string) string { return "W/" + text })},
		{"tag-twice", GroupHeaders, "sends two ETags", mutateHeaders(onStatus(200), func(h http.Header) { h["Etag"] = append(h["Etag"], `"second"`) })},
		{"tag-of-304-differs", GroupHeaders, "sends another ETag with 304", mutateHeader(onStatus(304), "ETag", `"other"`)},
		{"no-store-missing", GroupHeaders, "sends no Cache-Control with organizations", mutateHeader(onStatus(200), "Cache-Control")},
		{"no-store-missing-in-errors", GroupHeaders, "sends no Cache-Control with errors", mutateHeader(onErrors, "Cache-Control")},
		{"no-store-missing-with-422", GroupHeaders, "sends no Cache-Control with validation errors", mutateHeader(onStatus(422), "Cache-Control")},
		{"no-store-missing-with-304", GroupHeaders, "sends no Cache-Control with 304", mutateHeader(onStatus(304), "Cache-Control")},
		{"cache-control-private", GroupHeaders, "lets the caller's cache keep organizations", mutateHeader(onStatus(200), "Cache-Control", "private, max-age=60")},
		{"cache-control-twice", GroupHeaders, "sends Cache-Control twice", mutateHeader(onAll, "Cache-Control", "no-store", "no-store")},
		{"nosniff-missing", GroupHeaders, "sends no X-Content-Type-Options", mutateHeader(onAll, "X-Content-Type-Options")},
		{"nosniff-missing-in-errors", GroupHeaders, "sends no X-Content-Type-Options with errors", mutateHeader(onErrors, "X-Content-Type-Options")},
		{"nosniff-otherwise", GroupHeaders, "sends X-Content-Type-Options with a word that means nothing", mutateHeader(onAll, "X-Content-Type-Options", "sniff")},
		{"request-id-missing", GroupHeaders, "sends no X-Request-Id", mutateHeader(onAll, "X-Request-Id")},
		{"request-id-missing-in-401", GroupHeaders, "sends no X-Request-Id with 401", mutateHeader(onStatus(401), "X-Request-Id")},
		{"request-id-empty", GroupHeaders, "sends an empty X-Request-Id", mutateHeader(onAll, "X-Request-Id", "")},
		{"request-id-too-long", GroupHeaders, "sends an X-Request-Id of 129 characters", mutateHeader(onAll, "X-Request-Id", strings.Repeat("x", 129))},
		{"request-id-with-blank", GroupHeaders, "ends X-Request-Id in a blank", mutateHeaderText(onAll, "X-Request-Id", func(text string) string { return text + " " })},
		{"request-id-constant", GroupHeaders, "gives all requests the same X-Request-Id", mutateHeader(onAll, "X-Request-Id", "request-1")},
		{"challenge-missing", GroupHeaders, "sends no WWW-Authenticate with 401", mutateHeader(onStatus(401), "WWW-Authenticate")},
		{"challenge-basic", GroupHeaders, "asks for a password with 401", mutateHeader(onStatus(401), "WWW-Authenticate", `Basic realm="organizations"`)},
		{"retry-after-missing-with-429", GroupHeaders, "sends no Retry-After with 429", mutateHeader(onStatus(429), "Retry-After")},
		{"retry-after-missing-with-503", GroupHeaders, "sends no Retry-After with 503", mutateHeader(onStatus(503), "Retry-After")},
		{"retry-after-zero", GroupHeaders, "sends Retry-After 0", mutateHeader(onStatus(429, 503), "Retry-After", "0")},
		{"retry-after-text", GroupHeaders, "sends a Retry-After in words", mutateHeader(onStatus(429, 503), "Retry-After", "soon")},
		{"retry-after-date", GroupHeaders, "sends a date for Retry-After", mutateHeader(onStatus(429, 503), "Retry-After", "Mon, 05 Jan 2026 09:31:00 GMT")},
		{"retry-after-fraction", GroupHeaders, "sends a fraction for Retry-After", mutateHeader(onStatus(429, 503), "Retry-After", "1.5")},
		{"retry-after-too-late", GroupHeaders, "sends a Retry-After with 429 that is long after the minute", mutateHeader(onStatus(429), "Retry-After", "3600")},
		{"header-undeclared", GroupHeaders, "adds X-Powered-By", mutateHeader(onAll, "X-Powered-By", "organizations")},
		{"header-server", GroupHeaders, "adds Server", mutateHeader(onErrors, "Server", "organizations/1.0.0")},
		{"header-cookie", GroupHeaders, "sets a cookie", mutateHeader(onStatus(200), "Set-Cookie", "session=1; Path=/")},
		{"header-cookie-with-401", GroupHeaders, "sets a cookie with 401", mutateHeader(onStatus(401), "Set-Cookie", "session=1; Path=/")},
		{"length-wrong", GroupHeaders, "states a Content-Length that is not the body's", mutateHeader(onStatus(200), "Content-Length", "1")},
		{"body-with-304", GroupHeaders, "sends a body with 304", mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
			out, err := next.Send(ctx, r)
			if record, _, ok := w.read(ctx, r); err == nil && ok && out.Status == http.StatusNotModified {
				out.Body = record.text()
			}
			return out, err
		})},
	}
}

// mutateHeader replaces a header; no value removes it.
func mutateHeader(which answerTest, name string, values ...string) mutation {
	return mutateHeaders(which, func(h http.Header) {
		dropHeader(h, name)
		if len(values) > 0 {
			setHeader(h, name, values...)
		}
	})
}

// mutateHeaderText changes the text of a header that is there.
func mutateHeaderText(which answerTest, name string, change func(text string) string) mutation {
	return mutateHeaders(which, func(h http.Header) {
		if text := h.Get(name); text != "" {
			setHeader(h, name, change(text))
		}
	})
}

// rateLimitMutants are wrong about how many requests are left.
func rateLimitMutants() []Mutant {
	metered := func(_ judge.Request, out judge.Response) bool {
		return len(judge.Canonical(out.Header).Values("X-RateLimit-Limit")) > 0
	}
	return []Mutant{
		{"limit-header-missing", GroupHeaders, "leaves X-RateLimit-Limit out", mutateHeader(metered, "X-RateLimit-Limit")},
		{"remaining-missing", GroupHeaders, "leaves X-RateLimit-Remaining out", mutateHeader(metered, "X-RateLimit-Remaining")},
		{"reset-missing", GroupHeaders, "leaves X-RateLimit-Reset out", mutateHeader(metered, "X-RateLimit-Reset")},
		{"limit-header-text", GroupHeaders, "writes X-RateLimit-Limit with its unit", mutateHeaderText(metered, "X-RateLimit-Limit", func(text string) string { return text + "/min" })},
		{"limit-header-of-another-category", GroupHeaders, "states another limit than that of the category metadata", mutateHeaderText(metered, "X-RateLimit-Limit", func(text string) string { return text + "0" })},
		{"remaining-does-not-count-down", GroupHeaders, "always states all requests of the minute as left", mutateHeaders(func(r judge.Request, out judge.Response) bool {
			return metered(r, out) && out.Status != http.StatusTooManyRequests
		}, func(h http.Header) { setHeader(h, "X-RateLimit-Remaining", h.Get("X-RateLimit-Limit")) })},
		{"remaining-negative", GroupHeaders, "states less than no request as left", mutateHeader(onStatus(429), "X-RateLimit-Remaining", "-1")},
		{"remaining-above-limit", GroupHeaders, "states more requests as left than there are", mutateHeaderText(metered, "X-RateLimit-Remaining", func(text string) string { return text + "000000" })},
		{"remaining-after-refusal", GroupHeaders, "refuses a request for its number and states that one is left", mutateHeader(onStatus(429), "X-RateLimit-Remaining", "1")},
		{"remaining-by-key", GroupHeaders, "counts the requests of every key on its own", remembering(remainingByKey)},
		{"reset-in-seconds-from-now", GroupHeaders, "states the reset as a number of seconds from now", mutateHeader(metered, "X-RateLimit-Reset", "60")},
		{"reset-in-milliseconds", GroupHeaders, "states the reset in milliseconds", mutateHeaderText(metered, "X-RateLimit-Reset", func(text string) string { return text + "000" })},
		{"reset-in-the-past", GroupHeaders, "states a reset that is over", mutateHeader(metered, "X-RateLimit-Reset", "1767605460")},
		{"reset-as-date", GroupHeaders, "states the reset as a date", mutateHeader(metered, "X-RateLimit-Reset", time.Unix(1767605460, 0).UTC().Format(time.RFC3339))},
		{"limit-not-enforced", GroupBehaviour, "answers requests beyond the limit", mutateSend(unlimited)},
		{"limit-enforced-early", GroupBehaviour, "refuses the last read of the minute that the limit allows", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if r.Method == http.MethodGet && out.Status == http.StatusOK && out.Header.Get("X-RateLimit-Remaining") == "0" {
				setError(out, http.StatusTooManyRequests, "TooManyRequestsError", "rate_limited")
				setHeader(out.Header, "Retry-After", "5")
			}
		})},
		{"limit-not-of-updates", GroupBehaviour, "does not count updates", mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
			if r.Method == http.MethodPatch && bytes.HasPrefix(r.Body, []byte("{")) {
				return w.Direct.Send(ctx, r)
			}
			return next.Send(ctx, r)
		})},
	}
}

func remainingByKey() mutantSend {
	var sent mutantMemory[int]
	return func(ctx context.Context, _ *World, next harness.Target, r judge.Request) (judge.Response, error) {
		out, err := next.Send(ctx, r)
		if err != nil {
			return out, err
		}
		out.Header = judge.Canonical(out.Header)
		limit := out.Header.Get("X-RateLimit-Limit")
		if limit == "" || out.Status == http.StatusTooManyRequests {
			return out, nil
		}
		if most, err := strconv.Atoi(limit); err == nil {
			used := adding(&sent, token(r)+out.Header.Get("X-RateLimit-Reset"), 1)
			setHeader(out.Header, "X-RateLimit-Remaining", strconv.Itoa(max(0, most-used)))
		}
		return out, nil
	}
}

// unlimited serves what was refused for its number, with the headers of the refusal.
func unlimited(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
	out, err := next.Send(ctx, r)
	if err != nil || out.Status != http.StatusTooManyRequests {
		return out, err
	}
	refused := judge.Canonical(out.Header)
	out, err = w.Direct.Send(ctx, r)
	if err != nil {
		return out, err
	}
	out.Header = judge.Canonical(out.Header)
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		setHeader(out.Header, name, refused.Values(name)...)
	}
	return out, nil
}
