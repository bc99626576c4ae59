package bodies

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/judge"
)

// bodyObject is an object as it is written: in order, and with names twice where that is tried.
type bodyObject []bodyEntry

type bodyEntry struct{ name, text string }

func (o bodyObject) text() string {
	entries := make([]string, len(o))
	for i, e := range o {
		entries[i] = jsonText(e.name) + ":" + e.text
	}
	return "{" + strings.Join(entries, ",") + "}"
}

func (o bodyObject) has(name string) bool {
	return slices.ContainsFunc(o, func(e bodyEntry) bool { return e.name == name })
}

func (o bodyObject) without(name string) bodyObject {
	return slices.DeleteFunc(slices.Clone(o), func(e bodyEntry) bool { return e.name == name })
}

// with returns the object with a member set, at the end where it is new.
func (o bodyObject) with(name, text string) bodyObject {
	out := slices.Clone(o)
	for i := range out {
		if out[i].name == name {
			out[i].text = text
			return out
		}
	}
	return append(out, bodyEntry{name, text})
}

// bodyBase is a small valid object with the schemas that it is made for.
type bodyBase struct {
	parts   []*bodySchema
	members bodyObject
}

// bases returns a small valid object for each choice of alternatives that has one.
func (s *bodySchema) bases(depth int) []bodyBase {
	var out []bodyBase
	var seen [][]*bodySchema
	for turn := range maxTurns {
		parts := s.chosen(turn)
		if slices.ContainsFunc(seen, func(other []*bodySchema) bool { return slices.Equal(other, parts) }) {
			continue
		}
		seen = append(seen, parts)
		if !mayBe(parts, "object") {
			continue
		}
		if members, ok := exampleMembers(parts, depth); ok && s.taken(members.text()) {
			out = append(out, bodyBase{parts, members})
		}
	}
	return out
}

// exampleMembers returns the members that must be there, and so many more that there are enough.
func exampleMembers(parts []*bodySchema, depth int) (bodyObject, bool) {
	if depth > maxExampleDepth {
		return nil, false
	}
	var out bodyObject
	least := 0
	for _, part := range parts {
		for _, name := range part.required {
			if out.has(name) {
				continue
			}
			text, ok := memberText(parts, name, depth)
			if !ok {
				return nil, false
			}
			out = append(out, bodyEntry{name, text})
		}
		if part.minProperties != nil {
			least = max(least, *part.minProperties)
		}
	}
	return grown(parts, out, least, depth)
}

// memberText returns a valid value for a member.
func memberText(parts []*bodySchema, name string, depth int) (string, bool) {
	schema := memberOf(parts, name)
	if schema == nil {
		return "1", true
	}
	return schema.example(depth + 1)
}

// grown returns the object with members added until it has n, declared ones first.
func grown(parts []*bodySchema, o bodyObject, n, depth int) (bodyObject, bool) {
	for _, name := range append(declaredNames(parts), possibleNames(parts, n)...) {
		if len(o) >= n {
			break
		}
		if o.has(name) {
			continue
		}
		if text, ok := memberText(parts, name, depth); ok {
			o = append(o, bodyEntry{name, text})
		}
	}
	return o, len(o) >= n
}

func declaredNames(parts []*bodySchema) []string {
	var out []string
	for _, part := range parts {
		for _, p := range part.properties {
			if !slices.Contains(out, p.name) {
				out = append(out, p.name)
			}
		}
	}
	return out
}

// possibleNames returns n names that nobody declares and that the parts allow.
func possibleNames(parts []*bodySchema, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("m%d", i))
	}
	for _, part := range parts {
		for _, p := range part.patterns {
			out = append(out, matches(p.pattern.String())...)
		}
		if part.names != nil {
			out = append(out, plainTexts(part.names.inPlace())...)
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return !nameTaken(parts, name) })
}

func nameTaken(parts []*bodySchema, name string) bool {
	return !slices.ContainsFunc(parts, func(part *bodySchema) bool { return part.names != nil && !part.names.takes(name) })
}

// baseFor returns a base that the part is one of, or else any.
func (p *sampler) baseFor(part *bodySchema) (bodyBase, bool) {
	for _, base := range p.bases {
		if slices.Contains(base.parts, part) {
			return base, true
		}
	}
	if len(p.bases) == 0 {
		return bodyBase{}, false
	}
	return p.bases[0], true
}

// objects tries both sides of the keywords of objects. Members are places of their own.
func (p *sampler) objects(part *bodySchema) {
	base, ok := p.baseFor(part)
	if !ok {
		return
	}
	for _, name := range part.required {
		p.add(part, "required", "with "+name, base.members.text())
		p.add(part, "required", "without "+name, base.members.without(name).text())
	}
	for _, d := range part.dependentRequired {
		p.dependent(part, base, d)
	}
	p.counts(part, base)
	if len(part.properties) > 0 {
		p.declared(part, base)
	}
	if part.additional != nil || len(part.properties) > 0 {
		p.undeclared(part, base)
	}
	if part.names != nil {
		for _, text := range append(plainTexts(part.names.inPlace()), "no name", "", "é", "NAME", "x-") {
			if value, ok := memberText(base.parts, text, 0); ok {
				p.add(part, "propertyNames", judge.Clip(text, 40), base.members.with(text, value).text())
			}
		}
	}
}

