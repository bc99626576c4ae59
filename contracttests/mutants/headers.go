package mutants

import (
	"net/http"
	"strings"

	"organizations-api/contracttests/judge"
)

// headerMutants break the headers that belong to every answer, or to one status. Those of tags and of rate limits are
// in conditions.go and ratelimit.go.
func headerMutants() []mutant {
	const nosniff, id, retry = "X-Content-Type-Options", "X-Request-Id", "Retry-After"
	return []mutant{
		{"no-store-missing", "sends no Cache-Control with organizations", answerHeader(onStatus(200), "Cache-Control")},
		{"no-store-missing-in-errors", "sends no Cache-Control with errors", answerHeader(onErrors, "Cache-Control")},
		{"no-store-missing-with-422", "sends no Cache-Control with validation errors",
			answerHeader(onStatus(422), "Cache-Control")},
		{"no-store-missing-with-304", "sends no Cache-Control with 304", answerHeader(onStatus(304), "Cache-Control")},
		{"cache-control-private", "lets the caller's cache keep organizations",
			answerHeader(onStatus(200), "Cache-Control", "private, max-age=60")},
		{"cache-control-twice", "sends Cache-Control twice",
			answerHeader(onAll, "Cache-Control", "no-store", "no-store")},
		{"nosniff-missing", "sends no X-Content-Type-Options", answerHeader(onAll, nosniff)},
		{"nosniff-missing-in-errors", "sends no X-Content-Type-Options with errors", answerHeader(onErrors, nosniff)},
		{"nosniff-otherwise", "sends X-Content-Type-Options with a word that means nothing",
			answerHeader(onAll, nosniff, "sniff")},
		{"request-id-missing", "sends no X-Request-Id", answerHeader(onAll, id)},
		{"request-id-missing-in-401", "sends no X-Request-Id with 401", answerHeader(onStatus(401), id)},
		{"request-id-empty", "sends an empty X-Request-Id", answerHeader(onAll, id, "")},
		{"request-id-too-long", "sends an X-Request-Id of 129 characters",
			answerHeader(onAll, id, strings.Repeat("x", 129))},
		{"request-id-with-blank", "ends X-Request-Id in a blank",
			answerHeaderText(onAll, id, func(text string) string { return text + " " })},
		{"request-id-constant", "gives all requests the same X-Request-Id", answerHeader(onAll, id, "request-1")},
		{"challenge-missing", "sends no WWW-Authenticate with 401", answerHeader(onStatus(401), "WWW-Authenticate")},
		{"challenge-basic", "asks for a password with 401",
			answerHeader(onStatus(401), "WWW-Authenticate", `Basic realm="organizations"`)},
		{"retry-after-missing-with-429", "sends no Retry-After with 429", answerHeader(onStatus(429), retry)},
		{"retry-after-missing-with-503", "sends no Retry-After with 503", answerHeader(onStatus(503), retry)},
		{"retry-after-zero", "sends Retry-After 0", answerHeader(onStatus(429, 503), retry, "0")},
		{"retry-after-text", "sends a Retry-After in words", answerHeader(onStatus(429, 503), retry, "soon")},
		{"retry-after-date", "sends a date for Retry-After",
			answerHeader(onStatus(429, 503), retry, "Mon, 05 Jan 2026 09:31:00 GMT")},
		{"retry-after-fraction", "sends a fraction for Retry-After", answerHeader(onStatus(429, 503), retry, "1.5")},
		{"retry-after-too-late", "sends a Retry-After with 429 that is long after the minute",
			answerHeader(onStatus(429), retry, "3600")},
		{"header-undeclared", "adds X-Powered-By", answerHeader(onAll, "X-Powered-By", "organizations")},
		{"header-server", "adds Server", answerHeader(onErrors, "Server", "organizations/1.0.0")},
		{"header-cookie", "sets a cookie", answerHeader(onStatus(200), "Set-Cookie", "session=1; Path=/")},
		{"header-cookie-with-401", "sets a cookie with 401",
			answerHeader(onStatus(401), "Set-Cookie", "session=1; Path=/")},
		{"length-wrong", "states a Content-Length that is not the body's",
			answerHeader(onStatus(200), "Content-Length", "1")},
		{"body-with-304", "sends a body with 304", answers(func(c *call, out *judge.Response) {
			if record, _, ok := c.read(); ok && out.Status == http.StatusNotModified {
				out.Body = record.text()
			}
		})},
	}
}
