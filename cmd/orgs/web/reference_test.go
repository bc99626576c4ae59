package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/openapi"
)

// TestReference reads the contract and looks for what a reader needs of each operation.
func TestReference(t *testing.T) {
	t.Parallel()
	r, err := newReference(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	var operations, statuses []string
	for _, o := range r.Operations {
		operations = append(operations, fmt.Sprintf("%s %s, %d parameters, %d bodies, %d answers",
			o.Method, o.Path, len(o.Parameters), len(o.Bodies), len(o.Answers)))
	}
	want := []string{
		"GET /v1/organizations, 2 parameters, 0 bodies, 11 answers", "PATCH /v1/organizations, 2 parameters, 2 bodies, 10 answers",
	}
	if diff := cmp.Diff(want, operations); diff != "" {
		t.Errorf("the operations (-want +got):\n%s", diff)
	}
	for _, e := range r.Errors {
		statuses = append(statuses, e.Status)
		var body struct{ Status int }
		if err := json.Unmarshal([]byte(e.Example), &body); err != nil || fmt.Sprint(body.Status) != e.Status || e.Name == "" {
			t.Errorf("the example of %s %q is %s, want one with that status", e.Status, e.Name, e.Example)
		}
	}
	if diff := cmp.Diff([]string{"400", "401", "403", "404", "412", "422", "429", "500", "503"}, statuses); diff != "" {
		t.Errorf("the errors (-want +got):\n%s", diff)
	}
	if len(r.Headers) != 10 {
		t.Errorf("the headers are %+v, want all that responses have, each once", r.Headers)
	}
}

// TestFields compares how the reference describes fields.
func TestFields(t *testing.T) {
	t.Parallel()
	r, err := newReference(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	describe := func(of string, fields []field) {
		for _, f := range fields {
			required := ""
			if f.Required {
				required = ", required"
			}
			if _, twice := found[of+f.Name]; twice {
				t.Errorf("%s has the field %s twice", of, f.Name)
			}
			found[of+f.Name] = strings.Join(append([]string{f.Type + required}, f.Rules...), "; ")
		}
	}
	describe("GET ", r.Operations[0].Success.Fields)
	describe("PATCH ", r.Operations[1].Bodies[0].Schema.Fields)
	describe("merge ", r.Operations[1].Bodies[1].Schema.Fields)
	describe("error ", r.ErrorSchemas[0].Fields)
	describe("422 ", r.ErrorSchemas[1].Fields)
	describe("header ", r.Headers)
	for name, want := range map[string]string{
		"GET organization_id":           "string, required",
		"GET billing_email":             "string, email or null",
		"GET account_type":              "string, required; free, pro, team, enterprise",
		"GET rate_limits.search":        "integer; 1 or more; default 10",
		"GET users":                     "array of object or null",
		"GET default_llm_credentials":   "object of strings",
		"GET created_at":                "string, date-time, required",
		"GET nsfw_check_enabled":        "boolean; default false",
		"PATCH organization_name":       "string or null; 1 to 100 characters",
		"PATCH rate_limits.search":      "integer; 1 to 1,000,000,000",
		"PATCH rate_limit_overrides":    "object or null",
		"merge rate_limits.search":      "integer or null; 1 to 1,000,000,000",
		"merge default_llm_credentials": "object of (string or null) or null",
		"error error.type":              "string, required",
		"422 detail[].loc":              "array of string or integer, required",
		"header Retry-After":            "integer; 1 or more",
		"header Cache-Control":          `string; always "no-store"`,
	} {
		if found[name] != want {
			t.Errorf("%s is described as %q, want %q", name, found[name], want)
		}
	}
	if _, twice := found["PATCH rate_limit_overrides.search"]; twice {
		t.Error("both names of the limits have their fields, want them once")
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]template.HTML{
		"":                            "",
		"One\ntwo.":                   "<p>One two.</p>",
		"A `b<c>` & d.\n\nE":          "<p>A <code>b&lt;c&gt;</code> &amp; d.</p><p>E</p>",
		"- a `b`\n- c\n  d\n\nAfter.": "<ul><li>a <code>b</code></li><li>c d</li></ul><p>After.</p>",
		"<script>alert(1)</script>":   "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
	} {
		if got := markdown(in); got != want {
			t.Errorf("markdown(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestNewReferenceRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":       "",
		"no operations": "openapi: 3.1.0",
		"a bad status":  "paths:\n  /a:\n    get:\n      responses:\n        default:\n          description: x",
		"a bad example": "paths:\n  /a:\n    get:\n      responses:\n        '200':\n          content:\n            application/json:\n              example: .nan",
	} {
		if r, err := newReference([]byte(text)); err == nil {
			t.Errorf("newReference of %s = %+v, want an error", name, r)
		}
	}
}
