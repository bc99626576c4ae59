package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// signIn opens the console and signs in with a key, with the keyboard alone.
func signIn(t *testing.T, g *gateway, key string) *tab {
	t.Helper()
	tb := open(t, g, "/console")
	tb.await("document.activeElement?.id === 'key'")
	tb.fill("#key", key)
	tb.do(chromedp.KeyEvent(kb.Enter))
	tb.await("!document.querySelector('#organization').hidden && document.activeElement.id === 'name'")
	tb.await("document.querySelector('#audit').childElementCount > 0")
	return tb
}

const settings = `{
	"billing_email": "billing@northwind.example",
	"rate_limits": {"search": 400, "compute": 12},
	"metadata": {"region": "eu-central-1", "big": 12345678901234567890, "nested": {"a": [1, 2.50, {}]}},
	"default_llm_credentials": {"openai": "sesame"}
}`

// TestConsole changes every field and reads what became of it.
func TestConsole(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.patch(t, settings)
	tb := signIn(t, g, g.admin)
	tb.look("console")

	if got := tb.value("#field-metadata"); !strings.Contains(got, "12345678901234567890") || !strings.Contains(got, "2.50") {
		t.Errorf("the field for metadata has %s, want every digit", got)
	}
	tb.click("#save")
	tb.awaitText("#said", "nothing to save")
	tb.fill("#field-organization_name", "Northwind Video")
	tb.fill("#field-billing_email", "")
	tb.fill("#field-notifications_email", "ops@northwind.example")
	tb.fill("#field-logo_url", "https://northwind.example/logo.png")
	tb.fill("#field-rate_limits-search", "")
	tb.fill("#field-rate_limits-upload", "77")
	tb.fill("#field-metadata", `{"exact": 1.000000000000000000001, "n": 98765432109876543210}`)
	tb.fill(".pairs input[type=password]", "open sesame")
	tb.awaitText("#pending", "Not saved: Name, Billing email, Notifications email, Logo address, Rate limit overrides, Metadata, Model credentials")
	tb.click("#save")
	tb.noticed("Saved: Name")
	tb.awaitText("#name", "Northwind Video")

	record := g.record(t)
	for _, want := range []string{
		`"organization_name":"Northwind Video"`, `"billing_email":null`, `"notifications_email":"ops@northwind.example"`,
		`"logo_url":"https://northwind.example/logo.png"`, `"metadata":{"exact":1.000000000000000000001,"n":98765432109876543210}`,
		`"rate_limits":{"metadata":100,"data":60,"search":60,"upload":77,"compute":12}`,
		`"default_llm_credentials":{"openai":"open sesame"}`,
	} {
		if !strings.Contains(record, want) {
			t.Errorf("the record is %s, want in it %s", record, want)
		}
	}
	tb.awaitText("#limits tbody tr:nth-child(4)", "77")
	tb.openEntry(1)
	tb.awaitText("#audit li:first-child .changes", "98765432109876543210")
	tb.awaitText("#audit li:first-child summary", "by demo admin")
	tb.look("console-audit")
	tb.paper("console")
	if shown := tb.text("body"); strings.Contains(shown, "sesame") {
		t.Errorf("the page shows a secret:\n%s", shown)
	}
	tb.keepsNoKey()
}

// TestConsoleKeepsCredentials adds a provider beside ones whose names and secrets a control of one line cannot hold.
func TestConsoleKeepsCredentials(t *testing.T) {
	t.Parallel()
	g := start(t)
	const before = `"a\nb":"-----BEGIN KEY-----\nMIIE\r\n-----END KEY-----","ab":"sesame","c":"tab\tand \"quotes\""`
	g.patch(t, `{"default_llm_credentials": {`+before+`}}`)
	tb := signIn(t, g, g.admin)
	tb.click("#save")
	tb.awaitText("#said", "nothing to save")
	tb.click("fieldset > button")
	tb.fill(".pair:last-child input[type=text]", "new")
	tb.fill(".pair:last-child input[type=password]", "open sesame")
	tb.click("#save")
	tb.awaitText("#said", "Saved: Model credentials.")
	if got, want := g.record(t), `"default_llm_credentials":{`+before+`,"new":"open sesame"}`; !strings.Contains(got, want) {
		t.Errorf("the record is %s, want in it %s", got, want)
	}
	tb.fill(".pair:first-child input[type=password]", "replaced")
	tb.click("#save")
	tb.awaitText("#said", "Saved: Model credentials.")
	if got, want := g.record(t), `"a\nb":"replaced","ab":"sesame"`; !strings.Contains(got, want) {
		t.Errorf("the record is %s, want in it %s", got, want)
	}
}

