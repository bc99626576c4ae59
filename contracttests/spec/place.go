package spec

import (
	"encoding/json"
	"slices"
	"strconv"
)

// TypeNames are the types of JSON Schema.
var TypeNames = []string{"array", "boolean", "integer", "null", "number", "object", "string"}

// TypeOf returns the type of a decoded value. Whole numbers have the type number too.
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

// Place is all schemas that judge one value: a schema, the schemas that it refers to, and those that it combines. It is
// empty for a value that no schema describes.
//
// A Place distinguishes a number that a schema describes from a number in a free-form place, where any JSON number is
// allowed.
type Place []*Schema

// Place returns the place that the schema describes. The schema itself comes first.
func (s *Schema) Place() Place { return s.place }

func (s *Schema) collect(seen Place) Place {
	if s == nil || slices.Contains(seen, s) {
		return seen
	}
	seen = append(seen, s)
	for _, list := range [][]*Schema{{s.Ref}, s.AllOf, s.AnyOf, s.OneOf, {s.Then, s.Else}, s.Dependent} {
		for _, part := range list {
			seen = part.collect(seen)
		}
	}
	return seen
}

// Types returns the types that the place names, sorted.
func (p Place) Types() []string {
	var types []string
	for _, s := range p {
		types = append(types, s.Types...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// Has reports whether the place names the type.
func (p Place) Has(typ string) bool {
	return slices.ContainsFunc(p, func(s *Schema) bool { return slices.Contains(s.Types, typ) })
}

// HasFormat reports whether the place names the format.
func (p Place) HasFormat(name string) bool {
	return slices.ContainsFunc(p, func(s *Schema) bool { return s.Format == name })
}

// ComparesNumbers reports whether the place compares values with numbers, typed or not.
func (p Place) ComparesNumbers() bool {
	return slices.ContainsFunc(p, func(s *Schema) bool { return s.numeric })
}

// Properties returns the names of the members that the schemas of the place declare, each once.
func (p Place) Properties() []string {
	var names []string
	for _, s := range p {
		for _, property := range s.Properties {
			if !slices.Contains(names, property.Name) {
				names = append(names, property.Name)
			}
		}
	}
	return names
}

// Member returns the place of a member.
func (p Place) Member(name string) Place {
	var found Place
	for _, s := range p {
		found = found.and(s.member(name))
	}
	return found
}

// member returns the places of a member in the schema itself.
func (s *Schema) member(name string) Place {
	var found Place
	for _, m := range s.Properties {
		if m.Name == name {
			found = found.and(m.Schema.place)
		}
	}
	for _, m := range s.Patterns {
		if m.Name.MatchString(name) {
			found = found.and(m.Schema.place)
		}
	}
	switch {
	case len(found) > 0:
		return found
	case s.Additional != nil && s.Additional.Bool == nil:
		return s.Additional.place
	case s.Unevaluated != nil:
		return s.Unevaluated.place
	default:
		return nil
	}
}

// Item returns the place of an item.
func (p Place) Item(i int) Place {
	var found Place
	for _, s := range p {
		if i < len(s.PrefixItems) {
			found = found.and(s.PrefixItems[i].place)
		} else if s.Items != nil {
			found = found.and(s.Items.place)
		}
	}
	return found
}

// and joins two places of one value.
func (p Place) and(other Place) Place {
	switch {
	case len(p) == 0:
		return other
	case len(other) == 0:
		return p
	default:
		return slices.Concat(p, other)
	}
}

// Walk calls visit for every scalar in a value that has a place. The path that visit gets is valid until it returns.
func (p Place) Walk(value any, path []string, visit func(Place, any, []string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if m := p.Member(name); len(m) > 0 {
				m.Walk(member, append(path, name), visit)
			}
		}
	case []any:
		for i, item := range value {
			if m := p.Item(i); len(m) > 0 {
				m.Walk(item, append(path, strconv.Itoa(i)), visit)
			}
		}
	default:
		visit(p, value, path)
	}
}

func isNumber(value any) bool {
	switch value.(type) {
	case json.Number, float64, int:
		return true
	}
	return false
}
