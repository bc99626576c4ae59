package bodies

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"pgregory.net/rapid"

	"organizations-api/contracttests/judge"
	"organizations-api/contracttests/spec"
)

// lengths tries both sides of the bounds of texts, with characters of one, two and four bytes. A service that counts
// bytes or the units of UTF-16 is wrong about some of them.
func (p *sampler) lengths(part *spec.Schema) {
	if part.MinLength != nil {
		p.length(part, "minLength", "at", *part.MinLength, 0)
		p.length(part, "minLength", "one under", *part.MinLength, -1)
	}
	if part.MaxLength != nil {
		p.length(part, "maxLength", "at", *part.MaxLength, 0)
		p.length(part, "maxLength", "one over", *part.MaxLength, 1)
	}
}

func (p *sampler) length(part *spec.Schema, keyword, side string, bound, step int) {
	n := bound + step
	if n < 0 || bound > maxCount {
		return
	}
	side = fmt.Sprintf("%s %d", side, bound)
	for i, text := range fitting(p.parts, n) {
		p.add(part, keyword, fmt.Sprintf("%s in form %d", side, i), jsonText(text))
	}
	p.add(part, keyword, side+" of 1 byte", jsonText(strings.Repeat("x", n)))
	p.add(part, keyword, side+" of 2 bytes", jsonText(strings.Repeat("é", n)))
	p.add(part, keyword, side+" of 4 bytes", jsonText(strings.Repeat("😀", n)))
	p.add(part, keyword, side+" escaped", `"`+strings.Repeat(`\u0041`, n)+`"`)
	p.add(part, keyword, side+" in escaped pairs", `"`+strings.Repeat(`\ud83d\ude00`, n)+`"`)
	p.add(part, keyword, side+" combining", jsonText(strings.Repeat("e\u0301", n/2)+strings.Repeat("x", n%2)))
}

// demanding reports whether the schema refuses texts for more than their length.
func demanding(s *spec.Schema) bool { return s.Pattern != nil || s.Format == emailFormat }

// fitting returns texts of n characters that the parts accept, if their length is ignored. One of them fits patterns
// and formats, the other only patterns, because formats limit the length as well. It may find fewer.
func fitting(parts spec.Place, n int) []string {
	if !slices.ContainsFunc(parts, demanding) {
		return nil
	}
	var out []string
	for _, withFormat := range []bool{true, false} {
		accepts := func(text string) bool {
			return !slices.ContainsFunc(parts, func(part *spec.Schema) bool {
				return part.Pattern != nil && !part.Pattern.MatchString(text) || withFormat &&
					part.Format == emailFormat && !isEmail(text)
			})
		}
		for _, text := range plainTexts(parts) {
			if fit, ok := fit(text, n, accepts); ok {
				out = append(out, fit)
				break
			}
		}
	}
	return slices.Compact(out)
}

// maxPiece is the longest piece that fit repeats or takes out at once.
const maxPiece = 4

// fit makes a text n characters long. It repeats pieces of the text or removes pieces, and the parts must accept each
// step.
func fit(text string, n int, accepts func(string) bool) (string, bool) {
	runes := []rune(text)
	if !accepts(text) {
		return "", false
	}
	at := 0
	for len(runes) != n {
		next, i := refit(runes, n, at, accepts)
		if next == nil {
			return "", false
		}
		runes, at = next, i
	}
	return string(runes), true
}

// refit makes one step towards n characters, at the position of the last step if that is possible.
func refit(runes []rune, n, last int, accepts func(string) bool) ([]rune, int) {
	for size := 1; size <= min(maxPiece, abs(n-len(runes)), len(runes)); size++ {
		for j := range len(runes) - size + 1 {
			i := (last + j) % (len(runes) - size + 1)
			next := slices.Concat(runes[:i], runes[i+size:])
			if len(runes) < n {
				next = slices.Concat(runes[:i+size], runes[i:])
			}
			if accepts(string(next)) {
				return next, i
			}
		}
	}
	return nil, 0
}

func abs(n int) int { return max(n, -n) }

// plainTexts returns texts that the parts suggest, the plainest first.
func plainTexts(parts spec.Place) []string {
	out := []string{"text", "x", ""}
	for _, part := range parts {
		out = append(out, formatTexts(part.Format)...)
		if part.Pattern != nil {
			out = append(out, matches(part.Pattern.String())...)
		}
		for _, n := range []*int{part.MinLength, part.MaxLength} {
			if n != nil && *n <= maxCount {
				out = append(out, strings.Repeat("x", *n))
			}
		}
	}
	return out
}

// matches returns a few texts that match a pattern. It always returns the same ones.
func matches(pattern string) []string {
	const wanted = 8
	generator := rapid.StringMatching(pattern)
	var out []string
	for seed := range wanted {
		out = append(out, generator.Example(seed))
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(a) - len(b) })
	return slices.Compact(out)
}

