package spec

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// quick accepts values by a compiled schema without the schema engine. The engine is made to explain: it allocates
// memory for each value that it looks at. Nearly all values are right, so that quick saves most of the time.
//
// quick knows the common keywords only, and never refuses: what it does not accept goes to the engine.
type quick struct {
	unsure bool // the schema has a keyword that quick does not know
	all    []*quick
	any    [][]*quick

	types      jsonschema.Types // 0 is any
	enum       []any            // or a constant: strings and null; nil is any
	least      int64            // of numbers
	most       int64
	minLength  int
	maxLength  int
	pattern    Regexp
	format     *jsonschema.Format
	required   []string // that properties does not have
	members    []quickMember
	properties map[string]*quick // the same by name
	others     *quick            // of members that properties does not have
	closed     bool              // there may be no others
	open       bool              // the schema says that there may be others
	items      *quick
	minItems   int
	maxItems   int
	writeOnly  bool
}

// quickMember is a member that a schema names.
type quickMember struct {
	name     string
	schema   *quick
	required bool
}

// quickly makes quicks, each schema once.
type quickly map[*jsonschema.Schema]*quick

// of returns the quick of a schema. It is nil for no schema, which accepts everything.
func (m quickly) of(s *jsonschema.Schema) *quick {
	if s == nil {
		return nil
	}
	if q := m[s]; q != nil {
		return q
	}
	q := &quick{
		unsure: unknownToQuick(s), least: math.MinInt64, most: math.MaxInt64, maxLength: math.MaxInt,
		maxItems: math.MaxInt,
		pattern:  s.Pattern, format: s.Format, writeOnly: s.WriteOnly,
	}
	m[s] = q
	if s.Types != nil {
		q.types = *s.Types
	}
	q.bounds(s)
	m.parts(q, s)
	return q
}

// unknownToQuick reports whether a schema has a keyword that quick does not know.
func unknownToQuick(s *jsonschema.Schema) bool {
	return s.Bool != nil && !*s.Bool || s.RecursiveRef != nil || s.DynamicRef != nil ||
		s.Const != nil && s.Enum != nil || s.Not != nil || s.OneOf != nil || s.If != nil || s.Then != nil ||
		s.Else != nil ||
		s.MaxProperties != nil || s.MinProperties != nil || s.PropertyNames != nil ||
		s.PatternProperties != nil || s.Dependencies != nil || s.DependentRequired != nil ||
		s.DependentSchemas != nil || s.UnevaluatedProperties != nil || s.UniqueItems || s.Contains != nil ||
		s.MinContains != nil || s.MaxContains != nil || s.Items != nil || s.AdditionalItems != nil ||
		s.PrefixItems != nil || s.UnevaluatedItems != nil || s.ContentEncoding != nil ||
		s.ContentMediaType != nil || s.ContentSchema != nil || s.ExclusiveMaximum != nil ||
		s.ExclusiveMinimum != nil || s.MultipleOf != nil || len(s.Extensions) > 0
}

// bounds reads the limits of a schema.
func (q *quick) bounds(s *jsonschema.Schema) {
	number := func(r *big.Rat, to *int64) {
		switch {
		case r == nil:
		case r.IsInt() && r.Num().IsInt64():
			*to = r.Num().Int64()
		default:
			q.unsure = true
		}
	}
	number(s.Minimum, &q.least)
	number(s.Maximum, &q.most)
	for _, limit := range []struct {
		from *int
		to   *int
	}{{s.MinLength, &q.minLength}, {s.MaxLength, &q.maxLength}, {s.MinItems, &q.minItems}, {s.MaxItems, &q.maxItems}} {
		if limit.from != nil {
			*limit.to = *limit.from
		}
	}
	var values []any
	switch {
	case s.Enum != nil:
		values = s.Enum.Values
	case s.Const != nil:
		values = []any{*s.Const}
	default:
		return
	}
	q.enum = []any{}
	for _, value := range values {
		if _, isText := value.(string); isText || value == nil {
			q.enum = append(q.enum, value)
		}
	}
}

// parts reads the schemas in a schema.
func (m quickly) parts(q *quick, s *jsonschema.Schema) {
	if s.Ref != nil {
		q.all = append(q.all, m.of(s.Ref))
	}
	for _, part := range s.AllOf {
		q.all = append(q.all, m.of(part))
	}
	if s.AnyOf != nil {
		alternatives := make([]*quick, len(s.AnyOf))
		for i, part := range s.AnyOf {
			alternatives[i] = m.of(part)
		}
		q.any = append(q.any, alternatives)
	}
	if len(s.Properties) > 0 {
		q.properties = make(map[string]*quick, len(s.Properties))
		for name, part := range s.Properties {
			q.properties[name] = m.of(part)
			q.members = append(q.members, quickMember{name, q.properties[name], slices.Contains(s.Required, name)})
		}
	}
	for _, name := range s.Required {
		if _, named := s.Properties[name]; !named {
			q.required = append(q.required, name)
		}
	}
	switch rest := s.AdditionalProperties.(type) {
	case bool:
		q.closed, q.open = !rest, rest
	case *jsonschema.Schema:
		q.others, q.open = m.of(rest), true
	}
	q.items = m.of(s.Items2020)
}

// quickDepth bounds recursion. Deeper values go to the engine.
const quickDepth = 200

