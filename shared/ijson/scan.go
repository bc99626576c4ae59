package ijson

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError says why and where a text is not I-JSON. Its message never quotes the text, which may hold secrets.
type SyntaxError struct {
	Offset int    // bytes before the problem
	Reason string // a clause, such as "the text ends too early"
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

// scanner checks a text without recursion, so that deep nesting costs memory in proportion and never the stack.
type scanner struct {
	text    string
	pos     int
	open    []container
	names   []string // of the members so far of all open objects
	deepest int
}

// container is an object or array whose end is still to come.
type container struct {
	object bool
	first  int                 // where the names of an object's members begin in scanner.names
	many   map[string]struct{} // the same names, from the moment on when they are too many to compare each with each
}

// few is how many names are compared each with each: with more of them, a map is faster.
const few = 24

func (s *scanner) scan() error {
	for {
		opened, err := s.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		more, err := s.afterValue()
		if err != nil {
			return err
		}
		if !more {
			return s.end()
		}
	}
}

// value reads a value that is complete in itself, or only the opening of a container that has content.
func (s *scanner) value() (opened bool, err error) {
	s.space()
	switch c := s.peek(); {
	case c == '{':
		return s.openContainer(true, '}')
	case c == '[':
		return s.openContainer(false, ']')
	case c == '"':
		return false, s.str()
	case c == '-' || digit(c):
		return false, s.number()
	case c == 't':
		return false, s.literal("true")
	case c == 'f':
		return false, s.literal("false")
	case c == 'n':
		return false, s.literal("null")
	default:
		return false, s.fail("a value is expected")
	}
}

func (s *scanner) openContainer(object bool, closing byte) (opened bool, err error) {
	s.pos++
	s.deepest = max(s.deepest, len(s.open)+1)
	s.space()
	if s.peek() == closing {
		s.pos++
		return false, nil
	}
	s.open = append(s.open, container{object: object, first: len(s.names)})
	if object {
		return true, s.name()
	}
	return true, nil
}

// afterValue reads closings and the comma after a value. It reports whether another value has to follow.
func (s *scanner) afterValue() (more bool, err error) {
	for len(s.open) > 0 {
		s.space()
		object, first := s.open[len(s.open)-1].object, s.open[len(s.open)-1].first
		switch c := s.peek(); {
		case c == ',':
			s.pos++
			if object {
				return true, s.name()
			}
			return true, nil
		case c == '}' && object, c == ']' && !object:
			s.pos++
			s.open, s.names = s.open[:len(s.open)-1], s.names[:first]
		case object:
			return false, s.fail("a comma or } is expected")
		default:
			return false, s.fail("a comma or ] is expected")
		}
	}
	return false, nil
}

// name reads a member's name and its colon.
func (s *scanner) name() error {
	s.space()
	if s.peek() != '"' {
		return s.fail("a member name in double quotes is expected")
	}
	start := s.pos
	if err := s.str(); err != nil {
		return err
	}
	if !s.addName(unquote(s.text[start:s.pos])) {
		return &SyntaxError{start, "an object has two members of the same name"}
	}
	s.space()
	if s.peek() != ':' {
		return s.fail("a colon is expected")
	}
	s.pos++
	return nil
}

// addName adds to the names of the innermost object. It reports false where the object has the name already.
func (s *scanner) addName(name string) bool {
	top := &s.open[len(s.open)-1]
	if names := s.names[top.first:]; top.many == nil && len(names) < few {
		if slices.Contains(names, name) {
			return false
		}
		s.names = append(s.names, name)
		return true
	} else if top.many == nil {
		top.many = make(map[string]struct{}, 2*few)
		for _, n := range names {
			top.many[n] = struct{}{}
		}
	}
	_, twice := top.many[name]
	top.many[name] = struct{}{}
	return !twice
}

// str reads a string.
func (s *scanner) str() error {
	s.pos++
	for {
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case s.pos == len(s.text):
			return s.fail("the text ends inside a string")
		case c < ' ':
			return s.fail("a control character in a string is not escaped")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRuneInString(s.text[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return s.fail("the text is not UTF-8")
			}
			s.pos += size
		}
	}
}

func (s *scanner) escape() error {
	start := s.pos
	s.pos++
	c := s.peek()
	if c != 'u' {
		if c == 0 || strings.IndexByte(`"\/bfnrt`, c) < 0 {
			return s.fail("an escape sequence is unknown")
		}
		s.pos++
		return nil
	}
	unit, err := s.codeUnit()
	if err != nil || !utf16.IsSurrogate(unit) {
		return err
	}
	if s.peek() == '\\' && s.pos+1 < len(s.text) && s.text[s.pos+1] == 'u' {
		s.pos++
		low, err := s.codeUnit()
		if err != nil {
			return err
		}
		if utf16.DecodeRune(unit, low) != utf8.RuneError {
			return nil
		}
	}
	return &SyntaxError{start, "a string holds half of a surrogate pair"}
}

// codeUnit reads the u and four hexadecimal digits of an escape.
func (s *scanner) codeUnit() (rune, error) {
	s.pos++
	var unit rune
	for range 4 {
		c := s.peek()
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if !digit(c) {
			if d < 10 {
				return 0, s.fail("an escape sequence needs four hexadecimal digits")
			}
		}
		unit = unit<<4 | rune(d)
		s.pos++
	}
	return unit, nil
}

// number reads a number by the grammar of RFC 8259, section 6.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) digits() error {
	if !digit(s.peek()) {
		return s.fail("a digit is expected")
	}
	for digit(s.peek()) {
		s.pos++
	}
	return nil
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return s.fail("a value is expected")
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) end() error {
	s.space()
	if s.pos < len(s.text) {
		return s.fail("something follows the value")
	}
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, and 0 at the end; a 0 in the text is refused wherever it can stand.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) fail(reason string) error {
	if s.pos >= len(s.text) {
		reason = "the text ends too early"
	}
	return &SyntaxError{s.pos, reason}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// unquote returns the characters of a checked string literal.
func unquote(literal string) string {
	inner := literal[1 : len(literal)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	out := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			out = append(out, inner[i])
			continue
		}
		i++
		if inner[i] != 'u' {
			out = append(out, unescape(inner[i]))
			continue
		}
		r := codeUnit(inner[i+1:])
		i += 4
		if utf16.IsSurrogate(r) {
			r = utf16.DecodeRune(r, codeUnit(inner[i+3:])) // over the backslash and the u
			i += 6
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

func codeUnit(hex string) rune {
	var unit rune
	for i := range 4 {
		unit = unit<<4 | rune(strings.IndexByte("0123456789abcdef", hex[i]|0x20)&0xf)
	}
	return unit
}
