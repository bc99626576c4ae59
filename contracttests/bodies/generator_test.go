package bodies

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
	"organizations-api/shared/openapi"
)

func updates(t *testing.T) *Generator {
	t.Helper()
	g, err := UpdateGenerator()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGeneratedSides: every keyword of the request's schema, wherever it stands, is shown from both sides. The test
// reads the keywords from the document's YAML, not from the schema that the generator has.
func TestGeneratedSides(t *testing.T) {
	t.Parallel()
	g := updates(t)
	for _, gap := range g.Gaps() {
		t.Errorf("gap: %s", gap)
	}
	shown := map[string]map[Belief]int{}
	for _, c := range g.Cases() {
		for _, key := range []string{c.Name[:strings.Index(c.Name, ":")], c.Keyword} {
			if shown[key] == nil {
				shown[key] = map[Belief]int{}
			}
			shown[key][c.Belief]++
		}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(openapi.YAML, &root); err != nil {
		t.Fatal(err)
	}
	schemas := spec.Field(spec.Field(root.Content[0], "components"), "schemas")
	found := documentKeywords(schemas, spec.Field(schemas, "OrganizationUpdateRequest"), "")
	if len(found) < 40 {
		t.Errorf("the document has only %d keywords: %q", len(found), found)
	}
	for _, key := range append(found, "bytes", "depth") {
		if shown[key][Valid] == 0 || shown[key][Invalid] == 0 {
			t.Errorf("%s is shown by %v", key, shown[key])
		}
	}
	if shown["json"][Valid] == 0 || shown["json"][Unreadable] < 100 {
		t.Errorf("readability is shown by %v", shown["json"])
	}
}

// documentKeywords returns the keywords of a schema with the places that they judge, as cases are named.
func documentKeywords(schemas, schema *yaml.Node, place string) []string {
	var out []string
	for name, value := range spec.Fields(schema) {
		switch name {
		case "title", "description", "default", "examples":
		case "$ref":
			out = append(out, documentKeywords(schemas, spec.Field(schemas, strings.TrimPrefix(value.Value, spec.SchemaPrefix)), place)...)
		case "anyOf":
			for _, one := range value.Content {
				out = append(out, documentKeywords(schemas, one, place)...)
			}
		case "properties":
			for member, one := range spec.Fields(value) {
				out = append(out, documentKeywords(schemas, one, place+"/"+member)...)
			}
		case "additionalProperties":
			if value.Kind == yaml.MappingNode {
				out = append(out, documentKeywords(schemas, value, place+"/any")...)
			}
		default:
			out = append(out, strings.TrimPrefix(place+" ", " ")+name)
		}
	}
	for i := range out {
		if place == "" && !strings.HasPrefix(out[i], "/") {
			out[i] = "body " + out[i]
		}
	}
	return out
}

// TestGeneratorAgrees: generator and judge evaluate schemas with different code. They agree on every body of the list.
func TestGeneratorAgrees(t *testing.T) {
	t.Parallel()
	count := map[Belief]int{}
	for _, c := range updates(t).Cases() {
		count[c.Belief]++
		want := OracleVerdict(harness.Validator(), updateRequest(c.Body))
		if got := c.verdict(); !got.equal(want) {
			t.Errorf("%s (%.200q): the generator takes it for %s, the validator for %s", c.Name, c.Body, got, want)
		}
		if (c.Loc != nil) != (c.Belief == Invalid) || c.Loc != nil && judge.Pointer(tokensOf(c.Loc)) != c.Broken[0] {
			t.Errorf("%s: Loc %v, Broken %q", c.Name, c.Loc, c.Broken)
		}
	}
	t.Logf("%d cases: %v", len(updates(t).Cases()), count)
}

func updateRequest(body []byte) judge.Request {
	r := harness.NewRequest("PATCH", fixture.CallerKey, body)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func tokensOf(loc []any) []string {
	var out []string
	for _, token := range loc[1:] {
		out = append(out, fmt.Sprint(token))
	}
	return out
}

// TestGeneratorDeterministic: the same document gives the same bodies, and names tell them apart.
func TestGeneratorDeterministic(t *testing.T) {
	t.Parallel()
	g := updates(t)
	document, err := spec.Load(openapi.YAML)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(document.Operation("PATCH", harness.Path), organizationLimits(false))
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Case) bool { return a.Name == b.Name && bytes.Equal(a.Body, b.Body) && a.Belief == b.Belief }
	if !slices.EqualFunc(g.Cases(), other.Cases(), same) {
		t.Error("two lists of one document differ")
	}
	names := map[string]bool{}
	for _, c := range g.Cases() {
		if names[c.Name] || strings.ContainsAny(c.Name, "\n\x00") {
			t.Errorf("the name %q is used twice or is not printable", c.Name)
		}
		names[c.Name] = true
	}
	bodies := map[string]bool{}
	for number := range 500 {
		a, b := g.Combination(7, number), other.Combination(7, number)
		if !same(a, b) {
			t.Fatalf("body %d of one seed is %q and %q", number, a.Body, b.Body)
		}
		bodies[string(a.Body)] = true
		bodies[string(g.Combination(8, number).Body)] = true
	}
	if len(bodies) < 700 {
		t.Errorf("1000 bodies are only %d different ones", len(bodies))
	}
}

// TestCombinationsAgree lets rapid look for a body on which generator and judge differ, and shrink it.
func TestCombinationsAgree(t *testing.T) {
	t.Parallel()
	merges, err := MergePatchGenerator()
	if err != nil {
		t.Fatal(err)
	}
	for mediaType, g := range map[string]*Generator{"application/json": updates(t), harness.MergePatchType: merges} {
		rapid.Check(t, func(t *rapid.T) {
			c := g.combined(g.random.Draw(t, "body"), "drawn")
			request := updateRequest(c.Body)
			request.Header.Set("Content-Type", mediaType)
			if want := OracleVerdict(harness.Validator(), request); !c.verdict().equal(want) {
				t.Fatalf("%s %q: the generator takes it for %s, the validator for %s", mediaType, c.Body, c.verdict(), want)
			}
		})
	}
}

// TestShrink: of a large body that fails for two small parts of it, these are left.
func TestShrink(t *testing.T) {
	t.Parallel()
	g := updates(t)
	fails := func(n *bodyNode) bool {
		body := string(g.combined(n, "").Body)
		return strings.Contains(body, `"metadata":`) && strings.Contains(body, `"search":`)
	}
	for number := range 3000 {
		c := g.Combination(1, number)
		if len(c.Body) < 300 || !fails(c.node) {
			continue
		}
		small := g.combined(c.node.shrink(fails), "").Body
		if len(small) > len(`{"rate_limit_overrides":{"search":1},"metadata":{}}`) {
			t.Errorf("shrink(%s) = %s", c.Body, small)
		}
		return
	}
	t.Error("no body has both members")
}

// TestMeasure: sizes and depths are right, also if a string contains brackets and spaces.
func TestMeasure(t *testing.T) {
	t.Parallel()
	cases := map[string][2]int{
		`{}`: {2, 1}, ` { "a" : [ ] } `: {8, 2}, `{"a b":"[{\"\\"}`: {len(`{"a b":"[{\"\\"}`), 1}, `1`: {1, 0}, `[[],[[]]]`: {9, 3},
	}
	for text, want := range cases {
		if size, depth := measure([]byte(text)); size != want[0] || depth != want[1] {
			t.Errorf("measure(%s) = %d, %d, want %v", text, size, depth, want)
		}
	}
}
