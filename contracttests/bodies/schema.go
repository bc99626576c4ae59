package bodies

import (
	"math/big"
	"regexp"
	"slices"
)

// bodySchema is one schema of a request, as far as the generator understands it. It is read from the document by this
// package and not by the judge's library: what the generator believes of a body has to be a second opinion.
type bodySchema struct {
	at     string // JSON pointer into the document
	anyway *bool  // a schema that is true or false

	types    []string // empty: any
	enum     []any
	constant *any
	stringKeywords
	numberKeywords
	arrayKeywords
	objectKeywords

	ref                 *bodySchema
	allOf, anyOf, oneOf []*bodySchema
	not                 *bodySchema
	when, then, orElse  *bodySchema // if, then, else
}

type stringKeywords struct {
	minLength, maxLength *int
	pattern              *regexp.Regexp
	format               string // of numbers too
}

type numberKeywords struct {
	minimum, maximum, above, below, multipleOf *big.Rat // above and below exclude the bound
}

type arrayKeywords struct {
	items              *bodySchema
	prefixItems        []*bodySchema
	contains           *bodySchema
	minItems, maxItems *int
	uniqueItems        bool
}

type objectKeywords struct {
	properties                   []bodyMember // in the document's order
	patterns                     []bodyPattern
	additional                   *bodySchema // nil: anything
	names                        *bodySchema // propertyNames
	required                     []string
	dependentRequired            []bodyDependency
	minProperties, maxProperties *int
}

type bodyMember struct {
	name   string
	schema *bodySchema
}

type bodyPattern struct {
	pattern *regexp.Regexp
	schema  *bodySchema
}

type bodyDependency struct {
	name  string
	needs []string
}

// inPlace returns the schemas that judge the same value, this one first. Those of alternatives and conditions are among
// them: their keywords say which values are worth trying.
func (s *bodySchema) inPlace() []*bodySchema { return s.collect(nil) }

func (s *bodySchema) collect(seen []*bodySchema) []*bodySchema {
	if s == nil || slices.Contains(seen, s) {
		return seen
	}
	seen = append(seen, s)
	for _, list := range [][]*bodySchema{{s.ref}, s.allOf, s.anyOf, s.oneOf, {s.not, s.when, s.then, s.orElse}} {
		for _, part := range list {
			seen = part.collect(seen)
		}
	}
	return seen
}

// chosen returns the schemas that all apply if the turn-th alternative is the one taken wherever there are some.
func (s *bodySchema) chosen(turn int) []*bodySchema { return s.choose(turn, nil) }

func (s *bodySchema) choose(turn int, seen []*bodySchema) []*bodySchema {
	if s == nil || slices.Contains(seen, s) {
		return seen
	}
	seen = append(seen, s)
	for _, part := range append([]*bodySchema{s.ref}, s.allOf...) {
		seen = part.choose(turn, seen)
	}
	for _, list := range [][]*bodySchema{s.anyOf, s.oneOf, present(s.then, s.orElse)} {
		if len(list) > 0 {
			seen = list[turn%len(list)].choose(turn/len(list), seen)
		}
	}
	return seen
}

func present(schemas ...*bodySchema) []*bodySchema {
	return slices.DeleteFunc(schemas, func(s *bodySchema) bool { return s == nil })
}

// mayBe reports whether some schema of the place names the type. A place that names none may be anything.
func mayBe(parts []*bodySchema, types ...string) bool {
	named := false
	for _, part := range parts {
		named = named || len(part.types) > 0
		if slices.ContainsFunc(types, func(typ string) bool { return slices.Contains(part.types, typ) }) {
			return true
		}
	}
	return !named
}

// member returns the schema of a member by all that the parts say of it, nil where they leave it free.
func memberOf(parts []*bodySchema, name string) *bodySchema {
	var found []*bodySchema
	for _, part := range parts {
		found = append(found, part.memberSchemas(name)...)
	}
	return conjunction(found)
}

// conjunction returns a schema that states all of the given ones.
func conjunction(all []*bodySchema) *bodySchema {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &bodySchema{at: all[0].at, allOf: all}
}

// memberSchemas returns what the schema itself says of a member.
func (s *bodySchema) memberSchemas(name string) []*bodySchema {
	var found []*bodySchema
	for _, p := range s.properties {
		if p.name == name {
			found = append(found, p.schema)
		}
	}
	for _, p := range s.patterns {
		if p.pattern.MatchString(name) {
			found = append(found, p.schema)
		}
	}
	if len(found) == 0 && s.additional != nil {
		found = append(found, s.additional)
	}
	return found
}

// itemSchema returns what the schema itself says of an item, nil where it leaves it free.
func (s *bodySchema) itemSchema(i int) *bodySchema {
	if i < len(s.prefixItems) {
		return s.prefixItems[i]
	}
	return s.items
}
