package judge

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"organizations-api/contracttests/spec"
)

// A schema is open: a response may carry anything beside what it declares, an internal identifier for one. walk finds
// the members that no schema names. It reads the same compiled schemas that judge the value, so it can neither hide
// what they refuse nor forget a part of them. An object is closed if a schema that judges it lists members and none
// takes others.
//
// Of alternatives, only those count that the value fits. If it fits none, all count: what may be declared is not called
// undeclared.
type walk struct {
	whole any
	// explicit closes only those objects that the schemas close by a keyword. Requests are walked so.
	explicit bool
	path     []string
	found    []Failure
}

// undeclared returns the undeclared members of a value, and the members that only a client may send.
func undeclared(s *jsonschema.Schema, value any, explicit bool) []Failure {
	w := walk{whole: value, explicit: explicit}
	w.value([]*jsonschema.Schema{s}, value)
	return w.found
}

func (w *walk) value(schemas []*jsonschema.Schema, value any) {
	switch value := value.(type) {
	case map[string]any:
		w.object(w.view(schemas, value), value)
	case []any:
		w.items(w.view(schemas, value), value)
	}
}

func (w *walk) object(v view, object map[string]any) {
	for name, member := range object {
		schemas, declared := v.member(name)
		w.path = append(w.path, name)
		switch {
		case !declared && v.lists:
			w.found = append(w.found, undeclaredMember(member, slices.Clone(w.path)))
		case !w.explicit && slices.ContainsFunc(schemas, writeOnly):
			w.found = append(w.found, Failure{
				rule: RuleMemberWriteOnly, Path: slices.Clone(w.path), Keyword: "writeOnly",
				expected: "no member that only requests have", got: describeSize(member),
			})
		default:
			w.value(schemas, member)
		}
		w.path = w.path[:len(w.path)-1]
	}
}

func writeOnly(s *jsonschema.Schema) bool {
	for range maxReferences {
		if s == nil || s.WriteOnly {
			return s != nil
		}
		s = s.Ref
	}
	return false
}

const maxReferences = 100

func (w *walk) items(v view, list []any) {
	for i, item := range list {
		switch item.(type) {
		case map[string]any, []any:
			w.path = append(w.path, strconv.Itoa(i))
			w.value(v.item(i), item)
			w.path = w.path[:len(w.path)-1]
		}
	}
}

// view is all schemas that judge one value.
type view struct {
	parts []*jsonschema.Schema
	lists bool // one of them lists members, so that others are undeclared
}

func (w *walk) view(schemas []*jsonschema.Schema, value any) view {
	var v view
	for _, s := range schemas {
		w.add(&v, s, value)
	}
	return v
}

// add adds a schema to a view, with all that it combines.
func (w *walk) add(v *view, s *jsonschema.Schema, value any) {
	if s == nil || s.Bool != nil || slices.Contains(v.parts, s) {
		return
	}
	v.parts = append(v.parts, s)
	v.lists = v.lists || w.listing(s)
	w.add(v, s.Ref, value)
	w.add(v, s.RecursiveRef, value)
	for _, part := range s.AllOf {
		w.add(v, part, value)
	}
	w.addAlternatives(v, s.AnyOf, value)
	w.addAlternatives(v, s.OneOf, value)
	if s.If != nil {
		w.addCondition(v, s, value)
	}
	if object, ok := value.(map[string]any); ok {
		for name, part := range s.DependentSchemas {
			if _, given := object[name]; given {
				w.add(v, part, value)
			}
		}
	}
}

func (w *walk) listing(s *jsonschema.Schema) bool {
	closed := s.AdditionalProperties == false || s.UnevaluatedProperties != nil && isFalse(s.UnevaluatedProperties)
	return closed || !w.explicit && (len(s.Properties) > 0 || len(s.PatternProperties) > 0)
}

func isFalse(s *jsonschema.Schema) bool { return s.Bool != nil && !*s.Bool }

// addAlternatives adds the alternatives that a value fits. If one of them is free, the object is not closed by the
// others.
func (w *walk) addAlternatives(v *view, all []*jsonschema.Schema, value any) {
	if len(all) == 0 {
		return
	}
	listing := true
	for _, s := range fitting(all, value) {
		alone := view{}
		w.add(&alone, s, value)
		listing = listing && alone.lists
		for _, part := range alone.parts {
			if !slices.Contains(v.parts, part) {
				v.parts = append(v.parts, part)
			}
		}
	}
	v.lists = v.lists || listing
}

