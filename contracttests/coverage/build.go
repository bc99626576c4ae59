package coverage

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// builder collects the parts of a document that exchanges can exercise.
type builder struct {
	schemas    map[string]*coveredSchema // of responses, by name
	ordered    []*coveredSchema
	unmeasured map[string]bool
}

// New returns a Coverage for a document, with nothing counted.
func New(document *spec.Document) *Coverage {
	b := builder{schemas: map[string]*coveredSchema{}, unmeasured: map[string]bool{}}
	c := &Coverage{document: document, byOperation: map[*spec.Operation]*coveredOperation{}}
	for _, declared := range document.Operations {
		op := b.operation(declared)
		c.operations = append(c.operations, op)
		c.byOperation[declared] = op
	}
	c.schemas, c.unmeasured = b.ordered, slices.AppendSeq([]string{}, maps.Keys(b.unmeasured))
	slices.Sort(c.unmeasured)
	return c
}

func (b *builder) operation(declared *spec.Operation) *coveredOperation {
	op := &coveredOperation{Operation: declared, undeclared: map[int]int64{}}
	for _, response := range declared.Responses {
		op.statuses = append(op.statuses, b.status(op, response))
	}
	for _, header := range declared.Parameters {
		op.parameters = append(op.parameters, b.parameter(header))
	}
	if declared.Body == nil {
		return op
	}
	for _, media := range declared.Body.Content {
		if media.Schema != nil && mediaIsJSON(media.Name) {
			name := schemaName(media.Schema, op.String()+" request")
			op.bodies = append(op.bodies, &coveredBody{media, name, b.root(media.Schema.Schema)})
		}
	}
	return op
}

func (b *builder) status(op *coveredOperation, declared *spec.Response) *coveredStatus {
	s := &coveredStatus{declared: declared}
	for _, header := range declared.Headers {
		s.headers = append(s.headers, &coveredHeader{Header: header})
	}
	for _, media := range declared.Content {
		m := coveredMedia{name: media.Name}
		if media.Schema != nil && mediaIsJSON(media.Name) {
			m.schema = b.schema(schemaName(media.Schema, op.String()+" "+declared.Status), media.Schema.Schema)
		}
		s.media = append(s.media, m)
	}
	return s
}

// schema returns the covered schema of that name. All responses that refer to one component share it.
func (b *builder) schema(name string, declared *spec.Schema) *coveredSchema {
	if s := b.schemas[name]; s != nil {
		return s
	}
	s := &coveredSchema{name, b.root(declared)}
	b.schemas[name] = s
	b.ordered = append(b.ordered, s)
	return s
}

func (b *builder) root(declared *spec.Schema) *coveredPlace {
	root := newCoveredPlace("", "")
	b.read(root, declared, nil)
	root.complete()
	return root
}

func (b *builder) parameter(declared *spec.Header) *coveredParameter {
	p := &coveredParameter{Header: declared, place: newCoveredPlace("", declared.Name)}
	p.place.required = declared.Required
	if declared.Schema != nil {
		b.read(p.place, declared.Schema.Schema, nil)
	}
	p.place.complete()
	if slices.Contains(p.place.types, "string") || len(p.place.types) == 0 {
		p.place.drop("type") // every header is a text
	}
	return p
}

// schemaName returns the name of the component that a schema refers to. If it refers to none, schemaName returns the
// given name.
func schemaName(declared *spec.Compiled, otherwise string) string {
	if declared.Ref != nil && declared.Ref.Name != "" {
		return declared.Ref.Name
	}
	return otherwise
}

// mediaIsJSON reports whether a declared media type or range includes JSON.
func mediaIsJSON(declared string) bool {
	return judge.IsJSON(declared) || declared == "application/*" || declared == "*/*"
}

// mediaMatches reports whether a body of the given Content-Type is JSON of a declared media type or range.
func mediaMatches(declared, contentType string) bool {
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil || !judge.IsJSON(name) {
		return false
	}
	prefix, ranged := strings.CutSuffix(strings.ToLower(declared), "*")
	return strings.EqualFold(declared, name) || ranged && (prefix == "*/" || strings.HasPrefix(name, prefix))
}

