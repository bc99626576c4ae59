package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestConsoleSession looks at where the key is, and when it is gone.
func TestConsoleSession(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := open(t, g, "/console")
	tb.look("console-sign-in")
	for key, want := range map[string]string{"": "Paste a key first.", "sk_live_x": "not an API key", "pässword": "not an API key"} {
		tb.fill("#key", key)
		tb.click("#sign-in-button")
		tb.awaitText("#entrance-alert", want)
	}
	if kind := eval[string](tb, "document.querySelector('#key').type"); kind != "password" {
		t.Errorf("the field for the key is of the type %s, want password", kind)
	}
	tb.expect("net::ERR_CONNECTION_REFUSED")
	tb.intercept("GET", "/v1/organizations", reply{})
	tb.fill("#key", g.admin)
	tb.click("#sign-in-button")
	tb.awaitText("#entrance-alert", "The gateway does not answer.")
	if got := tb.text("#entrance-alert"); strings.Contains(got, "changes") {
		t.Errorf("at the entrance, the page says %q, want no word of changes", got)
	}
	tb = signIn(t, g, g.admin)
	if got := eval[string](tb, "JSON.stringify(Object.values({...sessionStorage}))"); got != `["`+g.admin+`"]` {
		t.Error("the session storage has something else than the key")
	}
	tb.do(chromedp.Navigate(g.url + "/console"))
	tb.await("!document.querySelector('#organization').hidden")
	tb.keepsNoKey()
	tb.click("#sign-out")
	tb.awaitText("#entrance-alert", "signed out")
	if left := eval[int](tb, "sessionStorage.length"); left != 0 {
		t.Errorf("after signing out, the session storage has %d items, want none", left)
	}
	if body := eval[string](tb, "document.documentElement.outerHTML"); strings.Contains(body, g.admin) || strings.Contains(body, "Demo Organization") {
		t.Error("after signing out, the page still has the key or the organization")
	}
}

// TestConsoleSignOutMeanwhile signs out while the page waits for an answer, which must not bring the organization back.
func TestConsoleSignOutMeanwhile(t *testing.T) {
	t.Parallel()
	g := start(t)
	for _, held := range []struct{ method, path string }{
		{"PATCH", "/v1/organizations"},
		{"GET", "/v1/organizations"},
		{"GET", "/console/data/audit"},
	} {
		tb := signIn(t, g, g.admin)
		arrived, release := tb.hold(held.method, held.path)
		tb.fill("#field-organization_name", "Before "+held.method+" "+held.path)
		tb.click("#save")
		arrived()
		tb.click("#sign-out")
		tb.awaitText("#entrance-alert", "You are signed out")
		answers := fmt.Sprintf("performance.getEntriesByName(%q).length", g.url+held.path)
		before := eval[int](tb, answers)
		release()
		tb.await(fmt.Sprintf("%s > %d && !document.querySelector('#save').hasAttribute('aria-busy')", answers, before))
		eval[bool](tb, "new Promise((done) => setTimeout(() => setTimeout(() => done(true))))") // what follows from the answer
		if eval[bool](tb, "document.querySelector('#entrance').hidden || !document.querySelector('#organization').hidden || document.querySelector('#audit').childElementCount > 0") {
			t.Errorf("%s %s brings the organization back after signing out", held.method, held.path)
		}
		tb.awaitText("#entrance-alert", "You are signed out")
	}
}

// TestConsoleRevokedKey loses its key in the middle.
func TestConsoleRevokedKey(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	id := eval[string](tb, "document.querySelector('#key-id').title")
	if out, err := command(t, "keys", "revoke", g.id, id, "--store", g.store).CombinedOutput(); err != nil {
		t.Fatalf("orgs keys revoke: %v\n%s", err, out)
	}
	tb.fill("#field-organization_name", "Too late")
	tb.click("#save")
	tb.awaitText("#entrance-alert", "The API key has been revoked.")
	if left := eval[int](tb, "sessionStorage.length"); left != 0 {
		t.Errorf("the session storage has %d items, want none", left)
	}
}

