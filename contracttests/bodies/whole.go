package bodies

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// broken returns the paths of the values that exceed the limits. refused are the paths that the schema refuses.
func (l BodyLimits) broken(body []byte, value any, refused [][]string) [][]string {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	found := l.brokenObjects(body, object)
	for _, name := range l.Numbers {
		if _, ok := object[name].(map[string]any); ok {
			found = append(found, overflows(object[name], []string{name})...)
		}
	}
	for _, name := range l.Mail {
		if text, ok := object[name].(string); ok && reservedHost(text) {
			found = append(found, []string{name})
		}
	}
	for _, names := range l.Aliases {
		if l.disagree(object, names, refused) {
			found = append(found, []string{names[1]})
		}
	}
	return found
}

// overflows returns the paths of the numbers in a value that round to infinity as a float64. They are larger than the
// largest float64 by at least half of its last place. It copies the path of such a number alone: generated values are
// thousands of levels deep.
func overflows(value any, path []string) [][]string {
	var found [][]string
	switch value := value.(type) {
	case json.Number:
		most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1024), new(big.Int).Lsh(big.NewInt(1), 970))
		if n := rational(value); n.Abs(n).Cmp(new(big.Rat).SetInt(most)) >= 0 {
			found = append(found, slices.Clone(path))
		}
	case map[string]any:
		for name, one := range value {
			found = append(found, overflows(one, append(path, name))...)
		}
	case []any:
		for i, one := range value {
			found = append(found, overflows(one, append(path, strconv.Itoa(i)))...)
		}
	}
	return found
}

// reservedHost reports whether the host of an address is reserved.
func reservedHost(address string) bool {
	_, host, _ := strings.Cut(strings.ToLower(address), "@")
	labels := strings.Split(host, ".")
	if len(labels) > 1 && slices.Contains([]string{"arpa", "invalid", "local", "localhost", "onion", "test"},
		labels[len(labels)-1]) {
		return true
	}
	return slices.ContainsFunc(labels, func(label string) bool {
		return len(label) >= 4 && label[2:4] == "--" && !strings.HasPrefix(label, "xn")
	})
}

// disagree reports whether two names of one member have different values. It compares the members that the schemas
// declare, by value. If a schema refuses one of the two names, it compares nothing and returns false.
func (l BodyLimits) disagree(object map[string]any, names [2]string, refused [][]string) bool {
	one, hasOne := object[names[0]]
	other, hasOther := object[names[1]]
	if !hasOne || !hasOther || !l.Merges && (one == nil || other == nil) {
		return false
	}
	if slices.ContainsFunc(refused, func(path []string) bool {
		return len(path) > 0 &&
			slices.Contains(names[:], path[0])
	}) {
		return false
	}
	return !equalJSON(declaredLimits(one), declaredLimits(other))
}

// declaredLimits returns the limits without members that are not categories.
func declaredLimits(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	out := map[string]any{}
	for _, name := range []string{"metadata", "data", "search", "upload", "compute"} {
		if limit, ok := object[name]; ok {
			out[name] = limit
		}
	}
	return out
}

// brokenObjects returns the paths of the objects that have too many bytes or levels.
func (l BodyLimits) brokenObjects(body []byte, object map[string]any) [][]string {
	if len(l.Objects) == 0 {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil
	}
	var found [][]string
	for _, limit := range l.Objects {
		if _, ok := object[limit.Member].(map[string]any); !ok {
			continue
		}
		if size, depth := measure(raw[limit.Member]); size > limit.Bytes || depth > limit.Depth {
			found = append(found, []string{limit.Member})
		}
	}
	return found
}

// measure returns the size of a JSON text without insignificant white space, and its levels of nesting.
func measure(text []byte) (size, deepest int) {
	quoted, depth := false, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
			size++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
		size++
	}
	return size, deepest
}

// bodyCases are about the body as a whole and about the limits in words.
func (g *Generator) bodyCases() []Case {
	whole, _ := example(g.root.schema, 0)
	for _, base := range g.root.bases {
		all := base.members
		for _, name := range base.parts.Properties() {
			if text, ok := memberText(base.parts, name, 0); ok {
				all = all.with(name, text)
			}
		}
		if accepts(g.root.schema, all.text()) {
			whole = all.text()
			break
		}
	}
	cases := g.textCases(whole)
	if g.limits.Bytes > 0 {
		cases = append(cases, g.sizeCases(whole)...)
	}
	for _, limit := range g.limits.Objects {
		cases = append(cases, g.objectCases(limit)...)
	}
	return cases
}

