package contracttests

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// shape says which places of a value a schema gives a type to. It is what tells a number that the schema knows of from
// one in a free-form place, where any JSON number is as good as another.
type shape struct {
	declared   []string // of the schema itself
	numeric    bool     // compared with numbers, whether typed or not
	format     string
	properties map[string]*shape
	patterns   map[jsonschema.Regexp]*shape
	additional *shape
	prefix     []*shape
	items      *shape
	parts      []*shape // judge the same value: references, combinations, conditions
	all        []*shape // this shape, its parts, their parts
}

// newShape reads a compiled schema. Schemas refer to each other in circles, and so do their shapes.
func newShape(compiled *jsonschema.Schema) *shape {
	known := map[*jsonschema.Schema]*shape{}
	root := readShape(compiled, known)
	for _, s := range known {
		s.all = s.collect(nil)
	}
	return root
}

func readShape(in *jsonschema.Schema, known map[*jsonschema.Schema]*shape) *shape {
	if in == nil {
		return nil
	}
	if s := known[in]; s != nil {
		return s
	}
	s := &shape{properties: map[string]*shape{}, patterns: map[jsonschema.Regexp]*shape{}}
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
	for _, name := range sortedKeys(in.DependentSchemas) {
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

func (s *shape) collect(seen []*shape) []*shape {
	if slices.Contains(seen, s) {
		return seen
	}
	seen = append(seen, s)
	for _, p := range s.parts {
		seen = p.collect(seen)
	}
	return seen
}

// types returns the types that the schema and its parts declare.
func (s *shape) types() []string {
	var types []string
	for _, one := range s.all {
		types = append(types, one.declared...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

func (s *shape) has(typ string) bool {
	return slices.ContainsFunc(s.all, func(one *shape) bool { return slices.Contains(one.declared, typ) })
}

func (s *shape) hasFormat(name string) bool {
	return slices.ContainsFunc(s.all, func(one *shape) bool { return one.format == name })
}

func (s *shape) comparesNumbers() bool {
	return slices.ContainsFunc(s.all, func(one *shape) bool { return one.numeric })
}

// member returns the shape of a member, nil where the schema leaves it free.
func (s *shape) member(name string) *shape {
	var found []*shape
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

// item returns the shape of an item, nil where the schema leaves it free.
func (s *shape) item(i int) *shape {
	var found []*shape
	for _, one := range s.all {
		if i < len(one.prefix) {
			found = append(found, one.prefix[i])
		} else if one.items != nil {
			found = append(found, one.items)
		}
	}
	return joined(found)
}

func joined(found []*shape) *shape {
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	s := &shape{parts: found}
	s.all = s.collect(nil)
	return s
}

// walk calls visit for every scalar at a place that the schema has a shape for.
func (s *shape) walk(value any, path []string, visit func(*shape, any, []string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if m := s.member(name); m != nil {
				m.walk(member, append(path, name), visit)
			}
		}
	case []any:
		for i, item := range value {
			if m := s.item(i); m != nil {
				m.walk(item, append(path, strconv.Itoa(i)), visit)
			}
		}
	default:
		visit(s, value, path)
	}
}
