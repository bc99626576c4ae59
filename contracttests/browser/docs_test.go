package browser

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestDocs reads the reference and sends both operations.
func TestDocs(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := open(t, g, "/docs")
	tb.awaitText("#patch", "PATCH")
	tb.look("docs")
	tb.paper("docs")

	for _, width := range []int64{narrow, medium, wide} { // from anywhere, the contents lead to a part
		tb.do(chromedp.EmulateViewport(width, height))
		eval[bool](tb, "(() => { scrollTo(0, document.body.scrollHeight); return true; })()")
		tb.click(".contents a[href='#patch']")
		tb.inView("#patch-title")
		tb.inView(".contents a[href='#errors']")
	}
	tb.click("#get-try ~ form button")
	tb.awaitText("#get .result", "Paste one under Authentication")
	tb.fill("#key", g.admin)
	tb.click("#get-try ~ form button")
	tb.awaitText("#get .result", `"organization_id": "`+g.id+`"`)
	tb.await("document.activeElement.matches('#get .result')")
	tb.look("docs-get")

	tb.fill("#patch textarea", `{"organization_name": "Renamed in the reference", "metadata": {"n": 12345678901234567890}}`)
	tb.click("#patch form button")
	tb.awaitText("#patch .result", `"organization_name": "Renamed in the reference"`)
	tb.awaitText("#patch .result", "12345678901234567890")
	tb.choose("#patch-media-type", "application/merge-patch+json")
	if got := tb.value("#patch textarea"); !strings.Contains(got, `"notifications_email": null`) {
		t.Errorf("the body for a merge patch is %s, want its own example", got)
	}
	tb.fill("#patch textarea", `{"metadata": {"n": null}}`)
	tb.click("#patch form button")
	tb.awaitText("#patch .result", `"metadata": {}`)
	tb.fill("#patch textarea", `{"billing_email": "nobody"}`)
	tb.click("#patch form button")
	tb.awaitText("#patch .result", "value is not a valid email address")
	tb.look("docs-patch-422")
	tb.keepsNoKey()
	if shown := tb.text("body"); strings.Contains(shown, g.admin) {
		t.Error("the page shows the key")
	}
}

// TestDocsWithoutScript: all but the forms is in the page itself.
func TestDocsWithoutScript(t *testing.T) {
	t.Parallel()
	tb := open(t, start(t), "/")
	tb.do(send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(tb.gateway.url+"/docs"))
	text := tb.text("main")
	for _, want := range []string{"rate_limits.search", "string, email or null", "1 to 1,000,000,000", "api_key_revoked", "version_mismatch", "This needs JavaScript."} {
		if !strings.Contains(text, want) {
			t.Errorf("without scripts, the reference lacks %q", want)
		}
	}
}

// TestSnippets runs each example of each operation, in its language.
func TestSnippets(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := open(t, g, "/docs")
	for _, operation := range []struct{ id, want string }{{"get", g.id}, {"patch", "Northwind Video"}} {
		for _, language := range []struct {
			name, file string
			command    []string
		}{
			{"curl", "request.sh", []string{"bash", "-e"}},
			{"Go", "main.go", []string{"go", "run"}},
			{"TypeScript", "request.mjs", []string{"node"}}, // it has no types, so it is JavaScript too
			{"Python", "request.py", []string{"python3"}},
		} {
			choice := fmt.Sprintf("#%s input[value=%s]", operation.id, language.name)
			tb.click(choice)
			selector := fmt.Sprintf("#%s .snippet[data-language=%s]", operation.id, language.name)
			tb.do(chromedp.WaitVisible(chromedp.CSS(selector)))
			if n := eval[int](tb, "[...document.querySelectorAll('.snippet')].filter((e) => e.getClientRects().length).length"); n != 2 {
				t.Errorf("with %s chosen, %d snippets are shown, want one for each operation", language.name, n)
			}
			path := filepath.Join(t.TempDir(), language.file)
			if err := os.WriteFile(path, []byte(tb.text(selector)), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), language.command[0], append(language.command[1:], path)...)
			command.Env = append(os.Environ(), "API_KEY="+g.admin)
			if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), operation.want) {
				t.Errorf("%s of %s: %v\n%s\nwant %s in it", language.name, operation.id, err, out, operation.want)
			}
		}
	}
}

// TestDocsExamples: each error in the reference shows its own status, and a real answer has the same fields.
func TestDocsExamples(t *testing.T) {
	t.Parallel()
	tb := open(t, start(t), "/docs")
	for _, status := range []int{400, 401, 403, 404, 412, 422, 429, 500, 503} {
		example := tb.text(fmt.Sprintf("#error-%d pre", status))
		if !strings.Contains(example, fmt.Sprintf(`"status": %d`, status)) {
			t.Errorf("the example of %d %s is %s", status, http.StatusText(status), example)
		}
	}
}

// keepsNoKey wants no key in the page's address and history, in storage that outlives the tab, or in cookies.
func (tb *tab) keepsNoKey() {
	tb.t.Helper()
	kept := eval[string](tb, `(async () => [location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(history.state),
		JSON.stringify(await indexedDB.databases()), JSON.stringify(await caches.keys())].join(" "))()`)
	if strings.Contains(kept, "sk_") {
		tb.t.Errorf("a key is in what the browser keeps: %s", kept)
	}
}
