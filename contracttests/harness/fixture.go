package harness

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"organizations-api/contracttests/judge"
	"organizations-api/shared/openapi"
)

const (
	Path      = "/v1/organizations"
	CallerKey = "sk_live_0123456789abcdef"
	Version1  = `"v1"`
)

// WholeOrganization has every member of the model, each with a value of its own kind.
const WholeOrganization = `{"organization_id":"org_1","organization_name":"Northwind","logo_url":"https://logo.example/x",` +
	`"account_type":"pro","credit_count":100000,"metadata":{"region":"eu"},"billing_email":"billing@northwind.example",` +
	`"notifications_email":"news@northwind.example","rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},` +
	`"auto_billing_enabled":false,"billing_cycle_start":1,"current_month_usage":0,"created_at":"2026-01-05T09:30:00.000000Z",` +
	`"updated_at":"2026-01-05T09:30:00.000000Z","users":[{"name":"Ada"}],"auth_provider_org_id":"ext_1",` +
	`"default_llm_credentials":{"open.ai":"sk-abcdefgh"},"api_url":"https://api.example"}`

const WholeUpdate = `{"organization_name":"Northwind","billing_email":"a@b.example","metadata":{"a":1},` +
	`"rate_limits":{"search":120},"logo_url":"x","notifications_email":null,"default_llm_credentials":{"openai":"sk-abcdefgh"}}`

var errorTypes = map[int][2]string{
	400: {"BadRequestError", "body_malformed"},
	401: {"UnauthorizedError", "api_key_missing"},
	403: {"ForbiddenError", "permission_required"},
	404: {"NotFoundError", "organization_not_found"},
	412: {"PreconditionFailedError", "version_mismatch"},
	429: {"TooManyRequestsError", "rate_limited"},
	500: {"InternalServerError", "internal"},
	503: {"ServiceUnavailableError", "store_unavailable"},
}

const ValidationError = `{"detail":[{"loc":["body","rate_limits","data"],"msg":"too small","type":"minimum"}]}`

func ErrorJSON(status int) string {
	e := errorTypes[status]
	return `{"success":false,"status":` + strconv.Itoa(status) + `,"error":{"message":"It failed.","type":"` + e[0] + `","code":"` + e[1] + `","details":null}}`
}

// Validator is the judge of this repository's API, made once for all tests.
var Validator = sync.OnceValue(func() *judge.Validator {
	v, err := judge.New(openapi.YAML)
	if err != nil {
		panic(err)
	}
	return v.With(OrganizationRules()...).WithRequest(OrganizationRequestRules()...)
})

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

func SetBody(x *judge.Exchange, body string) {
	x.Response.Body = []byte(body)
	x.Response.Header.Set("Content-Type", "application/json")
	x.Response.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// DeclaredStatuses returns the statuses that an operation declares.
func DeclaredStatuses(method string) []int {
	all := []int{200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503}
	if method == http.MethodPatch {
		return append(all[:1], all[2:]...)
	}
	return all
}

// ExchangeChange is one step from a right exchange to a wrong one.
type ExchangeChange func(t *testing.T, x *judge.Exchange)

// WithBody replaces the response's body.
func WithBody(text string) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) {
		contentType := x.Response.Header["Content-Type"]
		SetBody(x, text)
		x.Response.Header["Content-Type"] = contentType
	}
}

// WithSwap replaces a piece of the response's body.
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

// WithHeader replaces a response header by the given values; none removes it.
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

func WithStatus(code int) ExchangeChange {
	return func(_ *testing.T, x *judge.Exchange) { x.Response.Status = code }
}

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
