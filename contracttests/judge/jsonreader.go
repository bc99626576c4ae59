package judge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth bounds recursion. Common parsers refuse deeper nesting too.
const MaxDepth = 10_000

// Fault is a departure of a text from I-JSON (RFC 7493).
type Fault struct {
	Rule     Rule
	path     []string
	expected string
	got      string
}

// ReadJSON reads one JSON text. Common readers silently repair what has to be found here: they take the last of several
// equal names, and they put U+FFFD in place of invalid UTF-8 and lone surrogates. That is why the package has its own.
// Numbers come back as json.Number, exactly as written.
//
// ok is false where there is no value. Other faults leave a value that can be judged further.
func ReadJSON(data []byte) (value any, faults []Fault, ok bool) {
	r := readers.Get().(*jsonReader)
	defer r.free()
	r.data = string(data) // the only copy of the texts, which the value shares
	r.space()
	value, ok = r.value(0)
	if !ok {
		return nil, r.faults, false
	}
	r.space()
	if r.pos < len(r.data) {
		r.fault(RuleJSONTrailingData, "one JSON value and nothing after it",
			fmt.Sprintf("%s after byte %d", count(len(r.data)-r.pos, "more byte"), r.pos))
	}
	return value, r.faults, true
}

type jsonReader struct {
	data    string
	pos     int
	path    []string
	members []member // of the objects that are not read to their end
	faults  []Fault
}

// readers has the readers that are not in use, for their memory.
var readers = sync.Pool{New: func() any { return &jsonReader{} }}

func (r *jsonReader) free() {
	*r = jsonReader{path: r.path[:0], members: r.members[:0]}
	readers.Put(r)
}

type member struct {
	name  string
	value any
}

func (r *jsonReader) fault(rule Rule, expected, got string) {
	r.faults = append(r.faults, Fault{rule, slices.Clone(r.path), expected, got})
}

// malformed records a fault that ends the reading.
func (r *jsonReader) malformed(expected string) bool {
	got := "the end of the text"
	if r.pos < len(r.data) {
		char, size := utf8.DecodeRuneInString(r.data[r.pos:])
		got = fmt.Sprintf("%q at byte %d", char, r.pos)
		if char == utf8.RuneError && size == 1 {
			r.fault(RuleJSONInvalidUTF8, "UTF-8", fmt.Sprintf("byte 0x%02X at byte %d", r.data[r.pos], r.pos))
			return false
		}
	}
	r.fault(RuleJSONMalformed, expected, got)
	return false
}

