package mutants

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// rawObject is a JSON object whose members keep their order and the text of their values. To change one member changes
// nothing else.
type rawObject []rawMember

type rawMember struct{ name, raw string }

// readRawObject reads an object. It returns false if the text is not a well-formed object.
func readRawObject(text []byte) (rawObject, bool) {
	if _, faults, ok := judge.ReadJSON(text); !ok || len(faults) > 0 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	o := rawObject{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, false
		}
		o = append(o, rawMember{name.(string), string(raw)})
	}
	return o, true
}

// text returns the object as JSON.
func (o rawObject) text() []byte {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quoteRaw(m.name)...)
		out = append(out, ':')
		out = append(out, m.raw...)
	}
	return append(out, '}')
}

// quoteRaw returns the text as a JSON string, without escapes for HTML.
func quoteRaw(text string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // strings always encode
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n")))
}

func (o rawObject) index(name string) int {
	return slices.IndexFunc(o, func(m rawMember) bool { return m.name == name })
}

func (o rawObject) get(name string) (raw string, ok bool) {
	if i := o.index(name); i >= 0 {
		return o[i].raw, true
	}
	return "", false
}

// set changes a member in its place, or adds it at the end.
func (o *rawObject) set(name, raw string) {
	if i := o.index(name); i >= 0 {
		*o = slices.Clone(*o)
		(*o)[i].raw = raw
		return
	}
	*o = append(slices.Clip(*o), rawMember{name, raw})
}

func (o *rawObject) drop(name string) {
	*o = slices.DeleteFunc(slices.Clone(*o), func(m rawMember) bool { return m.name == name })
}

// textChange returns the changed JSON text of a value. It returns false if it leaves the value as it is.
type textChange = func(raw string) (string, bool)

// change changes the text of a member that is there.
func (o *rawObject) change(name string, change textChange) {
	raw, ok := o.get(name)
	if !ok {
		return
	}
	if changed, ok := change(raw); ok {
		o.set(name, changed)
	}
}

// nested changes a member that is an object itself.
func (o *rawObject) nested(name string, edit func(o *rawObject)) {
	o.change(name, func(raw string) (string, bool) {
		inner, ok := readRawObject([]byte(raw))
		if !ok {
			return "", false
		}
		before := slices.Clone(inner)
		edit(&inner)
		return string(inner.text()), !slices.Equal(before, inner)
	})
}

// editRaw returns the text of an object with changes. It returns the same text if nothing changes, or if it is not an
// object.
func editRaw(text []byte, edit func(o *rawObject)) []byte {
	o, ok := readRawObject(text)
	if !ok {
		return text
	}
	before := slices.Clone(o)
	edit(&o)
	if slices.Equal(before, o) {
		return text
	}
	return o.text()
}

// mergeRaw returns the text of an object with the members of another one put over its own.
func mergeRaw(under, over string) (string, bool) {
	below, ok := readRawObject([]byte(under))
	above, alsoOK := readRawObject([]byte(over))
	if !ok || !alsoOK {
		return "", false
	}
	for _, m := range above {
		below.set(m.name, m.raw)
	}
	return string(below.text()), true
}

// unquoteRaw returns the value of a JSON string.
func unquoteRaw(raw string) (string, bool) {
	var text *string
	if json.Unmarshal([]byte(raw), &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

// readRawList returns the texts of the items of a list.
func readRawList(text string) ([]string, bool) {
	var raw []json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, false
	}
	items := make([]string, len(raw))
	for i, item := range raw {
		items[i] = string(item)
	}
	return items, true
}

func rawList(items []string) string { return "[" + strings.Join(items, ",") + "]" }

// without removes a member.
func without(name string) func(o *rawObject) { return func(o *rawObject) { o.drop(name) } }

// with gives a member a value.
func with(name, value string) func(o *rawObject) { return func(o *rawObject) { o.set(name, value) } }

// becoming returns a change into a fixed text. If texts to change from are given, it changes those alone.
func becoming(text string, from ...string) textChange {
	return func(raw string) (string, bool) { return text, len(from) == 0 || slices.Contains(from, raw) }
}

// matching returns a change of the texts that match a pattern.
func matching(pattern string, change func(raw string) string) textChange {
	re := regexp.MustCompile(pattern)
	return func(raw string) (string, bool) {
		if !re.MatchString(raw) {
			return "", false
		}
		return change(raw), true
	}
}

// to is for matching: a change into a fixed text.
func to(text string) func(string) string { return func(string) string { return text } }

// byValue returns a change of strings by their values.
func byValue(change func(text string) (string, bool)) textChange {
	return func(raw string) (string, bool) {
		text, ok := unquoteRaw(raw)
		if !ok {
			return "", false
		}
		text, ok = change(text)
		return quoteRaw(text), ok
	}
}

func ending(text string) textChange {
	return func(raw string) (string, bool) { return raw + text, true }
}

func replacing(old, text string) textChange {
	return func(raw string) (string, bool) { return strings.Replace(raw, old, text, 1), true }
}
