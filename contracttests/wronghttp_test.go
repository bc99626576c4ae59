package contracttests

import (
	"net/http"
	"strings"
	"testing"
)

// wrongHTTP: statuses, media types, and bodies that are missing or should be.
func wrongHTTP() []wrongCase {
	undeclared, media, content := rules(RuleStatusUndeclared), rules(RuleMediaType), rules(RuleContentType)
	contentType := func(values ...string) exchangeChange { return withHeader("Content-Type", values...) }
	path := func(path string) exchangeChange {
		return func(_ *testing.T, x *Exchange) { x.Request.URL = path }
	}
	return []wrongCase{
		{"201", 200, withStatus(201), undeclared},
		{"204", 200, inOrder(withStatus(204), withBody("")), undeclared},
		{"302", 200, withStatus(302), undeclared},
		{"405", 401, withStatus(405), undeclared},
		{"413", 401, withStatus(413), undeclared},
		{"418", 401, withStatus(418), undeclared},
		{"502", 500, withStatus(502), undeclared},
		{"0", 200, withStatus(0), rules(RuleStatusInvalid)},
		{"99", 200, withStatus(99), rules(RuleStatusInvalid)},
		{"100", 200, withStatus(100), rules(RuleStatusInvalid)},
		{"600", 200, withStatus(600), rules(RuleStatusInvalid)},
		{"another method", 200, func(_ *testing.T, x *Exchange) { x.Request.Method = http.MethodDelete }, rules(RuleOperationUndeclared)},
		{"another path", 200, path("/v1/organization"), rules(RuleOperationUndeclared)},
		{"trailing slash", 200, path("/v1/organizations/"), rules(RuleOperationUndeclared)},
		{"doubled slash", 200, path("//v1/organizations"), rules(RuleOperationUndeclared)},
		{"path in another case", 200, path("/V1/Organizations"), rules(RuleOperationUndeclared)},
		{"prefix", 200, path("/prod/v1/organizations"), rules(RuleOperationUndeclared)},
		{"no URL", 200, path("%zz"), rules(RuleOperationUndeclared)},

		{"text/plain", 200, contentType("text/plain"), media},
		{"text/html", 500, contentType("text/html; charset=utf-8"), media},
		{"problem+json", 400, contentType("application/problem+json"), media},
		{"text/json", 200, contentType("text/json"), media},
		{"no content type", 200, contentType(), content},
		{"empty content type", 200, contentType(""), content},
		{"two content types", 200, contentType("application/json", "application/json"), content},
		{"latin1", 200, contentType("application/json; charset=latin1"), content},
		{"another parameter", 200, contentType("application/json; version=1"), content},
		{"malformed parameter", 200, contentType("application/json; charset"), content},
		{"charset twice", 200, contentType("application/json; charset=utf-8; charset=latin1"), content},
		{"trailing semicolon", 200, contentType("application/json;"), content},
		{"upper-case type", 200, contentType("Application/JSON"), content},
		{"two in one", 200, contentType("application/json, application/json"), content},

		{"empty body", 200, withBody(""), rules(RuleBodyEmpty)},
		{"empty error body", 401, withBody(""), rules(RuleBodyEmpty)},
		{"blank body", 200, withBody(" \r\n\t"), rules(RuleBodyBlank)},
		{"null body", 200, withBody("null"), rules(RuleBodyNull)},
		{"null error body", 401, withBody(" null\n"), rules(RuleBodyNull)},
		{"null validation error", 422, withBody("null"), rules(RuleBodyNull)},
		{"body on 304", 304, func(_ *testing.T, x *Exchange) { x.Response.Body = []byte(wholeOrganization) }, rules(RuleBodyOn304)},
		{"a byte on 304", 304, func(_ *testing.T, x *Exchange) { x.Response.Body = []byte(" ") }, rules(RuleBodyOn304)},
		{"body on HEAD", 200, func(_ *testing.T, x *Exchange) { x.Request.Method, x.Request.Body = http.MethodHead, nil }, rules(RuleBodyOnHead)},
		{"content length too small", 200, withHeader("Content-Length", "1"), rules(RuleContentLength)},
		{"content length no number", 200, withHeader("Content-Length", "x"), rules(RuleContentLength)},
	}
}

