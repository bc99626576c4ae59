package contracttests

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// read adds what a schema says to a place. References in following lead here and are not followed again.
func (b *coverageBuilder) read(into *coveredPlace, schema *yaml.Node, following []string) {
	if ref := field(schema, "$ref"); ref != nil && !slices.Contains(following, ref.Value) {
		b.read(into, b.target(ref.Value), append(slices.Clone(following), ref.Value))
	}
	for key, value := range fields(schema) {
		switch key {
		case "allOf", "anyOf", "oneOf":
			for _, part := range value.Content {
				b.read(into, part, following)
			}
		case "then", "else":
			b.read(into, value, following)
		case "properties":
			for name, member := range fields(value) {
				b.read(into.member(name), member, following)
			}
		case "items", "additionalProperties", "unevaluatedProperties":
			b.open(into, key, value, following)
		case "prefixItems":
			for _, item := range value.Content {
				b.open(into, "items", item, following)
			}
		default:
			b.keyword(into, key, value)
		}
	}
}

// open adds what a schema says of all items, or of members without a property of their own. A schema that takes
// everything describes no place.
func (b *coverageBuilder) open(into *coveredPlace, key string, value *yaml.Node, following []string) {
	if value.Kind != yaml.MappingNode {
		switch {
		case value.Value == "false" && key == "items":
			b.unmeasured[unmeasuredAt(into, "items false")] = true
		case value.Value == "false":
			into.keywords = append(into.keywords, newCoveredKeyword(key, value))
		}
		return
	}
	if len(value.Content) == 0 {
		return
	}
	slot := &into.rest
	if key == "items" {
		slot = &into.items
	}
	if *slot == nil {
		*slot = into.child("*")
	}
	b.read(*slot, value, following)
}

func (b *coverageBuilder) keyword(into *coveredPlace, key string, value *yaml.Node) {
	switch {
	case key == "type":
		into.addTypes(value)
	case key == "enum":
		into.addEnum(value)
		into.keywords = append(into.keywords, newCoveredKeyword(key, value))
	case key == "required":
		for _, name := range value.Content {
			into.member(name.Value).required = true
			into.keywords = append(into.keywords, newCoveredKeyword(key, name))
		}
	case key == "uniqueItems" && value.Value != "true":
	case measuredKeywords[key]:
		into.keywords = append(into.keywords, newCoveredKeyword(key, value))
	case !silentKeywords[key] && !strings.HasPrefix(key, "x-"):
		b.unmeasured[unmeasuredAt(into, key)] = true
	}
}

func (p *coveredPlace) addTypes(value *yaml.Node) {
	names := value.Content
	if value.Kind == yaml.ScalarNode {
		names = []*yaml.Node{value}
	}
	for _, name := range names {
		if !slices.Contains(p.types, name.Value) {
			p.types = append(p.types, name.Value)
		}
	}
}

func (p *coveredPlace) addEnum(value *yaml.Node) {
	for _, one := range value.Content {
		known := func(v *coveredValue) bool { return v.key == nodeKey(one) }
		if one.Kind == yaml.ScalarNode && !slices.ContainsFunc(p.enum, known) {
			p.enum = append(p.enum, &coveredValue{text: one.Value, key: nodeKey(one)})
		}
	}
}

// measuredKeywords judge a value on their own, and the judge of schemas names them in its refusals.
var measuredKeywords = map[string]bool{
	"const": true, "contains": true, "dependentRequired": true, "exclusiveMaximum": true, "exclusiveMinimum": true,
	"format": true, "maxItems": true, "maxLength": true, "maxProperties": true, "maximum": true, "minItems": true,
	"minLength": true, "minProperties": true, "minimum": true, "multipleOf": true, "not": true, "pattern": true,
	"propertyNames": true, "uniqueItems": true,
}

// silentKeywords accept and refuse nothing.
var silentKeywords = map[string]bool{
	"$anchor": true, "$comment": true, "$defs": true, "$id": true, "$ref": true, "$schema": true, "contentEncoding": true,
	"contentMediaType": true, "default": true, "deprecated": true, "description": true, "discriminator": true,
	"example": true, "examples": true, "externalDocs": true, "if": true, "readOnly": true, "title": true,
	"writeOnly": true, "xml": true,
}
