package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	stringType = "Input should be a valid string"
	dictType   = "Input should be a valid dictionary"
	modelType  = "Input should be a valid dictionary or object to extract fields from"
	intType    = "Input should be a valid integer"
	boolType   = "Input should be a valid boolean"
	differs    = "Value error, it differs from rate_limits, which is another name of the same field"
	tooLarge   = "Value error, the number is too large for a float64"
)

func body(field ...any) []any { return append([]any{"body"}, field...) }

func TestProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	name := body("organization_name")
	tests := []struct {
		body string
		want []api.Problem
	}{
		{`null`, []api.Problem{{body(), modelType, "model_attributes_type"}}},
		{`[]`, []api.Problem{{body(), modelType, "model_attributes_type"}}},
		{`"{}"`, []api.Problem{{body(), modelType, "model_attributes_type"}}},
		{`1`, []api.Problem{{body(), modelType, "model_attributes_type"}}},
		{`{"organization_name":1}`, []api.Problem{{name, stringType, "string_type"}}},
		{`{"organization_name":true}`, []api.Problem{{name, stringType, "string_type"}}},
		{`{"organization_name":["a"]}`, []api.Problem{{name, stringType, "string_type"}}},
		{`{"organization_name":""}`, []api.Problem{{name, "String should have at least 1 character", "string_too_short"}}},
		{`{"organization_name":"` + strings.Repeat(`\ud83d\ude00`, 101) + `"}`,
			[]api.Problem{{name, "String should have at most 100 characters", "string_too_long"}}},
		{`{"logo_url":""}`, []api.Problem{{body("logo_url"), "String should have at least 1 character", "string_too_short"}}},
		{`{"logo_url":"` + strings.Repeat("x", 2049) + `"}`,
			[]api.Problem{{body("logo_url"), "String should have at most 2048 characters", "string_too_long"}}},
		{`{"billing_email":"Ann <a@b.co>"}`, []api.Problem{{body("billing_email"),
			"value is not a valid email address: what comes before the @ has a character that cannot stand there", "value_error"}}},
		{`{"billing_email":{}}`, []api.Problem{{body("billing_email"), stringType, "string_type"}}},
		{`{"notifications_email":"a"}`, []api.Problem{{body("notifications_email"), "value is not a valid email address: it has no @", "value_error"}}},
		{`{"notifications_email":"a@localhost"}`, []api.Problem{{body("notifications_email"),
			"value is not a valid email address: what comes after the @ must have a dot and end in a letter", "value_error"}}},
		{`{"metadata":[]}`, []api.Problem{{body("metadata"), dictType, "dict_type"}}},
		{`{"metadata":"{}"}`, []api.Problem{{body("metadata"), dictType, "dict_type"}}},
		{`{"rate_limits":[]}`, []api.Problem{{body("rate_limits"), modelType, "model_attributes_type"}}},
		{`{"rate_limits":{"search":"20"}}`, []api.Problem{{body("rate_limits", "search"), intType, "int_type"}}},
		{`{"rate_limits":{"search":true}}`, []api.Problem{{body("rate_limits", "search"), intType, "int_type"}}},
		{`{"rate_limits":{"search":null}}`, []api.Problem{{body("rate_limits", "search"), intType, "int_type"}}},
		{`{"rate_limits":{"search":1.5}}`, []api.Problem{{body("rate_limits", "search"), intType, "int_type"}}},
		{`{"rate_limits":{"search":1.00000000000000000001}}`, []api.Problem{{body("rate_limits", "search"), intType, "int_type"}}},
		{`{"rate_limits":{"search":0}}`, []api.Problem{{body("rate_limits", "search"), "Input should be greater than or equal to 1", "greater_than_equal"}}},
		{`{"rate_limits":{"search":-1e400}}`, []api.Problem{{body("rate_limits", "search"), "Input should be greater than or equal to 1", "greater_than_equal"}}},
		{`{"rate_limits":{"search":1000000001}}`, []api.Problem{{body("rate_limits", "search"), "Input should be less than or equal to 1000000000", "less_than_equal"}}},
		{`{"rate_limits":{"search":1e400}}`, []api.Problem{{body("rate_limits", "search"), "Input should be less than or equal to 1000000000", "less_than_equal"}}},
		{`{"rate_limits":{"data":7},"rate_limit_overrides":{"data":8}}`, []api.Problem{{body("rate_limit_overrides"), differs, "value_error"}}},
		{`{"rate_limits":{"data":7},"rate_limit_overrides":{}}`, []api.Problem{{body("rate_limit_overrides"), differs, "value_error"}}},
		{`{"rate_limits":{"data":0},"rate_limit_overrides":{"data":"8"}}`, []api.Problem{
			{body("rate_limits", "data"), "Input should be greater than or equal to 1", "greater_than_equal"},
			{body("rate_limit_overrides", "data"), intType, "int_type"}}},
		{`{"nsfw_check_enabled":"true"}`, []api.Problem{{body("nsfw_check_enabled"), boolType, "bool_type"}}},
		{`{"nsfw_fail_closed":0}`, []api.Problem{{body("nsfw_fail_closed"), boolType, "bool_type"}}},
		{`{"metadata":{"a":[1,{"b":-1e400}]}}`, []api.Problem{{body("metadata", "a", 1.0, "b"), tooLarge, "value_error"}}},
		{`{"billing_email":"ops@corp.local"}`, []api.Problem{{body("billing_email"),
			"value is not a valid email address: what comes after the @ is reserved and can receive no mail from the internet", "value_error"}}},
		{`{"default_llm_credentials":[]}`, []api.Problem{{body("default_llm_credentials"), dictType, "dict_type"}}},
		{`{"default_llm_credentials":{"a":"x","b":1,"":null}}`, []api.Problem{
			{body("default_llm_credentials", "b"), stringType, "string_type"},
			{body("default_llm_credentials", ""), stringType, "string_type"}}},
		{`{"metadata":1,"rate_limits":{"data":0,"search":"x"},"organization_name":"","billing_email":"x","unknown":1}`, []api.Problem{
			{name, "String should have at least 1 character", "string_too_short"},
			{body("metadata"), dictType, "dict_type"},
			{body("billing_email"), "value is not a valid email address: it has no @", "value_error"},
			{body("rate_limits", "data"), "Input should be greater than or equal to 1", "greater_than_equal"},
			{body("rate_limits", "search"), intType, "int_type"}}},
	}
	before := text(t, w.get(t))
	for _, test := range tests {
		r := w.patch(t, test.body)
		if r.Code != http.StatusUnprocessableEntity {
			t.Errorf("PATCH %.80s = %d %s, want 422", test.body, r.Code, r.Body)
			continue
		}
		var got struct{ Detail []api.Problem }
		if err := json.Unmarshal(r.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got.Detail); diff != "" {
			t.Errorf("PATCH %.80s problems (-want +got):\n%s", test.body, diff)
		}
	}
	if after := text(t, w.get(t)); after != before {
		t.Errorf("refused updates changed the organization from\n%s to\n%s", before, after)
	}
}

