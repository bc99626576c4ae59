package bodies

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// bodyNode is a part of a random body: an object, an array, or a JSON text.
type bodyNode struct {
	place   *bodyPlace // that the text was drawn for; nil for what nobody declares
	text    string
	broken  bool // the text is not I-JSON
	object  bool
	array   bool
	entries []bodyChild // of an object or an array
	gap     string      // white space between
}

type bodyChild struct {
	name string // of a member
	node *bodyNode
}

// leaf reports whether the node is a JSON text.
func (n *bodyNode) leaf() bool { return !n.object && !n.array }

func (n *bodyNode) write(out *strings.Builder) {
	if n.leaf() {
		out.WriteString(n.text)
		return
	}
	open, end := "[", "]"
	if n.object {
		open, end = "{", "}"
	}
	out.WriteString(open)
	for i, child := range n.entries {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(n.gap)
		if n.object {
			out.WriteString(jsonText(child.name) + n.gap + ":" + n.gap)
		}
		child.node.write(out)
	}
	out.WriteString(n.gap + end)
}

// unreadable reports whether a part of the node is not I-JSON.
func (n *bodyNode) unreadable() bool {
	names := map[string]bool{}
	for _, child := range n.entries {
		if n.object && names[child.name] || child.node.unreadable() {
			return true
		}
		names[child.name] = true
	}
	return n.broken
}

// Combination returns a random body. The same seed and number give the same body. It has valid and invalid values of
// several members at once, some undeclared members, and now and then something that cannot be read.
//
// It does not use rapid.Check, whose seed and number of runs are flags of the whole process.
func (g *Generator) Combination(seed uint64, number int) Case {
	const spread = 0x9E3779B97F4A7C15 // so that runs of neighbouring seeds share no bodies
	node := g.random.Example(int(seed*spread + uint64(number)))
	return g.combined(node, fmt.Sprintf("body %d of seed %d", number, seed))
}

func (g *Generator) combined(node *bodyNode, name string) Case {
	var out strings.Builder
	node.write(&out)
	c := Case{Name: name, Keyword: "combination", Body: []byte(out.String()), node: node}
	g.judge(&c, node.unreadable())
	return c
}

// combinations returns the generator of random bodies.
func (g *Generator) combinations() *rapid.Generator[*bodyNode] {
	return rapid.Custom(func(t *rapid.T) *bodyNode {
		d := drawing{t: t}
		d.invalidity = oneOf(d, invalidities)
		return d.node(g.root)
	})
}

// invalidity says how many of the values in a body are wrong, in percent.
type invalidity struct{ invalid, unreadable int }

// invalidities are chosen so that all verdicts are common. One wrong value of many is enough to make a body wrong.
var invalidities = []invalidity{{}, {}, {invalid: 20}, {invalid: 40}, {invalid: 40}, {invalid: 90}, {unreadable: 20}, {invalid: 20, unreadable: 20}}

type drawing struct {
	t          *rapid.T
	invalidity invalidity
}

// below draws a number from 0 up to n, all with the same probability. Rapid's own draws prefer small numbers, and so
// they prefer the first values of a list.
func (d drawing) below(n int) int {
	drawn := 0
	for range bits.Len(uint(n)) + 3 {
		drawn *= 2
		if coin.Draw(d.t, "bit") {
			drawn++
		}
	}
	return drawn % n
}

var coin = rapid.Bool()

// chance is true with the probability of so many percent.
func (d drawing) chance(percent int) bool { return percent > 0 && d.below(100) >= 100-percent }

func oneOf[T any](d drawing, all []T) T { return all[d.below(len(all))] }

func (d drawing) node(p *bodyPlace) *bodyNode {
	switch {
	case len(p.members) > 0 && len(p.bases) > 0 && d.chance(90):
		return d.object(p)
	case len(p.items) > 0 && d.chance(60):
		return d.array(p)
	default:
		return d.leaf(p)
	}
}

func (d drawing) object(p *bodyPlace) *bodyNode {
	out := &bodyNode{place: p, object: true, gap: oneOf(d, []string{"", "", "", " ", "\r\n\t"})}
	base := oneOf(d, p.bases)
	for _, e := range base.members {
		out.entries = append(out.entries, bodyChild{e.name, &bodyNode{text: e.text}})
	}
	for _, member := range p.members {
		if d.chance(40) {
			out.set(member.path[len(member.path)-1], d.node(member))
		}
	}
	if d.chance(10) {
		other := oneOf(d, oddTexts)
		out.set(oneOf(d, oddNames), &bodyNode{text: other[1]})
	}
	if d.chance(d.invalidity.invalid / 4) {
		out.entries = slices.DeleteFunc(out.entries, func(bodyChild) bool { return d.chance(30) })
	}
	if d.chance(d.invalidity.unreadable) && len(out.entries) > 0 {
		out.entries = append(out.entries, oneOf(d, out.entries))
	}
	if len(out.entries) > 1 && d.chance(50) {
		out.entries = rapid.Permutation(out.entries).Draw(d.t, "order")
	}
	return out
}

// set gives a member its value.
func (n *bodyNode) set(name string, value *bodyNode) {
	for i := range n.entries {
		if n.entries[i].name == name {
			n.entries[i].node = value
			return
		}
	}
	n.entries = append(n.entries, bodyChild{name, value})
}

func (d drawing) array(p *bodyPlace) *bodyNode {
	out := &bodyNode{place: p, array: true}
	for range d.below(5) {
		item := oneOf(d, p.items)
		out.entries = append(out.entries, bodyChild{node: d.node(item)})
	}
	return out
}

// leaf draws one of the place's samples.
func (d drawing) leaf(p *bodyPlace) *bodyNode {
	want := Valid
	if d.chance(d.invalidity.invalid) {
		want = Invalid
	}
	if d.chance(d.invalidity.unreadable) {
		want = Unreadable
	}
	pool := p.pools[want]
	if long := p.long[want]; len(pool) == 0 || len(long) > 0 && d.chance(1) && d.chance(30) {
		pool = long
	}
	if len(pool) == 0 {
		pool = p.pools[Valid]
	}
	if len(pool) == 0 {
		pool = p.short
	}
	s := oneOf(d, pool)
	return &bodyNode{place: p, text: s.text, broken: s.unreadable}
}

// shrink returns the smallest body that it finds that still fails.
func (n *bodyNode) shrink(fails func(*bodyNode) bool) *bodyNode {
	const attempts = 400
	left := attempts
	for smaller := true; smaller; {
		smaller = false
		for _, next := range n.simpler() {
			if left--; left < 0 {
				return n
			}
			if fails(next) {
				n, smaller = next, true
				break
			}
		}
	}
	return n
}

// simpler returns nodes that are one step simpler, the boldest steps first.
func (n *bodyNode) simpler() []*bodyNode {
	var out []*bodyNode
	for i := range n.entries {
		next := *n
		next.entries = slices.Concat(n.entries[:i], n.entries[i+1:])
		out = append(out, &next)
	}
	if n.gap != "" {
		next := *n
		next.gap = ""
		out = append(out, &next)
	}
	for i, child := range n.entries {
		for _, simple := range child.node.simpler() {
			next := *n
			next.entries = slices.Clone(n.entries)
			next.entries[i].node = simple
			out = append(out, &next)
		}
	}
	if n.leaf() && n.place != nil {
		for _, s := range n.place.shorter(len(n.text)) {
			out = append(out, &bodyNode{place: n.place, text: s.text, broken: s.unreadable})
		}
	}
	return out
}