// TestConsoleProblems meets a 422, and what the form refuses by itself.
func TestConsoleProblems(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	tb.fill("#field-organization_name", strings.Repeat("Northwind ", 11))
	tb.fill("#field-billing_email", "billing at northwind")
	tb.fill("#field-rate_limits-data", "0")
	tb.fill("#field-rate_limits-upload", "plenty")
	tb.click("#save")
	tb.awaitText("#said", "4 problems. Nothing was changed.")
	for field, want := range map[string]string{
		"organization_name": "Use at most 100 characters",
		"billing_email":     "Enter an email address, such as billing@example.com",
		"rate_limits-data":  "data: Enter 1 to 1,000,000,000", "rate_limits-upload": "upload: Enter a whole number",
	} {
		id := "#field-" + field
		if got := tb.text(id + "-problem"); got != want {
			t.Errorf("beside %s is %q, want %q", field, got, want)
		}
		if !eval[bool](tb, fmt.Sprintf("document.querySelector(%q).ariaInvalid === 'true' && document.querySelector(%q).getAttribute('aria-describedby').includes(%q)", id, id, id[1:]+"-problem")) {
			t.Errorf("%s is not marked as invalid, or not described by its problem", field)
		}
	}
	if got := eval[string](tb, "document.activeElement.id"); got != "field-organization_name" {
		t.Errorf("the focus is on %q, want the first field with a problem", got)
	}
	tb.inView("#field-organization_name")
	tb.look("console-problems")

	tb.fill("#field-metadata", `{"broken": `)
	tb.click("#save")
	tb.awaitText("#field-metadata-problem", "This is not JSON")
	tb.awaitText("#said", "5 problems") // all at once, not the JSON first
	tb.click("#discard")
	tb.noticed("Your changes are dropped.")
	if got := tb.text("#field-billing_email-problem"); got != "" {
		t.Errorf("beside the email is still %q, want what was said before to be gone", got)
	}
	for _, text := range []string{"null", "[1]", " 7"} { // the API takes null, for no change
		tb.fill("#field-metadata", text)
		tb.click("#save")
		tb.awaitText("#field-metadata-problem", "Enter a JSON object. {} is an empty one")
	}
	tb.fill("#field-metadata", `{}, "organization_name": "smuggled"`)
	tb.click("#save")
	tb.awaitText("#field-metadata-problem", "This is not JSON")
	tb.click("#discard")
	tb.awaitText("#said", "Your changes are dropped.")
	if record := g.record(t); !strings.Contains(record, "Demo Organization") {
		t.Errorf("the record is %s, want it unchanged", record)
	}
}

// TestConsoleRefused meets a 422 about what only the API knows. It is said in the words of the form.
func TestConsoleRefused(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.admin)
	tb.fill("#field-metadata", `{"n": 1e400}`)
	tb.fill("#field-notifications_email", "ops@northwind.test")
	tb.click("#save")
	tb.awaitText("#said", "2 problems. Nothing was changed.")
	for field, want := range map[string]string{
		"notifications_email": "This is not an email address: ", "metadata": "The number is too large",
	} {
		if got := tb.text("#field-" + field + "-problem"); !strings.Contains(got, want) || strings.Contains(got, "value") {
			t.Errorf("beside %s is %q, want %q and no word of a library", field, got, want)
		}
	}
	tb.await("document.activeElement.id === 'field-notifications_email'")
	tb.inView("#field-notifications_email")
	tb.inView("#said")
	for _, width := range []int64{narrow, wide} { // the end of the page does not stay behind the notice
		tb.do(chromedp.EmulateViewport(width, height))
		eval[bool](tb, "(() => { scrollTo(0, document.body.scrollHeight); return true; })()")
		tb.inView("#audit [role=status]")
	}
	tb.look("console-422")
	tb.click("#said li:last-child a")
	tb.await("document.activeElement.id === 'field-metadata'")
	tb.inView("#field-metadata")
}

