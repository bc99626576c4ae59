package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/api"
)

func (w *world) mergePatch(t *testing.T, body string) (status int, answer string) {
	t.Helper()
	r := w.patch(t, body, "Content-Type", "application/merge-patch+json")
	return r.Code, r.Body.String()
}

// everything is an update of all fields.
const everything = `{"organization_name":"A","logo_url":"https://logo.example/a","billing_email":"a@b.example",` +
	`"notifications_email":"c@d.example","metadata":{"a":1},"rate_limits":{"search":7},` +
	`"default_llm_credentials":{"openai":"openai_key"},"nsfw_check_enabled":true,"nsfw_fail_closed":true}`

// differences returns the members that two records do not share, other than updated_at, with their new values.
func differences(t *testing.T, before, after string) map[string]string {
	t.Helper()
	var a, b map[string]json.RawMessage
	for text, into := range map[string]*map[string]json.RawMessage{before: &a, after: &b} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	changed := map[string]string{}
	for name, value := range b {
		if name != "updated_at" && string(a[name]) != string(value) {
			changed[name] = string(value)
		}
	}
	return changed
}

// TestNineFieldsSevenNull: a client sends all nine fields, seven of them null. As application/json it changes exactly
// the two that are set. As a merge patch the same body clears the seven.
func TestNineFieldsSevenNull(t *testing.T) {
	t.Parallel()
	const body = `{"organization_name":"B","logo_url":null,"billing_email":null,"notifications_email":null,"metadata":null,` +
		`"rate_limit_overrides":null,"default_llm_credentials":null,"nsfw_check_enabled":false,"nsfw_fail_closed":null}`
	w := newWorld(t, options{})
	before := text(t, w.patch(t, everything))
	two := map[string]string{"organization_name": `"B"`, "nsfw_check_enabled": "false"}
	if diff := cmp.Diff(two, differences(t, before, text(t, w.patch(t, body)))); diff != "" {
		t.Errorf("application/json changes (-want +got):\n%s", diff)
	}
	before = text(t, w.patch(t, everything))
	status, after := w.mergePatch(t, body)
	all := map[string]string{
		"organization_name": `"B"`, "nsfw_check_enabled": "false", "nsfw_fail_closed": "false", "logo_url": "null",
		"billing_email": "null", "notifications_email": "null", "metadata": "{}", "default_llm_credentials": "{}",
		"rate_limits": `{"metadata":100,"data":60,"search":60,"upload":30,"compute":30}`,
	}
	if diff := cmp.Diff(all, differences(t, before, after)); status != http.StatusOK || diff != "" {
		t.Errorf("application/merge-patch+json = %d and changes (-want +got):\n%s", status, diff)
	}
	if after != text(t, w.get(t)) {
		t.Errorf("GET = %s, want %s", text(t, w.get(t)), after)
	}
}

func TestMergePatchMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.patch(t, everything)
	for _, step := range []struct{ body, field, want string }{
		{`{"metadata":{"b":{"c":1.50,"d":null}}}`, "metadata", `{"a":1,"b":{"c":1.50}}`},
		{`{"metadata":{"b":{"d":[null]},"a":null}}`, "metadata", `{"b":{"c":1.50,"d":[null]}}`},
		{`{"metadata":{}}`, "metadata", `{"b":{"c":1.50,"d":[null]}}`},
		{`{"default_llm_credentials":{"mistral":"m"}}`, "default_llm_credentials", `{"openai":"openai_key","mistral":"m"}`},
		{`{"default_llm_credentials":{"openai":null,"none":null}}`, "default_llm_credentials", `{"mistral":"m"}`},
		{`{"rate_limits":{"data":8}}`, "rate_limits", `{"metadata":100,"data":8,"search":7,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":{"search":null,"upload":9}}`, "rate_limits", `{"metadata":100,"data":8,"search":60,"upload":9,"compute":30}`},
		{`{"rate_limits":{"data":5},"rate_limit_overrides":{"data":5.0}}`, "rate_limits", `{"metadata":100,"data":5,"search":60,"upload":9,"compute":30}`},
		{`{"rate_limits":{}}`, "rate_limits", `{"metadata":100,"data":5,"search":60,"upload":9,"compute":30}`},
		{`{"rate_limits":null}`, "rate_limits", `{"metadata":100,"data":60,"search":60,"upload":30,"compute":30}`},
		{`{"nsfw_fail_closed":null}`, "nsfw_fail_closed", "false"},
		{`{"logo_url":"x"}`, "logo_url", `"x"`},
		{`{"logo_url":null}`, "logo_url", "null"},
	} {
		status, answer := w.mergePatch(t, step.body)
		if got := member(t, answer, step.field); status != http.StatusOK || got != step.want {
			t.Errorf("%s after the merge patch %s = %d %s, want %s", step.field, step.body, status, got, step.want)
		}
	}
}

