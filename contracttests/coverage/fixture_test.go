package coverage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// newOrganizationCoverage returns a Coverage of the service's document, with its waivers, that has seen the exchanges.
func newOrganizationCoverage(t *testing.T, exchanges ...judge.Exchange) *Coverage {
	t.Helper()
	c := New(harness.Validator().Document)
	for _, w := range OrganizationWaivers() {
		if err := c.Waive(w.Item, w.Reason); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range exchanges {
		c.Observe(x)
	}
	return c
}

// seenItems returns the items of a report that were seen, as Report.Missing would write them.
func seenItems(r Report) map[string]int64 {
	seen := map[string]int64{}
	for m := range r.marks() {
		if m.Count > 0 {
			seen[m.item()] += m.Count
		}
	}
	return seen
}

// shownBy returns how often an exchange shows an item.
func shownBy(c *Coverage, item string, x judge.Exchange) int64 {
	before := seenItems(c.Report())[item]
	c.Observe(x)
	return seenItems(c.Report())[item] - before
}

// updateExchange returns an exchange of a PATCH with the body and status.
func updateExchange(status int, body string) judge.Exchange {
	x := fixture.RightExchange(http.MethodPatch, status)
	x.Request.Body = []byte(body)
	return x
}

// mergeExchange returns an exchange of a PATCH with a merge patch as its body.
func mergeExchange(status int, body string) judge.Exchange {
	x := updateExchange(status, body)
	x.Request.Header.Set("Content-Type", mergeMedia)
	return x
}

// completeExchanges exercises everything that the service's document declares.
func completeExchanges() []judge.Exchange {
	var all []judge.Exchange
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, status := range fixture.DeclaredStatuses(method) {
			all = append(all, fixture.RightExchange(method, status))
		}
		all = append(all, completeConditions(method)...)
	}
	for _, tier := range []string{"free", "team", "enterprise"} {
		x := fixture.RightExchange(http.MethodGet, 200)
		fixture.SetBody(&x, strings.Replace(fixture.WholeOrganization, `"pro"`, `"`+tier+`"`, 1))
		all = append(all, x)
	}
	bare := fixture.RightExchange(http.MethodGet, 200)
	for _, value := range []string{`"https://logo.example/x"`, `"billing@northwind.example"`,
		`"news@northwind.example"`, `[{"name":"Ada"}]`, `"ext_1"`, `"https://api.example"`} {
		fixture.SetBody(&bare, strings.Replace(string(bare.Response.Body), value, "null", 1))
	}
	details := fixture.RightExchange(http.MethodGet, 403)
	fixture.SetBody(&details, strings.Replace(fixture.ErrorJSON(403), `"details":null`,
		`"details":{"required":"admin"}`, 1))
	all = append(all, bare, details)
	for _, body := range completeUpdates() {
		all = append(all, updateExchange(200, body))
	}
	for _, body := range completeMerges() {
		all = append(all, mergeExchange(200, body))
	}
	for _, body := range append(refusedBodies(), refusedUpdates()...) {
		all = append(all, updateExchange(422, body))
	}
	for _, body := range append(refusedBodies(), refusedMerges()...) {
		all = append(all, mergeExchange(422, body))
	}
	return all
}

// completeConditions shows both sides of the keywords of If-Match and If-None-Match.
func completeConditions(method string) []judge.Exchange {
	var all []judge.Exchange
	for _, name := range []string{"If-Match", "If-None-Match"} {
		for _, c := range []struct {
			status int
			value  string
		}{{200, fixture.Version1}, {200, `"` + strings.Repeat("x", 4094) + `"`},
			{422, `"` + strings.Repeat("x", 4095) + `"`}, {422, "v1"}} {
			x := fixture.RightExchange(method, c.status)
			if method == http.MethodPatch {
				x.Request.Body = []byte(`{}`)
			}
			x.Request.Header.Set(name, c.value)
			all = append(all, x)
		}
	}
	return all
}

