// Package strictjson reads JSON texts that have only one meaning: I-JSON (RFC 7493). A text must be UTF-8 and hold
// exactly one value. An object must not have two members of the same name, and a string must not hold half of a
// surrogate pair. RFC 7493 also forbids noncharacters, but this package accepts them, because every reader reads them
// in the same way.
//
// encoding/json replaces bad characters, keeps the last of two members, and rounds numbers, all without an error. Here,
// numbers and the order of members stay as they were written, so a value can be stored and given back unchanged.
//
// jsontext checks the text. This package must import nothing else but the standard library, and it knows nothing of
// organizations.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind is the type of a JSON value.
type Kind int

// The kinds of RFC 8259, section 3. True and false are one kind.
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
	text  string // the whole text that was parsed
	nodes []node // the value, followed by all values and names within it; empty: null
}

// node is a value or a member's name in a text.
type node struct {
	start, end int32 // bytes of the text
	size       int32 // number of nodes: this one and all within it
	depth      int32 // see Value.Depth
}

// SyntaxError says why and where a text is not I-JSON. It quotes at most one character or one escape sequence of the
// text, because the text may hold secrets.
type SyntaxError struct {
	Offset int    // bytes before the problem
	Reason string // a clause, such as "the text ends too early"
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

// parser finds the nodes of a text. It is kept for the next text, because a new decoder needs several allocations.
type parser struct {
	decoder jsontext.Decoder
	buffer  bytes.Buffer // the text, for the decoder
	nodes   []node
	open    []int // indexes of the objects and arrays that have not ended
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// maxKept is the longest text whose parser is kept, because a parser's memory grows with its longest text.
const maxKept = 64 << 10

// Parse checks text and returns its value, or a *SyntaxError. It takes time in proportion to the text's length, and
// accepts up to 10,000 levels of nesting. The value does not refer to text afterwards.
func Parse(text []byte) (Value, error) {
	if len(text) > math.MaxInt32 {
		return Value{}, &SyntaxError{math.MaxInt32, "the text is too long"}
	}
	if reason := otherEncoding(text); reason != "" {
		return Value{}, &SyntaxError{0, reason}
	}
	p := parsers.Get().(*parser)
	defer p.release(len(text))
	if err := p.parse(text); err != nil {
		return Value{}, err
	}
	return Value{text: string(text), nodes: slices.Clone(p.nodes)}, nil
}

// otherEncoding returns the reason if the beginning of a text shows that it is not plain UTF-8, and "" otherwise.
// Editors and shells write such texts. Nobody can see the wrong character, so an error that only names the character
// would not help.
func otherEncoding(text []byte) string {
	for _, mark := range []struct{ bytes, reason string }{
		{"\xef\xbb\xbf", "the text begins with a byte order mark, which JSON must not have"}, // RFC 8259, section 8.1
		{"\xff\xfe\x00\x00", "the text is in UTF-32, not in UTF-8"},                          // before UTF-16, whose mark it begins with
		{"\x00\x00\xfe\xff", "the text is in UTF-32, not in UTF-8"},
		{"\xff\xfe", "the text is in UTF-16, not in UTF-8"},
		{"\xfe\xff", "the text is in UTF-16, not in UTF-8"},
	} {
		if bytes.HasPrefix(text, []byte(mark.bytes)) {
			return mark.reason
		}
	}
	return ""
}

// release makes the parser forget the text and keeps it for the next one.
func (p *parser) release(length int) {
	p.buffer = bytes.Buffer{}
	p.decoder.Reset(&p.buffer)
	p.nodes, p.open = p.nodes[:0], p.open[:0]
	if length <= maxKept {
		parsers.Put(p)
	}
}

// parse reads the text to its end.
func (p *parser) parse(text []byte) error {
	p.buffer = *bytes.NewBuffer(text)
	p.decoder.Reset(&p.buffer)
	for first := true; first || len(p.open) > 0; first = false {
		if err := p.next(); err != nil {
			return syntaxError(err, len(text))
		}
	}
	if rest := bytes.TrimLeft(text[p.nodes[0].end:], " \t\r\n"); len(rest) > 0 {
		return &SyntaxError{len(text) - len(rest), "something follows the value"}
	}
	return nil
}

// next reads a name, a whole value that is neither an object nor an array, or the begin or the end of one of those.
func (p *parser) next() error {
	switch p.decoder.PeekKind() {
	case '{', '[':
		if _, err := p.decoder.ReadToken(); err != nil {
			return err
		}
		p.open = append(p.open, len(p.nodes))
		p.nodes = append(p.nodes, node{start: int32(p.decoder.InputOffset()) - 1, depth: 1})
	case '}', ']':
		if _, err := p.decoder.ReadToken(); err != nil {
			return err
		}
		p.close()
	default:
		text, err := p.decoder.ReadValue()
		if err != nil {
			return err
		}
		end := int32(p.decoder.InputOffset())
		p.nodes = append(p.nodes, node{start: end - int32(len(text)), end: end, size: 1})
	}
	return nil
}

// close completes the node of the innermost object or array, which has just ended.
func (p *parser) close() {
	last := len(p.open) - 1
	i := p.open[last]
	p.open = p.open[:last]
	n := &p.nodes[i]
	n.end, n.size = int32(p.decoder.InputOffset()), int32(len(p.nodes)-i)
	if last > 0 {
		outer := &p.nodes[p.open[last-1]]
		outer.depth = max(outer.depth, n.depth+1)
	}
}

// syntaxError returns the *SyntaxError for an error of the decoder at a text of that length.
func syntaxError(err error, length int) error {
	var syntactic *jsontext.SyntacticError
	if !errors.As(err, &syntactic) || errors.Is(err, io.ErrUnexpectedEOF) { // io.EOF, if the text is blank
		return &SyntaxError{length, "the text ends too early"}
	}
	reason := syntactic.Err.Error()
	if errors.Is(err, jsontext.ErrDuplicateName) {
		reason = "an object has two members of the same name"
	}
	return &SyntaxError{int(syntactic.ByteOffset), reason}
}

// Text returns the value as it was written, without the white space around it.
func (v Value) Text() string {
	if len(v.nodes) == 0 {
		return "null"
	}
	return v.text[v.nodes[0].start:v.nodes[0].end]
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

// Depth returns how many levels of objects and arrays the value has. The value itself is the first level. The result is
// 0 if the value is neither an object nor an array.
func (v Value) Depth() int {
	if len(v.nodes) == 0 {
		return 0
	}
	return int(v.nodes[0].depth)
}

// Str returns the characters of a string. It returns "" for a value of any other kind.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	return unquote(v.Text())
}

// unquote returns the characters of a string literal that was checked.
func unquote(literal string) string {
	if strings.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1]
	}
	out, _ := jsontext.AppendUnquote(make([]byte, 0, len(literal)), literal)
	return string(out)
}