// wrongHeaders: response headers that are missing, mistyped, repeated or not declared.
func wrongHeaders() []wrongCase {
	missing, schema, typ := rules(RuleHeaderMissing), rules(RuleHeaderSchema), rules(RuleHeaderType)
	undeclared := rules(RuleHeaderUndeclared)
	return []wrongCase{
		{"no ETag", 200, withHeader("ETag"), missing},
		{"no ETag on 304", 304, withHeader("ETag"), missing},
		{"no ETag on 412", 412, withHeader("ETag"), missing},
		{"no Cache-Control", 200, withHeader("Cache-Control"), missing},
		{"no X-Content-Type-Options", 200, withHeader("X-Content-Type-Options"), missing},
		{"other X-Content-Type-Options", 200, withHeader("X-Content-Type-Options", "sniff"), schema},
		{"no Cache-Control on an error", 500, withHeader("Cache-Control"), missing},
		{"no X-Request-Id", 404, withHeader("X-Request-Id"), missing},
		{"no WWW-Authenticate", 401, withHeader("WWW-Authenticate"), missing},
		{"no Retry-After on 429", 429, withHeader("Retry-After"), missing},
		{"no Retry-After on 503", 503, withHeader("Retry-After"), missing},
		{"weak ETag", 200, withHeader("ETag", `W/"v1"`), schema},
		{"ETag without quotes", 200, withHeader("ETag", `v1`), schema},
		{"empty ETag", 200, withHeader("ETag", `""`), schema},
		{"two ETags", 200, withHeader("ETag", version1, version1), rules(RuleHeaderRepeated)},
		{"cacheable", 200, withHeader("Cache-Control", "max-age=60"), schema},
		{"Cache-Control in another case", 200, withHeader("Cache-Control", "No-Store"), schema},
		{"Cache-Control with more", 200, withHeader("Cache-Control", "no-store, private"), schema},
		{"empty request id", 200, withHeader("X-Request-Id", ""), schema},
		{"long request id", 200, withHeader("X-Request-Id", strings.Repeat("a", 129)), schema},
		{"Basic challenge", 401, withHeader("WWW-Authenticate", "Basic realm=x"), schema},
		{"challenge in another case", 401, withHeader("WWW-Authenticate", "bearer"), schema},
		{"Retry-After as date", 429, withHeader("Retry-After", "Mon, 05 Jan 2026 09:30:00 GMT"), typ},
		{"Retry-After with a fraction", 429, withHeader("Retry-After", "0.5"), typ},
		{"Retry-After 1e1", 429, withHeader("Retry-After", "1e1"), typ},
		{"Retry-After +5", 503, withHeader("Retry-After", "+5"), typ},
		{"Retry-After 05", 503, withHeader("Retry-After", "05"), typ},
		{"Retry-After 0", 503, withHeader("Retry-After", "0"), schema},
		{"limit as text", 200, withHeader("X-RateLimit-Limit", "many"), typ},
		{"limit empty", 200, withHeader("X-RateLimit-Limit", ""), typ},
		{"limit 0", 200, withHeader("X-RateLimit-Limit", "0"), schema},
		{"remaining -1", 200, withHeader("X-RateLimit-Remaining", "-1"), schema},
		{"reset as time", 200, withHeader("X-RateLimit-Reset", "2026-01-05T09:30:00Z"), typ},
		{"reset 0", 200, withHeader("X-RateLimit-Reset", "0"), schema},
		{"cookie", 200, withHeader("Set-Cookie", "session=1"), undeclared},
		{"internal id", 200, withHeader("X-Internal-Id", "int_1"), undeclared},
		{"server", 200, withHeader("Server", "x"), undeclared},
		{"encoding", 200, withHeader("Content-Encoding", "gzip"), undeclared},
		{"ETag on 401", 401, withHeader("ETag", version1), undeclared},
		{"Retry-After on 200", 200, withHeader("Retry-After", "1"), undeclared},
		{"challenge on 403", 403, withHeader("WWW-Authenticate", "Bearer"), undeclared},
		{"newline in a value", 200, withHeader("Vary", "Origin\r\nX: y"), rules(RuleHeaderValue)},
		{"space before a value", 200, withHeader("Vary", " Origin"), rules(RuleHeaderValue)},
	}
}

