package mutants

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// rawObject is a JSON object whose members keep their order and their values' text, so that changing one changes nothing
// else.
type rawObject []rawMember

type rawMember struct{ name, raw string }

// readRawObject reads an object. It returns false for everything that is not a well-formed one.
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

// quoteRaw returns the text as JSON, without the escapes that are for HTML.
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

// set changes a member in its place, or adds it.
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

// change changes the text of a member that is there.
func (o *rawObject) change(name string, change func(raw string) (string, bool)) {
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

// editRaw returns the text of an object with changes, and the very text where there are none or it is no object.
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

// mergeRaw returns the text of an object whose members take the place of another's.
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
