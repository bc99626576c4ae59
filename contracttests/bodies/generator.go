// Package bodies makes request bodies from the schema of a request: valid, invalid and unreadable bodies, for both
// sides of every keyword. Its checks send them to a service and compare the answers with the document.
//
// It must not use the compiled schemas of package judge, so that its beliefs are a second opinion.
package bodies

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// Belief is the generator's opinion of a body.
type Belief string

// For each belief, a service must give a certain answer.
const (
	Valid      Belief = "valid"      // 200
	Invalid    Belief = "invalid"    // 422, with the broken places
	Unreadable Belief = "unreadable" // 400
)

// Case is one body and what it tests.
type Case struct {
	Name    string // stable: the place, the keyword, and what about it is tried
	Body    []byte
	Belief  Belief
	Loc     []any    // of the first broken place, as validation errors write it; nil if none is broken
	Broken  []string // JSON pointers of all broken places, sorted
	Keyword string   // of the schema, or what else the body is about, such as "json" or "bytes"

	part *spec.Schema // that has the keyword; nil if none has
	node *bodyNode    // what a random body was written from; nil for others
}

// BodyLimits are limits that a document states in words, because no schema can state them. 0 means no limit.
type BodyLimits struct {
	Bytes   int // of the body; a longer one is unreadable
	Objects []ObjectLimit
	Numbers []string    // members whose numbers a float64 must be able to hold
	Mail    []string    // members that are addresses, which must not have a reserved host
	Aliases [][2]string // members that are two names of one; null is a value in a merge patch alone
	Merges  bool        // the body is a JSON Merge Patch
}

// ObjectLimit limits a member of the body.
type ObjectLimit struct {
	Member string
	Bytes  int // of its JSON without insignificant white space
	Depth  int // levels of nesting, the member itself being the first
}

// organizationLimits are the limits of the organizations API.
func organizationLimits(merges bool) BodyLimits {
	return BodyLimits{Bytes: harness.MaxBodyBytes, Objects: []ObjectLimit{
		{"metadata", harness.MaxObjectBytes, harness.MaxObjectDepth}, {"default_llm_credentials", harness.MaxObjectBytes, harness.MaxObjectDepth},
	}, Numbers: []string{"metadata"}, Mail: []string{"billing_email", "notifications_email"},
		Aliases: [][2]string{{"rate_limits", "rate_limit_overrides"}}, Merges: merges}
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

// New returns a generator for the JSON body of an operation, or, if the limits say so, for its JSON Merge Patch. It
// returns an error if there is no such body, or if it finds no valid value of the schema. Gaps lists the parts of the
// schema that the generator does not understand or cannot test.
func New(op *spec.Operation, limits BodyLimits) (*Generator, error) {
	schema := bodySchema(op, limits.Merges)
	if schema == nil {
		return nil, errors.New("generating bodies: the operation has no JSON body with a schema")
	}
	g := &Generator{limits: limits, gaps: gaps(schema)}
	g.root = &bodyPlace{schema: schema, wrap: func(text string) string { return text }}
	g.walk(g.root, nil)
	if _, ok := example(schema, 0); !ok {
		return nil, fmt.Errorf("generating bodies for %s: no valid body is found", op)
	}
	g.collect()
	g.missingSides()
	g.random = g.combinations()
	return g, nil
}

// bodySchema returns the schema of an operation's JSON body, or of its JSON Merge Patch, or nil.
func bodySchema(op *spec.Operation, merges bool) *spec.Schema {
	if op == nil || op.Body == nil {
		return nil
	}
	for _, media := range op.Body.Content {
		if judge.IsJSON(media.Name) && (media.Name == harness.MergePatchType) == merges && media.Schema != nil {
			return media.Schema.Schema
		}
	}
	return nil
}

// Cases returns bodies for both sides of every keyword at every place of the schema, and bodies that readers of JSON
// often misread. The same document always gives the same list. The caller must not change it.
func (g *Generator) Cases() []Case { return g.cases }

// Gaps returns the parts of the schema that the generator does not understand or cannot test, sorted.
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

var tokenUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// judge fills in the generator's belief about a body.
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

// believe returns the belief about a body. The caller says whether it is readable JSON. believe finds out everything
// else.
func (g *Generator) believe(body []byte, unreadable bool) (Belief, []string) {
	if unreadable || g.limits.Bytes > 0 && len(body) > g.limits.Bytes {
		return Unreadable, nil
	}
	value, err := decoded(body)
	if err != nil {
		return Unreadable, nil
	}
	places := broken(g.root.schema, value, nil)
	places = append(places, g.limits.broken(body, value, places)...)
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

// keywordSide is a keyword of a schema and a belief. There must be a body with this belief that tests the keyword.
type keywordSide struct {
	part    *spec.Schema
	keyword string
	belief  Belief
}

// missingSides adds a gap for each keyword that has no valid case, or no invalid one.
func (g *Generator) missingSides() {
	shown := map[keywordSide]bool{}
	for _, c := range g.cases {
		if c.part != nil {
			shown[keywordSide{c.part, c.Keyword, c.Belief}] = true
		}
	}
	seen := map[*spec.Schema]bool{}
	for _, place := range g.places {
		for _, part := range place.schema.Place() {
			if seen[part] {
				continue
			}
			seen[part] = true
			for _, keyword := range keywords(part) {
				for _, belief := range []Belief{Valid, Invalid} {
					if !shown[keywordSide{part, keyword, belief}] {
						g.gaps = append(g.gaps, fmt.Sprintf("%s: no %s body shows %s", part.Where, belief, keyword))
					}
				}
			}
		}
	}
	slices.SortFunc(g.gaps, cmp.Compare)
	g.gaps = slices.Compact(g.gaps)
}
