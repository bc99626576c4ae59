package mutants

import (
	"net/http"

	"organizations-api/contracttests/judge"
)

// headerMutants break the headers that belong to every answer, or to one status. Those of tags and of rate limits are
// in conditions.go and ratelimit.go.
func headerMutants() []mutant {
	const nosniff, id, retry = "X-Content-Type-Options", "X-Request-Id", "Retry-After"
	return []mutant{
		{"cache-control-private", "lets the caller's cache keep organizations",
			answerHeader(onStatus(200), "Cache-Control", "private, max-age=60")},
		{"cache-control-twice", "sends Cache-Control twice",
			answerHeader(onAll, "Cache-Control", "no-store", "no-store")},
		{"request-id-with-blank", "ends X-Request-Id in a blank",
			answerHeaderText(onAll, id, func(text string) string { return text + " " })},
		{"request-id-constant", "gives all requests the same X-Request-Id", answerHeader(onAll, id, "request-1")},
		{"challenge-basic", "asks for a password with 401",
			answerHeader(onStatus(401), "WWW-Authenticate", `Basic realm="organizations"`)},
		{"retry-after-missing-with-503", "sends no Retry-After with 503", answerHeader(onStatus(503), retry)},
		{"retry-after-text", "sends a Retry-After in words", answerHeader(onStatus(429, 503), retry, "soon")},
		{"retry-after-too-late", "sends a Retry-After with 429 that is long after the minute",
			answerHeader(onStatus(429), retry, "3600")},
		{"header-server", "adds Server", answerHeader(onErrors, "Server", "organizations/1.0.0")},
		{"header-cookie", "sets a cookie", answerHeader(onStatus(200), "Set-Cookie", "session=1; Path=/")},
		{"length-wrong", "states a Content-Length that is not the body's",
			answerHeader(onStatus(200), "Content-Length", "1")},
		{"body-with-304", "sends a body with 304", answers(func(c *call, out *judge.Response) {
			if record, _, ok := c.read(); ok && out.Status == http.StatusNotModified {
				out.Body = record.text()
			}
		})},
	}
}