// Compact returns the value's text without insignificant white space.
func (v Value) Compact() string {
	return string(appendCompact(nil, v))
}

// Members yields the members of an object in the order of the text. It yields nothing for a value of any other kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for literal, value := range v.literalMembers() {
			if !yield(unquote(literal), value) {
				return
			}
		}
	}
}

// Elements yields the elements of an array with their indexes. It yields nothing for a value of any other kind.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		rest := v.nodes[1:]
		for n := 0; len(rest) > 0; n++ {
			end := rest[0].size
			if !yield(n, Value{v.text, rest[:end]}) {
				return
			}
			rest = rest[end:]
		}
	}
}

// Integer returns a number as an integer in the sense of JSON Schema: a number without a fractional part, however it is
// written. So 20, 20.0 and 2e1 are the same. ok is false if the value is not a number or has a fractional part. Nothing
// is rounded. If the number is beyond ±limit, the result is ±(limit+1), which is enough to compare with limit, and
// takes no longer than reading the text. The limit must be positive.
func (v Value) Integer(limit int64) (n int64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	digits, exponent, negative := decimal(v.Text())
	if digits == "" {
		return 0, true
	}
	if exponent < 0 {
		return 0, false
	}
	n = magnitude(digits, exponent, limit)
	if negative {
		n = -n
	}
	return n, true
}

// BeyondFloat64 yields the way to each number in v, or to v itself, that overflows a float64 (IEEE 754): most languages
// read such a number as infinity, or not at all. A way is made of the names of members (string) and of the indexes of
// elements (int). A number that a float64 can only round, such as 0.1 or 1e-400, is not yielded. If there is no such
// number, it takes one look at each number and no memory.
func (v Value) BeyondFloat64() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		if slices.ContainsFunc(v.nodes, func(n node) bool { return overflows(v.text[n.start:n.end]) }) {
			v.findOverflows(nil, yield)
		}
	}
}

// findOverflows returns false when yield does.
func (v Value) findOverflows(way []any, yield func([]any) bool) bool {
	if overflows(v.Text()) {
		return yield(way)
	}
	for name, value := range v.Members() {
		if !value.findOverflows(append(way[:len(way):len(way)], name), yield) {
			return false
		}
	}
	for i, value := range v.Elements() {
		if !value.findOverflows(append(way[:len(way):len(way)], i), yield) {
			return false
		}
	}
	return true
}

// overflows reports whether the text, which was checked, is a number that overflows a float64.
func overflows(text string) bool {
	if c := text[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	if len(text) <= maxFloat64Digits && !strings.ContainsAny(text, "eE") {
		return false
	}
	n, _ := strconv.ParseFloat(text, 64)
	return math.IsInf(n, 0)
}

// maxFloat64Digits is the number of digits of the largest float64, 1.8e308, less one: no shorter number overflows.
const maxFloat64Digits = 308

// decimal splits a number into digits × 10^exponent. The digits start and end with a digit other than 0. Zero has no
// digits. An exponent beyond ±1e9 is cut to ±1e9: no text has enough digits to make up for the difference.
func decimal(text string) (digits string, exponent int64, negative bool) {
	text, negative = strings.CutPrefix(text, "-")
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent = parseExponent(power) - int64(len(fraction))
	trimmed := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(trimmed))
	return trimmed, exponent, negative
}

func parseExponent(power string) int64 {
	const bound = 1_000_000_000
	if power == "" {
		return 0
	}
	n, err := strconv.ParseInt(power, 10, 64)
	if err != nil { // out of range: the text was checked
		n = bound
		if power[0] == '-' {
			n = -bound
		}
	}
	return min(max(n, -bound), bound)
}

// magnitude returns digits × 10^exponent, or limit+1 if that is more than limit.
func magnitude(digits string, exponent, limit int64) int64 {
	const int64Digits = 19
	if int64(len(digits))+exponent > int64Digits {
		return limit + 1
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", int(exponent)), 10, 64)
	if err != nil || n > limit {
		return limit + 1
	}
	return n
}
