package strictjson

import (
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// MergePatch returns the result of a JSON Merge Patch (RFC 7396) for target, as text without insignificant white space.
// Members that the patch does not name stay as they are written, in their places. New members come last, in the order
// of the patch. The result has at most as many levels of nesting as the deeper of the two (see Value.Depth). MergePatch
// recurses once a level, and takes time in proportion to the length of both texts.
func MergePatch(target, patch Value) string {
	return string(appendMerged(nil, target, patch))
}

func appendMerged(out []byte, target, patch Value) []byte {
	if patch.Kind() != Object {
		return appendCompact(out, patch)
	}
	changes := make(map[string]Value)
	for name, change := range patch.Members() {
		changes[name] = change
	}
	out = append(out, '{')
	first := len(out)
	member := func(name string) { // starts a member; the name is a literal
		if len(out) > first {
			out = append(out, ',')
		}
		out = append(append(out, name...), ':')
	}
	// A target that is not an object counts as an empty one. Members yields nothing for it.
	for literal, value := range target.literalMembers() {
		name := unquote(literal)
		change, changed := changes[name]
		delete(changes, name)
		switch {
		case !changed:
			member(literal)
			out = appendCompact(out, value)
		case change.Kind() != Null:
			member(literal)
			out = appendMerged(out, value, change)
		}
	}
	for literal, change := range patch.literalMembers() {
		if _, left := changes[unquote(literal)]; left && change.Kind() != Null {
			member(literal)
			out = appendMerged(out, Value{}, change)
		}
	}
	return append(out, '}')
}

// literalMembers is Members with the names as they are written, in quotes.
func (v Value) literalMembers() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for rest := v.nodes[1:]; len(rest) > 0; {
			name, end := rest[0], 1+rest[1].size
			if !yield(v.text[name.start:name.end], Value{v.text, rest[1:end]}) {
				return
			}
			rest = rest[end:]
		}
	}
}

func appendCompact(out []byte, v Value) []byte {
	// It cannot fail: v was checked.
	out, _ = jsontext.AppendFormat(out, v.Text(), jsontext.PreserveRawStrings(true))
	return out
}
