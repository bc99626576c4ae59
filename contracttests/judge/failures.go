package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"organizations-api/contracttests/spec"
)

// Failure is one reason why a schema refuses a value.
type Failure struct {
	rule     Rule
	Path     []string
	Keyword  string
	expected string
	got      string
	rest     bool // refused by unevaluatedProperties, which means nothing if the object has other failures
}

// Failures returns why the schema refuses a value, in no particular order. It returns nil if the schema accepts it, or
// if it could not be compiled, which is a warning of the document.
func Failures(s *spec.Compiled, value any) []Failure {
	if s.Rules == nil || s.Accepts(value) {
		return nil
	}
	value = bounded(value)
	found := refusals(s, value)
	if s.Closed {
		found = append(found, undeclared(s.Rules, value, false)...)
	}
	return found
}

// refusals returns why the schema itself refuses a value.
func refusals(s *spec.Compiled, value any) []Failure {
	err := s.Rules.Validate(value)
	if err == nil {
		return nil
	}
	var tree *jsonschema.ValidationError
	if !errors.As(err, &tree) {
		return []Failure{{rule: RuleSchema, expected: "what the schema says", got: Clip(err.Error(), MaxText)}}
	}
	found := judgement{value}.flatten(tree)
	if slices.ContainsFunc(found, func(f Failure) bool { return f.rest }) {
		found = dropRest(found, func() []Failure { return undeclared(s.Rules, value, true) })
	}
	if len(found) == 0 { // a refusal is never lost, whatever form it has
		return []Failure{{rule: RuleSchema, expected: "what the schema says", got: Describe(value, nil)}}
	}
	return found
}

// bounded returns the value with numbers that the schema engine can afford. The engine compares exactly, so a short
// number with a huge exponent would cost it gigabytes. Such a number is replaced by one on the same side of every
// bound.
func bounded(value any) any {
	if !hasExponent(value) {
		return value // as nearly all are: nothing to copy
	}
	switch value := value.(type) {
	case json.Number:
		return spec.BoundedNumber(value)
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = bounded(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, member := range value {
			out[name] = bounded(member)
		}
		return out
	default:
		return value
	}
}

func hasExponent(value any) bool {
	switch value := value.(type) {
	case json.Number:
		return strings.ContainsAny(value.String(), "eE")
	case []any:
		return slices.ContainsFunc(value, hasExponent)
	case map[string]any:
		for _, member := range value {
			if hasExponent(member) {
				return true
			}
		}
	}
	return false
}

// dropRest drops refusals by unevaluatedProperties in objects that have other failures too, of members that some schema
// declares. A part that fails leaves all of its members unevaluated, whether they are declared or not. That goes for
// each object around a refused member as well.
func dropRest(all []Failure, undeclared func() []Failure) []Failure {
	failing := map[string]bool{} // the values that have a failure in them
	for _, f := range all {
		inside := len(f.Path) + 1
		if f.rest {
			inside -= 2 // the member and its object do not fail by themselves
		}
		for end := range inside {
			failing[Pointer(f.Path[:end])] = true
		}
	}
	var really map[string]bool
	return slices.DeleteFunc(all, func(f Failure) bool {
		if !f.rest || !failing[Pointer(f.Path[:len(f.Path)-1])] {
			return false
		}
		if really == nil {
			really = map[string]bool{}
			for _, u := range undeclared() {
				really[Pointer(u.Path)] = true
			}
		}
		return !really[Pointer(f.Path)]
	})
}

// judgement turns the engine's tree of errors about a value into failures.
type judgement struct {
	value any
}

func (j judgement) flatten(tree *jsonschema.ValidationError) []Failure {
	switch k := tree.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		return j.flattenAll(tree.Causes)
	case *kind.AnyOf:
		return j.alternatives(tree, "anyOf")
	case *kind.OneOf:
		if k.Subschemas == nil {
			return j.alternatives(tree, "oneOf")
		}
		return j.one(tree, "oneOf", "exactly one alternative", "a value that fits two")
	case *kind.Required:
		return j.missing(tree, "required", k.Missing)
	case *kind.DependentRequired:
		return j.missing(tree, "dependentRequired", k.Missing)
	case *kind.AdditionalProperties:
		return j.undeclared(tree, k.Properties)
	case *kind.FalseSchema:
		if strings.HasSuffix(tree.SchemaURL, "/unevaluatedProperties") && len(tree.InstanceLocation) > 0 {
			f := undeclaredMember(ValueAt(j.value, tree.InstanceLocation), tree.InstanceLocation)
			f.rest = true
			return []Failure{f}
		}
		return j.one(tree, "false", "nothing here", j.got(tree.InstanceLocation))
	case nil:
		return nil
	default:
		return []Failure{j.leaf(tree)}
	}
}

func (j judgement) flattenAll(trees []*jsonschema.ValidationError) []Failure {
	var all []Failure
	for _, tree := range trees {
		all = append(all, j.flatten(tree)...)
	}
	return all
}

func (j judgement) one(tree *jsonschema.ValidationError, keyword, expected, got string) []Failure {
	return []Failure{{rule: RuleSchema, Path: tree.InstanceLocation, Keyword: keyword, expected: expected, got: got}}
}

func (j judgement) missing(tree *jsonschema.ValidationError, keyword string, names []string) []Failure {
	var all []Failure
	for _, name := range names {
		all = append(all, Failure{
			rule: RuleSchema, Path: ChildPath(tree.InstanceLocation, name), Keyword: keyword, expected: "a value",
			got: "nothing",
		})
	}
	return all
}