// TestStoredEmailIsAnswered: an email that was stored before a rule forbade it is still returned, and stays when
// another field changes.
func TestStoredEmailIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	email := "billing@localhost"
	w.org = organization.New("Northwind Video", organization.Pro, &email, w.now)
	w.key = w.newKey(t, w.org.ID, apikey.Live)
	e := store.Entry{ID: store.NewEntryID(w.now), Action: store.Created, Actor: store.OperatorActor}
	if err := w.store.Create(t.Context(), w.org, apikey.NewRecord(w.key, apikey.Admin, w.now, nil), e); err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]*httptest.ResponseRecorder{"GET": w.get(t), "PATCH": w.patch(t, `{"organization_name":"Changed"}`)} {
		if got := text(t, r); r.Code != http.StatusOK || !strings.Contains(got, `"billing_email":"billing@localhost"`) {
			t.Errorf("%s = %d %s, want 200 with the email that is stored", what, r.Code, got)
		}
	}
}

func TestProblemsOfHeadersAndBodyTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	r := w.patch(t, `{"organization_name":1}`, "If-Match", "x", "If-None-Match", `"`+strings.Repeat("a", 4096)+`"`)
	var got struct{ Detail []api.Problem }
	if err := json.Unmarshal(r.Body.Bytes(), &got); err != nil || r.Code != http.StatusUnprocessableEntity {
		t.Fatalf("PATCH = %d %s", r.Code, r.Body)
	}
	var types []string
	for _, p := range got.Detail {
		types = append(types, fmt.Sprint(p.Loc, p.Type))
	}
	want := []string{"[header if-match]string_pattern_mismatch", "[header if-none-match]string_too_long", "[body organization_name]string_type"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for _, body := range []string{
		`{}`, ` { } `, `{"unknown":{"a":[1]}}`, `{"account_type":"enterprise","credit_count":1e9,"infrastructure":{},"internal_id":"x"}`,
		`{"organization_name":null,"billing_email":null,"metadata":null,"rate_limits":null}`,
		`{"logo_url":null,"notifications_email":null,"default_llm_credentials":null}`,
		`{"organization_name":"` + strings.Repeat("😀", 100) + `"}`, `{"organization_name":"\u0000"}`, `{"logo_url":"x"}`,
		`{"rate_limits":{}}`, `{"rate_limits":{"search":20.0,"data":2e1,"upload":1,"compute":1000000,"metadata":1.0e+1,"x":"y"}}`,
		`{"default_llm_credentials":{"":"","a.b['c']":"d"}}`, `{"x":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`,
	} {
		if r := w.patch(t, body); r.Code != http.StatusOK {
			t.Errorf("PATCH %.80s = %d %s, want 200", body, r.Code, r.Body)
		}
	}
	var got struct {
		AccountType string `json:"account_type"`
		CreditCount int    `json:"credit_count"`
	}
	if err := json.Unmarshal(w.get(t).Body.Bytes(), &got); err != nil || got.AccountType != "pro" || got.CreditCount != 100_000 {
		t.Errorf("undeclared fields changed the organization: %+v (%v)", got, err)
	}
}

// nested returns an object that is n levels deep.
func nested(n int) string { return strings.Repeat(`{"a":`, n-1) + `{}` + strings.Repeat(`}`, n-1) }

// sized returns an object of n bytes of JSON.
func sized(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }

func TestBoundsOfObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for _, test := range []struct {
		name, metadata string
		status         int
	}{
		{"deepest", nested(32), 200},
		{"too deep", nested(33), 422},
		{"far too deep", nested(9_999), 422},
		{"deeper than any body is read", nested(10_000), 400},
		{"longest", sized(64 << 10), 200},
		{"longest, with white space around its parts", strings.Replace(sized(64<<10), ":", " : ", 1), 200},
		{"too long", sized(64<<10 + 1), 422},
	} {
		if r := w.patch(t, `{"metadata":`+test.metadata+`}`); r.Code != test.status {
			t.Errorf("metadata %s = %d, want %d", test.name, r.Code, test.status)
		}
		credentials := `{"default_llm_credentials":` + test.metadata + `}`
		if strings.HasPrefix(test.metadata, `{"a":{`) {
			continue // credentials are one level of strings
		}
		if r := w.patch(t, credentials); r.Code != test.status {
			t.Errorf("credentials %s = %d, want %d", test.name, r.Code, test.status)
		}
	}
}