// patterns tries texts that match a pattern, and the same texts with something added or removed.
func (p *sampler) patterns(part *spec.Schema) {
	if part.Pattern == nil {
		return
	}
	all := matches(part.Pattern.String())
	plain := plainTexts(p.parts)
	if i := slices.IndexFunc(plain, func(text string) bool { return accepts(p.schema, jsonText(text)) }); i >= 0 {
		all = append(all, plain[i])
	}
	for i, text := range all {
		p.add(part, "pattern", fmt.Sprintf("match %d", i), jsonText(text))
		for _, one := range [][2]string{
			{"a line feed after", text + "\n"}, {"a line feed before", "\n" + text}, {"a line after", text + "\nx"},
			{"a space before", " " + text},
			{"NUL after", text + "\x00"}, {"é after", text + "é"}, {"twice", text + text},
			{"a space within", within(text, " ")},
			{"😀 within", within(text, "😀")}, {"cut", within(text, "")[:len(text)/2]},
		} {
			p.add(part, "pattern", fmt.Sprintf("match %d, %s", i, one[0]), jsonText(strings.ToValidUTF8(one[1], "")))
		}
	}
}

// within puts a piece into the middle of a text.
func within(text, piece string) string {
	i := len(text) / 2
	for i > 0 && !utf8.RuneStart(text[i]) {
		i--
	}
	return text[:i] + piece + text[i:]
}

func (p *sampler) formats(part *spec.Schema) {
	texts := formatTexts(part.Format)
	if texts == nil {
		return
	}
	for _, text := range slices.Concat(texts, []string{"", "no such thing ~"}) {
		p.add(part, "format", judge.Clip(text, 40), jsonText(text))
	}
}

// oddTexts are JSON strings that readers often misread. The names say what is odd.
var oddTexts = [][2]string{
	{"empty", `""`}, {"a space", `" "`}, {"one character", `"x"`}, {"NUL", `"\u0000"`}, {"NUL within", `"a\u0000b"`},
	{"escaped letters", `"\u0041\u0062"`},
	{"escaped solidus", `"\/"`}, {"all escapes", `"\"\\\/\b\f\n\r\t"`}, {"upper-case escape", `"\u00E9"`},
	{"two bytes", `"é"`}, {"combining", "\"e\u0301\""},
	{"four bytes", `"😀"`}, {"an escaped pair", `"\ud83d\ude00"`}, {"U+FFFD", "\"\ufffd\""},
	{"U+FFFD escaped", `"\ufffd"`}, {"U+FFFF", "\"\uffff\""},
	{"U+10FFFF", "\"\U0010ffff\""}, {"line separator", "\"\u2028\""}, {"no-break space", "\"\u00a0\""},
	{"byte order mark", "\"\ufeff\""}, {"right to left", "\"\u202ex\""},
	{"DEL", "\"\x7f\""}, {"the word null", `"null"`}, {"the word true", `"true"`}, {"digits", `"1"`},
	{"markup", `"<b>&amp;</b>"`}, {"an object in a text", `"{\"a\":1}"`},
	{"percent", `"%00%s%n"`}, {"escaped backslash and u", `"\\ud800"`},
}

// brokenTexts are not I-JSON.
var brokenTexts = [][2]string{
	{"a high surrogate alone", `"\ud800"`}, {"a low surrogate alone", `"\udc00"`},
	{"surrogates in the wrong order", `"\ude00\ud83d"`},
	{"a high surrogate and a letter", `"\ud83dx"`}, {"a high surrogate and an escaped letter", `"\ud83d\u0041"`},
	{"two high surrogates", `"\ud83d\ud83d\ude00"`},
	{"a raw control character", "\"\x01\""}, {"a raw line feed", "\"\n\""}, {"a raw tab", "\"\t\""},
	{"a raw NUL", "\"\x00\""}, {"a byte that is no UTF-8", "\"\xff\""},
	{"Latin-1", "\"caf\xe9\""}, {"overlong UTF-8", "\"\xc0\xaf\""}, {"a surrogate in UTF-8", "\"\xed\xa0\x80\""},
	{"beyond U+10FFFF", "\"\xf4\x90\x80\x80\""}, {"half a character", "\"\xf0\x9f\x98\""},
	{"the escape x", `"\x41"`}, {"a short escape", `"\u12"`}, {"an escape in braces", `"\u{41}"`},
	{"an escaped quote of the other kind", `"\'"`}, {"single quotes", `'x'`}, {"no end", `"x`}, {"no quotes", `x`},
}

func (p *sampler) strings() {
	for _, one := range oddTexts {
		p.add(nil, "string", one[0], one[1])
	}
	for _, one := range brokenTexts {
		p.unreadable(one[0], one[1])
	}
}
