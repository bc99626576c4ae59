package judge_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// wrongHTTP: statuses, media types, and bodies that are missing or should be.
func wrongHTTP() []wrongCase {
	undeclared, media, content := rules(judge.RuleStatusUndeclared), rules(judge.RuleMediaType),
		rules(judge.RuleContentType)
	contentType := func(values ...string) fixture.ExchangeChange {
		return fixture.WithHeader("Content-Type",
			values...)
	}
	path := func(path string) fixture.ExchangeChange {
		return func(_ *testing.T, x *judge.Exchange) { x.Request.URL = path }
	}
	return []wrongCase{
		{"201", 200, fixture.WithStatus(201), undeclared},
		{"204", 200, fixture.InOrder(fixture.WithStatus(204), fixture.WithBody("")), undeclared},
		{"302", 200, fixture.WithStatus(302), undeclared},
		{"405", 401, fixture.WithStatus(405), undeclared},
		{"413", 401, fixture.WithStatus(413), undeclared},
		{"418", 401, fixture.WithStatus(418), undeclared},
		{"502", 500, fixture.WithStatus(502), undeclared},
		{"0", 200, fixture.WithStatus(0), rules(judge.RuleStatusInvalid)},
		{"99", 200, fixture.WithStatus(99), rules(judge.RuleStatusInvalid)},
		{"100", 200, fixture.WithStatus(100), rules(judge.RuleStatusInvalid)},
		{"600", 200, fixture.WithStatus(600), rules(judge.RuleStatusInvalid)},
		{"another method", 200, func(_ *testing.T, x *judge.Exchange) { x.Request.Method = http.MethodDelete },
			rules(judge.RuleOperationUndeclared)},
		{"another path", 200, path("/v1/organization"), rules(judge.RuleOperationUndeclared)},
		{"trailing slash", 200, path("/v1/organizations/"), rules(judge.RuleOperationUndeclared)},
		{"doubled slash", 200, path("//v1/organizations"), rules(judge.RuleOperationUndeclared)},
		{"path in another case", 200, path("/V1/Organizations"), rules(judge.RuleOperationUndeclared)},
		{"prefix", 200, path("/prod/v1/organizations"), rules(judge.RuleOperationUndeclared)},
		{"no URL", 200, path("%zz"), rules(judge.RuleOperationUndeclared)},

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

		{"empty body", 200, fixture.WithBody(""), rules(judge.RuleBodyEmpty)},
		{"empty error body", 401, fixture.WithBody(""), rules(judge.RuleBodyEmpty)},
		{"blank body", 200, fixture.WithBody(" \r\n\t"), rules(judge.RuleBodyBlank)},
		{"null body", 200, fixture.WithBody("null"), rules(judge.RuleBodyNull)},
		{"null error body", 401, fixture.WithBody(" null\n"), rules(judge.RuleBodyNull)},
		{"null validation error", 422, fixture.WithBody("null"), rules(judge.RuleBodyNull)},
		{"body on 304", 304, func(_ *testing.T,
			x *judge.Exchange) {
			x.Response.Body = []byte(fixture.WholeOrganization)
		}, rules(judge.RuleBodyOn304)},
		{"a byte on 304", 304, func(_ *testing.T, x *judge.Exchange) { x.Response.Body = []byte(" ") },
			rules(judge.RuleBodyOn304)},
		{"body on HEAD", 200, func(_ *testing.T, x *judge.Exchange) {
			x.Request.Method,
				x.Request.Body = http.MethodHead, nil
		}, rules(judge.RuleBodyOnHead)},
		{"content length too small", 200, fixture.WithHeader("Content-Length", "1"), rules(judge.RuleContentLength)},
		{"content length no number", 200, fixture.WithHeader("Content-Length", "x"), rules(judge.RuleContentLength)},
	}
}

