package coverage

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

const (
	getName    = "GET /v1/organizations"
	updateName = "PATCH /v1/organizations"

	updateMedia = "application/json"
	mergeMedia  = "application/merge-patch+json"
	updateBody  = updateName + " body " + updateMedia + " "
	mergeBody   = updateName + " body " + mergeMedia + " "
)

// TestCoverageOfNothing: without exchanges every part is missing. Only exercising the parts leads to 100%.
func TestCoverageOfNothing(t *testing.T) {
	t.Parallel()
	r := newOrganizationCoverage(t).Report()
	if got := r.Percent(); got != 0 {
		t.Errorf("Percent() = %v, want 0", got)
	}
	missing := r.Missing()
	for _, want := range []string{
		"status: " + getName + " 304",
		"response property: OrganizationModelResponse /rate_limits/search value",
		"response property: OrganizationModelResponse /logo_url null",
		"response property: OrganizationModelResponse /users/* value",
		"response property: OrganizationModelResponse /default_llm_credentials/* value",
		"response property: HTTPValidationError /detail/*/loc/* value",
		"response enum value: OrganizationModelResponse /account_type team",
		"response property: HTTPValidationError /success value",
		"response property: HTTPValidationError /error/details value",
		"response header: X-RateLimit-Reset",
		"response header: X-RateLimit-Window",
		"request property: " + updateBody + "/rate_limits/search absent",
		"request property: " + updateBody + "/rate_limit_overrides/search absent",
		"request property: " + updateBody + "/nsfw_check_enabled null",
		"request property: " + mergeBody + "/rate_limits/search null",
		"request property: " + mergeBody + "/default_llm_credentials/* null",
		"request header: " + getName + " If-None-Match value",
		"request keyword: " + updateBody + "/logo_url maxLength 2048 refused",
		"request keyword: " + updateBody + "/rate_limits/data minimum 1 accepted",
		"request keyword: " + mergeBody + "/rate_limits/data minimum 1 accepted",
		"request keyword: " + mergeBody + "/organization_name type string refused",
		"request keyword: " + updateName + " header If-Match maxLength 4096 accepted",
	} {
		if !slices.Contains(missing, want) {
			t.Errorf("Missing() lacks %q", want)
		}
	}
	for _, item := range missing {
		for _, never := range []string{
			"/organization_id null", "Response /rate_limits/search null", updateBody + "/rate_limits/search null",
			updateBody + "/rate_limit_overrides/search null", mergeBody + "/organization_name null", "/error/code null",
			"HTTPValidationError /error/details null", "304 X-RateLimit",
		} {
			if strings.Contains(item, never) {
				t.Errorf("Missing() = … %q …, want nothing of it", item)
			}
		}
	}
}

// TestCoverageOfEverything: nothing is asked for that cannot be shown.
func TestCoverageOfEverything(t *testing.T) {
	t.Parallel()
	exchanges := completeExchanges()
	for _, x := range exchanges {
		refused := x.Response.Status == http.StatusUnprocessableEntity
		if found := harness.Validator().CheckRequest(x); refused != (len(found) > 0) &&
			string(x.Request.Body) != fixture.WholeUpdate && x.Request.Body != nil {
			t.Errorf("the exchange %s %d %.60s is no true one: %v", x.Request.Method, x.Response.Status,
				x.Request.Body, found)
		}
	}
	r := newOrganizationCoverage(t, exchanges...).Report()
	if diff := cmp.Diff([]string{}, r.Missing()); diff != "" || r.Percent() != 100 {
		t.Errorf("Missing() (-want +got), %v%%:\n%s", r.Percent(), diff)
	}
	for _, total := range r.Totals() {
		if total.Percent != 100 || total.Seen != total.Required || total.Required == 0 {
			t.Errorf("Totals() = %+v, want all", total)
		}
	}
}