// withNeeds returns the members with one more and those that it needs.
func (b bodyBase) withNeeds(name, text string) bodyObject {
	out := b.members.with(name, text)
	for _, part := range b.parts {
		for _, d := range part.dependentRequired {
			if d.name != name {
				continue
			}
			for _, need := range d.needs {
				if text, ok := memberText(b.parts, need, 0); ok && !out.has(need) {
					out = out.with(need, text)
				}
			}
		}
	}
	return out
}

func (p *sampler) dependent(part *bodySchema, base bodyBase, d bodyDependency) {
	text, ok := memberText(base.parts, d.name, 0)
	if !ok {
		return
	}
	with := base.withNeeds(d.name, text)
	p.add(part, "dependentRequired", d.name+" with what it needs", with.text())
	p.add(part, "dependentRequired", "no "+d.name, with.without(d.name).text())
	for _, name := range d.needs {
		p.add(part, "dependentRequired", d.name+" without "+name, with.without(name).text())
	}
}

func (p *sampler) counts(part *bodySchema, base bodyBase) {
	grow := func(keyword, side string, n int) {
		members := base.members
		if len(members) > n {
			members = members[:max(n, 0)]
		}
		if members, ok := grown(base.parts, members, n, 0); ok && n >= 0 {
			p.add(part, keyword, side, members.text())
		}
	}
	if n := part.minProperties; n != nil {
		grow("minProperties", fmt.Sprintf("at %d", *n), *n)
		grow("minProperties", fmt.Sprintf("one under %d", *n), *n-1)
	}
	if n := part.maxProperties; n != nil {
		grow("maxProperties", fmt.Sprintf("at %d", *n), *n)
		grow("maxProperties", fmt.Sprintf("one over %d", *n), *n+1)
	}
}

// declared tries all members at once, each once, backwards, and one of them twice.
func (p *sampler) declared(part *bodySchema, base bodyBase) {
	all := base.members
	for _, member := range part.properties {
		if text, ok := memberText(base.parts, member.name, 0); ok && !all.has(member.name) {
			all = append(all[:len(all):len(all)], bodyEntry{member.name, text})
		}
	}
	p.add(part, "properties", "all", all.text())
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	p.add(part, "properties", "all, backwards", backwards.text())
	if len(all) == 0 {
		return
	}
	one := all[0]
	if one.name == "" || one.name[0] >= utf8.RuneSelf {
		return
	}
	p.unreadable("the same member twice", append(all[:len(all):len(all)], one).text())
	p.unreadable("a member twice, the second null", append(all[:len(all):len(all)], bodyEntry{one.name, "null"}).text())
	escaped := fmt.Sprintf(`"\u%04x%s":%s`, one.name[0], one.name[1:], one.text)
	p.unreadable("a member twice, once escaped", "{"+escaped+","+all.text()[1:])
}

// oddNames are names that somebody's objects have already, or that pointers and paths have to escape.
var oddNames = []string{
	"undeclared", "", " ", "a/b~c", "~1", "a.b", "$ref", "__proto__", "constructor", "toString", "é", "😀", "\x00", "null", "0", "-1", strings.Repeat("n", 300),
}

// otherMembers returns what the schema says of members that it does not name.
func (s *bodySchema) otherMembers() *bodySchema {
	if s.additional == nil {
		return &bodySchema{}
	}
	return s.additional
}

func (p *sampler) undeclared(part *bodySchema, base bodyBase) {
	for _, name := range oddNames {
		text, ok := memberText(base.parts, name, 0)
		if !ok {
			text = "1"
		}
		p.add(part, "additionalProperties", "the member "+jsonText(judge.Clip(name, 20)), base.members.with(name, text).text())
	}
	if text, ok := refusedBy(part.otherMembers(), nil); ok {
		for _, name := range oddNames {
			p.add(part, "additionalProperties", "the member "+jsonText(judge.Clip(name, 20))+" with "+judge.Clip(text, 20), base.members.with(name, text).text())
		}
	}
	p.add(part, "additionalProperties", "no other member", base.members.text())
	declared := declaredNames(base.parts)
	if len(declared) > 0 && declared[0] != "" {
		name := strings.ToUpper(declared[0])
		p.add(part, "additionalProperties", "a member in upper case", base.members.with(name, "[7]").text())
		p.add(part, "additionalProperties", "a member and a space", base.members.with(declared[0]+" ", "[7]").text())
	}
}

// free tries what only a member that nobody describes can hold: everything.
func (p *sampler) free() {
	for _, base := range p.bases {
		const name = "any"
		if memberOf(base.parts, name) != nil && !memberOf(base.parts, name).taken(`[{"a":[null,1e400]}]`) {
			continue
		}
		in := func(text string) string { return base.members.with(name, text).text() }
		for _, one := range append(oddTexts, [2]string{"literals", `[null,true,false,[],{},"",0]`}, [2]string{"white space", " [ 1 ,\t2 ,\r\n3 ] "}) {
			p.add(nil, "free", one[0], in(one[1]))
		}
		for _, text := range oddNumbers {
			p.add(nil, "free", judge.Clip(text, 30), in(text))
		}
		for _, one := range append(brokenTexts, [2]string{"a member twice", `{"a":1,"b":2,"a":1}`}, [2]string{"a member twice, far down", `[[{"":0,"":0}]]`}) {
			p.unreadable(one[0]+" in a free member", in(one[1]))
		}
		for _, text := range brokenNumbers {
			p.unreadable(text+" in a free member", in(text))
		}
		return
	}
}