// TestConsoleTrouble meets answers that are about neither the form nor its version.
func TestConsoleTrouble(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	tb.expect("net::ERR_CONNECTION_REFUSED")
	tb.fill("#field-organization_name", "Patience")
	const failure = `{"success": false, "status": %d, "error": {"message": %q, "type": "T", "code": "c", "details": null}}`
	for _, test := range []struct {
		reply reply
		want  []string
	}{
		{reply{429, map[string]string{"Retry-After": "42", "X-Request-Id": "request-1"}, fmt.Sprintf(failure, 429, "Used up.")},
			[]string{"Used up.", "Try again in 42 seconds.", "request-1"}},
		{reply{503, map[string]string{"Retry-After": "1"}, fmt.Sprintf(failure, 503, "The store is away.")},
			[]string{"The store is away.", "Try again in 1 second.", "You can try again now."}},
		{reply{403, nil, fmt.Sprintf(failure, 403, "This needs an API key with the permission admin.")}, []string{"permission admin"}},
		{reply{502, nil, "<html>"}, []string{"The gateway answered with the status 502."}},
		{reply{}, []string{"The gateway does not answer.", "Your changes are still in the form."}},
	} {
		tb.intercept("PATCH", "/v1/organizations", test.reply)
		for _, width := range []int64{narrow, wide} {
			tb.do(chromedp.EmulateViewport(width, height))
			for _, place := range []string{"0", "document.body.scrollHeight"} { // the top and the end of the page
				eval[bool](tb, "(() => { scrollTo(0, "+place+"); return true; })()")
				tb.click("#save")
				for _, want := range test.want {
					tb.noticed(want)
				}
			}
		}
		switch test.reply.status {
		case 429, 503, 0:
			tb.look(fmt.Sprintf("console-%d", test.reply.status))
		}
		if got := tb.value("#field-organization_name"); got != "Patience" {
			t.Errorf("after %d, the field has %q, want what was typed", test.reply.status, got)
		}
	}
	tb.relay()
	tb.click("#save")
	tb.noticed("Saved: Name.")
	if got := tb.text("#said"); got != "Saved: Name." {
		t.Errorf("after saving, the page says %q", got)
	}
}

// TestConsoleServerDown saves when orgs serve has ended.
func TestConsoleServerDown(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	tb.expect("net::ERR_CONNECTION_REFUSED")
	tb.fill("#field-organization_name", "Nobody hears this")
	g.stop()
	for _, width := range []int64{narrow, medium, wide} {
		tb.do(chromedp.EmulateViewport(width, height))
		tb.click("#save")
		tb.noticed("The gateway does not answer. Is orgs serve still running? Your changes are still in the form.")
		tb.shot(fmt.Sprintf("console-down-view-%d", width))
	}
	if got := tb.value("#field-organization_name"); got != "Nobody hears this" {
		t.Errorf("the field has %q, want what was typed", got)
	}
}

// TestConsoleRateLimited uses up the organization's minute.
func TestConsoleRateLimited(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	g.patch(t, `{"rate_limits": {"metadata": 1}}`)
	tb.fill("#field-organization_name", "One too many")
	tb.click("#save")
	tb.awaitText("#said", "The organization has used up its requests for this minute.")
	tb.awaitText("#said", "Try again in")
}

// TestConsoleUsage shows the usage of a month: a part of the credits, nearly all, more than all, and a number by agreement.
func TestConsoleUsage(t *testing.T) {
	t.Parallel()
	g := start(t)
	record := g.record(t)
	for _, test := range []struct {
		used, want, meter string
	}{
		{"4200", "4 % of the month’s allocation", "4200"},
		{"91500", "91 % of the month’s allocation", "91500"},
		{"123456", "23,456 credits over the month’s allocation", "100000"},
	} {
		tb := open(t, g, "/console")
		tb.intercept("GET", "/v1/organizations", reply{200, map[string]string{"ETag": `"x"`},
			strings.Replace(record, `"current_month_usage":0`, `"current_month_usage":`+test.used, 1)})
		tb.fill("#key", g.admin)
		tb.click("#sign-in-button")
		tb.awaitText("#usage", test.want)
		if got := eval[string](tb, "document.querySelector('#usage [role=meter]').getAttribute('aria-valuenow')"); got != test.meter {
			t.Errorf("with %s used, the meter shows %s, want %s", test.used, got, test.meter)
		}
		if test.used == "91500" {
			tb.look("console-usage")
		}
	}
}