// TestCoverageGaps leaves out the exchanges that exercise one part. Exactly that part must be missing.
func TestCoverageGaps(t *testing.T) {
	t.Parallel()
	header := func(status int, name string) func(*judge.Exchange) bool {
		return func(x *judge.Exchange) bool {
			if x.Request.Method == http.MethodPatch && x.Response.Status == status || status == 0 {
				x.Response.Header.Del(name)
			}
			return true
		}
	}
	inUpdate := func(text string) func(*judge.Exchange) bool { return dropping(inRequest(updateMedia, text)) }
	inMerge := func(text string) func(*judge.Exchange) bool { return dropping(inRequest(mergeMedia, text)) }
	fits := `"` + strings.Repeat("x", 2048) + `"`
	fitting := []string{"/organization_name maxLength 100 accepted"}
	for _, limits := range []string{"/rate_limits/", "/rate_limit_overrides/"} {
		for _, name := range []string{"metadata", "data", "search", "upload", "compute"} {
			fitting = append(fitting, limits+name+" maximum 1000000000 accepted")
		}
	}
	fitting = append(fitting, "/logo_url maxLength 2048 accepted")
	cases := []struct {
		name string
		keep func(*judge.Exchange) bool // may change it, too
		want []string
	}{
		{"a status", dropping(func(x judge.Exchange) bool {
			return x.Request.Method == http.MethodPatch &&
				x.Response.Status == 404
		}), []string{
			"status: " + updateName + " 404", // and not each of its headers
		}},
		{"an enum value", dropping(inBody(`"account_type":"team"`)),
			[]string{"response enum value: OrganizationModelResponse /account_type team"}},
		{"details", withoutDetails, []string{"response property: ErrorResponse /error/details value"}},
		{"the shape of FastAPI", swapped(`,"detail":[`, `,"other":[`), []string{
			"response property: HTTPValidationError /detail value",
			"response property: HTTPValidationError /detail/* value",
			"response property: HTTPValidationError /detail/*/loc value",
			"response property: HTTPValidationError /detail/*/loc/* value",
			"response property: HTTPValidationError /detail/*/msg value",
			"response property: HTTPValidationError /detail/*/type value",
		}},
		{"the shape of all errors", swapped(`"error":{"message":"It does not fit."`, `"other":{"message":""`), []string{
			"response property: HTTPValidationError /error value",
			"response property: HTTPValidationError /error/message value",
			"response property: HTTPValidationError /error/type value",
			"response property: HTTPValidationError /error/code value",
			"response property: HTTPValidationError /error/details value",
		}},
		{"an optional header", header(0, "X-RateLimit-Reset"), []string{"response header: X-RateLimit-Reset"}},
		{"another one", header(0, "X-RateLimit-Window"), []string{"response header: X-RateLimit-Window"}},
		{"a required header", header(412, "ETag"), []string{"response header: " + updateName + " 412 ETag"}},
		{"null in a response", swapped(`"users":null`, `"users":[]`),
			[]string{"response property: OrganizationModelResponse /users null"}},
		{"null in an update", inUpdate(`"metadata":null`), prefixed("request property: "+updateBody,
			"/organization_name null", "/billing_email null", "/metadata null", "/rate_limits null",
			"/rate_limit_overrides null", "/logo_url null", "/default_llm_credentials null", "/nsfw_check_enabled null",
			"/nsfw_fail_closed null",
		)},
		{"null in a merge patch", inMerge(`{` + clearable + `}`), prefixed("request property: "+mergeBody,
			"/billing_email null", "/metadata null", "/rate_limits null", "/rate_limit_overrides null",
			"/logo_url null", "/default_llm_credentials null", "/nsfw_check_enabled null", "/nsfw_fail_closed null",
		)},
		{"limits that are null", inMerge(`{` + bothLimits("null") + `}`), prefixed("request property: "+mergeBody,
			"/rate_limits/metadata null", "/rate_limits/data null", "/rate_limits/search null",
			"/rate_limits/upload null", "/rate_limits/compute null",
			"/rate_limit_overrides/metadata null", "/rate_limit_overrides/data null",
			"/rate_limit_overrides/search null",
			"/rate_limit_overrides/upload null", "/rate_limit_overrides/compute null",
		)},
		{"a credential that is null", inMerge(`{"default_llm_credentials":{"a":null}}`), []string{
			"request property: " + mergeBody + "/default_llm_credentials/* null",
		}},
		{"a bound that fits an update", inUpdate(fits), prefixed("request keyword: "+updateBody, fitting...)},
		{"a bound that fits a merge patch", inMerge(fits), prefixed("request keyword: "+mergeBody, fitting...)},
		{"a bound that does not fit an update", inUpdate(`{"logo_url":""}`), []string{
			"request keyword: " + updateBody + "/logo_url minLength 1 refused",
		}},
		{"a bound that does not fit a merge patch", inMerge(`{"logo_url":""}`), []string{
			"request keyword: " + mergeBody + "/logo_url minLength 1 refused",
		}},
		{"a limit by its other name", inUpdate(`{"rate_limit_overrides":{"data":1000000001}}`), []string{
			"request keyword: " + updateBody + "/rate_limit_overrides/data maximum 1000000000 refused",
		}},
		{"a type", inUpdate(`{"metadata":[]}`), []string{
			"request keyword: " + updateBody + "/metadata type object or null refused",
		}},
		{"a setting that is no truth value", inUpdate(`{"nsfw_fail_closed":1}`), []string{
			"request keyword: " + updateBody + "/nsfw_fail_closed type boolean or null refused",
		}},
		{"a name that is null", dropping(either(
			inRequest(mergeMedia, `{"organization_name":null}`), inRequest(mergeMedia, `{"organization_name":1}`),
		)), []string{"request keyword: " + mergeBody + "/organization_name type string refused"}},
		{"a credential that is no text", inUpdate(`{"a":null}`), []string{
			"request keyword: " + updateBody + "/default_llm_credentials/* type string refused",
		}},
		{"a credential that is neither text nor null", inMerge(`{"default_llm_credentials":{"a":1}}`), []string{
			"request keyword: " + mergeBody + "/default_llm_credentials/* type string or null refused",
		}},
		{"an update that is no object", inUpdate(`[]`), []string{
			"request keyword: " + updateBody + "type object refused",
		}},
		{"a merge patch that is no object", inMerge(`[]`), []string{
			"request keyword: " + mergeBody + "type object refused",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var left []judge.Exchange
			for _, x := range completeExchanges() {
				if c.keep(&x) {
					left = append(left, x)
				}
			}
			r := newOrganizationCoverage(t, left...).Report()
			if diff := cmp.Diff(c.want, r.Missing()); diff != "" {
				t.Errorf("Missing() (-want +got):\n%s", diff)
			}
			if p := r.Percent(); p >= 100 || p < 90 {
				t.Errorf("Percent() = %v, want a little less than 100", p)
			}
		})
	}
}

