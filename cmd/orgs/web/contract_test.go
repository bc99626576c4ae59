package web

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/shared/openapi"
)

// TestContractJSON reads both forms of the contract and wants one document.
func TestContractJSON(t *testing.T) {
	t.Parallel()
	text, err := toJSON(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	var fromJSON any
	if err := json.Unmarshal(text, &fromJSON); err != nil {
		t.Fatal(err)
	}
	var document any
	if err := yaml.Unmarshal(openapi.YAML, &document); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var fromYAML any
	if err := json.Unmarshal(again, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromYAML, fromJSON); diff != "" {
		t.Errorf("the document in JSON (-YAML +JSON):\n%s", diff)
	}
	order := []string{`"openapi"`, `"info"`, `"servers"`, `"paths"`, `"components"`}
	at := 0
	for _, name := range order {
		next := strings.Index(string(text[at:]), name)
		if next < 0 {
			t.Fatalf("%s does not come after what stands before it in YAML", name)
		}
		at += next
	}
}

func TestToJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"200: a":                     `{"200":"a"}`,
		"true: 1.5":                  `{"true":1.5}`,
		"a: [1, 'two', null, false]": `{"a":[1,"two",null,false]}`,
		"a: 2026-01-05":              `{"a":"2026-01-05"}`,
		"a: <b>&c":                   `{"a":"<b>&c"}`,
		"{}":                         `{}`,
		"a: []":                      `{"a":[]}`,
	} {
		got, err := toJSON([]byte(in))
		if compact := strings.NewReplacer("\n", "", "  ", "", ": ", ":").Replace(string(got)); err != nil || strings.ReplaceAll(compact, ", ", ",") != want {
			t.Errorf("toJSON(%q) = %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "a: &x 1\nb: *x", "a: [", "a: .nan"} {
		if got, err := toJSON([]byte(in)); err == nil {
			t.Errorf("toJSON(%q) = %s, want an error", in, got)
		}
	}
}
