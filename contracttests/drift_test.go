package contracttests_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
	"organizations-api/shared/openapi"
)

// driftTree reads a YAML document.
func driftTree(t *testing.T, document []byte) *yaml.Node {
	t.Helper()
	top, err := spec.Tree(document)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func driftFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func seedStructure(t *testing.T) *yaml.Node {
	t.Helper()
	return driftTree(t, driftFile(t, "testdata/seed-structure.yaml"))
}

// driftFact is one thing that the structure says, and the part of the document that has to say the same.
type driftFact struct {
	path  []string
	want  *yaml.Node
	owner *yaml.Node // of the document; nil where nothing stands for it
	key   string
	got   *yaml.Node
}

// driftFacts returns all facts of the structure, in its order. If the document has a reference where the structure has
// none, it follows the reference.
func driftFacts(top, structure *yaml.Node) []driftFact {
	var all []driftFact
	var walk func(path []string, want, owner *yaml.Node)
	walk = func(path []string, want, owner *yaml.Node) {
		for key, value := range spec.Fields(want) {
			f := driftFact{path: judge.ChildPath(path, key), want: value, owner: owner, key: key,
				got: spec.Field(owner, key)}
			if spec.Field(value, "$ref") == nil {
				f.got = spec.Resolve(top, f.got)
			}
			all = append(all, f)
			switch {
			case value.Kind == yaml.MappingNode:
				walk(f.path, value, f.got)
			case key == "anyOf" && f.got != nil && len(f.got.Content) == len(value.Content):
				for i, part := range value.Content {
					walk(judge.ChildPath(f.path, fmt.Sprint(i)), part, f.got.Content[i])
				}
			}
		}
	}
	walk(nil, structure, top)
	return all
}

// drifted names every fact of the structure that is not true in the document. The document may add more, unless that
// asks more of a caller or of a reader.
func drifted(top, structure *yaml.Node) []string {
	found := []string{}
	for _, f := range driftFacts(top, structure) {
		if problem := f.problem(top); problem != "" {
			found = append(found, judge.Pointer(f.path)+": "+problem)
		}
	}
	return found
}

func (f driftFact) problem(top *yaml.Node) string {
	switch {
	case f.key == "parameters":
		return f.parameters(top)
	case f.got == nil:
		return "it is gone"
	case f.got.Kind != f.want.Kind:
		return "it is something else"
	case f.key == "required" || f.key == "enum":
		return f.list()
	case f.want.Kind == yaml.SequenceNode && len(f.got.Content) != len(f.want.Content):
		return fmt.Sprintf("it has %d parts, not %d", len(f.got.Content), len(f.want.Content))
	case f.got.ShortTag() != f.want.ShortTag():
		return fmt.Sprintf("it is of the type %s, not %s", f.got.ShortTag()[2:], f.want.ShortTag()[2:])
	case f.got.Value != f.want.Value:
		return fmt.Sprintf("it is %s, not %s", f.got.Value, f.want.Value)
	case spec.Field(f.want, "properties") != nil && spec.Field(f.want, "required") == nil &&
		spec.Field(f.got, "required") != nil:
		return "it requires " + spec.Text(spec.Field(f.got, "required"))
	default:
		return ""
	}
}

// list compares lists whose order has no meaning. A further value of an enum is a difference too: readers do not know
// it.
func (f driftFact) list() string {
	texts := func(node *yaml.Node) []string {
		var out []string
		for _, item := range node.Content {
			out = append(out, item.Value)
		}
		slices.Sort(out)
		return out
	}
	if got, want := texts(f.got), texts(f.want); !slices.Equal(got, want) {
		return fmt.Sprintf("it is %v, not %v", got, want)
	}
	return ""
}

// parameters allows further parameters that a caller can leave out.
func (f driftFact) parameters(top *yaml.Node) string {
	if len(f.want.Content) > 0 {
		return "there is nothing to compare parameters with"
	}
	if f.got == nil {
		return ""
	}
	for _, p := range f.got.Content {
		p = spec.Resolve(top, p)
		if required := spec.Field(p, "required"); required != nil && required.Value == "true" {
			return "it requires " + spec.Text(spec.Field(p, "name"))
		}
	}
	return ""
}

// TestDriftFromSeed: the document keeps to the structure of the API that it is compatible with.
func TestDriftFromSeed(t *testing.T) {
	t.Parallel()
	top, structure := driftTree(t, openapi.YAML), seedStructure(t)
	if n := len(driftFacts(top, structure)); n < 200 {
		t.Errorf("the structure says only %d things", n)
	}
	for _, found := range drifted(top, structure) {
		t.Error(found)
	}
}

// TestDriftStructureIsBare: the structure holds names and shapes, and nobody's text.
func TestDriftStructureIsBare(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile(`^[A-Za-z0-9_/.#$-]+$`)
	titles := regexp.MustCompile(`^[A-Za-z]+( [A-Za-z]+){0,4}$`)
	for _, f := range driftFacts(driftTree(t, openapi.YAML), seedStructure(t)) {
		if slices.Contains([]string{"description", "summary", "example", "examples"}, f.key) {
			t.Errorf("%s is text", judge.Pointer(f.path))
		}
		allowed := names
		if f.key == "title" {
			allowed = titles
		}
		if f.want.Kind == yaml.ScalarNode && (len(f.want.Value) > 60 || !allowed.MatchString(f.want.Value)) {
			t.Errorf("%s is %q", judge.Pointer(f.path), f.want.Value)
		}
	}
}

// TestDriftIsFound changes and removes, one at a time, everything in the document that the structure speaks of.
func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	structure := seedStructure(t)
	steps := map[string]func(driftFact) bool{"remove": driftRemove, "change": driftChange, "shorten": driftShorten,
		"lengthen": driftLengthen}
	made := map[string]int{}
	document := driftTree(t, openapi.YAML)
	for i, f := range driftFacts(document, structure) {
		for _, name := range slices.Sorted(maps.Keys(steps)) {
			top, err := spec.Expand(document) // a copy
			if err != nil {
				t.Fatal(err)
			}
			if !steps[name](driftFacts(top, structure)[i]) {
				continue
			}
			made[name]++
			found := drifted(top, structure)
			if !slices.ContainsFunc(found, func(line string) bool {
				return strings.HasPrefix(line,
					judge.Pointer(f.path)+": ")
			}) {
				t.Errorf("%s %s: drifted = %q, want it among them", name, judge.Pointer(f.path), found)
			}
		}
	}
	for name, least := range map[string]int{"remove": 200, "change": 100, "shorten": 10, "lengthen": 5} {
		if made[name] < least {
			t.Errorf("%s was done %d times, want %d at least", name, made[name], least)
		}
	}
}