// dropping keeps all exchanges but those.
func dropping(those func(judge.Exchange) bool) func(*judge.Exchange) bool {
	return func(x *judge.Exchange) bool { return !those(*x) }
}

// swapped keeps all exchanges, with a piece of their answers replaced.
func swapped(old, text string) func(*judge.Exchange) bool {
	return func(x *judge.Exchange) bool {
		if inBody(old)(*x) {
			fixture.SetBody(x, strings.Replace(string(x.Response.Body), old, text, 1))
		}
		return true
	}
}

func inBody(text string) func(judge.Exchange) bool {
	return func(x judge.Exchange) bool { return strings.Contains(string(x.Response.Body), text) }
}

// inRequest matches a body of the media type that is the text, or that contains it.
func inRequest(media, text string) func(judge.Exchange) bool {
	return func(x judge.Exchange) bool {
		body := string(x.Request.Body)
		return x.Request.Header.Get("Content-Type") == media &&
			(body == text || len(text) > 2 && strings.Contains(body, text))
	}
}

func either(a, b func(judge.Exchange) bool) func(judge.Exchange) bool {
	return func(x judge.Exchange) bool { return a(x) || b(x) }
}

// withoutDetails keeps all exchanges, with the details left out of every error but a validation error.
func withoutDetails(x *judge.Exchange) bool {
	if status := x.Response.Status; status >= 400 && status != http.StatusUnprocessableEntity {
		fixture.SetBody(x, detailsOfError.ReplaceAllString(string(x.Response.Body), `"details":null`))
	}
	return true
}