// read adds the declarations of a schema to a place. following holds the references that led to the schema, so that
// circles end.
func (b *builder) read(into *coveredPlace, s *spec.Schema, following []*spec.Schema) {
	if s.Ref != nil && !slices.Contains(following, s.Ref) {
		b.read(into, s.Ref, append(slices.Clone(following), s.Ref))
	}
	for _, k := range s.Keywords {
		switch k.Name {
		case "allOf":
			b.readAll(into, s.AllOf, following)
		case "anyOf":
			b.readAll(into, s.AnyOf, following)
		case "oneOf":
			b.readAll(into, s.OneOf, following)
		case "then":
			b.read(into, s.Then, following)
		case "else":
			b.read(into, s.Else, following)
		case "properties":
			for _, member := range s.Properties {
				b.read(into.member(member.Name), member.Schema, following)
			}
		case "items":
			b.open(into, &into.items, k.Name, s.Items, following)
		case "prefixItems":
			for _, item := range s.PrefixItems {
				b.open(into, &into.items, "items", item, following)
			}
		case "additionalProperties":
			b.open(into, &into.rest, k.Name, s.Additional, following)
		case "unevaluatedProperties":
			b.open(into, &into.rest, k.Name, s.Unevaluated, following)
		default:
			b.keyword(into, s, k)
		}
	}
}

func (b *builder) readAll(into *coveredPlace, schemas []*spec.Schema, following []*spec.Schema) {
	for _, s := range schemas {
		b.read(into, s, following)
	}
}

// open adds the declarations for all items, or for members without a property of their own, to their place in slot. A
// schema that accepts everything adds no place.
func (b *builder) open(into *coveredPlace, slot **coveredPlace, key string, s *spec.Schema, following []*spec.Schema) {
	switch {
	case s.Bool != nil && *s.Bool || s.Bool == nil && len(s.Keywords) == 0:
	case s.Bool != nil && key == "items":
		b.unmeasured[unmeasuredAt(into, "items false")] = true
	case s.Bool != nil:
		into.keywords = append(into.keywords, newCoveredKeyword(key, "false"))
	default:
		if *slot == nil {
			*slot = into.child("*")
		}
		b.read(*slot, s, following)
	}
}

func (b *builder) keyword(into *coveredPlace, s *spec.Schema, k spec.Keyword) {
	switch {
	case k.Name == "type":
		into.addTypes(s.Types)
	case k.Name == "enum":
		into.addEnum(s.Enum)
		into.keywords = append(into.keywords, newCoveredKeyword(k.Name, k.Text))
	case k.Name == "required":
		for _, name := range s.Required {
			into.member(name).required = true
			into.keywords = append(into.keywords, newCoveredKeyword(k.Name, name))
		}
	case k.Name == "uniqueItems" && k.Text != "true":
	case measuredKeywords[k.Name]:
		into.keywords = append(into.keywords, newCoveredKeyword(k.Name, k.Text))
	case !silentKeywords[k.Name]:
		b.unmeasured[unmeasuredAt(into, k.Name)] = true
	}
}

// unmeasuredAt names a keyword that Coverage cannot measure.
func unmeasuredAt(p *coveredPlace, keyword string) string {
	return fmt.Sprintf("%s at %s", keyword, p.where())
}

func (p *coveredPlace) addTypes(names []string) {
	for _, name := range names {
		if !slices.Contains(p.types, name) {
			p.types = append(p.types, name)
		}
	}
}

// addEnum adds the scalars of an enum.
func (p *coveredPlace) addEnum(values []any) {
	for _, value := range values {
		key := valueKey(value)
		known := func(v *coveredValue) bool { return v.key == key }
		if key != "" && !slices.ContainsFunc(p.enum, known) {
			p.enum = append(p.enum, &coveredValue{text: valueText(value), key: key})
		}
	}
}

// measuredKeywords judge a value on their own, and the judge names them when it refuses a value.
var measuredKeywords = map[string]bool{
	"const": true, "contains": true, "dependentRequired": true, "exclusiveMaximum": true, "exclusiveMinimum": true,
	"format": true, "maxItems": true, "maxLength": true, "maxProperties": true, "maximum": true, "minItems": true,
	"minLength": true, "minProperties": true, "minimum": true, "multipleOf": true, "not": true, "pattern": true,
	"propertyNames": true, "uniqueItems": true,
}

// silentKeywords accept and refuse nothing by themselves.
var silentKeywords = map[string]bool{
	"$anchor": true, "$id": true, "$ref": true, "$schema": true, "if": true, "readOnly": true,
}