// TestAliasOfLimits: rate_limit_overrides is rate_limits under another name.
func TestAliasOfLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for _, step := range []struct{ body, want string }{
		{`{"rate_limit_overrides":{"search":7}}`, `{"metadata":100,"data":60,"search":7,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":{"data":8}}`, `{"metadata":100,"data":8,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":{"data":9,"x":1},"rate_limits":{"data":9.0}}`, `{"metadata":100,"data":9,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":{"data":6},"rate_limits":null}`, `{"metadata":100,"data":6,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":null,"rate_limits":{"data":5}}`, `{"metadata":100,"data":5,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limit_overrides":{}}`, `{"metadata":100,"data":60,"search":60,"upload":30,"compute":30}`},
	} {
		if got := member(t, text(t, w.patch(t, step.body)), "rate_limits"); got != step.want {
			t.Errorf("rate_limits after %s = %s, want %s", step.body, got, step.want)
		}
	}
}

func TestProblemsOfMergePatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.patch(t, everything)
	w.patch(t, `{"metadata":`+sized(64<<10-6)+`}`)
	tests := []struct {
		body string
		want []api.Problem
	}{
		{`null`, []api.Problem{{body(), modelType, "model_attributes_type"}}},
		{`{"organization_name":null}`, []api.Problem{{body("organization_name"), stringType, "string_type"}}},
		{`{"rate_limits":{"data":0,"search":null}}`, []api.Problem{{body("rate_limits", "data"), "Input should be greater than or equal to 1", "greater_than_equal"}}},
		{`{"rate_limits":null,"rate_limit_overrides":{}}`, []api.Problem{{body("rate_limit_overrides"), differs, "value_error"}}},
		{`{"rate_limits":{"data":null},"rate_limit_overrides":{}}`, []api.Problem{{body("rate_limit_overrides"), differs, "value_error"}}},
		{`{"default_llm_credentials":{"a":{}}}`, []api.Problem{{body("default_llm_credentials", "a"), stringType, "string_type"}}},
		{`{"metadata":[]}`, []api.Problem{{body("metadata"), dictType, "dict_type"}}},
		{`{"metadata":{"b":-1e999}}`, []api.Problem{{body("metadata", "b"), tooLarge, "value_error"}}},
		{`{"metadata":` + nested(33) + `}`, []api.Problem{{body("metadata"), "Value error, it has more than 32 levels of nesting", "value_error"}}},
		{`{"metadata":{"b":12}}`, []api.Problem{{body("metadata"), "Value error, it has more than 65536 bytes of JSON", "value_error"}}},
	}
	before := text(t, w.get(t))
	for _, test := range tests {
		status, answer := w.mergePatch(t, test.body)
		var got struct{ Detail []api.Problem }
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusUnprocessableEntity {
			t.Errorf("merge patch %.80s = %d %.200s, want 422", test.body, status, answer)
		} else if diff := cmp.Diff(test.want, got.Detail); diff != "" {
			t.Errorf("merge patch %.80s problems (-want +got):\n%s", test.body, diff)
		}
	}
	if after := text(t, w.get(t)); after != before {
		t.Errorf("refused merge patches changed the organization from\n%s to\n%s", before, after)
	}
	if status, answer := w.mergePatch(t, `{"metadata":{"b":1}}`); status != http.StatusOK {
		t.Errorf("a merge up to the bound = %d %.200s, want 200", status, answer)
	}
}

// TestBothShapesOf422: a 422 has FastAPI's list and the envelope of other errors, with the same problems.
func TestBothShapesOf422(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	got := w.patch(t, `{"organization_name":1,"rate_limits":{"data":0}}`).Body.String()
	want := `{"success":false,"status":422,"error":{"message":"The request has 2 problems.","type":"ValidationError",` +
		`"code":"validation_failed","details":{"validation_errors":[` +
		`{"type":"string_type","location":["body","organization_name"],"message":"Input should be a valid string"},` +
		`{"type":"greater_than_equal","location":["body","rate_limits","data"],"message":"Input should be greater than or equal to 1"}]}},` +
		`"detail":[{"loc":["body","organization_name"],"msg":"Input should be a valid string","type":"string_type"},` +
		`{"loc":["body","rate_limits","data"],"msg":"Input should be greater than or equal to 1","type":"greater_than_equal"}]}`
	if got != want {
		t.Errorf("PATCH = %s\nwant %s", got, want)
	}
	if got := w.patch(t, `[]`).Body.String(); !strings.Contains(got, `"message":"The request has a problem."`) {
		t.Errorf("PATCH = %s, want one problem", got)
	}
}