var detailsOfError = regexp.MustCompile(`"details":\{[^{}]*\}`)

// prefixed returns the items with the prefix before each.
func prefixed(prefix string, items ...string) []string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = prefix + item
	}
	return all
}

// TestCoverageKeywordSides: a side counts only if the answer can have no other reason.
func TestCoverageKeywordSides(t *testing.T) {
	t.Parallel()
	const name = "request keyword: " + updateBody + "/organization_name "
	long, over, far := strings.Repeat("x", 100), strings.Repeat("x", 101), strings.Repeat("x", 102)
	cases := []struct {
		name   string
		status int
		body   string
		item   string
		want   int64
	}{
		{"fits", 200, `{"organization_name":"` + long + `"}`, name + "maxLength 100 accepted", 1},
		{"fits by characters", 200, `{"organization_name":"` + strings.Repeat("😀", 100) + `"}`, name +
			"maxLength 100 accepted", 1},
		{"fits easily", 200, `{"organization_name":"xx"}`, name + "maxLength 100 accepted", 0},
		{"fits and is refused for the key", 401, `{"organization_name":"` + long + `"}`, name +
			"maxLength 100 accepted", 0},
		{"fits and the store is down", 503, `{"organization_name":"` + long + `"}`, name + "maxLength 100 accepted", 0},
		{"does not fit", 422, `{"organization_name":"` + over + `"}`, name + "maxLength 100 refused", 1},
		{"does not fit by far", 422, `{"organization_name":"` + far + `"}`, name + "maxLength 100 refused", 0},
		{"does not fit and is accepted", 200, `{"organization_name":"` + over + `"}`, name + "maxLength 100 refused",
			0},
		{"does not fit and cannot be read", 400, `{"organization_name":"` + over + `"}`, name +
			"maxLength 100 refused", 0},
		{"does not fit, nor does another", 422, `{"organization_name":"` + over + `","logo_url":1}`, name +
			"maxLength 100 refused", 0},
		{"no JSON", 422, `{"organization_name":"` + over, name + "maxLength 100 refused", 0},
		{"the member twice", 422, `{"organization_name":"a","organization_name":"` + over + `"}`, name +
			"maxLength 100 refused", 0},
		{"wrong type is not too short", 422, `{"organization_name":1}`, name + "minLength 1 refused", 0},
		{"wrong type", 422, `{"organization_name":1}`, name + "type string or null refused", 1},
		{"too short is not a wrong type", 422, `{"organization_name":""}`, name + "type string or null refused", 0},
		{"accepted together with what is wrong elsewhere", 200, `{"organization_name":"x","logo_url":1}`, name +
			"minLength 1 accepted", 0},
	}
	coverage := newOrganizationCoverage(t)
	for _, c := range cases {
		if got := shownBy(coverage, c.item, updateExchange(c.status, c.body)); got != c.want {
			t.Errorf("%s: %s = %d, want %d", c.name, c.item, got, c.want)
		}
	}
	const merged = "request keyword: " + mergeBody + "/organization_name "
	for item, want := range map[string]int64{name + "maxLength 100 refused": 0, merged + "maxLength 100 refused": 1} {
		if got := shownBy(coverage, item, mergeExchange(422, `{"organization_name":"`+over+`"}`)); got != want {
			t.Errorf("a merge patch that does not fit: %s = %d, want %d", item, got, want)
		}
	}
	if shownBy(coverage, merged+"type string refused", mergeExchange(422, `{"organization_name":null}`)) != 1 {
		t.Error("a merge patch that would clear the name does not count as one of a wrong type")
	}
	both := updateExchange(422, `{"organization_name":"`+over+`"}`)
	both.Request.Header.Set("If-Match", "x")
	if shownBy(coverage, name+"maxLength 100 refused", both) > 0 {
		t.Error("a refusal counts for the body, though the header is wrong too")
	}
	media := updateExchange(422, `{"organization_name":"`+over+`"}`)
	media.Request.Header.Set("Content-Type", "text/plain")
	if shownBy(coverage, name+"maxLength 100 refused", media) > 0 {
		t.Error("a refusal counts, though the media type is not the declared one")
	}
}

