package bodies

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// bodyObject is an object as it is written: with an order, and perhaps with a name twice.
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

// with returns the object with a member set. A new member comes last.
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
	parts   spec.Place
	members bodyObject
}

// bases returns a small valid object for each choice of alternatives that has one.
func bases(s *spec.Schema, depth int) []bodyBase {
	var out []bodyBase
	var seen []spec.Place
	for turn := range maxTurns {
		parts := chosen(s, turn)
		if slices.ContainsFunc(seen, func(other spec.Place) bool { return slices.Equal(other, parts) }) {
			continue
		}
		seen = append(seen, parts)
		if !mayBe(parts, "object") {
			continue
		}
		if members, ok := exampleMembers(parts, depth); ok && accepts(s, members.text()) {
			out = append(out, bodyBase{parts, members})
		}
	}
	return out
}

// exampleMembers returns the required members.
func exampleMembers(parts spec.Place, depth int) (bodyObject, bool) {
	if depth > maxExampleDepth {
		return nil, false
	}
	var out bodyObject
	for _, part := range parts {
		for _, name := range part.Required {
			text, ok := memberText(parts, name, depth)
			if !ok {
				return nil, false
			}
			out = out.with(name, text)
		}
	}
	return out, true
}

// memberText returns a valid value for a member.
func memberText(parts spec.Place, name string, depth int) (string, bool) {
	schema := memberOf(parts, name)
	if schema == nil {
		return "1", true
	}
	return example(schema, depth+1)
}

// baseFor returns a base that was made for the part, or else any base.
func (p *sampler) baseFor(part *spec.Schema) (bodyBase, bool) {
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

// objects tries both sides of the keywords of objects. The values of members are tried at their own places.
func (p *sampler) objects(part *spec.Schema) {
	base, ok := p.baseFor(part)
	if !ok {
		return
	}
	for _, name := range part.Required {
		p.add(part, "required", "with "+name, base.members.text())
		p.add(part, "required", "without "+name, base.members.without(name).text())
	}
	if len(part.Properties) > 0 {
		p.declared(part, base)
	}
	if part.Additional != nil || len(part.Properties) > 0 {
		p.undeclared(part, base)
	}
}

// declared tries all members at once, each once, backwards, and one of them twice.
func (p *sampler) declared(part *spec.Schema, base bodyBase) {
	all := base.members
	for _, member := range part.Properties {
		if text, ok := memberText(base.parts, member.Name, 0); ok && !all.has(member.Name) {
			all = append(all[:len(all):len(all)], bodyEntry{member.Name, text})
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

// oddNames are names that objects of some languages already have, or that must be escaped in pointers and paths.
var oddNames = []string{
	"undeclared", "", " ", "a/b~c", "~1", "a.b", "$ref", "__proto__", "constructor", "toString", "é", "😀", "\x00",
	"null", "0", "-1", strings.Repeat("n", 300),
}

func (p *sampler) undeclared(part *spec.Schema, base bodyBase) {
	for _, name := range oddNames {
		text, ok := memberText(base.parts, name, 0)
		if !ok {
			text = "1"
		}
		p.add(part, "additionalProperties", "the member "+jsonText(judge.Clip(name, 20)),
			base.members.with(name, text).text())
	}
	if text, ok := refusedBy(part.Additional); ok {
		for _, name := range oddNames {
			p.add(part, "additionalProperties", "the member "+jsonText(judge.Clip(name, 20))+" with "+judge.Clip(text,
				20), base.members.with(name, text).text())
		}
	}
	p.add(part, "additionalProperties", "no other member", base.members.text())
	declared := base.parts.Properties()
	if len(declared) > 0 && declared[0] != "" {
		name := strings.ToUpper(declared[0])
		p.add(part, "additionalProperties", "a member in upper case", base.members.with(name, "[7]").text())
		p.add(part, "additionalProperties", "a member and a space", base.members.with(declared[0]+" ", "[7]").text())
	}
}

// refusedBy returns a text that a schema refuses. It returns false if it finds none. A nil schema refuses nothing.
func refusedBy(s *spec.Schema) (string, bool) {
	for _, text := range []string{"null", `"text"`, "0.5", "[]", "{}"} {
		if s != nil && !accepts(s, text) {
			return text, true
		}
	}
	return "", false
}

// free tries JSON of all kinds in a member that no schema describes.
func (p *sampler) free() {
	for _, base := range p.bases {
		const name = "any"
		if schema := memberOf(base.parts, name); schema != nil && !accepts(schema, `[{"a":[null,1e40]}]`) {
			continue
		}
		in := func(text string) string { return base.members.with(name, text).text() }
		for _, one := range append(oddTexts, [2]string{"literals", `[null,true,false,[],{},"",0]`},
			[2]string{"white space", " [ 1 ,\t2 ,\r\n3 ] "}) {
			p.add(nil, "free", one[0], in(one[1]))
		}
		for _, text := range oddNumbers {
			p.add(nil, "free", judge.Clip(text, 30), in(text))
		}
		for _, one := range append(brokenTexts, [2]string{"a member twice", `{"a":1,"b":2,"a":1}`},
			[2]string{"a member twice, far down", `[[{"":0,"":0}]]`}) {
			p.unreadable(one[0]+" in a free member", in(one[1]))
		}
		for _, text := range brokenNumbers {
			p.unreadable(text+" in a free member", in(text))
		}
		return
	}
}