func (r *jsonReader) space() {
	for r.pos < len(r.data) && isJSONSpace(r.data[r.pos]) {
		r.pos++
	}
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (r *jsonReader) peek() byte {
	if r.pos < len(r.data) {
		return r.data[r.pos]
	}
	return 0
}

// take consumes c if it is next, after white space.
func (r *jsonReader) take(c byte) bool {
	r.space()
	if r.pos < len(r.data) && r.data[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *jsonReader) value(depth int) (any, bool) {
	if depth > MaxDepth {
		return nil, r.malformed(fmt.Sprintf("at most %d levels", MaxDepth))
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case r.literal("null"):
		return nil, true
	case r.literal("true"):
		return true, true
	case r.literal("false"):
		return false, true
	default:
		return nil, r.malformed("a JSON value")
	}
}

func (r *jsonReader) literal(word string) bool {
	if !strings.HasPrefix(r.data[r.pos:], word) {
		return false
	}
	r.pos += len(word)
	return true
}

func (r *jsonReader) object(depth int) (any, bool) {
	first := len(r.members)
	ok := r.readMembers(depth)
	object := make(map[string]any, len(r.members)-first) // which need not grow
	for _, m := range r.members[first:] {
		before := len(object)
		object[m.name] = m.value
		if len(object) == before {
			r.path = append(r.path, m.name)
			r.fault(RuleJSONDuplicateMember, "each name once", "the name again")
			r.path = r.path[:len(r.path)-1]
		}
	}
	clear(r.members[first:]) // a reader that is not in use keeps no value
	r.members = r.members[:first]
	return object, ok
}

func (r *jsonReader) readMembers(depth int) bool {
	r.take('{')
	if r.take('}') {
		return true
	}
	for {
		r.space()
		if r.peek() != '"' {
			return r.malformed("a member's name")
		}
		name, ok := r.text()
		if !ok {
			return false
		}
		if !r.take(':') {
			return r.malformed(`":"`)
		}
		if !r.member(name, depth) {
			return false
		}
		if r.take('}') {
			return true
		}
		if !r.take(',') {
			return r.malformed(`"," or "}"`)
		}
	}
}

func (r *jsonReader) member(name string, depth int) bool {
	i := len(r.members)
	r.members = append(r.members, member{name: name})
	r.path = append(r.path, name)
	r.space()
	value, ok := r.value(depth + 1)
	r.path = r.path[:len(r.path)-1]
	r.members[i].value = value
	return ok
}

func (r *jsonReader) array(depth int) (any, bool) {
	items := []any{}
	r.take('[')
	if r.take(']') {
		return items, true
	}
	for {
		r.space()
		r.path = append(r.path, strconv.Itoa(len(items)))
		item, ok := r.value(depth + 1)
		r.path = r.path[:len(r.path)-1]
		if !ok {
			return nil, false
		}
		items = append(items, item)
		if r.take(']') {
			return items, true
		}
		if !r.take(',') {
			return nil, r.malformed(`"," or "]"`)
		}
	}
}

func (r *jsonReader) number() (any, bool) {
	start := r.pos
	if !r.skipNumber() {
		return nil, false
	}
	return json.Number(r.data[start:r.pos]), true
}

func (r *jsonReader) skipNumber() bool {
	if r.peek() == '-' {
		r.pos++
	}
	if r.peek() == '0' {
		r.pos++
	} else if !r.digits() {
		return r.malformed("a digit")
	}
	if r.peek() == '.' {
		r.pos++
		if !r.digits() {
			return r.malformed("a digit after the point")
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if !r.digits() {
			return r.malformed("a digit in the exponent")
		}
	}
	return true
}

func (r *jsonReader) digits() bool {
	start := r.pos
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.pos++
	}
	return r.pos > start
}

// text reads a string. Bytes that are not UTF-8 and halves of surrogate pairs are faults and become U+FFFD; a U+FFFD
// that was sent as such is text like any other.
func (r *jsonReader) text() (string, bool) {
	r.pos++ // the opening quote
	start := r.pos
	for r.pos < len(r.data) && plain(r.data[r.pos]) {
		r.pos++
	}
	if r.peek() == '"' {
		r.pos++
		return r.data[start : r.pos-1], true
	}
	out := append([]byte(nil), r.data[start:r.pos]...)
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return string(out), true
		case c < ' ':
			return "", r.malformed("control characters escaped")
		case c == '\\':
			char, ok := r.escape()
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, char)
		default:
			out = utf8.AppendRune(out, r.char())
		}
	}
	return "", r.malformed("the end of the string")
}

func plain(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }

func (r *jsonReader) char() rune {
	char, size := utf8.DecodeRuneInString(r.data[r.pos:])
	if char == utf8.RuneError && size == 1 {
		r.fault(RuleJSONInvalidUTF8, "UTF-8", fmt.Sprintf("byte 0x%02X at byte %d", r.data[r.pos], r.pos))
	}
	r.pos += size
	return char
}

var shortEscapes = map[byte]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func (r *jsonReader) escape() (rune, bool) {
	r.pos++ // the backslash
	if char, ok := shortEscapes[r.peek()]; ok {
		r.pos++
		return char, true
	}
	first, ok := r.unit()
	if !ok {
		return 0, r.malformed("an escape")
	}
	if !utf16.IsSurrogate(first) {
		return first, true
	}
	mark := r.pos
	if r.peek() == '\\' {
		r.pos++
		if second, ok := r.unit(); ok {
			if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
				return char, true
			}
		}
		r.pos = mark // what follows stands for itself
	}
	r.fault(RuleJSONLoneSurrogate, "surrogates in pairs", fmt.Sprintf(`\u%04X alone before byte %d`, first, mark))
	return utf8.RuneError, true
}

// unit reads uXXXX, one UTF-16 code unit.
func (r *jsonReader) unit() (rune, bool) {
	if r.peek() != 'u' || len(r.data)-r.pos < 5 {
		return 0, false
	}
	code, err := strconv.ParseUint(r.data[r.pos+1:r.pos+5], 16, 16)
	if err != nil {
		return 0, false
	}
	r.pos += 5
	return rune(code), true
}
