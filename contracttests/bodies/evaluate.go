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

// broken returns the places at which the schema refuses a value, nil where it takes it. A member that is missing is
// broken where it should be. path is the place of the value itself.
func (s *bodySchema) broken(value any, path []string) [][]string {
	var found [][]string
	if s.anyway != nil && !*s.anyway || !s.takesScalar(value) {
		found = append(found, slices.Clone(path))
	}
	switch value := value.(type) {
	case map[string]any:
		found = append(found, s.brokenObject(value, path)...)
	case []any:
		found = append(found, s.brokenArray(value, path)...)
	}
	return append(found, s.brokenParts(value, path)...)
}

func (s *bodySchema) takes(value any) bool { return len(s.broken(value, nil)) == 0 }

// takesScalar applies the keywords that judge a value without looking into it.
func (s *bodySchema) takesScalar(value any) bool {
	if !s.takesType(value) {
		return false
	}
	if s.constant != nil && !equalJSON(*s.constant, value) {
		return false
	}
	if len(s.enum) > 0 && !slices.ContainsFunc(s.enum, func(one any) bool { return equalJSON(one, value) }) {
		return false
	}
	switch value := value.(type) {
	case string:
		return s.takesText(value)
	case json.Number:
		return s.takesNumber(value)
	default:
		return true
	}
}

func (s *bodySchema) takesType(value any) bool {
	if len(s.types) == 0 {
		return true
	}
	typ := spec.TypeOf(value)
	if slices.Contains(s.types, typ) {
		return true
	}
	return typ == "number" && slices.Contains(s.types, "integer") && rational(value.(json.Number)).IsInt()
}

// rational returns the number exactly, or a stand-in on the same side of everything where that would take gigabytes.
func rational(n json.Number) *big.Rat {
	out, _ := new(big.Rat).SetString(spec.BoundedNumber(n).String())
	return out
}

func (s *bodySchema) takesText(text string) bool {
	n := utf8.RuneCountInString(text)
	switch {
	case s.minLength != nil && n < *s.minLength, s.maxLength != nil && n > *s.maxLength:
		return false
	case s.pattern != nil && !s.pattern.MatchString(text):
		return false
	default:
		return formatTakesText(s.format, text)
	}
}

func (s *bodySchema) takesNumber(n json.Number) bool {
	value := rational(n)
	switch {
	case s.minimum != nil && value.Cmp(s.minimum) < 0, s.maximum != nil && value.Cmp(s.maximum) > 0:
		return false
	case s.above != nil && value.Cmp(s.above) <= 0, s.below != nil && value.Cmp(s.below) >= 0:
		return false
	case s.multipleOf != nil && !new(big.Rat).Quo(value, s.multipleOf).IsInt():
		return false
	default:
		return formatTakesNumber(s.format, value)
	}
}

func (s *bodySchema) brokenObject(value map[string]any, path []string) [][]string {
	var found [][]string
	if s.minProperties != nil && len(value) < *s.minProperties || s.maxProperties != nil && len(value) > *s.maxProperties {
		found = append(found, slices.Clone(path))
	}
	for _, name := range s.needed(value) {
		if _, ok := value[name]; !ok {
			found = append(found, judge.ChildPath(path, name))
		}
	}
	for name, member := range value {
		if s.names != nil && !s.names.takes(name) {
			found = append(found, slices.Clone(path))
		}
		for _, schema := range s.memberSchemas(name) {
			found = append(found, schema.broken(member, append(path[:len(path):len(path)], name))...)
		}
	}
	return found
}

// needed returns the members that must be there.
func (s *bodySchema) needed(value map[string]any) []string {
	needed := s.required
	for _, d := range s.dependentRequired {
		if _, ok := value[d.name]; ok {
			needed = slices.Concat(needed, d.needs)
		}
	}
	return needed
}

func (s *bodySchema) brokenArray(value []any, path []string) [][]string {
	var found [][]string
	if s.minItems != nil && len(value) < *s.minItems || s.maxItems != nil && len(value) > *s.maxItems ||
		s.uniqueItems && repeats(value) || s.contains != nil && !slices.ContainsFunc(value, s.contains.takes) {
		found = append(found, slices.Clone(path))
	}
	for i, item := range value {
		if schema := s.itemSchema(i); schema != nil {
			found = append(found, schema.broken(item, append(path[:len(path):len(path)], strconv.Itoa(i)))...)
		}
	}
	return found
}

func repeats(values []any) bool {
	for i := range values {
		if slices.ContainsFunc(values[:i], func(other any) bool { return equalJSON(other, values[i]) }) {
			return true
		}
	}
	return false
}

// brokenParts applies what judges the same value.
func (s *bodySchema) brokenParts(value any, path []string) [][]string {
	var found [][]string
	for _, part := range append(s.allOf[:len(s.allOf):len(s.allOf)], s.condition(value)...) {
		found = append(found, part.broken(value, path)...)
	}
	if s.ref != nil {
		found = append(found, s.ref.broken(value, path)...)
	}
	if s.not != nil && s.not.takes(value) {
		found = append(found, slices.Clone(path))
	}
	if len(s.anyOf) > 0 {
		places, _ := alternatives(s.anyOf, value, path)
		found = append(found, places...)
	}
	if len(s.oneOf) > 0 {
		places, taken := alternatives(s.oneOf, value, path)
		if taken > 1 {
			places = [][]string{slices.Clone(path)}
		}
		found = append(found, places...)
	}
	return found
}

// condition returns then or else, whichever applies.
func (s *bodySchema) condition(value any) []*bodySchema {
	switch {
	case s.when == nil:
		return nil
	case s.when.takes(value):
		return present(s.then)
	default:
		return present(s.orElse)
	}
}

// alternatives returns how many of the alternatives take the value and, where none does, what is broken by the one that
// was meant: one of the value's type, with the fewest broken places.
func alternatives(all []*bodySchema, value any, path []string) (places [][]string, taken int) {
	for _, one := range all {
		found := one.broken(value, path)
		switch {
		case len(found) == 0:
			taken++
		case one.takesType(value) && (places == nil || len(found) < len(places)):
			places = found
		}
	}
	switch {
	case taken > 0:
		return nil, taken
	case places == nil:
		return [][]string{slices.Clone(path)}, 0
	default:
		return places, 0
	}
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