// TestCoverageElsewhere: requests that the document does not declare are counted separately.
func TestCoverageElsewhere(t *testing.T) {
	t.Parallel()
	head, path, status := fixture.RightExchange(http.MethodGet, 200), fixture.RightExchange(http.MethodGet, 404),
		fixture.RightExchange(http.MethodGet, 404)
	head.Request.Method, path.Request.URL, status.Response.Status = http.MethodHead, "/v1/other", 418
	r := newOrganizationCoverage(t, head, path, status, status).Report()
	if r.Exchanges != 4 || r.Elsewhere != 2 {
		t.Errorf("Exchanges, Elsewhere = %d, %d, want 4, 2", r.Exchanges, r.Elsewhere)
	}
	want := []StatusReport{{Status: "418", Seen: Mark{Count: 2, Asked: AskOptional}}}
	if diff := cmp.Diff(want, r.Operations[0].Undeclared); diff != "" {
		t.Errorf("Undeclared (-want +got):\n%s", diff)
	}
}

func TestCoverageWaivers(t *testing.T) {
	t.Parallel()
	c := newOrganizationCoverage(t)
	for _, item := range []string{"", "status: nothing 200", "response property: ErrorResponse /error/cod null"} {
		if err := c.Waive(item, "x"); err == nil {
			t.Errorf("Waive(%q) = nil, want an error", item)
		}
	}
	uncoded, undetailed := fixture.RightExchange(http.MethodGet, 404), fixture.RightExchange(http.MethodGet, 422)
	fixture.SetBody(&uncoded, strings.Replace(fixture.ErrorJSON(404), `"organization_not_found"`, "null", 1))
	fixture.SetBody(&undetailed, `{"error":{"message":"x","type":"ValidationError","code":null,"details":null}}`)
	c.Observe(uncoded)
	c.Observe(undetailed)
	missing := c.Report().Missing()
	for _, w := range OrganizationWaivers() {
		if want := "needless waiver: " + w.Item; !slices.Contains(missing, want) {
			t.Errorf("Missing() lacks %q", want)
		}
	}
}

// TestCoverageNames: every item has a different name, so that a gap is one place and a waiver waives one item.
func TestCoverageNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for m := range newOrganizationCoverage(t).Report().marks() {
		if seen[m.item()] {
			t.Errorf("the item %q twice", m.item())
		}
		seen[m.item()] = true
	}
}

// TestCoverageConcurrent is meant for the race detector.
func TestCoverageConcurrent(t *testing.T) {
	t.Parallel()
	c, all := newOrganizationCoverage(t), completeExchanges()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, x := range all {
				c.Observe(x)
			}
			_ = c.Report().Missing()
		})
	}
	group.Wait()
	r := c.Report()
	if r.Exchanges != int64(4*len(all)) || len(r.Missing()) != 0 {
		t.Errorf("Exchanges = %d with %d missing, want %d with none", r.Exchanges, len(r.Missing()), 4*len(all))
	}
}

// BenchmarkCoverageObserve observes one accepted and one refused change.
func BenchmarkCoverageObserve(b *testing.B) {
	c := New(harness.Validator().Document)
	right, wrong := updateExchange(200, fixture.WholeUpdate), updateExchange(422, `{"rate_limits":{"search":0}}`)
	b.ReportAllocs()
	for b.Loop() {
		c.Observe(right)
		c.Observe(wrong)
	}
}