// wrongMeanings: what every schema allows and the API's own rules do not.
func wrongMeanings() []wrongCase {
	precondition := rules(RulePrecondition)
	return []wrongCase{
		{"status of another error", 401, withSwap(`"status":401`, `"status":403`), rules(RuleErrorStatusMismatch)},
		{"status 200 in an error", 500, withSwap(`"status":500`, `"status":200`), rules(RuleErrorStatusMismatch)},
		{"success true", 401, withSwap(`"success":false`, `"success":true`), rules(RuleSuccessNotFalse)},
		{"type of another error", 401, withSwap(`"UnauthorizedError"`, `"ForbiddenError"`), rules(RuleErrorType)},
		{"type that is none", 400, withSwap(`"BadRequestError"`, `"Error"`), rules(RuleErrorType)},
		{"code of another error", 401, withSwap(`"api_key_missing"`, `"internal"`), rules(RuleErrorCode)},
		{"code that is none", 500, withSwap(`"internal"`, `"panic"`), rules(RuleErrorCode)},
		{"no message", 404, withSwap(`"It failed."`, `" "`), rules(RuleErrorMessageEmpty)},
		{"no detail", 422, withBody(`{}`), rules(RuleDetailEmpty)},
		{"empty detail", 422, withBody(`{"detail":[]}`), rules(RuleDetailEmpty)},
		{"empty loc", 422, withSwap(`["body","rate_limits","data"]`, `[]`), rules(RuleDetailLocation)},
		{"loc without body", 422, withSwap(`"body",`, ``), rules(RuleDetailLocation)},
		{"loc that begins with an index", 422, withSwap(`"body"`, `0`), rules(RuleDetailLocation)},
		{"blank msg", 422, withSwap(`"too small"`, `""`), rules(RuleDetailText)},
		{"blank problem type", 422, withSwap(`"minimum"`, `""`), rules(RuleDetailText)},
		{"updated before created", 200, withSwap(`"updated_at":"2026`, `"updated_at":"2025`), rules(RuleTimestamps)},
		{"time with an offset", 200, withSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"2026-01-05T09:30:00+00:00"`), rules(RuleTimestamps)},
		{"limit without the others", 200, inOrder(withHeader("X-RateLimit-Remaining"), withHeader("X-RateLimit-Reset")), rules(RuleRateLimitHeaders)},
		{"more remaining than the limit", 200, withHeader("X-RateLimit-Remaining", "101"), rules(RuleRateLimitHeaders)},
		{"remaining with 429", 429, withHeader("X-RateLimit-Remaining", "1"), rules(RuleRateLimitHeaders)},
		{"304 without a condition", 304, func(_ *testing.T, x *Exchange) { x.Request.Header.Del("If-None-Match") }, precondition},
		{"304 for another version", 304, withAsk("If-None-Match", `"v0"`), precondition},
		{"412 without a condition", 412, func(_ *testing.T, x *Exchange) { x.Request.Header.Del("If-Match") }, precondition},
		{"412 for the version that is current", 412, withAsk("If-Match", `"v0", "v1"`), precondition},
		{"412 for any version", 412, withAsk("If-Match", `*`), precondition},
		{"200 for another version", 200, onlyGet(withAsk("If-Match", `"v0"`)), precondition},
		{"200 for a weak version", 200, onlyGet(withAsk("If-Match", `W/"v1"`)), precondition},
		{"200 though not modified", 200, onlyGet(withAsk("If-None-Match", `W/"v1"`)), precondition},
		{"key in the body", 200, withSwap(`"Northwind"`, `"`+callerKey+`"`), rules(RuleCredentialEchoed)},
		{"key in a message", 401, withSwap(`"It failed."`, `"No such key: `+callerKey+`"`), rules(RuleCredentialEchoed)},
		{"key in a header", 401, withHeader("WWW-Authenticate", "Bearer "+callerKey), rules(RuleCredentialEchoed)},
	}
}

// onlyGet makes a case out of what is wrong of a read alone: the ETag of a change is the new one.
func onlyGet(change exchangeChange) exchangeChange {
	return func(t *testing.T, x *Exchange) {
		x.Request.Method, x.Request.Body = http.MethodGet, nil
		change(t, x)
	}
}
