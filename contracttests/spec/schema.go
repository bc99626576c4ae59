package spec

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// SchemaPrefix is the beginning of references to component schemas.
const SchemaPrefix = "#/components/schemas/"

// Schema is one schema as the document declares it. Schemas refer to each other in circles if those of the document do.
type Schema struct {
	Name     string    // of the component, empty for a schema that stands in place
	Where    string    // where the document declares it, for messages
	Bool     *bool     // set where the schema is true or false
	Keywords []Keyword // in the document's order, without those that neither accept nor refuse a value

	Types      []string
	Enum       []any // decoded as JSON, with json.Number
	Const      *any
	Format     string
	Pattern    Regexp // nil where there is none
	MinLength  *int
	MaxLength  *int
	Minimum    *big.Rat
	Maximum    *big.Rat
	Required   []string
	Properties []Property

	Patterns    []PatternProperty // patternProperties
	Additional  *Schema           // additionalProperties
	Unevaluated *Schema           // unevaluatedProperties
	PrefixItems []*Schema
	Items       *Schema

	Ref       *Schema
	AllOf     []*Schema
	AnyOf     []*Schema
	OneOf     []*Schema
	Then      *Schema
	Else      *Schema
	Dependent []*Schema // dependentSchemas

	XML XML

	place   Place
	numeric bool // compares the value with numbers
}

// Keyword is one keyword of a schema. The list also has keywords for which Schema has no field.
type Keyword struct {
	Name string
	Text string // its value as the document writes it, on one line
}

// Property is a member that a schema names.
type Property struct {
	Name   string
	Schema *Schema
}

// PatternProperty is the schema of the members whose names match.
type PatternProperty struct {
	Name   Regexp
	Schema *Schema
}

// XML says how a value is written in XML.
type XML struct {
	Name      string // of the element or attribute, "" is the member's own
	Attribute bool
	Wrapped   bool // a list has an element of its own around its items
}

// annotations are the keywords that neither accept nor refuse a value. Extensions are ignored as well.
var annotations = []string{
	"$comment", "$defs", "contentEncoding", "contentMediaType", "contentSchema", "default", "definitions",
	"deprecated", "description", "discriminator",
	"example", "examples", "externalDocs", "title", "writeOnly", "xml",
}

// reader makes schemas from YAML. Each node becomes one Schema, so that circles end.
type reader struct {
	root     *yaml.Node
	known    map[*yaml.Node]*Schema
	warnings []Warning
}

func newReader(root *yaml.Node) reader { return reader{root: root, known: map[*yaml.Node]*Schema{}} }

func (r *reader) warn(where, text string) {
	if w := (Warning{where, text}); !slices.Contains(r.warnings, w) {
		r.warnings = append(r.warnings, w)
	}
}

// finish prepares the schemas for use, once all are read.
func (r *reader) finish() {
	for _, s := range r.known {
		s.place = s.collect(nil)
		s.numeric = s.comparesNumbers()
	}
}

// target reads the target of a reference. It returns nil if there is none: the compiler reports what is wrong.
func (r *reader) target(ref string) *Schema {
	node := Lookup(r.root, ref)
	if node == nil {
		return nil
	}
	s := r.read(ref, node)
	if name, ok := strings.CutPrefix(ref, SchemaPrefix); ok && !strings.Contains(name, "/") {
		s.Name = pointerUnescapes.Replace(name)
	}
	return s
}

func (r *reader) read(where string, node *yaml.Node) *Schema {
	node = unaliased(node)
	if s := r.known[node]; s != nil {
		return s
	}
	s := &Schema{Where: where}
	r.known[node] = s
	switch {
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!bool":
		truth := node.Value == "true"
		s.Bool = &truth
	}
	for name, value := range Fields(node) {
		if name == "xml" {
			s.XML = XML{text(value, "name"), isTrue(Field(value, "attribute")), isTrue(Field(value, "wrapped"))}
		}
		if slices.Contains(annotations, name) || strings.HasPrefix(name, "x-") {
			continue
		}
		s.Keywords = append(s.Keywords, Keyword{name, Text(value)})
		r.keyword(s, name, value)
		r.subschemas(s, name, value)
	}
	return s
}

