package bodies

import (
	"slices"
	"strconv"

	"organizations-api/contracttests/judge"
)

// bodyPlace is a place of a body that the schema says something of.
type bodyPlace struct {
	path    []string
	schema  *bodySchema
	wrap    func(text string) string // puts a text there, into a body that is valid otherwise
	samples []placedSample
	bases   []bodyBase
	members []*bodyPlace // places of members, by the last of their path
	items   []*bodyPlace // places of items

	pools, long map[Belief][]bodySample // by what a body is that is valid otherwise
	short       []bodySample            // all, the shortest first
}

// longText is the length from which a text is drawn seldom: it costs as much as a hundred others.
const longText = 3000

// sort makes the pools that random bodies are drawn from, when it is known what the samples are.
func (p *bodyPlace) sort() {
	p.pools, p.long = map[Belief][]bodySample{}, map[Belief][]bodySample{}
	seen := map[string]bool{}
	for _, s := range p.samples {
		if seen[s.text] {
			continue
		}
		seen[s.text] = true
		p.short = append(p.short, s.bodySample)
		pools := p.pools
		if len(s.text) >= longText {
			pools = p.long
		}
		pools[s.belief] = append(pools[s.belief], s.bodySample)
	}
	slices.SortStableFunc(p.short, func(a, b bodySample) int { return len(a.text) - len(b.text) })
}

// shorter returns a few of the samples that are shorter than n bytes.
func (p *bodyPlace) shorter(n int) []bodySample {
	const few = 40
	end, _ := slices.BinarySearchFunc(p.short, n, func(s bodySample, n int) int { return len(s.text) - n })
	return p.short[:min(end, few)]
}

// placedSample is a sample with what a body is that has it at a place, everything else being valid.
type placedSample struct {
	bodySample
	belief Belief
}

func (p *bodyPlace) name() string {
	if len(p.path) == 0 {
		return "body"
	}
	return judge.Pointer(p.path)
}

// maxLevels bounds how deep places are looked for. A schema that refers to itself is gone into once.
const maxLevels = 10

// walk finds the samples of a place and goes on to the places within it. above are the schemas that it is within.
func (g *Generator) walk(place *bodyPlace, above []*bodySchema) {
	g.places = append(g.places, place)
	s := newSampler(place.schema)
	for _, sample := range s.samples() {
		place.samples = append(place.samples, placedSample{bodySample: sample})
	}
	place.bases = s.bases
	above = append(above[:len(above):len(above)], s.parts...)
	if len(place.path) == maxLevels {
		g.gaps = append(g.gaps, place.name()+": what is within is too deep")
		return
	}
	g.walkMembers(place, above)
	g.walkItems(place, above)
}

func (g *Generator) walkMembers(place *bodyPlace, above []*bodySchema) {
	var seen []childKey
	for _, base := range place.bases {
		for _, name := range memberNames(base.parts) {
			schema := memberOf(base.parts, name)
			if !fresh(&seen, name, schema) || circular(schema, above) {
				continue
			}
			child := &bodyPlace{path: judge.ChildPath(place.path, name), schema: schema, wrap: func(text string) string {
				return place.wrap(base.withNeeds(name, text).text())
			}}
			place.members = append(place.members, child)
			g.walk(child, above)
		}
	}
}

// memberNames returns the names that the parts declare and, of each rule for others, one that it is for.
func memberNames(parts []*bodySchema) []string {
	out := declaredNames(parts)
	for _, part := range parts {
		for _, p := range part.patterns {
			out = append(out, matches(p.pattern.String())[0])
		}
		if part.additional == nil || part.additional.anyway != nil {
			continue
		}
		for _, name := range append([]string{"any"}, possibleNames(parts, 1)...) {
			if nameTaken(parts, name) && memberOf([]*bodySchema{part}, name) == part.additional {
				out = append(out, name)
				break
			}
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return memberOf(parts, name) == nil })
}

func (g *Generator) walkItems(place *bodyPlace, above []*bodySchema) {
	var seen []childKey
	for turn := range maxTurns {
		parts := place.schema.chosen(turn)
		items, ok := exampleItems(parts, 0)
		if !mayBe(parts, "array") || !ok {
			continue
		}
		for i := range items {
			schema := itemOf(parts, i)
			if schema == nil || !fresh(&seen, "", schema) || circular(schema, above) {
				continue
			}
			child := &bodyPlace{path: judge.ChildPath(place.path, strconv.Itoa(i)), schema: schema, wrap: func(text string) string {
				out := slices.Clone(items)
				out[i] = text
				return place.wrap(arrayText(out))
			}}
			place.items = append(place.items, child)
			g.walk(child, above)
		}
	}
}

// childKey tells apart the places within a place: alternatives may say different things of one member.
type childKey struct {
	name  string
	parts []*bodySchema
}

func fresh(seen *[]childKey, name string, schema *bodySchema) bool {
	key := childKey{name, schema.inPlace()}
	if len(schema.at) > 0 && len(key.parts) > 1 && key.parts[0].ref == nil && len(key.parts[0].allOf) > 0 {
		key.parts = key.parts[1:] // what was put together here is new each time
	}
	if slices.ContainsFunc(*seen, func(other childKey) bool {
		return other.name == key.name && slices.Equal(other.parts, key.parts)
	}) {
		return false
	}
	*seen = append(*seen, key)
	return true
}

// circular reports whether a schema is one of those above it, or leads to one at once.
func circular(schema *bodySchema, above []*bodySchema) bool {
	for _, part := range schema.inPlace() {
		if slices.Contains(above, part) && (len(part.properties) > 0 || part.items != nil) {
			return true
		}
	}
	return false
}