func (j judgement) undeclared(tree *jsonschema.ValidationError, names []string) []Failure {
	var all []Failure
	for _, name := range names {
		path := ChildPath(tree.InstanceLocation, name)
		all = append(all, undeclaredMember(ValueAt(j.value, path), path))
	}
	return all
}

// undeclaredMember never shows the value: an undeclared member may be one that nobody should see.
func undeclaredMember(member any, path []string) Failure {
	return Failure{
		rule: RulePropertyUndeclared, Path: path, Keyword: "additionalProperties",
		expected: "no such member", got: describeSize(member),
	}
}

// alternatives returns the errors of one alternative, the one that the sender most likely meant. That is never one of
// another type: if a string or null is expected, a string that is too long does not fail to be null.
func (j judgement) alternatives(tree *jsonschema.ValidationError, keyword string) []Failure {
	var types []string
	var best []Failure
	for _, cause := range tree.Causes {
		if k, ok := cause.ErrorKind.(*kind.Type); ok && len(cause.InstanceLocation) == len(tree.InstanceLocation) {
			types = append(types, k.Want...)
			continue
		}
		found := j.flatten(cause)
		switch {
		case best == nil || len(found) < len(best):
			best = found
		case len(found) == 1 && len(best) == 1 && alike(found[0], best[0]): // either is right there
			best[0].expected += " or " + found[0].expected
		}
	}
	if best != nil {
		return best
	}
	slices.Sort(types)
	expected := strings.Join(slices.Compact(types), " or ")
	if expected == "" {
		expected = "one of the alternatives"
	}
	return j.one(tree, keyword, expected, j.got(tree.InstanceLocation))
}

// alike reports whether two alternatives refuse the same value for different reasons.
func alike(a, b Failure) bool {
	return slices.Equal(a.Path, b.Path) && a.rule == b.rule && a.got == b.got && a.expected != b.expected
}

// leaf returns the failure of a keyword that has no further causes, or whose causes add nothing.
func (j judgement) leaf(tree *jsonschema.ValidationError) Failure {
	f := Failure{
		rule: RuleSchema, Path: tree.InstanceLocation, Keyword: strings.Join(tree.ErrorKind.KeywordPath(), "/"),
		expected: "what the schema says", got: j.got(tree.InstanceLocation),
	}
	switch k := tree.ErrorKind.(type) {
	case *kind.Type:
		f.expected = strings.Join(k.Want, " or ")
	case *kind.Enum:
		f.expected = "one of " + listOf(k.Want)
	case *kind.Const:
		f.expected = wanted(k.Want)
	case *kind.Format:
		f.rule, f.Keyword, f.expected = RuleSchemaFormat, "format", "the format "+k.Want
	case *kind.Pattern:
		f.expected = "a match of " + k.Want
	case *kind.Not:
		f.Keyword, f.expected = "not", "no value that the schema of not accepts"
	case *kind.UniqueItems:
		f.expected = "items that differ"
		f.got = fmt.Sprintf("equal items at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.PropertyNames:
		f.expected = "names that the schema allows"
		f.got = "the name " + strconv.Quote(Clip(k.Property, MaxValue))
	default:
		f.bounds(k)
	}
	return f
}

// bounds words the failures of limits.
func (f *Failure) bounds(k jsonschema.ErrorKind) {
	switch k := k.(type) {
	case *kind.Minimum:
		f.expected = "at least " + ratText(k.Want)
	case *kind.Maximum:
		f.expected = "at most " + ratText(k.Want)
	case *kind.ExclusiveMinimum:
		f.expected = "more than " + ratText(k.Want)
	case *kind.ExclusiveMaximum:
		f.expected = "less than " + ratText(k.Want)
	case *kind.MultipleOf:
		f.expected = "a multiple of " + ratText(k.Want)
	case *kind.MinLength:
		f.expected, f.got = "at least "+count(k.Want, "character"), count(k.Got, "character")
	case *kind.MaxLength:
		f.expected, f.got = "at most "+count(k.Want, "character"), count(k.Got, "character")
	case *kind.MinItems:
		f.expected = "at least " + count(k.Want, "item")
	case *kind.MaxItems:
		f.expected = "at most " + count(k.Want, "item")
	case *kind.MinProperties:
		f.expected = "at least " + count(k.Want, "member")
	case *kind.MaxProperties:
		f.expected = "at most " + count(k.Want, "member")
	case *kind.Contains:
		f.expected, f.got = "at least 1 item matching contains", "none"
	case *kind.MinContains:
		f.expected, f.got = "at least "+count(k.Want, "item")+" matching contains", strconv.Itoa(len(k.Got))
	case *kind.MaxContains:
		f.expected, f.got = "at most "+count(k.Want, "item")+" matching contains", strconv.Itoa(len(k.Got))
	}
}

func (j judgement) got(path []string) string { return Describe(ValueAt(j.value, path), path) }

func listOf(values []any) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = wanted(value)
	}
	return strings.Join(texts, ", ")
}

// wanted shows a value that the schema itself names.
func wanted(value any) string {
	switch value.(type) {
	case map[string]any, []any:
		if text, err := json.Marshal(value); err == nil {
			return Clip(string(text), MaxValue)
		}
	}
	return Describe(value, nil)
}

func ratText(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// ChildPath returns the path of a member or an item below path. It does not change path.
func ChildPath(path []string, name string) []string { return append(slices.Clone(path), name) }

// ValueAt returns the part of a value at a path, or nil.
func ValueAt(value any, path []string) any {
	for _, token := range path {
		switch parent := value.(type) {
		case map[string]any:
			value = parent[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			value = parent[i]
		default:
			return nil
		}
	}
	return value
}