// keyword reads a keyword that holds no schema.
func (r *reader) keyword(s *Schema, name string, value *yaml.Node) {
	switch name {
	case "type":
		s.Types = words(value)
	case "enum":
		for _, node := range value.Content {
			s.Enum = append(s.Enum, Plain(node))
		}
	case "const":
		constant := Plain(value)
		s.Const = &constant
	case "format":
		s.Format = value.Value
	case "pattern":
		s.Pattern = pattern(value.Value)
	case "minLength":
		s.MinLength = limit(value)
	case "maxLength":
		s.MaxLength = limit(value)
	case "minimum":
		s.Minimum = number(value)
	case "maximum":
		s.Maximum = number(value)
	case "required":
		s.Required = words(value)
	}
}

// subschemas reads a keyword that holds schemas.
func (r *reader) subschemas(s *Schema, name string, value *yaml.Node) {
	where := s.Where + "/" + name
	switch name {
	case "properties":
		for member, schema := range Fields(value) {
			s.Properties = append(s.Properties, Property{member, r.read(where+"/"+member, schema)})
		}
	case "patternProperties":
		for name, schema := range Fields(value) {
			if re := pattern(name); re != nil {
				s.Patterns = append(s.Patterns, PatternProperty{re, r.read(where+"/"+name, schema)})
			}
		}
	case "additionalProperties":
		s.Additional = r.read(where, value)
	case "unevaluatedProperties":
		s.Unevaluated = r.read(where, value)
	case "prefixItems":
		s.PrefixItems = r.list(where, value)
	case "items":
		s.Items = r.read(where, value)
	case "$ref":
		s.Ref = r.target(value.Value)
	case "$recursiveRef":
		r.warn(s.Where, "$recursiveRef is of an older draft, and what it refers to is not judged: write $dynamicRef "+
			"or $ref")
	case "allOf":
		s.AllOf = r.list(where, value)
	case "anyOf":
		s.AnyOf = r.list(where, value)
	case "oneOf":
		s.OneOf = r.list(where, value)
	case "then":
		s.Then = r.read(where, value)
	case "else":
		s.Else = r.read(where, value)
	case "dependentSchemas":
		for member, schema := range Fields(value) {
			s.Dependent = append(s.Dependent, r.read(where+"/"+member, schema))
		}
	}
}

func (r *reader) list(where string, value *yaml.Node) []*Schema {
	all := make([]*Schema, len(value.Content))
	for i, node := range value.Content {
		all[i] = r.read(where+"/"+strconv.Itoa(i), node)
	}
	return all
}

// pattern compiles a pattern. It returns nil if that fails, and so do limit and number. Then the whole schema cannot be
// compiled, and the compiler reports that once.
func pattern(text string) Regexp {
	re, err := compileRegexp(text)
	if err != nil {
		return nil
	}
	return re
}

func limit(value *yaml.Node) *int {
	n, err := strconv.Atoi(value.Value)
	if err != nil {
		return nil
	}
	return &n
}

// number reads a bound. If its exponent is huge, the result is another number that no float64 reaches: see
// BoundedNumber.
func number(value *yaml.Node) *big.Rat {
	literal, ok := Plain(value).(json.Number)
	if !ok {
		return nil
	}
	n, ok := new(big.Rat).SetString(BoundedNumber(literal).String())
	if !ok {
		return nil
	}
	return n
}

// words returns the text of a scalar, or those of a list.
func words(node *yaml.Node) []string {
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	var out []string
	for _, item := range node.Content {
		out = append(out, item.Value)
	}
	return out
}

// comparesNumbers reports whether the schema compares the value with numbers, typed or not.
func (s *Schema) comparesNumbers() bool {
	for _, k := range s.Keywords {
		switch k.Name {
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			return true
		}
	}
	return s.Const != nil && isNumber(*s.Const) || slices.ContainsFunc(s.Enum, isNumber)
}