// TestConsoleLogo shows the picture of an https address when it is asked to, and of no other address.
func TestConsoleLogo(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.patch(t, `{"logo_url": "javascript:alert(1)"}`)
	tb := signIn(t, g, g.admin)
	tb.awaitText(".preview", "Only an https address can be shown here.")
	for _, address := range []string{"http://northwind.example/logo.png", "data:image/png;base64,AA", "logo.png", ""} {
		tb.fill("#field-logo_url", address)
		if shown := tb.text(".preview"); strings.Contains(shown, "Show") || strings.Contains(shown, "Only an https") != (address != "") {
			t.Errorf("for %q, the form says %q, want that only https can be shown", address, shown)
		}
	}
	const logo = "https://northwind.example/logo.svg"
	tb.answerElsewhere(logo, "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#0b5568"/></svg>`)
	tb.fill("#field-logo_url", logo)
	tb.awaitText(".preview", "Show the logo")
	if eval[bool](tb, "document.querySelector('.preview img') !== null") {
		t.Error("the picture is loaded before anybody asked for it")
	}
	tb.click(".preview button")
	tb.await("document.querySelector('.preview img')?.naturalWidth === 120")
	tb.look("console-logo")
}

// TestConsoleChangedMeanwhile meets a 412 and makes either choice.
func TestConsoleChangedMeanwhile(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.patch(t, settings)
	tb := signIn(t, g, g.admin)
	edit := func() {
		tb.fill("#field-organization_name", "Mine")
		tb.fill("#field-rate_limits-search", "120")
	}
	edit()
	g.patch(t, `{"organization_name": "Theirs", "billing_email": "theirs@northwind.example", "metadata": {"theirs": 1}}`)
	tb.click("#save")
	tb.awaitText("#conflict", "Changed meanwhile")
	tb.await("document.activeElement.id === 'conflict-title'")
	tb.inView("#conflict-title")
	for row, want := range map[string]string{
		"1": "Name\nchanged by both\n\tTheirs\tMine",
		"2": "Billing email\nchanged by others\n\ttheirs@northwind.example\tbilling@northwind.example",
	} {
		got := tb.text(".sides tbody tr:nth-child(" + row + ")")
		if got != want {
			t.Errorf("row %s is %q, want %q", row, got, want)
		}
	}
	tb.look("console-412")
	tb.click("#reapply")
	tb.noticed("Saved: Name, Rate limit overrides.")
	record := g.record(t)
	for _, want := range []string{`"Mine"`, `"theirs@northwind.example"`, `"metadata":{"theirs":1}`, `"search":120`} {
		if !strings.Contains(record, want) {
			t.Errorf("the record is %s, want in it %s", record, want)
		}
	}

	tb.fill("#field-organization_name", "Mine again")
	tb.fill("#field-metadata", "\n {\"mine\": 2}")
	g.patch(t, `{"organization_name": "Theirs again"}`)
	tb.click("#save")
	tb.awaitText("#conflict", `"mine": 2`)
	tb.click("#take-over")
	tb.noticed("Your changes are dropped")
	if got := tb.value("#field-organization_name"); got != "Theirs again" || !strings.Contains(g.record(t), "Theirs again") {
		t.Errorf("after taking over, the field has %q and the record is %s", got, g.record(t))
	}
}

// TestConsoleReadKey looks with a key that may change nothing.
func TestConsoleReadKey(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := signIn(t, g, g.read)
	tb.awaitText("#read-only", "This key has the permission read.")
	tb.awaitText("#audit", "needs a key with the permission admin")
	if !eval[bool](tb, `[...document.querySelectorAll("#fields input, #fields textarea")].every((e) => e.readOnly || e.disabled)
		&& [...document.querySelectorAll("#fields button:not(.preview *)")].every((e) => e.hidden)
		&& document.querySelector("#bar").hidden`) {
		t.Error("the form can be changed, want it read-only")
	}
	tb.look("console-read-only")
}

// TestConsoleShowsTextAsText has markup in every place where a tenant can put text.
func TestConsoleShowsTextAsText(t *testing.T) {
	t.Parallel()
	g := start(t)
	const evil = `<img src=x onerror=alert(1)>`
	g.patch(t, `{"organization_name": "`+evil+`", "metadata": {"`+evil+`": "</script><script>alert(2)</script>"}, "logo_url": "javascript:alert(3)",
		"default_llm_credentials": {"`+evil+`": "x"}}`)
	tb := open(t, g, "/")
	if got := tb.text("#organization"); got != evil {
		t.Errorf("the welcome page names the organization %q, want %q", got, evil)
	}
	tb = signIn(t, g, g.admin)
	if got := tb.text("#name"); got != evil {
		t.Errorf("the console names the organization %q, want %q", got, evil)
	}
	tb.fill("#field-organization_name", "<b>bold</b>")
	g.patch(t, `{"organization_name": "<i>italic</i>"}`)
	tb.click("#save")
	tb.awaitText("#conflict", "<i>italic</i>")
	tb.awaitText("#conflict", "<b>bold</b>")
	if got := eval[int](tb, `document.querySelectorAll("main img, main script, main b, main i").length`); got != 0 {
		t.Errorf("the page made %d elements of text, want none", got)
	}
}
