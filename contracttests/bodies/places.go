package bodies

import (
	"slices"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// bodyPlace is a place of a body that the schema describes.
type bodyPlace struct {
	path    []string
	schema  *spec.Schema
	wrap    func(text string) string // returns a body with a text at the place, valid otherwise
	samples []placedSample
	bases   []bodyBase
	members []*bodyPlace // the last of their path is the name
	items   []*bodyPlace

	pools, long map[Belief][]bodySample // by what they make a body that is valid otherwise
	short       []bodySample            // all, the shortest first
}

// longText is the length of a long text. Such a text is drawn seldom, because it costs as much as a hundred others.
const longText = 3000

// sort fills the pools that random bodies are drawn from, once the samples are judged.
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

// placedSample is a sample at a place. belief is the belief about a body that is valid except for the sample.
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

// maxLevels bounds the depth of places. A schema that refers to itself is entered once.
const maxLevels = 10

// walk finds the samples of a place and those of the places within it. above are the schemas around the place.
func (g *Generator) walk(place *bodyPlace, above spec.Place) {
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

func (g *Generator) walkMembers(place *bodyPlace, above spec.Place) {
	var seen []childKey
	for _, base := range place.bases {
		for _, name := range memberNames(base.parts) {
			schema := memberOf(base.parts, name)
			if len(membersOf(base.parts, name)) > 1 {
				g.gaps = append(g.gaps, place.name()+": several schemas describe the member "+name)
			}
			if !fresh(&seen, name, schema) || circular(schema, above) {
				continue
			}
			child := &bodyPlace{path: judge.ChildPath(place.path, name), schema: schema, wrap: func(text string) string {
				return place.wrap(base.members.with(name, text).text())
			}}
			place.members = append(place.members, child)
			g.walk(child, above)
		}
	}
}

// memberNames returns the names that the parts declare, and one more if they describe other members.
func memberNames(parts spec.Place) []string {
	out := parts.Properties()
	for _, part := range parts {
		if part.Additional != nil && part.Additional.Bool == nil && memberOf(parts, "any") == part.Additional {
			out = append(out, "any")
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return memberOf(parts, name) == nil })
}

func (g *Generator) walkItems(place *bodyPlace, above spec.Place) {
	var seen []childKey
	for turn := range maxTurns {
		parts := chosen(place.schema, turn)
		schema := itemOf(parts)
		if !mayBe(parts, "array") || schema == nil || !fresh(&seen, "", schema) || circular(schema, above) {
			continue
		}
		child := &bodyPlace{path: judge.ChildPath(place.path, "0"), schema: schema, wrap: func(text string) string {
			return place.wrap("[" + text + "]")
		}}
		place.items = append(place.items, child)
		g.walk(child, above)
	}
}

// childKey tells apart the places within a place. Alternatives may describe one member differently.
type childKey struct {
	name  string
	parts spec.Place
}

func fresh(seen *[]childKey, name string, schema *spec.Schema) bool {
	key := childKey{name, schema.Place()}
	if slices.ContainsFunc(*seen, func(other childKey) bool {
		return other.name == key.name && slices.Equal(other.parts, key.parts)
	}) {
		return false
	}
	*seen = append(*seen, key)
	return true
}

// circular reports whether a schema, or one of the schemas that it combines, is already among the schemas above.
func circular(schema *spec.Schema, above spec.Place) bool {
	for _, part := range schema.Place() {
		if slices.Contains(above, part) && (len(part.Properties) > 0 || part.Items != nil) {
			return true
		}
	}
	return false
}
