package bodies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// bodySample is one JSON text to try at a place.
type bodySample struct {
	text       string
	keyword    string
	side       string      // what about the keyword is tried
	part       *bodySchema // that has the keyword; nil where it is about no keyword of the document
	unreadable bool        // the text is not I-JSON
}

// sampler collects what is worth trying at one place. It decides nothing: whether a sample is valid is found by judging
// the whole body.
type sampler struct {
	schema *bodySchema
	parts  []*bodySchema // all that judge the place
	bases  []bodyBase
	all    []bodySample
}

func newSampler(schema *bodySchema) *sampler {
	return &sampler{schema: schema, parts: schema.inPlace(), bases: schema.bases(0)}
}

func (p *sampler) add(part *bodySchema, keyword, side, text string) {
	p.all = append(p.all, bodySample{text: text, keyword: keyword, side: side, part: part})
}

// unreadable adds a text that no reader of I-JSON may take.
func (p *sampler) unreadable(side, text string) {
	p.all = append(p.all, bodySample{text: text, keyword: "json", side: side, unreadable: true})
}

func (p *sampler) mayBe(types ...string) bool { return mayBe(p.parts, types...) }

// samples returns all that is worth trying.
func (p *sampler) samples() []bodySample {
	for _, part := range p.parts {
		p.types(part)
		p.values(part)
		p.bounds(part)
		p.lengths(part)
		p.patterns(part)
		p.formats(part)
		p.arrays(part)
		p.objects(part)
	}
	if p.mayBe("integer", "number") {
		p.numbers()
	}
	if p.mayBe("string") {
		p.strings()
	}
	if p.mayBe("object") {
		p.free()
	}
	return p.all
}

// types tries a value of each JSON type.
func (p *sampler) types(part *bodySchema) {
	if len(part.types) == 0 {
		return
	}
	for _, one := range [][2]string{
		{"null", "null"}, {"true", "true"}, {"false", "false"}, {"an integer", "7"}, {"a fraction", "1.5"}, {"a text", `"text"`},
		{"digits in a text", `"20"`}, {"an empty array", "[]"}, {"an array", `["text"]`}, {"an empty object", "{}"}, {"an object", `{"a":"text"}`},
	} {
		p.add(part, "type", one[0], one[1])
	}
	if text, ok := p.schema.example(0); ok {
		p.add(part, "type", "an example", text)
	}
}

// values tries what enum and const name, and what comes near.
func (p *sampler) values(part *bodySchema) {
	for i, value := range part.enum {
		p.near(part, "enum", fmt.Sprintf("value %d", i), value)
	}
	if part.constant != nil {
		p.near(part, "const", "the value", *part.constant)
	}
}

func (p *sampler) near(part *bodySchema, keyword, side string, value any) {
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

// decoded reads a text that is known to be JSON. Of two members of one name it keeps the last.
func decoded(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// taken reports whether a schema takes a text.
func (s *bodySchema) taken(text string) bool {
	value, err := decoded([]byte(text))
	return err == nil && s.takes(value)
}

const (
	maxTurns        = 16 // choices of alternatives that are tried in search of a valid value
	maxExampleDepth = 12 // levels of members that must be there
)

// example returns a valid value, and false where none is found.
func (s *bodySchema) example(depth int) (string, bool) {
	for turn := range maxTurns {
		parts := s.chosen(turn)
		for _, text := range simpleTexts(parts) {
			if s.taken(text) {
				return text, true
			}
		}
		if mayBe(parts, "array") {
			if items, ok := exampleItems(parts, depth); ok && s.taken(arrayText(items)) {
				return arrayText(items), true
			}
		}
	}
	for _, base := range s.bases(depth) {
		return base.members.text(), true
	}
	for _, text := range []string{"null", "true", "false"} {
		if s.taken(text) {
			return text, true
		}
	}
	return "", false
}

// simpleTexts returns scalars that the parts suggest.
func simpleTexts(parts []*bodySchema) []string {
	var out []string
	for _, part := range parts {
		for _, value := range part.enum {
			out = append(out, jsonText(value))
		}
		if part.constant != nil {
			out = append(out, jsonText(*part.constant))
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