// wrongHeaders: response headers that are missing, mistyped, repeated or not declared.
func wrongHeaders() []wrongCase {
	missing, schema, typ := rules(judge.RuleHeaderMissing), rules(judge.RuleHeaderSchema), rules(judge.RuleHeaderType)
	undeclared := rules(judge.RuleHeaderUndeclared)
	return []wrongCase{
		{"no ETag", 200, fixture.WithHeader("ETag"), missing},
		{"no ETag on 304", 304, fixture.WithHeader("ETag"), missing},
		{"no ETag on 412", 412, fixture.WithHeader("ETag"), missing},
		{"no Cache-Control", 200, fixture.WithHeader("Cache-Control"), missing},
		{"no X-Content-Type-Options", 200, fixture.WithHeader("X-Content-Type-Options"), missing},
		{"other X-Content-Type-Options", 200, fixture.WithHeader("X-Content-Type-Options", "sniff"), schema},
		{"no Cache-Control on an error", 500, fixture.WithHeader("Cache-Control"), missing},
		{"no X-Request-Id", 404, fixture.WithHeader("X-Request-Id"), missing},
		{"no WWW-Authenticate", 401, fixture.WithHeader("WWW-Authenticate"), missing},
		{"no Retry-After on 429", 429, fixture.WithHeader("Retry-After"), missing},
		{"no Retry-After on 503", 503, fixture.WithHeader("Retry-After"), missing},
		{"weak ETag", 200, fixture.WithHeader("ETag", `W/"v1"`), schema},
		{"ETag without quotes", 200, fixture.WithHeader("ETag", `v1`), schema},
		{"empty ETag", 200, fixture.WithHeader("ETag", `""`), schema},
		{"two ETags", 200, fixture.WithHeader("ETag", fixture.Version1, fixture.Version1),
			rules(judge.RuleHeaderRepeated)},
		{"cacheable", 200, fixture.WithHeader("Cache-Control", "max-age=60"), schema},
		{"Cache-Control in another case", 200, fixture.WithHeader("Cache-Control", "No-Store"), schema},
		{"Cache-Control with more", 200, fixture.WithHeader("Cache-Control", "no-store, private"), schema},
		{"empty request id", 200, fixture.WithHeader("X-Request-Id", ""), schema},
		{"long request id", 200, fixture.WithHeader("X-Request-Id", strings.Repeat("a", 129)), schema},
		{"Basic challenge", 401, fixture.WithHeader("WWW-Authenticate", "Basic realm=x"), schema},
		{"challenge in another case", 401, fixture.WithHeader("WWW-Authenticate", "bearer"), schema},
		{"Retry-After as date", 429, fixture.WithHeader("Retry-After", "Mon, 05 Jan 2026 09:30:00 GMT"), typ},
		{"Retry-After with a fraction", 429, fixture.WithHeader("Retry-After", "0.5"), typ},
		{"Retry-After 1e1", 429, fixture.WithHeader("Retry-After", "1e1"), typ},
		{"Retry-After +5", 503, fixture.WithHeader("Retry-After", "+5"), typ},
		{"Retry-After 05", 503, fixture.WithHeader("Retry-After", "05"), typ},
		{"Retry-After 0", 503, fixture.WithHeader("Retry-After", "0"), schema},
		{"limit as text", 200, fixture.WithHeader("X-RateLimit-Limit", "many"), typ},
		{"limit empty", 200, fixture.WithHeader("X-RateLimit-Limit", ""), typ},
		{"limit 0", 200, fixture.WithHeader("X-RateLimit-Limit", "0"), schema},
		{"remaining -1", 200, fixture.WithHeader("X-RateLimit-Remaining", "-1"), schema},
		{"reset as time", 200, fixture.WithHeader("X-RateLimit-Reset", "2026-01-05T09:30:00Z"), typ},
		{"reset 0", 200, fixture.WithHeader("X-RateLimit-Reset", "0"), schema},
		{"cookie", 200, fixture.WithHeader("Set-Cookie", "session=1"), undeclared},
		{"internal id", 200, fixture.WithHeader("X-Internal-Id", "int_1"), undeclared},
		{"server", 200, fixture.WithHeader("Server", "x"), undeclared},
		{"encoding", 200, fixture.WithHeader("Content-Encoding", "br"), undeclared},
		{"ETag on 401", 401, fixture.WithHeader("ETag", fixture.Version1), undeclared},
		{"Retry-After on 200", 200, fixture.WithHeader("Retry-After", "1"), undeclared},
		{"challenge on 403", 403, fixture.WithHeader("WWW-Authenticate", "Bearer"), undeclared},
		{"newline in a value", 200, fixture.WithHeader("Vary", "Origin\r\nX: y"), rules(judge.RuleHeaderValue)},
		{"space before a value", 200, fixture.WithHeader("Vary", " Origin"), rules(judge.RuleHeaderValue)},
	}
}

