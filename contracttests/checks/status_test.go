package checks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"organizations-api/contracttests/harness"
)

// TestEveryResponseHasCheck: for each response that the document declares of an operation there is a status check, and
// for each code of an error. route_not_found is of no declared operation.
func TestEveryResponseHasCheck(t *testing.T) {
	t.Parallel()
	names, statuses, codes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range All() {
		if names[c.Name] {
			t.Errorf("two checks are called %s", c.Name)
		}
		names[c.Name] = true
	}
	for _, c := range statusCases() {
		statuses[fmt.Sprint(c.method, " ", c.status)] = true
		codes[fmt.Sprint(c.method, " ", c.code)] = true
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		op, _ := harness.Validator().Document.Find(method, harness.Path)
		for _, response := range op.Responses {
			if !statuses[method+" "+response.Status] {
				t.Errorf("%s %s is declared and has no check", method, response.Status)
			}
		}
		for _, meaning := range harness.ErrorMeanings() {
			for _, code := range meaning.Codes {
				ofBody := strings.HasPrefix(code, "body_") || strings.HasPrefix(code, "media_")
				if !codes[method+" "+code] && code != "route_not_found" && (method == http.MethodPatch || !ofBody) {
					t.Errorf("%s %s has no check", method, code)
				}
			}
		}
	}
}