// TestConsoleAuditPages reads a trail of more than one page, and asks for parts of it.
func TestConsoleAuditPages(t *testing.T) {
	t.Parallel()
	g := start(t)
	for n := range 12 {
		g.patch(t, fmt.Sprintf(`{"organization_name": "Name %d"}`, n))
	}
	tb := signIn(t, g, g.admin)
	tb.awaitText("#audit", "The newest 10 entries.")
	if open := eval[int](tb, "document.querySelectorAll('#audit details[open]').length"); open != 0 {
		t.Errorf("%d entries are open, want none", open)
	}
	tb.openEntry(1)
	tb.awaitText("#audit li:first-child .changes", "Name 11")
	tb.click("#older")
	tb.awaitText("#audit", "14 entries, all there are.")
	tb.await("document.activeElement === document.querySelector('.trail > li:nth-child(11) summary') && document.querySelector('#older').hidden")
	tb.awaitText("#audit .trail > li:last-child", "Organization created")

	tb.choose("#audit-kind", "key.")
	tb.awaitText("#audit [role=status]", "1 entry, all there are.")
	tb.awaitText("#audit .trail", "Key issued demo read")
	tb.choose("#audit-kind", "organization.updated")
	tb.awaitText("#audit [role=status]", "The newest 10 entries.")
	tb.click("#older")
	tb.awaitText("#audit [role=status]", "12 entries, all there are.")
	tb.choose("#audit-kind", "")
	tb.choose("#audit-actor", "operator")
	tb.awaitText("#audit [role=status]", "2 entries, all there are.")
	tb.awaitText("#audit .trail", "by the operator")
}

// TestConsoleLongAudit folds the change of a large value.
func TestConsoleLongAudit(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.patch(t, `{"metadata": {"kept": 1, "gone": "old", "text": "short", "nested": {"same": [1, 2], "n": 1.50}}}`)
	g.patch(t, `{"metadata": {"kept": 1, "text": "`+strings.Repeat("long ", 12000)+`", "nested": {"same": [1, 2], "n": 2.50}}}`)
	tb := signIn(t, g, g.admin)
	tb.openEntry(1)
	changes := tb.text("#audit li:first-child .changes")
	for _, want := range []string{"Metadata › gone", "Metadata › text", "Metadata › nested › n", "1.50", "2.50", "removed", "Show all 60,000 characters"} {
		if !strings.Contains(changes, want) {
			t.Errorf("the entry shows %q, want %q in it", changes, want)
		}
	}
	if strings.Contains(changes, "kept") || strings.Contains(changes, "same") {
		t.Errorf("the entry shows %q, want only what differs", changes)
	}
	if tall := eval[int](tb, "document.querySelector('#audit').scrollHeight"); tall > 1500 {
		t.Errorf("the audit trail is %d pixels high, want it folded", tall)
	}
	tb.look("console-long-audit")
	tb.click("#audit li:first-child .changes button")
	tb.awaitText("#audit li:first-child .changes button", "Show less")
}

// TestWelcome looks at the first page.
func TestWelcome(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.patch(t, `{"metadata": {"seen": true}}`)
	tb := open(t, g, "/")
	tb.awaitText("#organization", "Demo Organization")
	tb.look("welcome")
	tb.paper("welcome")
	if html := eval[string](tb, "document.documentElement.outerHTML"); strings.Contains(html, "sk_") || !strings.Contains(html, "YOUR_API_KEY") {
		t.Error("the page has a key, or no place for one")
	}
	tb.click(".site nav a[href='/console']")
	tb.do(chromedp.WaitVisible(chromedp.CSS("#sign-in")))
}

// TestSignInLink opens the link that the terminal shows. It works once.
func TestSignInLink(t *testing.T) {
	t.Parallel()
	g := start(t)
	path := strings.TrimPrefix(g.signIn, g.url)
	if !strings.HasPrefix(path, "/console#") {
		t.Fatalf("the link is %q, want one of the console that keeps its token from requests", g.signIn)
	}
	tb := open(t, g, path)
	tb.await("!document.querySelector('#organization').hidden && document.activeElement.id === 'name'")
	if got := eval[string](tb, "location.href"); got != g.url+"/console" {
		t.Errorf("the address is %q afterwards, want the token gone", got)
	}
	tb.keepsNoKey()
	if got := eval[string](tb, "sessionStorage.getItem('organizations-api.key')"); got != g.admin {
		t.Error("the tab has another key than that of the demo organization")
	}
	again := open(t, g, path)
	again.awaitText("#entrance-alert", "The link was used already, or is too old.")
	again.look("console-used-link")
}

// TestUnknownPage opens an address that does not exist.
func TestUnknownPage(t *testing.T) {
	t.Parallel()
	tb := open(t, start(t), "/nothing-here")
	tb.awaitText("main", "There is no such page.")
	tb.look("unknown-page")
	tb.click("main a[href='/docs']")
	tb.awaitText("h1", "API reference")
}
