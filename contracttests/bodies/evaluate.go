package bodies

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// The generator judges its bodies itself, by the keywords that it understands, and not with the judge's library. It is
// a second opinion: where the two differ, one of them is wrong.

// broken returns the places at which a schema refuses a value, or nil if it accepts the value. The place of a missing
// member is the place where it should be. path is the place of the value itself.
func broken(s *spec.Schema, value any, path []string) [][]string {
	var found [][]string
	if s.Bool != nil && !*s.Bool || !acceptsAlone(s, value) {
		found = append(found, slices.Clone(path))
	}
	switch value := value.(type) {
	case map[string]any:
		found = append(found, brokenMembers(s, value, path)...)
	case []any:
		for i, item := range value {
			if s.Items != nil {
				found = append(found, broken(s.Items, item, judge.ChildPath(path, strconv.Itoa(i)))...)
			}
		}
	}
	if s.Ref != nil {
		found = append(found, broken(s.Ref, value, path)...)
	}
	return append(found, brokenAlternatives(s.AnyOf, value, path)...)
}

// accepts reports whether a schema accepts a JSON text.
func accepts(s *spec.Schema, text string) bool {
	value, err := decoded([]byte(text))
	return err == nil && len(broken(s, value, nil)) == 0
}

// acceptsAlone applies the keywords that judge a value without looking into it.
func acceptsAlone(s *spec.Schema, value any) bool {
	if !acceptsType(s, value) {
		return false
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(one any) bool { return equalJSON(one, value) }) {
		return false
	}
	switch value := value.(type) {
	case string:
		return acceptsText(s, value)
	case json.Number:
		n := rational(value)
		return (s.Minimum == nil || n.Cmp(s.Minimum) >= 0) && (s.Maximum == nil || n.Cmp(s.Maximum) <= 0)
	default:
		return true
	}
}

func acceptsType(s *spec.Schema, value any) bool {
	typ := spec.TypeOf(value)
	if len(s.Types) == 0 || slices.Contains(s.Types, typ) {
		return true
	}
	return typ == "number" && slices.Contains(s.Types, "integer") && rational(value.(json.Number)).IsInt()
}

// rational returns the number exactly. A number with a huge exponent becomes one on the same side of every bound.
func rational(n json.Number) *big.Rat {
	out, _ := new(big.Rat).SetString(spec.BoundedNumber(n).String())
	return out
}

func acceptsText(s *spec.Schema, text string) bool {
	n := utf8.RuneCountInString(text)
	switch {
	case s.MinLength != nil && n < *s.MinLength, s.MaxLength != nil && n > *s.MaxLength:
		return false
	case s.Pattern != nil && !s.Pattern.MatchString(text):
		return false
	default:
		return s.Format != emailFormat || isEmail(text)
	}
}

func brokenMembers(s *spec.Schema, value map[string]any, path []string) [][]string {
	var found [][]string
	for _, name := range s.Required {
		if _, ok := value[name]; !ok {
			found = append(found, judge.ChildPath(path, name))
		}
	}
	for name, one := range value {
		if schema := member(s, name); schema != nil {
			found = append(found, broken(schema, one, judge.ChildPath(path, name))...)
		}
	}
	return found
}

// brokenAlternatives returns nil if an alternative accepts the value, or if there are no alternatives. Otherwise it
// returns the broken places of the most likely alternative: one of the value's type, with the fewest broken places.
func brokenAlternatives(all []*spec.Schema, value any, path []string) [][]string {
	if len(all) == 0 {
		return nil
	}
	places := [][]string{slices.Clone(path)}
	meant := false
	for _, one := range all {
		found := broken(one, value, path)
		if len(found) == 0 {
			return nil
		}
		if acceptsType(one, value) && (!meant || len(found) < len(places)) {
			places, meant = found, true
		}
	}
	return places
}

// equalJSON compares as JSON Schema does: numbers by value.
func equalJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || rational(a).Cmp(rational(b)) == 0)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalJSON)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, member := range a {
			if other, ok := b[name]; !ok || !equalJSON(member, other) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}