func driftRemove(f driftFact) bool {
	if f.key == "parameters" {
		return false // the structure has none to lose
	}
	for i := 0; i+1 < len(f.owner.Content); i += 2 {
		if f.owner.Content[i].Value == f.key {
			f.owner.Content = slices.Delete(f.owner.Content, i, i+2)
			return true
		}
	}
	return false
}

func driftChange(f driftFact) bool {
	if f.want.Kind != yaml.ScalarNode {
		return false
	}
	switch f.got.Value {
	case "true":
		f.got.Value = "false"
	case "false":
		f.got.Value = "true"
	default:
		f.got.Value += "0"
	}
	return true
}

func driftShorten(f driftFact) bool {
	if f.want.Kind != yaml.SequenceNode || len(f.want.Content) == 0 {
		return false
	}
	f.got.Content = f.got.Content[1:]
	return true
}

func driftLengthen(f driftFact) bool {
	if f.key != "required" && f.key != "enum" {
		return false
	}
	f.got.Content = append(f.got.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "more"})
	return true
}

// TestDriftAdditions: a compatible document may say more, but not ask for more.
func TestDriftAdditions(t *testing.T) {
	t.Parallel()
	const paths, schemas = "/paths/~1v1~1organizations/", "/components/schemas/"
	cases := []struct {
		name string
		at   string // where the text is added
		text string
		want []string
	}{
		{"a status", "/paths/~1v1~1organizations/get/responses", "'418': {description: x}", nil},
		{"an operation", "/paths/~1v1~1organizations", "put: {responses: {}}", nil},
		{"an optional property", schemas + "OrganizationModelResponse/properties", "more: {type: string}", nil},
		{"a keyword", schemas + "BaseRateLimits/properties/data", "multipleOf: 1", nil},
		{"an optional parameter", paths + "get", "parameters: [{name: X, in: header, required: false}]", nil},
		{"a required parameter", paths + "get", "parameters: [{name: X, in: header, required: true}]",
			[]string{paths + "get/parameters: it requires X"}},
		{"a required field", schemas + "OrganizationUpdateRequest", "required: [metadata]",
			[]string{paths + "patch/requestBody/content/application~1json/schema: it requires metadata"}},
		{"a required limit", schemas + "BaseRateLimits", "required: [data]",
			[]string{schemas + "BaseRateLimits: it requires data"}},
		{"null in a type", schemas + "ErrorDetail/properties/message", "type: [string, 'null']",
			[]string{schemas + "ErrorDetail/properties/message/type: it is something else"}},
		{"another reference", schemas + "OrganizationModelResponse/properties/rate_limits",
			"$ref: '#/components/schemas/ErrorDetail'",
			[]string{schemas + "OrganizationModelResponse/properties/rate_limits/$ref: it is " +
				"#/components/schemas/ErrorDetail, not #/components/schemas/BaseRateLimits"}},
		{"a number as text", schemas + "BaseRateLimits/properties/data", "default: '10'",
			[]string{schemas + "BaseRateLimits/properties/data/default: it is of the type str, not int"}},
	}
	structure := seedStructure(t)
	for _, c := range cases {
		top := driftTree(t, openapi.YAML)
		node := spec.Lookup(top, "#"+c.at)
		for key, value := range spec.Fields(driftTree(t, []byte(c.text))) {
			spec.SetField(node, key, value)
		}
		if diff := cmp.Diff(append([]string{}, c.want...), drifted(top, structure)); diff != "" {
			t.Errorf("%s: drifted (-want +got):\n%s", c.name, diff)
		}
	}
}
