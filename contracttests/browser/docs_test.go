package browser

import (
	"strings"
	"testing"
)

// Parts of the reference.
const (
	getOperation   = "#operations-Organizations-get_organization_v1_organizations_get"
	patchOperation = "#operations-Organizations-update_organization_v1_organizations_patch"
	liveResponse   = " .live-responses-table"
)

// TestDocs authorises with a key and sends both operations.
func TestDocs(t *testing.T) {
	t.Parallel()
	g := start(t)
	tb := open(t, g, "/docs")
	tb.awaitText("#reference", "Update Organization")
	tb.look("docs")
	tb.click(".models-control")
	tb.click("section.models .json-schema-2020-12-accordion")
	tb.await("document.querySelectorAll('.json-schema-2020-12-property').length > 10")
	tb.look("docs-schemas")
	tb.click(".models-control")

	tb.click(".btn.authorize")
	tb.fill(".auth-container input", g.admin)
	tb.look("docs-authorize")
	tb.click(".auth-btn-wrapper .authorize")
	tb.click(".auth-btn-wrapper .btn-done")

	tb.execute(getOperation, "")
	tb.awaitText(getOperation+liveResponse, `"organization_id": "`+g.id+`"`)
	tb.look("docs-get")
	tb.click(getOperation + " .opblock-summary-control")

	tb.execute(patchOperation, `{"organization_name": "Renamed in the reference"}`)
	tb.awaitText(patchOperation+liveResponse, `"organization_name": "Renamed in the reference"`)
	if record := g.record(t); !strings.Contains(record, "Renamed in the reference") {
		t.Errorf("the record is %s, want the new name", record)
	}
	tb.fill(patchOperation+" textarea", `{"billing_email": "nobody"}`)
	tb.click(patchOperation + " .btn.execute")
	tb.awaitText(patchOperation+liveResponse, "value is not a valid email address")
	tb.look("docs-patch-422")
	tb.keepsNoKey()
	if shown := tb.text("body"); strings.Contains(shown, g.admin) || !strings.Contains(shown, "YOUR_API_KEY") {
		t.Error("the page shows the key, or no curl line with a placeholder for it")
	}
}

// execute opens an operation and sends it, with the body where it is not "".
func (tb *tab) execute(operation, body string) {
	tb.t.Helper()
	tb.click(operation + " .opblock-summary-control")
	tb.click(operation + " .try-out__btn")
	if body != "" {
		tb.fill(operation+" textarea", body)
	}
	tb.click(operation + " .btn.execute")
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
