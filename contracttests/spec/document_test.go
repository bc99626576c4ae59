package spec

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

func foreign(t *testing.T) *Document {
	t.Helper()
	text, err := os.ReadFile("../testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// TestLoadOperations: operations, statuses and headers come in the document's order.
func TestLoadOperations(t *testing.T) {
	t.Parallel()
	document := foreign(t)
	var got []string
	for _, op := range document.Operations {
		got = append(got, op.String())
	}
	want := []string{"GET /pets/{id}", "removePet", "PUT /pets/{id}", "GET /pets/{id}/tree", "GET /pets/mine",
		"GET /pets/any"}
	if !slices.Equal(got, want) {
		t.Errorf("Operations = %q, want %q", got, want)
	}
	get := document.Operation("GET", "/pets/{id}")
	for status, want := range map[int]string{200: "200", 404: "4XX", 500: "DEFAULT"} {
		if got := get.Response(status); got == nil || got.Status != want {
			t.Errorf("Response(%d) = %+v, want %s", status, got, want)
		}
	}
	ok := get.Response(200)
	if len(ok.Headers) != 3 || ok.Headers[0].Key != "X-Tags" || ok.Header("X-Fresh") != ok.Headers[1] ||
		!ok.Headers[1].Required {
		t.Errorf("Headers = %+v, want X-Tags, X-Fresh (required), X-Ratio", ok.Headers)
	}
	if put := document.Operation("PUT", "/pets/{id}"); put.Body == nil || put.Body.Required ||
		put.Body.Content[0].Name != "application/json" {
		t.Errorf("PUT has the body %+v", put.Body)
	}
}

// TestLoadSchemas: a schema says what the document declares, and components are shared and may refer to themselves.
func TestLoadSchemas(t *testing.T) {
	t.Parallel()
	document := foreign(t)
	pet := document.Operation("GET", "/pets/{id}").Response(200).Content[0].Schema
	if pet.Ref == nil || pet.Ref.Name != "Pet" ||
		pet.Ref != document.Operation("PUT", "/pets/{id}").Body.Content[0].Schema.Ref {
		t.Fatalf("the schema refers to %+v, want the one component Pet", pet.Ref)
	}
	if got := pet.Place().Member("count"); !got.Has("integer") || !got.HasFormat("int64") {
		t.Errorf("the place of count is %+v, want an int64", got)
	}
	tree := document.Operation("GET", "/pets/{id}/tree").Response(200).Content[0].Schema
	node := tree.AnyOf[0].Ref
	if !tree.Nullable || node.Properties[1].Schema.Items.Ref != node ||
		!node.Properties[0].Schema.Place().ComparesNumbers() {
		t.Errorf("the tree is %+v, want null or a Node of Nodes", tree.Schema)
	}
	list := document.Operation("GET", "/pets/any").Response(200).Content[0].Schema.Place().Member("list")
	if !list.Item(0).Has("integer") || !list.Item(1).Member("name").Has("string") {
		t.Errorf("the items of list are %+v and %+v", list.Item(0), list.Item(1))
	}
	var names []string
	for _, k := range list[0].Keywords {
		names = append(names, k.Name)
	}
	if want := []string{"type", "prefixItems", "items", "uniqueItems"}; !slices.Equal(names, want) {
		t.Errorf("Keywords = %q, want %q", names, want)
	}
}

// TestLoadValues: the values that a document states keep their types, also after their schemas are compiled.
func TestLoadValues(t *testing.T) {
	t.Parallel()
	document, err := Load([]byte(`
openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/A'}}
          application/a+json: {schema: {enum: [1, '1', null, true, [2.50]], minimum: 1e3, colour: [red, blue], x-y: 1, title: t}}
components: {schemas: {A: {const: 7}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	content := document.Operations[0].Body.Content
	if got := content[0].Schema.Ref.Const; got == nil || *got != json.Number("7") {
		t.Errorf("Const = %v, want the number 7", got)
	}
	s := content[1].Schema
	same := len(s.Enum) == 5 && s.Enum[0] == json.Number("1") && s.Enum[1] == "1" && s.Enum[2] == nil &&
		s.Enum[3] == true
	if !same || s.Enum[4].([]any)[0] != json.Number("2.50") || s.Minimum.RatString() != "1000" {
		t.Errorf("Enum = %#v, Minimum = %v", s.Enum, s.Minimum)
	}
	if want := []Keyword{{"enum", "1, 1, null, true, 2.50"}, {"minimum", "1e3"},
		{"colour", "red, blue"}}; !slices.Equal(s.Keywords, want) {
		t.Errorf("Keywords = %v, want %v", s.Keywords, want)
	}
}