// addCondition adds the branch that a condition selects. What the condition itself names is declared where it holds,
// but does not close the object: it asks, and does not list.
func (w *walk) addCondition(v *view, s *jsonschema.Schema, value any) {
	if s.If.Validate(value) != nil {
		w.add(v, s.Else, value)
		return
	}
	asked := view{}
	w.add(&asked, s.If, value)
	v.parts = append(v.parts, asked.parts...)
	w.add(v, s.Then, value)
}

// member returns the schemas of a member, and whether the member is declared.
func (v view) member(name string) ([]*jsonschema.Schema, bool) {
	var found []*jsonschema.Schema
	declared := false
	for _, s := range v.parts {
		named := false
		if m := s.Properties[name]; m != nil {
			found, named = append(found, m), true
		}
		for pattern, m := range s.PatternProperties {
			if pattern.MatchString(name) {
				found, named = append(found, m), true
			}
		}
		if !named {
			switch rest := s.AdditionalProperties.(type) {
			case bool:
				named = rest
			case *jsonschema.Schema:
				found, named = append(found, rest), !isFalse(rest)
			}
		}
		declared = declared || named
	}
	if declared {
		return found, true
	}
	for _, s := range v.parts { // what nothing else names
		if rest := s.UnevaluatedProperties; rest != nil && !isFalse(rest) {
			found, declared = append(found, rest), true
		}
	}
	return found, declared
}

func (v view) item(i int) []*jsonschema.Schema {
	var found []*jsonschema.Schema
	for _, s := range v.parts {
		switch {
		case i < len(s.PrefixItems):
			found = append(found, s.PrefixItems[i])
		case s.Items2020 != nil:
			found = append(found, s.Items2020)
		case s.UnevaluatedItems != nil:
			found = append(found, s.UnevaluatedItems)
		}
		switch items := s.Items.(type) { // of older drafts
		case *jsonschema.Schema:
			found = append(found, items)
		case []*jsonschema.Schema:
			if i < len(items) {
				found = append(found, items[i])
			} else if rest, ok := s.AdditionalItems.(*jsonschema.Schema); ok {
				found = append(found, rest)
			}
		}
	}
	return found
}

// fitting returns the alternatives that a value fits, or all if it fits none. It validates only if a look at the value
// leaves more than one, so that a chain of values with alternatives does not cost the square of its length.
func fitting(all []*jsonschema.Schema, value any) []*jsonschema.Schema {
	var left []*jsonschema.Schema
	for _, s := range all {
		if !excluded(s, value, 0) {
			left = append(left, s)
		}
	}
	if len(left) == 1 {
		return left
	}
	var fit []*jsonschema.Schema
	for _, s := range left {
		if s.Validate(value) == nil {
			fit = append(fit, s)
		}
	}
	switch {
	case len(fit) > 0:
		return fit
	case len(left) > 0:
		return left
	default:
		return all
	}
}

// excluded reports whether one look shows that a schema refuses a value.
func excluded(s *jsonschema.Schema, value any, depth int) bool {
	const deepest = 4
	if s == nil || depth > deepest {
		return false
	}
	if isFalse(s) || s.Types != nil && !spec.MayHaveType(*s.Types, value) || s.Const != nil &&
		differs(*s.Const, value) {
		return true
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum.Values, func(v any) bool { return !differs(v, value) }) {
		return true
	}
	if object, ok := value.(map[string]any); ok && excludesObject(s, object, depth) {
		return true
	}
	return excluded(s.Ref, value, depth+1) || slices.ContainsFunc(s.AllOf, func(part *jsonschema.Schema) bool {
		return excluded(part, value, depth+1)
	})
}

func excludesObject(s *jsonschema.Schema, object map[string]any, depth int) bool {
	for _, name := range s.Required {
		if _, given := object[name]; !given {
			return true
		}
	}
	for name, m := range s.Properties {
		if value, given := object[name]; given && (m.Const != nil || m.Enum != nil) && excluded(m, value, depth+1) {
			return true
		}
	}
	return false
}

// differs reports whether two values are surely not the same. Numbers and compound values may be the same however they
// are written.
func differs(a, b any) bool {
	switch a := a.(type) {
	case string:
		text, ok := b.(string)
		return !ok || text != a
	case bool:
		truth, ok := b.(bool)
		return !ok || truth != a
	case nil:
		return b != nil
	case json.Number:
		_, ok := b.(json.Number)
		return !ok
	default:
		return false
	}
}
