package contracttests

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"organizations-api/shared/openapi"
)

const (
	organizationsPath = "/v1/organizations"
	callerKey         = "sk_live_0123456789abcdef"
	version1          = `"v1"`
)

// wholeOrganization has every member of the model, each with a value of its own kind.
const wholeOrganization = `{"organization_id":"org_1","organization_name":"Northwind","logo_url":"https://logo.example/x",` +
	`"account_type":"pro","credit_count":100000,"metadata":{"region":"eu"},"billing_email":"billing@northwind.example",` +
	`"notifications_email":"news@northwind.example","rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},` +
	`"auto_billing_enabled":false,"billing_cycle_start":1,"current_month_usage":0,"created_at":"2026-01-05T09:30:00.000000Z",` +
	`"updated_at":"2026-01-05T09:30:00.000000Z","users":[{"name":"Ada"}],"auth_provider_org_id":"ext_1",` +
	`"default_llm_credentials":{"open.ai":"sk-abcdefgh"},"api_url":"https://api.example"}`

const wholeUpdate = `{"organization_name":"Northwind","billing_email":"a@b.example","metadata":{"a":1},` +
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

const validationError = `{"detail":[{"loc":["body","rate_limits","data"],"msg":"too small","type":"minimum"}]}`

func errorJSON(status int) string {
	e := errorTypes[status]
	return `{"success":false,"status":` + strconv.Itoa(status) + `,"error":{"message":"It failed.","type":"` + e[0] + `","code":"` + e[1] + `","details":null}}`
}

// organizationValidator is the judge of this repository's API, made once for all tests.
var organizationValidator = sync.OnceValue(func() *Validator {
	v, err := NewValidator(openapi.YAML)
	if err != nil {
		panic(err)
	}
	return v.With(OrganizationRules()...).WithRequest(OrganizationRequestRules()...)
})

// rightExchange returns a correct exchange of the given method and status.
func rightExchange(method string, status int) Exchange {
	x := Exchange{
		Request: Request{Method: method, URL: organizationsPath, Header: http.Header{"Authorization": {"Bearer " + callerKey}}},
		Response: Response{Status: status, Header: http.Header{
			"Cache-Control":          {"no-store"},
			"X-Content-Type-Options": {"nosniff"},
			"X-Request-Id":           {"req_1"},
			"Date":                   {"Mon, 05 Jan 2026 09:30:00 GMT"},
		}},
	}
	if method == http.MethodPatch {
		x.Request.Header.Set("Content-Type", "application/json")
		x.Request.Body = []byte(wholeUpdate)
	}
	rightHeaders(&x)
	switch {
	case status == 200:
		setBody(&x, wholeOrganization)
	case status == 422:
		setBody(&x, validationError)
	case status >= 400:
		setBody(&x, errorJSON(status))
	}
	return x
}

func rightHeaders(x *Exchange) {
	h, status := x.Response.Header, x.Response.Status
	if status != 401 && status != 404 {
		h.Set("X-RateLimit-Limit", "100")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Reset", "1767605460")
	}
	switch status {
	case 200, 304, 412:
		h.Set("ETag", version1)
	case 401:
		h.Set("WWW-Authenticate", `Bearer realm="organizations"`)
	case 429, 503:
		h.Set("Retry-After", "5")
	}
	switch status {
	case 304:
		x.Request.Header.Set("If-None-Match", version1)
	case 412:
		x.Request.Header.Set("If-Match", `"v0"`)
	}
}

func setBody(x *Exchange, body string) {
	x.Response.Body = []byte(body)
	x.Response.Header.Set("Content-Type", "application/json")
	x.Response.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// declaredStatuses returns the statuses that an operation declares.
func declaredStatuses(method string) []int {
	all := []int{200, 304, 400, 401, 403, 404, 412, 422, 429, 500, 503}
	if method == http.MethodPatch {
		return append(all[:1], all[2:]...)
	}
	return all
}

// exchangeChange is one step from a right exchange to a wrong one.
type exchangeChange func(t *testing.T, x *Exchange)

// withBody replaces the response's body.
func withBody(text string) exchangeChange {
	return func(_ *testing.T, x *Exchange) {
		contentType := x.Response.Header["Content-Type"]
		setBody(x, text)
		x.Response.Header["Content-Type"] = contentType
	}
}

// withSwap replaces a piece of the response's body.
func withSwap(old, text string) exchangeChange {
	return func(t *testing.T, x *Exchange) {
		t.Helper()
		if strings.Count(string(x.Response.Body), old) != 1 {
			t.Fatalf("%q is not there exactly once: %s", old, x.Response.Body)
		}
		withBody(strings.Replace(string(x.Response.Body), old, text, 1))(t, x)
	}
}

// withMember adds a member in front of the response's body.
func withMember(text string) exchangeChange {
	return func(t *testing.T, x *Exchange) { withBody("{"+text+","+string(x.Response.Body[1:]))(t, x) }
}

// withHeader replaces a response header by the given values; none removes it.
func withHeader(name string, values ...string) exchangeChange {
	return func(_ *testing.T, x *Exchange) {
		x.Response.Header.Del(name)
		for _, value := range values {
			x.Response.Header.Add(name, value)
		}
	}
}

// withAsk sets a request header.
func withAsk(name, value string) exchangeChange {
	return func(_ *testing.T, x *Exchange) { x.Request.Header.Set(name, value) }
}

func withStatus(code int) exchangeChange {
	return func(_ *testing.T, x *Exchange) { x.Response.Status = code }
}

func inOrder(changes ...exchangeChange) exchangeChange {
	return func(t *testing.T, x *Exchange) {
		t.Helper()
		for _, exchangeChange := range changes {
			exchangeChange(t, x)
		}
	}
}

// rulesOf returns the names of the broken rules, each once and in order.
func rulesOf(found []Violation) []Rule {
	seen := map[string]bool{}
	for _, v := range found {
		seen[string(v.Rule)] = true
	}
	rules := []Rule{}
	for _, name := range sortedKeys(seen) {
		rules = append(rules, Rule(name))
	}
	return rules
}
