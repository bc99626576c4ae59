package spec

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var TypeNames = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

// TypeOf names the type of a decoded value.
func TypeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// Shape says which places of a value a schema gives a type to. It is what tells a number that the schema knows of from
// one in a free-form place, where any JSON number is as good as another.
type Shape struct {
	declared   []string // of the schema itself
	numeric    bool     // compared with numbers, whether typed or not
	format     string
	properties map[string]*Shape
	patterns   map[jsonschema.Regexp]*Shape
	additional *Shape
	prefix     []*Shape
	items      *Shape
	parts      []*Shape // judge the same value: references, combinations, conditions
	all        []*Shape // this shape, its parts, their parts
}

// newShape reads a compiled schema. Schemas refer to each other in circles, and so do their shapes.
func newShape(compiled *jsonschema.Schema) *Shape {
	known := map[*jsonschema.Schema]*Shape{}
	root := readShape(compiled, known)
	for _, s := range known {
		s.all = s.collect(nil)
	}
	return root
}

func readShape(in *jsonschema.Schema, known map[*jsonschema.Schema]*Shape) *Shape {
	if in == nil {
		return nil
	}
	if s := known[in]; s != nil {
		return s
	}
	s := &Shape{properties: map[string]*Shape{}, patterns: map[jsonschema.Regexp]*Shape{}}
	known[in] = s
	if in.Types != nil {
		s.declared = in.Types.ToStrings()
	}
	if in.Format != nil {
		s.format = in.Format.Name
	}
	s.numeric = comparesNumbers(in)
	for name, member := range in.Properties {
		s.properties[name] = readShape(member, known)
	}
	for pattern, member := range in.PatternProperties {
		s.patterns[pattern] = readShape(member, known)
	}
	if additional, ok := in.AdditionalProperties.(*jsonschema.Schema); ok {
		s.additional = readShape(additional, known)
	} else {
		s.additional = readShape(in.UnevaluatedProperties, known)
	}
	for _, item := range in.PrefixItems {
		s.prefix = append(s.prefix, readShape(item, known))
	}
	s.items = readShape(in.Items2020, known)
	for _, p := range inPlace(in) {
		s.parts = append(s.parts, readShape(p, known))
	}
	return s
}

// inPlace returns the schemas that judge the same value together with this one.
func inPlace(in *jsonschema.Schema) []*jsonschema.Schema {
	parts := slices.Concat(in.AllOf, in.AnyOf, in.OneOf)
	for _, name := range SortedKeys(in.DependentSchemas) {
		parts = append(parts, in.DependentSchemas[name])
	}
	for _, p := range []*jsonschema.Schema{in.Ref, in.Then, in.Else} {
		if p != nil {
			parts = append(parts, p)
		}
	}
	return parts
}

func comparesNumbers(in *jsonschema.Schema) bool {
	if in.Minimum != nil || in.Maximum != nil || in.ExclusiveMinimum != nil || in.ExclusiveMaximum != nil || in.MultipleOf != nil {
		return true
	}
	if in.Const != nil && isNumber(*in.Const) {
		return true
	}
	return in.Enum != nil && slices.ContainsFunc(in.Enum.Values, isNumber)
}

func isNumber(value any) bool {
	switch value.(type) {
	case json.Number, float64, int:
		return true
	}
	return false
}

func (s *Shape) collect(seen []*Shape) []*Shape {
	if slices.Contains(seen, s) {
		return seen
	}
	seen = append(seen, s)
	for _, p := range s.parts {
		seen = p.collect(seen)
	}
	return seen
}

// Types returns the types that the schema and its parts declare.
func (s *Shape) Types() []string {
	var types []string
	for _, one := range s.all {
		types = append(types, one.declared...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

func (s *Shape) Has(typ string) bool {
	return slices.ContainsFunc(s.all, func(one *Shape) bool { return slices.Contains(one.declared, typ) })
}

func (s *Shape) HasFormat(name string) bool {
	return slices.ContainsFunc(s.all, func(one *Shape) bool { return one.format == name })
}

func (s *Shape) ComparesNumbers() bool {
	return slices.ContainsFunc(s.all, func(one *Shape) bool { return one.numeric })
}

// member returns the shape of a member, nil where the schema leaves it free.
func (s *Shape) member(name string) *Shape {
	var found []*Shape
	for _, one := range s.all {
		known := len(found)
		if m := one.properties[name]; m != nil {
			found = append(found, m)
		}
		for pattern, m := range one.patterns {
			if pattern.MatchString(name) {
				found = append(found, m)
			}
		}
		if len(found) == known && one.additional != nil {
			found = append(found, one.additional)
		}
	}
	return joined(found)
}

// Item returns the shape of an item, nil where the schema leaves it free.
func (s *Shape) Item(i int) *Shape {
	var found []*Shape
	for _, one := range s.all {
		if i < len(one.prefix) {
			found = append(found, one.prefix[i])
		} else if one.items != nil {
			found = append(found, one.items)
		}
	}
	return joined(found)
}

func joined(found []*Shape) *Shape {
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	s := &Shape{parts: found}
	s.all = s.collect(nil)
	return s
}

// Walk calls visit for every scalar at a place that the schema has a shape for.
func (s *Shape) Walk(value any, path []string, visit func(*Shape, any, []string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if m := s.member(name); m != nil {
				m.Walk(member, append(path, name), visit)
			}
		}
	case []any:
		for i, item := range value {
			if m := s.Item(i); m != nil {
				m.Walk(item, append(path, strconv.Itoa(i)), visit)
			}
		}
	default:
		visit(s, value, path)
	}
}