// bothLimits returns the members of a body that set every limit to n, by both names that the limits have.
func bothLimits(n string) string {
	limits := fmt.Sprintf(`{"metadata":%s,"data":%s,"search":%s,"upload":%s,"compute":%s}`, n, n, n, n, n)
	return `"rate_limits":` + limits + `,"rate_limit_overrides":` + limits
}

// completeBodies are right in both media types, and between them have every property with a value, every property
// absent, and every bound that just fits.
func completeBodies() []string {
	return []string{
		`{}`, `{"rate_limits":{}}`, `{"rate_limit_overrides":{}}`,
		`{"organization_name":"x","logo_url":"x","notifications_email":"a@b.example",` + bothLimits("1") + `}`,
		`{"organization_name":"` + strings.Repeat("é", 100) + `","logo_url":"` + strings.Repeat("x", 2048) + `",` +
			bothLimits("1e9") + `}`,
		`{"billing_email":"` + longEmail(254) + `","notifications_email":"` + longEmail(254) + `"}`,
		fixture.WholeUpdate,
	}
}

// clearable are the members that both media types allow to be null, without the name.
const clearable = `"billing_email":null,"metadata":null,"rate_limits":null,"rate_limit_overrides":null,` +
	`"logo_url":null,"notifications_email":null,"default_llm_credentials":null,"nsfw_check_enabled":null,` +
	`"nsfw_fail_closed":null`

// completeUpdates are right, and show everything of an update.
func completeUpdates() []string {
	return append(completeBodies(), `{"organization_name":null,`+clearable+`}`)
}

// completeMerges are right, and show everything of a merge patch.
func completeMerges() []string {
	return append(
		completeBodies(), `{`+clearable+`}`, `{`+bothLimits("null")+`}`, `{"default_llm_credentials":{"a":null}}`,
	)
}

// refusedBodies are each wrong in one place, by the least that there is, in both media types.
func refusedBodies() []string {
	bodies := []string{
		`[]`, `{"organization_name":1}`, `{"organization_name":""}`,
		`{"organization_name":"` + strings.Repeat("x", 101) + `"}`,
		`{"logo_url":1}`, `{"logo_url":""}`, `{"logo_url":"` + strings.Repeat("x", 2049) + `"}`,
		`{"metadata":[]}`, `{"rate_limits":[]}`, `{"rate_limit_overrides":[]}`, `{"default_llm_credentials":[]}`,
		`{"nsfw_check_enabled":1}`, `{"nsfw_fail_closed":1}`,
	}
	for _, name := range []string{"billing_email", "notifications_email"} {
		bodies = append(bodies, `{"`+name+`":1}`, `{"`+name+`":"x"}`, `{"`+name+`":"`+longEmail(255)+`"}`)
	}
	for _, limits := range []string{"rate_limits", "rate_limit_overrides"} {
		for _, name := range []string{"metadata", "data", "search", "upload", "compute"} {
			for _, value := range []string{"0", "1000000001", "1.5"} {
				bodies = append(bodies, `{"`+limits+`":{"`+name+`":`+value+`}}`)
			}
		}
	}
	return bodies
}

// refusedUpdates are wrong as an update alone.
func refusedUpdates() []string {
	return []string{`{"default_llm_credentials":{"a":null}}`, `{"rate_limits":{"data":null}}`}
}

// refusedMerges are wrong as a merge patch alone, or in another way than as an update.
func refusedMerges() []string {
	return []string{`{"organization_name":null}`, `{"default_llm_credentials":{"a":1}}`}
}

// longEmail returns an address of n characters that the pattern matches.
func longEmail(n int) string {
	const local, end = "a@", ".org"
	label := strings.Repeat("a", 62) + "."
	domain := strings.Repeat(label, n/len(label)+1)[:n-len(local)-len(end)]
	return local + strings.TrimSuffix(domain, ".") +
		strings.Repeat("b", len(domain)-len(strings.TrimSuffix(domain, "."))) + end
}