// accepts reports whether the schema surely accepts a value. If it is listed, each object must moreover have no members
// but those that every schema of the object names, and none that only requests have.
func (q *quick) accepts(value any, listed bool, depth int) bool {
	if q == nil {
		return true
	}
	if q.unsure || depth > quickDepth || listed && q.writeOnly || !q.acceptsAlone(value, listed, depth+1) {
		return false
	}
	for _, part := range q.all {
		if !part.accepts(value, listed, depth+1) {
			return false
		}
	}
	for _, alternatives := range q.any {
		if !acceptsOne(alternatives, value, listed, depth+1) {
			return false
		}
	}
	return true
}

// acceptsOne reports whether an alternative accepts a value. If several can, their members count together, which only
// the engine knows.
func acceptsOne(alternatives []*quick, value any, listed bool, depth int) bool {
	accepted, possible := false, 0
	for _, part := range alternatives {
		if part == nil || !part.ofOtherType(value) {
			possible++
			accepted = accepted || part.accepts(value, listed, depth)
		}
	}
	switch value.(type) {
	case map[string]any, []any:
		return accepted && (possible == 1 || !listed)
	}
	return accepted
}

func (q *quick) ofOtherType(value any) bool { return q.types != 0 && q.types&typesOf(value) == 0 }

// acceptsAlone judges a value by the schema without those that it combines.
func (q *quick) acceptsAlone(value any, listed bool, depth int) bool {
	if q.ofOtherType(value) || q.enum != nil && !q.enumerates(value) {
		return false
	}
	switch value := value.(type) {
	case string:
		return q.acceptsText(value)
	case json.Number:
		return q.acceptsNumber(value)
	case []any:
		return q.acceptsList(value, listed, depth)
	case map[string]any:
		return q.acceptsObject(value, listed, depth)
	default:
		return q.format == nil
	}
}

func (q *quick) enumerates(value any) bool {
	switch value.(type) {
	case string, nil:
		return slices.Contains(q.enum, value)
	default:
		return false
	}
}

func (q *quick) acceptsText(text string) bool {
	if q.minLength > 0 || q.maxLength < len(text) {
		if n := utf8.RuneCountInString(text); n < q.minLength || n > q.maxLength {
			return false
		}
	}
	if q.pattern != nil && !q.pattern.MatchString(text) {
		return false
	}
	return q.format == nil || q.format.Validate(text) == nil
}

// acceptsNumber judges whole numbers of a few digits.
func (q *quick) acceptsNumber(n json.Number) bool {
	if q.format != nil && q.format.Name != "int64" && q.format.Name != "int32" || !PlainInteger(n) {
		return false
	}
	whole, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil || whole < q.least || whole > q.most {
		return false
	}
	return q.format == nil || q.format.Name == "int64" || whole == int64(int32(whole))
}

func (q *quick) acceptsList(list []any, listed bool, depth int) bool {
	if q.format != nil || len(list) < q.minItems || len(list) > q.maxItems {
		return false
	}
	if q.items == nil {
		return true
	}
	for _, item := range list {
		if !q.items.accepts(item, listed, depth) {
			return false
		}
	}
	return true
}

func (q *quick) acceptsObject(object map[string]any, listed bool, depth int) bool {
	if q.format != nil {
		return false
	}
	for _, name := range q.required {
		if _, given := object[name]; !given {
			return false
		}
	}
	named := 0
	for _, m := range q.members {
		value, given := object[m.name]
		switch {
		case given && m.schema.accepts(value, listed, depth):
			named++
		case given, m.required:
			return false
		}
	}
	return named == len(object) || q.acceptsOthers(object, listed, depth)
}

// acceptsOthers judges the members of an object that the schema does not name. There is at least one.
func (q *quick) acceptsOthers(object map[string]any, listed bool, depth int) bool {
	if q.closed || listed && q.properties != nil && !q.open {
		return false
	}
	if q.others == nil {
		return true
	}
	for name, member := range object {
		if _, named := q.properties[name]; !named && !q.others.accepts(member, listed, depth) {
			return false
		}
	}
	return true
}

// The bits of the types, which the engine does not export.
var (
	typeNull, typeBoolean, typeText = typeBit("null"), typeBit("boolean"), typeBit("string")
	typeNumber                      = typeBit("number") | typeBit("integer")
	typeList, typeObject            = typeBit("array"), typeBit("object")
)

func typeBit(name string) jsonschema.Types {
	var t jsonschema.Types
	t.Add(name)
	return t
}

// typesOf returns the types that a value may be of. A number may be an integer.
func typesOf(value any) jsonschema.Types {
	switch value.(type) {
	case nil:
		return typeNull
	case bool:
		return typeBoolean
	case string:
		return typeText
	case json.Number:
		return typeNumber
	case []any:
		return typeList
	default:
		return typeObject
	}
}

// Accepts reports whether the schema surely accepts a value. If it returns false, Rules judge. For a schema that is
// Closed, true also means that the value has no member that is not declared.
func (c *Compiled) Accepts(value any) bool {
	return c.quick != nil && c.quick.accepts(value, c.Closed, 0)
}

// MayHaveType reports whether a value may be of one of the types. A number may be an integer.
func MayHaveType(types jsonschema.Types, value any) bool { return types&typesOf(value) != 0 }
