package bodies

import (
	"fmt"
	"slices"

	"organizations-api/contracttests/spec"
)

// understood are the keywords that the generator can test. Any other keyword is a gap.
var understood = []string{
	"$ref", "additionalProperties", "anyOf", "enum", "format", "items", "maxLength", "maximum", "minLength", "minimum",
	"pattern", "properties", "required", "type",
}

// maxCount is the length of the longest text that tests a bound.
const maxCount = 1 << 16

// gaps returns the keywords of a schema, and of the schemas inside it, that the generator does not understand.
func gaps(s *spec.Schema) []string {
	var out []string
	seen := map[*spec.Schema]bool{}
	var visit func(*spec.Schema)
	visit = func(s *spec.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		out = append(out, ownGaps(s)...)
		for _, next := range subschemas(s) {
			visit(next)
		}
	}
	visit(s)
	return out
}

func ownGaps(s *spec.Schema) []string {
	var out []string
	gap := func(format string, args ...any) {
		out = append(out, s.Where+": "+fmt.Sprintf(format, args...))
	}
	for _, k := range s.Keywords {
		if !slices.Contains(understood, k.Name) {
			gap("the keyword %s is not understood", k.Name)
		}
	}
	if s.Format != "" && s.Format != emailFormat {
		gap("the format %s is not understood", s.Format)
	}
	for _, n := range []*int{s.MinLength, s.MaxLength} {
		if n != nil && *n > maxCount {
			gap("the bound %d is beyond what is tried", *n)
		}
	}
	return out
}

// subschemas returns the schemas that a schema holds or refers to, as far as the generator understands them.
func subschemas(s *spec.Schema) []*spec.Schema {
	out := append([]*spec.Schema{s.Ref, s.Items, s.Additional}, s.AnyOf...)
	for _, p := range s.Properties {
		out = append(out, p.Schema)
	}
	return out
}

// chosen returns all schemas that apply to one value. If there are alternatives, turn says which one to choose.
func chosen(s *spec.Schema, turn int) spec.Place { return choose(s, turn, nil) }

func choose(s *spec.Schema, turn int, seen spec.Place) spec.Place {
	if s == nil || slices.Contains(seen, s) {
		return seen
	}
	seen = choose(s.Ref, turn, append(seen, s))
	if n := len(s.AnyOf); n > 0 {
		seen = choose(s.AnyOf[turn%n], turn/n, seen)
	}
	return seen
}

// mayBe reports whether a place allows one of the types. A place that names no type allows all.
func mayBe(parts spec.Place, types ...string) bool {
	return len(parts.Types()) == 0 || slices.ContainsFunc(types, parts.Has)
}

// memberOf returns the schema of a member, or nil if no part describes it. If several parts describe it, memberOf
// returns the first, and New adds a gap.
func memberOf(parts spec.Place, name string) *spec.Schema {
	if all := membersOf(parts, name); len(all) > 0 {
		return all[0]
	}
	return nil
}

func membersOf(parts spec.Place, name string) []*spec.Schema {
	var found []*spec.Schema
	for _, part := range parts {
		if s := member(part, name); s != nil {
			found = append(found, s)
		}
	}
	return found
}

// member returns the schema that this schema itself has for a member, or nil.
func member(s *spec.Schema, name string) *spec.Schema {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema
		}
	}
	return s.Additional
}

// itemOf returns the schema of the items of an array, or nil if no part describes them.
func itemOf(parts spec.Place) *spec.Schema {
	for _, part := range parts {
		if part.Items != nil {
			return part.Items
		}
	}
	return nil
}

// keywords returns the keywords of a schema that have two sides.
func keywords(s *spec.Schema) []string {
	var out []string
	for keyword, there := range map[string]bool{
		"type": len(s.Types) > 0, "enum": len(s.Enum) > 0, "pattern": s.Pattern != nil, "format": s.Format == emailFormat,
		"minLength": s.MinLength != nil && *s.MinLength > 0, "maxLength": s.MaxLength != nil,
		"minimum": s.Minimum != nil, "maximum": s.Maximum != nil, "required": len(s.Required) > 0,
		"additionalProperties": s.Additional != nil && (s.Additional.Bool == nil || !*s.Additional.Bool),
	} {
		if there {
			out = append(out, keyword)
		}
	}
	return out
}
