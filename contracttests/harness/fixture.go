package harness

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"organizations-api/contracttests/judge"
)

// This file holds correct exchanges, and small changes that make them wrong. The tests of judge, coverage and mutants
// start from them.

const (
	CallerKey = "sk_live_0123456789abcdef" // the key that right exchanges present
	Version1  = `"v1"`                     // the ETag that they show
)

// WholeOrganization is a response body in which every member has a value.
const WholeOrganization = `{"organization_id":"org_1","organization_name":"Northwind","logo_url":"https://logo.example/x",` +
	`"account_type":"pro","credit_count":100000,"metadata":{"region":"eu"},"billing_email":"billing@northwind.example",` +
	`"notifications_email":"news@northwind.example","rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},` +
	`"auto_billing_enabled":false,"billing_cycle_start":1,"current_month_usage":0,"created_at":"2026-01-05T09:30:00.000000Z",` +
	`"updated_at":"2026-01-05T09:30:00.000000Z","users":[{"name":"Ada"}],"auth_provider_org_id":"ext_1",` +
	`"default_llm_credentials":{"open.ai":"sk-abcdefgh"},"api_url":"https://api.example",` +
	`"nsfw_check_enabled":true,"nsfw_fail_closed":false}`

// WholeUpdate is a request body with every field of a PATCH.
const WholeUpdate = `{"organization_name":"Northwind","billing_email":"a@b.example","metadata":{"a":1},` +
	`"rate_limits":{"search":120},"rate_limit_overrides":{"search":120},"logo_url":"x","notifications_email":null,` +
	`"default_llm_credentials":{"openai":"sk-abcdefgh"},"nsfw_check_enabled":true,"nsfw_fail_closed":true}`

// ValidationError is the body of a 422.
const ValidationError = `{"success":false,"status":422,"error":{"message":"It does not fit.","type":"ValidationError",` +
	`"code":"validation_failed","details":{"validation_errors":[` +
	`{"type":"minimum","location":["body","rate_limits","data"],"message":"too small"}]}},` +
	`"detail":[{"loc":["body","rate_limits","data"],"msg":"too small","type":"minimum"}]}`

// ErrorJSON returns the body of an error with the status. The type and the code are "" for a status that the API does
// not use.
func ErrorJSON(status int) string {
	e := ErrorMeanings()[status]
	code := ""
	if len(e.Codes) > 0 {
		code = e.Codes[0]
	}
	details := "null"
	if status == http.StatusTooManyRequests {
		details = `{"window":"1m","retry_after":5}` // as rightHeaders has it
	}
	return `{"success":false,"status":` + strconv.Itoa(status) + `,"error":{"message":"It failed.","type":"` + e.Type +
		`","code":"` + code + `","details":` + details + `}}`
}

// RightExchange returns a correct exchange of the given method and status.
func RightExchange(method string, status int) judge.Exchange {
	x := judge.Exchange{
		Request: judge.Request{Method: method, URL: Path, Header: http.Header{"Authorization": {"Bearer " + CallerKey}}},
		Response: judge.Response{Status: status, Header: http.Header{
			"Cache-Control":          {"no-store"},
			"X-Content-Type-Options": {"nosniff"},
			"X-Request-Id":           {"req_1"},
			"Date":                   {"Mon, 05 Jan 2026 09:30:00 GMT"},
		}},
	}
	if method == http.MethodPatch {
		x.Request.Header.Set("Content-Type", "application/json")
		x.Request.Body = []byte(WholeUpdate)
	}
	rightHeaders(&x)
	switch {
	case status == 200:
		SetBody(&x, WholeOrganization)
	case status == 422:
		SetBody(&x, ValidationError)
	case status >= 400:
		SetBody(&x, ErrorJSON(status))
	}
	return x
}

func rightHeaders(x *judge.Exchange) {
	h, status := x.Response.Header, x.Response.Status
	if status != 401 && status != 404 {
		h.Set("X-RateLimit-Limit", "100")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Reset", "1767605460")
		h.Set("X-RateLimit-Window", "60")
	}
	switch status {
	case 200, 304, 412:
		h.Set("ETag", Version1)
	case 401:
		h.Set("WWW-Authenticate", `Bearer realm="organizations"`)
	case 429, 503:
		h.Set("Retry-After", "5")
	}
	switch status {
	case 304:
		x.Request.Header.Set("If-None-Match", Version1)
	case 412:
		x.Request.Header.Set("If-Match", `"v0"`)
	}
}

// SetBody gives the response a body, with the headers for it.
func SetBody(x *judge.Exchange, body string) {
	x.Response.Body = []byte(body)
	x.Response.Header.Set("Content-Type", "application/json")
	x.Response.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// DeclaredStatuses returns the statuses that the document declares for a method.
func DeclaredStatuses(method string) []int {
	all := []int{200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503}
	if method == http.MethodPatch {
		return append(all[:1], all[2:]...)
	}
	return all
}

// ExchangeChange makes a right exchange wrong in one way.
type ExchangeChange func(t *testing.T, x *judge.Exchange)

// WithBody replaces the response's body.
func WithBody(text string) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) {
		contentType := x.Response.Header["Content-Type"]
		SetBody(x, text)
		x.Response.Header["Content-Type"] = contentType
	}
}

// WithSwap replaces a piece of the response's body. The piece must be there exactly once.
func WithSwap(old, text string) ExchangeChange {
	return func(t *testing.T, x *judge.Exchange) {
		t.Helper()
		if strings.Count(string(x.Response.Body), old) != 1 {
			t.Fatalf("%q is not there exactly once: %s", old, x.Response.Body)
		}
		WithBody(strings.Replace(string(x.Response.Body), old, text, 1))(t, x)
	}
}

// WithMember adds a member in front of the response's body.
func WithMember(text string) ExchangeChange {
	return func(t *testing.T, x *judge.Exchange) { WithBody("{"+text+","+string(x.Response.Body[1:]))(t, x) }
}

// WithHeader replaces a response header by the given values. Without values it removes the header.
func WithHeader(name string, values ...string) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) {
		x.Response.Header.Del(name)
		for _, value := range values {
			x.Response.Header.Add(name, value)
		}
	}
}

// WithAsk sets a request header.
func WithAsk(name, value string) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) { x.Request.Header.Set(name, value) }
}

// WithStatus replaces the status.
func WithStatus(code int) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) { x.Response.Status = code }
}

// InOrder makes several changes, one after the other.
func InOrder(changes ...ExchangeChange) ExchangeChange {
	return func(t *testing.T, x *judge.Exchange) {
		t.Helper()
		for _, exchangeChange := range changes {
			exchangeChange(t, x)
		}
	}
}

// RulesOf returns the names of the broken rules, each once and in order.
func RulesOf(found []judge.Violation) []judge.Rule {
	seen := map[string]bool{}
	for _, v := range found {
		seen[string(v.Rule)] = true
	}
	rules := []judge.Rule{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		rules = append(rules, judge.Rule(name))
	}
	return rules
}
