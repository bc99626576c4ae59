package contracttests

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

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
		return string(r.data[start : r.pos-1]), true
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
	char, size := utf8.DecodeRune(r.data[r.pos:])
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
	code, err := strconv.ParseUint(string(r.data[r.pos+1:r.pos+5]), 16, 16)
	if err != nil {
		return 0, false
	}
	r.pos += 5
	return rune(code), true
}
