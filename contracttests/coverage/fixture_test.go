package coverage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
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
	x := harness.RightExchange(http.MethodPatch, status)
	x.Request.Body = []byte(body)
	return x
}

// completeExchanges exercises everything that the service's document declares.
func completeExchanges() []judge.Exchange {
	var all []judge.Exchange
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		for _, status := range harness.DeclaredStatuses(method) {
			all = append(all, harness.RightExchange(method, status))
		}
		all = append(all, completeConditions(method)...)
	}
	for _, tier := range []string{"free", "team", "enterprise"} {
		x := harness.RightExchange(http.MethodGet, 200)
		harness.SetBody(&x, strings.Replace(harness.WholeOrganization, `"pro"`, `"`+tier+`"`, 1))
		all = append(all, x)
	}
	bare := harness.RightExchange(http.MethodGet, 200)
	for _, value := range []string{`"https://logo.example/x"`, `"billing@northwind.example"`, `"news@northwind.example"`, `[{"name":"Ada"}]`, `"ext_1"`, `"https://api.example"`} {
		harness.SetBody(&bare, strings.Replace(string(bare.Response.Body), value, "null", 1))
	}
	details := harness.RightExchange(http.MethodGet, 403)
	harness.SetBody(&details, strings.Replace(harness.ErrorJSON(403), `"details":null`, `"details":{"required":"admin"}`, 1))
	all = append(all, bare, details)
	for _, body := range completeBodies() {
		all = append(all, updateExchange(200, body))
	}
	for _, body := range refusedBodies() {
		all = append(all, updateExchange(422, body))
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
		}{{200, harness.Version1}, {200, `"` + strings.Repeat("x", 4094) + `"`}, {422, `"` + strings.Repeat("x", 4095) + `"`}, {422, "v1"}} {
			x := harness.RightExchange(method, c.status)
			if method == http.MethodPatch {
				x.Request.Body = []byte(`{}`)
			}
			x.Request.Header.Set(name, c.value)
			all = append(all, x)
		}
	}
	return all
}

// completeBodies are right, and between them have every property in every state and every bound that just fits.
func completeBodies() []string {
	limits := func(n string) string {
		return fmt.Sprintf(`{"metadata":%s,"data":%s,"search":%s,"upload":%s,"compute":%s}`, n, n, n, n, n)
	}
	return []string{
		`{}`, harness.WholeUpdate, `{"rate_limits":{}}`,
		`{"organization_name":null,"billing_email":null,"metadata":null,"rate_limits":null,"logo_url":null,"notifications_email":null,"default_llm_credentials":null}`,
		`{"organization_name":"x","logo_url":"x","notifications_email":"a@b.example","rate_limits":` + limits("1") + `}`,
		`{"organization_name":"` + strings.Repeat("é", 100) + `","logo_url":"` + strings.Repeat("x", 2048) + `","rate_limits":` + limits("1e6") + `}`,
		`{"billing_email":"` + longEmail(254) + `","notifications_email":"` + longEmail(254) + `"}`,
	}
}

// refusedBodies are each wrong in one place, by the least that there is.
func refusedBodies() []string {
	bodies := []string{
		`[]`, `{"organization_name":1}`, `{"organization_name":""}`, `{"organization_name":"` + strings.Repeat("x", 101) + `"}`,
		`{"logo_url":1}`, `{"logo_url":""}`, `{"logo_url":"` + strings.Repeat("x", 2049) + `"}`,
		`{"metadata":[]}`, `{"rate_limits":[]}`, `{"default_llm_credentials":[]}`, `{"default_llm_credentials":{"a":null}}`,
	}
	for _, name := range []string{"billing_email", "notifications_email"} {
		bodies = append(bodies, `{"`+name+`":1}`, `{"`+name+`":"x"}`, `{"`+name+`":"`+longEmail(255)+`"}`)
	}
	for _, name := range []string{"metadata", "data", "search", "upload", "compute"} {
		for _, value := range []string{"0", "1000001", "1.5"} {
			bodies = append(bodies, `{"rate_limits":{"`+name+`":`+value+`}}`)
		}
	}
	return bodies
}

// longEmail returns an address of n characters that the pattern matches.
func longEmail(n int) string {
	const local, end = "a@", ".org"
	label := strings.Repeat("a", 62) + "."
	domain := strings.Repeat(label, n/len(label)+1)[:n-len(local)-len(end)]
	return local + strings.TrimSuffix(domain, ".") + strings.Repeat("b", len(domain)-len(strings.TrimSuffix(domain, "."))) + end
}
