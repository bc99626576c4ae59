package bodies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// Belief is what the generator takes a body for.
type Belief string

// The beliefs, and what they have a service answer.
const (
	Valid      Belief = "valid"      // 200
	Invalid    Belief = "invalid"    // 422, with the broken places
	Unreadable Belief = "unreadable" // 400
)

// Case is one body with what it is made to show.
type Case struct {
	Name    string // stable: the place, the keyword, and what about it is tried
	Body    []byte
	Belief  Belief
	Loc     []any    // of the first broken place, as validation errors write it; nil where none is
	Broken  []string // JSON pointers of all broken places, sorted
	Keyword string   // of the schema where it has one of that name; else what it is about, such as "json" or "bytes"

	part *bodySchema // that has the keyword; nil where none does
	node *bodyNode   // that a random body was written from; nil of others
}

// BodyLimits are limits of a body that a document states in words, as no schema can. 0 is none.
type BodyLimits struct {
	Bytes   int // of the body; a longer one is unreadable
	Objects []ObjectLimit
}

// ObjectLimit limits a member of the body.
type ObjectLimit struct {
	Member string
	Bytes  int // of its JSON without insignificant white space
	Depth  int // levels of nesting, the member itself being the first
}

// organizationLimits are those of this repository's own API.
func organizationLimits() BodyLimits {
	return BodyLimits{Bytes: harness.MaxBodyBytes, Objects: []ObjectLimit{
		{"metadata", harness.MaxObjectBytes, harness.MaxObjectDepth}, {"default_llm_credentials", harness.MaxObjectBytes, harness.MaxObjectDepth},
	}}
}

// Generator makes bodies for one operation out of the schema of its request. It is safe for concurrent use.
type Generator struct {
	limits BodyLimits
	root   *bodyPlace
	places []*bodyPlace // all, in the order of the document
	cases  []Case
	gaps   []string
	random *rapid.Generator[*bodyNode]
}

// New reads the request schema of an operation of an OpenAPI 3.1 document. It fails if there is none. What it
// does not understand of the schema, or cannot show, is in Gaps.
func New(document []byte, op spec.Operation, limits BodyLimits) (*Generator, error) {
	schema, gaps, err := readBodySchema(document, op)
	if err != nil {
		return nil, fmt.Errorf("generating bodies for %s: %w", op, err)
	}
	g := &Generator{limits: limits, gaps: gaps}
	g.root = &bodyPlace{schema: schema, wrap: func(text string) string { return text }}
	g.walk(g.root, nil)
	if _, ok := schema.example(0); !ok {
		return nil, fmt.Errorf("generating bodies for %s: no valid body is found", op)
	}
	g.collect()
	g.missingSides()
	g.random = g.combinations()
	return g, nil
}

// Cases returns a body for every side of every keyword at every place of the schema, and what else readers of JSON get
// wrong. The same document always gives the same list; it must not be changed.
func (g *Generator) Cases() []Case { return g.cases }

// Gaps says what the generator does not understand or cannot show, sorted; nothing if there is none.
func (g *Generator) Gaps() []string { return g.gaps }

// collect makes the cases.
func (g *Generator) collect() {
	names := map[string]int{}
	add := func(c Case) {
		names[c.Name]++
		if n := names[c.Name]; n > 1 {
			c.Name += fmt.Sprintf(" (%d)", n)
		}
		g.cases = append(g.cases, c)
	}
	for _, place := range g.places {
		for i := range place.samples {
			sample := &place.samples[i]
			c := g.newCase(place.name(), sample.keyword, sample.side, place.wrap(sample.text), sample.unreadable)
			c.part = sample.part
			sample.belief = c.Belief
			add(c)
		}
		place.sort()
	}
	for _, c := range g.bodyCases() {
		add(c)
	}
}

func (g *Generator) newCase(place, keyword, side, body string, unreadable bool) Case {
	c := Case{Name: place + " " + keyword + ": " + side, Body: []byte(body), Keyword: keyword}
	g.judge(&c, unreadable)
	return c
}

// judge fills in what the generator takes a body for.
func (g *Generator) judge(c *Case, unreadable bool) {
	c.Belief, c.Broken = g.believe(c.Body, unreadable)
	if len(c.Broken) > 0 {
		c.Loc = []any{"body"}
		for token := range strings.SplitSeq(strings.TrimPrefix(c.Broken[0], "/"), "/") {
			if c.Broken[0] != "" {
				c.Loc = append(c.Loc, tokenUnescapes.Replace(token))
			}
		}
	}
}

// believe judges a body. Whether it can be read is known to whoever made it; everything else is found out.
func (g *Generator) believe(body []byte, unreadable bool) (Belief, []string) {
	if unreadable || g.limits.Bytes > 0 && len(body) > g.limits.Bytes {
		return Unreadable, nil
	}
	value, err := decoded(body)
	if err != nil {
		return Unreadable, nil
	}
	places := append(g.root.schema.broken(value, nil), g.limits.broken(body, value)...)
	if len(places) == 0 {
		return Valid, nil
	}
	pointers := make([]string, len(places))
	for i, place := range places {
		pointers[i] = judge.Pointer(place)
	}
	slices.Sort(pointers)
	return Invalid, slices.Compact(pointers)
}

// side is a keyword at a schema; both a valid and an invalid body have to show it.
type keywordSide struct {
	at      string
	keyword string
	belief  Belief
}

// missingSides finds the keywords of which the cases do not show both sides.
func (g *Generator) missingSides() {
	shown := map[keywordSide]bool{}
	for _, c := range g.cases {
		if c.part != nil {
			shown[keywordSide{c.part.at, c.Keyword, c.Belief}] = true
		}
	}
	seen := map[*bodySchema]bool{}
	for _, place := range g.places {
		for _, part := range place.schema.inPlace() {
			if seen[part] {
				continue
			}
			seen[part] = true
			for _, keyword := range part.keywords() {
				for _, belief := range []Belief{Valid, Invalid} {
					if !shown[keywordSide{part.at, keyword, belief}] {
						g.gaps = append(g.gaps, fmt.Sprintf("%s: no %s body shows %s", part.at, belief, keyword))
					}
				}
			}
		}
	}
	slices.SortFunc(g.gaps, cmp.Compare)
	g.gaps = slices.Compact(g.gaps)
}

// keywords returns the keywords of the schema that have two sides.
func (s *bodySchema) keywords() []string {
	var out []string
	for keyword, there := range map[string]bool{
		"type": len(s.types) > 0, "enum": len(s.enum) > 0, "const": s.constant != nil,
		"minLength": s.minLength != nil && *s.minLength > 0, "maxLength": s.maxLength != nil,
		"pattern": s.pattern != nil, "format": formatTable[s.format].notable(),
		"minimum": s.minimum != nil, "maximum": s.maximum != nil, "exclusiveMinimum": s.above != nil, "exclusiveMaximum": s.below != nil,
		"multipleOf": s.multipleOf != nil,
		"minItems":   s.minItems != nil && *s.minItems > 0, "maxItems": s.maxItems != nil, "uniqueItems": s.uniqueItems, "contains": s.contains != nil,
		"required": len(s.required) > 0, "dependentRequired": len(s.dependentRequired) > 0, "propertyNames": s.names != nil,
		"minProperties": s.minProperties != nil && *s.minProperties > 0, "maxProperties": s.maxProperties != nil,
		"additionalProperties": s.additional != nil && (s.additional.anyway == nil || !*s.additional.anyway),
	} {
		if there {
			out = append(out, keyword)
		}
	}
	return out
}
