// Package ijson reads JSON texts that have one meaning only: I-JSON (RFC 7493). A text must be UTF-8, hold exactly one
// value, name no member of an object twice, and hold no half of a surrogate pair. Noncharacters, which RFC 7493 rules out as
// well, are let pass: they are read in one way everywhere. Numbers and the order of members stay as they were written, so
// that a value can be stored and given back unchanged.
//
// It exists because encoding/json replaces bad text silently, keeps the last of two members, and rounds numbers. It must
// import nothing but the standard library and knows nothing of organizations.
package ijson

import (
	"iter"
	"strings"
)

// Kind is the type of a JSON value.
type Kind int

// The kinds of RFC 8259, section 3; true and false are one kind.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is one checked JSON value. The zero Value is null. It is immutable and safe for concurrent use.
type Value struct {
	text  string // without surrounding white space; "" is null
	depth int
}

// Parse checks text and returns its value, or a *SyntaxError. The time is linear in the text's length and the stack does
// not grow with its nesting. The value does not refer to text afterwards.
func Parse(text []byte) (Value, error) {
	var ( // what everyday texts need, so that they need no memory but that of their copy
		open  [8]container
		names [few]string
	)
	// All values, and strings without escapes, are parts of this one copy.
	s := scanner{text: string(text), open: open[:0], names: names[:0]}
	if err := s.scan(); err != nil {
		return Value{}, err
	}
	return Value{text: strings.Trim(s.text, " \t\r\n"), depth: s.deepest}, nil
}

// Text returns the value as it was written, without surrounding white space.
func (v Value) Text() string {
	if v.text == "" {
		return "null"
	}
	return v.text
}

// Kind returns the type of the value.
func (v Value) Kind() Kind {
	switch v.Text()[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		return Number
	}
}

// Depth returns how many objects and arrays are nested, the value itself being the first; 0 if it is neither.
func (v Value) Depth() int { return v.depth }

// Str returns the characters of a string value, and "" for any other kind.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	return unquote(v.text)
}

// Compact returns the value's text without insignificant white space.
func (v Value) Compact() string {
	text := v.Text()
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
			i++
		case '"':
			end := stringEnd(text, i)
			out = append(out, text[i:end]...)
			i = end
		default:
			out = append(out, text[i])
			i++
		}
	}
	return string(out)
}

// Members goes through the members of an object in the order in which they were written. It yields nothing for any
// other kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		text := v.text
		for i := skipSpace(text, 1); text[i] != '}'; {
			nameEnd := stringEnd(text, i)
			name := unquote(text[i:nameEnd])
			i = skipSpace(text, skipSpace(text, nameEnd)+1) // over the colon
			end, depth := valueEnd(text, i)
			if !yield(name, Value{text: text[i:end], depth: depth}) {
				return
			}
			if i = skipSpace(text, end); text[i] == ',' {
				i = skipSpace(text, i+1)
			}
		}
	}
}

// Elements goes through the elements of an array in their order. It yields nothing for any other kind.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		text := v.text
		for i, n := skipSpace(text, 1), 0; text[i] != ']'; n++ {
			end, depth := valueEnd(text, i)
			if !yield(n, Value{text: text[i:end], depth: depth}) {
				return
			}
			if i = skipSpace(text, end); text[i] == ',' {
				i = skipSpace(text, i+1)
			}
		}
	}
}

// The functions below walk a text that was checked before, and rely on it.

func skipSpace(text string, i int) int {
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n' {
		i++
	}
	return i
}

// stringEnd returns the index after the string that starts at i.
func stringEnd(text string, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the index after the value that starts at i, and the value's depth.
func valueEnd(text string, i int) (end, deepest int) {
	for depth := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
			continue
		default:
			i = scalarEnd(text, i)
		}
		if depth == 0 {
			return i, deepest
		}
	}
	return i, deepest
}

// scalarEnd returns the index after the number or literal that starts at i.
func scalarEnd(text string, i int) int {
	for i < len(text) {
		switch text[i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
	return i
}