// wrongMeanings: what every schema allows and the API's own rules do not.
func wrongMeanings() []wrongCase {
	precondition := rules(harness.RulePrecondition)
	return slices.Concat(wrongTwins(), wrongRetries(), wrongLimitHeaders(), []wrongCase{
		{"status of another error", 401, fixture.WithSwap(`"status":401`, `"status":403`),
			rules(harness.RuleErrorStatusMismatch)},
		{"status 200 in an error", 500, fixture.WithSwap(`"status":500`, `"status":200`),
			rules(harness.RuleErrorStatusMismatch)},
		{"success true", 401, fixture.WithSwap(`"success":false`, `"success":true`),
			rules(harness.RuleSuccessNotFalse)},
		{"type of another error", 401, fixture.WithSwap(`"UnauthorizedError"`, `"ForbiddenError"`),
			rules(harness.RuleErrorType)},
		{"type that is none", 400, fixture.WithSwap(`"BadRequestError"`, `"Error"`), rules(harness.RuleErrorType)},
		{"code of another error", 401, fixture.WithSwap(`"api_key_missing"`, `"internal"`),
			rules(harness.RuleErrorCode)},
		{"code that is none", 500, fixture.WithSwap(`"internal"`, `"panic"`), rules(harness.RuleErrorCode)},
		{"no message", 404, fixture.WithSwap(`"It failed."`, `" "`), rules(harness.RuleErrorMessageEmpty)},
		{"no detail", 422, fixture.WithBody(`{}`), rules(harness.RuleDetailEmpty)},
		{"empty detail", 422, fixture.WithBody(`{"detail":[]}`), rules(harness.RuleDetailEmpty)},
		{"empty loc", 422, withProblems(problem{`[]`, tooSmall.msg, tooSmall.typ}), rules(harness.RuleDetailLocation)},
		{
			"loc without body", 422, withProblems(problem{`["rate_limits","data"]`, tooSmall.msg, tooSmall.typ}),
			rules(harness.RuleDetailLocation),
		},
		{
			"loc that begins with an index", 422, withProblems(problem{`[0,"data"]`, tooSmall.msg, tooSmall.typ}),
			rules(harness.RuleDetailLocation),
		},
		{
			"problem type of its own", 422, withProblems(problem{tooSmall.loc, tooSmall.msg, `"minimum"`}),
			rules(harness.RuleDetailText),
		},
		{
			"msg of another type", 422, withProblems(problem{tooSmall.loc, `"Input should be a valid string"`, tooSmall.typ}),
			rules(harness.RuleDetailText),
		},
		{"blank msg", 422, withProblems(problem{tooSmall.loc, `""`, tooSmall.typ}), rules(harness.RuleDetailText)},
		{
			"blank problem type", 422, withProblems(problem{tooSmall.loc, tooSmall.msg, `""`}),
			rules(harness.RuleDetailText),
		},
		{"updated before created", 200, fixture.WithSwap(`"updated_at":"2026`, `"updated_at":"2025`),
			rules(harness.RuleTimestamps)},
		{"time with an offset", 200, fixture.WithSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`,
			`"created_at":"2026-01-05T09:30:00+00:00"`), rules(harness.RuleTimestamps)},
		{"304 without a condition", 304,
			func(_ *testing.T, x *judge.Exchange) { x.Request.Header.Del("If-None-Match") }, precondition},
		{"304 for another version", 304, fixture.WithAsk("If-None-Match", `"v0"`), precondition},
		{"412 without a condition", 412, func(_ *testing.T, x *judge.Exchange) { x.Request.Header.Del("If-Match") },
			precondition},
		{"412 for the version that is current", 412, fixture.WithAsk("If-Match", `"v0", "v1"`), precondition},
		{"412 for any version", 412, fixture.WithAsk("If-Match", `*`), precondition},
		{"200 for another version", 200, onlyGet(fixture.WithAsk("If-Match", `"v0"`)), precondition},
		{"200 for a weak version", 200, onlyGet(fixture.WithAsk("If-Match", `W/"v1"`)), precondition},
		{"200 though not modified", 200, onlyGet(fixture.WithAsk("If-None-Match", `W/"v1"`)), precondition},
		{"key in the body", 200, fixture.WithSwap(`"Northwind"`, `"`+fixture.CallerKey+`"`),
			rules(harness.RuleCredentialEchoed)},
		{"key in a message", 401, fixture.WithSwap(`"It failed."`, `"No such key: `+fixture.CallerKey+`"`),
			rules(harness.RuleCredentialEchoed)},
		{"key in a header", 401, fixture.WithHeader("WWW-Authenticate", "Bearer "+fixture.CallerKey),
			rules(harness.RuleCredentialEchoed)},
	})
}

// wrongTwins: validation errors whose two shapes differ, and envelopes of a 422 that say something else.
func wrongTwins() []wrongCase {
	twice := rules(harness.RuleDetailTwice)
	two := problem{`["body","rate_limits",2]`, `"Value error, it is wrong"`, `"value_error"`}
	one := func(listed problem) fixture.ExchangeChange {
		return withTwoLists([]problem{tooSmall}, []problem{listed})
	}
	return []wrongCase{
		{"problem in detail alone", 422, withTwoLists([]problem{tooSmall, two}, []problem{tooSmall}), twice},
		{"problem in the envelope alone", 422, withTwoLists([]problem{tooSmall}, []problem{tooSmall, two}), twice},
		{"no problem in the envelope", 422, withTwoLists([]problem{tooSmall}, nil), twice},
		{"problems in another order", 422, withTwoLists([]problem{tooSmall, two}, []problem{two, tooSmall}), twice},
		{"another location", 422, one(problem{`["body"]`, tooSmall.msg, tooSmall.typ}), twice},
		{"another message", 422, one(problem{tooSmall.loc, `"too big"`, tooSmall.typ}), twice},
		{"another problem type", 422, one(problem{tooSmall.loc, tooSmall.msg, `"maximum"`}), twice},
		{"no location in the envelope", 422, one(problem{"", tooSmall.msg, tooSmall.typ}), twice},
		{"location in one text", 422, one(problem{`["body rate_limits data"]`, tooSmall.msg, tooSmall.typ}), twice},
		{
			"index as text in the envelope", 422,
			withTwoLists([]problem{two}, []problem{{`["body","rate_limits","2"]`, two.msg, two.typ}}),
			twice,
		},
		{"envelope without success", 422, fixture.WithSwap(`"success":false,`, ``), twice},
		{"envelope without status", 422, fixture.WithSwap(`"status":422,`, ``), twice},
		{"problems under another name", 422, fixture.WithSwap(`"validation_errors"`, `"errors"`), twice},
		{
			"success true in a 422", 422, fixture.WithSwap(`"success":false`, `"success":true`),
			rules(harness.RuleSuccessNotFalse),
		},
		{
			"another status in a 422", 422, fixture.WithSwap(`"status":422`, `"status":400`),
			rules(harness.RuleErrorStatusMismatch),
		},
		{
			"another type in a 422", 422, fixture.WithSwap(`"ValidationError"`, `"BadRequestError"`),
			rules(harness.RuleErrorType),
		},
		{
			"another code in a 422", 422, fixture.WithSwap(`"validation_failed"`, `"body_malformed"`),
			rules(harness.RuleErrorCode),
		},
		{
			"no message in a 422", 422, fixture.WithSwap(`"It does not fit."`, `""`),
			rules(harness.RuleErrorMessageEmpty),
		},
	}
}

// wrongRetries: details of a 429 that are missing or differ from Retry-After.
func wrongRetries() []wrongCase {
	retry := rules(harness.RuleRetryDetails)
	return []wrongCase{
		{"429 without details", 429, fixture.WithSwap(`{"window":"1m","retry_after":5}`, `null`), retry},
		{"429 without a window", 429, fixture.WithSwap(`"window":"1m",`, ``), retry},
		{"429 with a window in seconds", 429, fixture.WithSwap(`"1m"`, `60`), retry},
		{"429 without seconds", 429, fixture.WithSwap(`,"retry_after":5`, ``), retry},
		{"429 with other seconds", 429, fixture.WithSwap(`"retry_after":5`, `"retry_after":6`), retry},
		{"429 with seconds as text", 429, fixture.WithSwap(`"retry_after":5`, `"retry_after":"5"`), retry},
		{"429 with another Retry-After", 429, fixture.WithHeader("Retry-After", "6"), retry},
	}
}

// wrongLimitHeaders: rate-limit headers that are missing or contradict each other.
func wrongLimitHeaders() []wrongCase {
	limits, header := rules(harness.RuleRateLimitHeaders), fixture.WithHeader
	const limit, remaining = "X-RateLimit-Limit", "X-RateLimit-Remaining"
	const reset, window = "X-RateLimit-Reset", "X-RateLimit-Window"
	return []wrongCase{
		{"limit without the others", 200, fixture.InOrder(header(remaining), header(reset), header(window)), limits},
		{"window without the others", 200, fixture.InOrder(header(limit), header(remaining), header(reset)), limits},
		{"no limit", 200, header(limit), limits},
		{"no remaining", 304, onlyGet(header(remaining)), limits},
		{"no reset", 403, header(reset), limits},
		{"no window", 200, header(window), limits},
		{"another window", 200, header(window, "61"), limits},
		{"window 0", 200, header(window, "0"), append(rules(judge.RuleHeaderSchema), limits...)},
		{"window as text", 200, header(window, "1m"), append(rules(judge.RuleHeaderType), limits...)},
		{"more remaining than the limit", 200, header(remaining, "101"), limits},
		{"remaining with 429", 429, header(remaining, "1"), limits},
	}
}

// onlyGet makes a case out of what is wrong of a read alone: the ETag of a change is the new one.
func onlyGet(change fixture.ExchangeChange) fixture.ExchangeChange {
	return func(t *testing.T, x *judge.Exchange) {
		x.Request.Method, x.Request.Body = http.MethodGet, nil
		change(t, x)
	}
}