// textCases are bodies with something around the text, and bodies that are cut off.
func (g *Generator) textCases(whole string) []Case {
	var cases []Case
	add := func(side, body string, unreadable bool) {
		cases = append(cases, g.newCase("body", "json", side, body, unreadable))
	}
	add("all members", whole, false)
	add("white space around", " \r\n\t"+whole+"\t\n\r ", false)
	for _, one := range [][2]string{
		{"nothing", ""}, {"white space alone", " \t\r\n"}, {"byte order mark", "\ufeff" + whole},
		{"no-break space before", "\u00a0" + whole},
		{"form feed after", whole + "\f"}, {"NUL after", whole + "\x00"}, {"a comma after", whole + ","},
		{"a brace after", whole + "}"},
		{"two values", whole + whole}, {"two lines of values", whole + "\n" + whole},
		{"a word after", whole + " null"}, {"no last byte", whole[:len(whole)-1]},
		{"half of it", whole[:len(whole)/2]}, {"a comment", "/* a */" + whole}, {"a comment line", whole + "// a\n"},
		{"a comma before the end", `{"a":1,}`},
		{"a comma too many", `{"a":1,,"b":2}`}, {"no colon", `{"a" 1}`}, {"no value", `{"a":}`}, {"no name", `{:1}`},
		{"a name without quotes", `{a:1}`},
		{"single quotes", `{'a':1}`}, {"a number for a name", `{1:1}`}, {"null for a name", `{null:1}`},
		{"an open array", `{"a":[1}`}, {"mixed brackets", `{"a":[1}]`},
		{"upper-case literal", `{"a":TRUE}`}, {"half a literal", `{"a":nul}`}, {"undefined", `{"a":undefined}`},
		{"a form", "a=1&b=2"}, {"XML", "<a>1</a>"},
		{"UTF-16", "\x00{\x00}"}, {"UTF-16 with its mark", "\xff\xfe{\x00}\x00"}, {"gzip", "\x1f\x8b\x08\x00\x00"},
		{"a byte between", "{\xff}"},
		{"a name that is no UTF-8", "{\"\xff\":1}"}, {"a surrogate in a name", `{"\ud800":1}`},
		{"a name twice", `{"a":1,"a":1}`}, {"a name twice, once escaped", `{"a":1,"\u0061":1}`},
		{"the empty name twice", `{"":1,"":2}`}, {"opened 5000 times", strings.Repeat("[", 5000)}, {"closed", "]"},
		{"a raw line feed in a name", "{\"a\nb\":1}"},
	} {
		add(one[0], one[1], true)
	}
	return cases
}

// sizeCases are bodies at and over the limit of bytes.
func (g *Generator) sizeCases(whole string) []Case {
	var cases []Case
	for _, one := range []struct {
		side string
		size int
	}{{"at", g.limits.Bytes}, {"one under", g.limits.Bytes - 1}, {"one over", g.limits.Bytes + 1},
		{"twice", 2 * g.limits.Bytes}} {
		room := strings.Repeat(" ", max(0, one.size-len(whole)))
		cases = append(cases,
			g.newCase("body", "bytes", one.side+" by white space after", whole+room, false),
			g.newCase("body", "bytes", one.side+" by white space before", room+whole, false),
			g.newCase("body", "bytes", one.side+" by a text", `"`+strings.Repeat("x", one.size-2)+`"`, false),
			g.newCase("body", "bytes", one.side+" and cut off", room+whole[:len(whole)-1], true),
		)
		for _, base := range g.root.bases {
			with := base.members.with("any", `""`).text()
			body := strings.Replace(with, `""`, `"`+strings.Repeat("x", one.size-len(with))+`"`, 1)
			cases = append(cases, g.newCase("body", "bytes", one.side+" by another member", body, false))
			break
		}
	}
	return cases
}

// objectCases are objects at and over a limit of bytes or depth.
func (g *Generator) objectCases(limit ObjectLimit) []Case {
	var cases []Case
	put := func(keyword, side, text string) {
		for _, place := range g.root.members {
			if place.path[0] == limit.Member {
				cases = append(cases, g.newCase(place.name(), keyword, side, place.wrap(text), false))
				return
			}
		}
	}
	for _, one := range []struct {
		side string
		n    int
	}{{"at", limit.Bytes}, {"one over", limit.Bytes + 1}} {
		const rest = len(`{"a":""}`)
		put("bytes", one.side, `{"a":"`+strings.Repeat("x", one.n-rest)+`"}`)
		put("bytes", one.side+" and white space", ` { "a" : "`+strings.Repeat("x",
			one.n-rest)+`" }`+strings.Repeat(" ", 1000))
		put("bytes", one.side+" in spaces", `{"a":"`+strings.Repeat(" ", one.n-rest)+`"}`)
		put("bytes", one.side+" in 2 bytes each", `{"a":"`+strings.Repeat("x", (one.n-rest)%2)+strings.Repeat("é",
			(one.n-rest)/2)+`"}`)
		put("bytes", one.side+" in escapes", `{"a":"`+strings.Repeat("x", (one.n-rest)%6)+strings.Repeat(`\u0041`,
			(one.n-rest)/6)+`"}`)
		put("bytes", one.side+" in a name", `{"`+strings.Repeat("n", one.n-len(`{"":""}`))+`":""}`)
	}
	for _, n := range []int{2, limit.Depth - 1, limit.Depth, limit.Depth + 1, 2 * limit.Depth, 5000} {
		side := fmt.Sprintf("%d levels of ", n)
		put("depth", side+"objects", nestedText(n, `{"a":`, "}"))
		put("depth", side+"arrays", `{"a":`+nestedText(n-1, "[", "]")+"}")
		put("depth", side+"both", `{"a":`+nestedText((n-1)/2, `[{"a":`, "}]")+"}")
	}
	put("depth", "brackets in a text", `{"a":"`+strings.Repeat("[{", limit.Depth)+`"}`)
	put("depth", "levels side by side", `{"a":[`+strings.Repeat("[],", 4*limit.Depth)+`[]]}`)
	return cases
}

// nestedText returns a number within n levels of nesting.
func nestedText(n int, open, end string) string {
	return strings.Repeat(open, n) + "0" + strings.Repeat(end, n)
}
