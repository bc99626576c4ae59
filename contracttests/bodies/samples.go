package bodies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"organizations-api/contracttests/spec"
)

// bodySample is one JSON text to try at a place.
type bodySample struct {
	text       string
	keyword    string
	side       string       // what about the keyword is tried
	part       *spec.Schema // that has the keyword; nil if the sample is about no keyword of the document
	unreadable bool         // the text is not I-JSON
}

// sampler collects the texts that are worth trying at one place. It does not decide whether they are valid, because the
// generator judges whole bodies.
type sampler struct {
	schema *spec.Schema
	parts  spec.Place // all that judge the value
	bases  []bodyBase
	all    []bodySample
}

func newSampler(schema *spec.Schema) *sampler {
	return &sampler{schema: schema, parts: schema.Place(), bases: bases(schema, 0)}
}

func (p *sampler) add(part *spec.Schema, keyword, side, text string) {
	p.all = append(p.all, bodySample{text: text, keyword: keyword, side: side, part: part})
}

// unreadable adds a text that no reader of I-JSON may accept.
func (p *sampler) unreadable(side, text string) {
	p.all = append(p.all, bodySample{text: text, keyword: "json", side: side, unreadable: true})
}

// samples returns all texts that are worth trying.
func (p *sampler) samples() []bodySample {
	for _, part := range p.parts {
		p.types(part)
		p.values(part)
		p.bounds(part)
		p.lengths(part)
		p.patterns(part)
		p.formats(part)
		p.objects(part)
	}
	if mayBe(p.parts, "integer", "number") {
		p.numbers()
	}
	if mayBe(p.parts, "string") {
		p.strings()
	}
	if mayBe(p.parts, "object") {
		p.free()
	}
	return p.all
}

// types tries a value of each JSON type.
func (p *sampler) types(part *spec.Schema) {
	if len(part.Types) == 0 {
		return
	}
	for _, one := range [][2]string{
		{"null", "null"}, {"true", "true"}, {"false", "false"}, {"an integer", "7"}, {"a fraction", "1.5"},
		{"a text", `"text"`},
		{"digits in a text", `"20"`}, {"an empty array", "[]"}, {"an array", `["text"]`}, {"an empty object", "{}"},
		{"an object", `{"a":"text"}`},
	} {
		p.add(part, "type", one[0], one[1])
	}
	if text, ok := example(p.schema, 0); ok {
		p.add(part, "type", "an example", text)
	}
}

// values tries the values of an enum, and similar values.
func (p *sampler) values(part *spec.Schema) {
	for i, value := range part.Enum {
		p.near(part, "enum", fmt.Sprintf("value %d", i), value)
	}
}

func (p *sampler) near(part *spec.Schema, keyword, side string, value any) {
	text := jsonText(value)
	p.add(part, keyword, side, text)
	p.add(part, keyword, side+" in an array", "["+text+"]")
	switch value := value.(type) {
	case string:
		p.add(part, keyword, side+" and more", jsonText(value+"x"))
		p.add(part, keyword, side+" and a space", jsonText(value+" "))
		p.add(part, keyword, side+" in upper case", jsonText(strings.ToUpper(value)))
	case json.Number:
		p.add(part, keyword, side+" as text", `"`+text+`"`)
		p.add(part, keyword, side+" and a bit", ratJSON(rational(value), 1))
	default:
		p.add(part, keyword, side+" as text", jsonText(text))
	}
}

// jsonText writes a value as JSON.
func jsonText(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Errorf("writing a sample: %w", err)) // trees of decoded JSON always encode
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// decoded reads a JSON text. If two members have the same name, it keeps the last.
func decoded(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

const (
	maxTurns        = 16 // choices of alternatives that are tried in search of a valid value
	maxExampleDepth = 12 // levels of members that must be there
)

// example returns a valid value. It returns false if it finds none.
func example(s *spec.Schema, depth int) (string, bool) {
	for turn := range maxTurns {
		parts := chosen(s, turn)
		for _, text := range simpleTexts(parts) {
			if accepts(s, text) {
				return text, true
			}
		}
		if mayBe(parts, "array") {
			if text := exampleArray(parts, depth); accepts(s, text) {
				return text, true
			}
		}
	}
	for _, base := range bases(s, depth) {
		return base.members.text(), true
	}
	for _, text := range []string{"null", "true", "false"} {
		if accepts(s, text) {
			return text, true
		}
	}
	return "", false
}

// exampleArray returns an array with one valid item, or the empty one if there is no such item.
func exampleArray(parts spec.Place, depth int) string {
	items := itemOf(parts)
	if items == nil {
		return "[1]"
	}
	if depth <= maxExampleDepth {
		if item, ok := example(items, depth+1); ok {
			return "[" + item + "]"
		}
	}
	return "[]"
}

// simpleTexts returns scalars that the parts suggest.
func simpleTexts(parts spec.Place) []string {
	var out []string
	for _, part := range parts {
		for _, value := range part.Enum {
			out = append(out, jsonText(value))
		}
	}
	if mayBe(parts, "string") {
		for _, text := range plainTexts(parts) {
			out = append(out, jsonText(text))
		}
	}
	if mayBe(parts, "integer", "number") {
		for _, bound := range numberBounds(parts) {
			out = append(out, ratJSON(bound, 0), ratJSON(bound, 1))
		}
		out = append(out, "1", "0", "0.5")
	}
	return slices.Compact(out)
}
