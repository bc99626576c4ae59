package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		offset     int
	}{
		{"nothing", "", 0},
		{"blank", " \n", 2},
		{"byte order mark", "\ufeff{}", 0},
		{"two values", "{} {}", 3},
		{"trailing comma in object", `{"a":1,}`, 6},
		{"trailing comma in array", `[1,]`, 2},
		{"unclosed object", `{"a":1`, 6},
		{"unclosed array", `[1`, 2},
		{"mismatched", `[1}`, 2},
		{"unclosed string", `"abc`, 4},
		{"escape at end", `"abc\`, 5},
		{"single quotes", `{'a':1}`, 1},
		{"no colon", `{"a" 1}`, 5},
		{"name only", `{"a"}`, 4},
		{"NaN", `NaN`, 0},
		{"Infinity", `-Infinity`, 1},
		{"leading zero", `01`, 1},
		{"leading plus", `+1`, 0},
		{"no fraction", `1.`, 2},
		{"no exponent", `1e`, 2},
		{"wrong literal", `trx`, 2},
		{"literal with more", `nullx`, 4},
		{"control character", "\"a\x01\"", 2},
		{"NUL outside a string", "\x00", 0},
		{"unknown escape", `"\x"`, 1},
		{"short code unit", `"\u12"`, 1},
		{"code unit with a control byte for a digit", "\"\\u\x10000\"", 1},
		{"invalid UTF-8", "\"\xff\"", 1},
		{"overlong UTF-8", "\"\xc0\xaf\"", 1},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", 1},
		{"high surrogate alone", `"\ud83d"`, 1},
		{"low surrogate alone", `"\ude00"`, 1},
		{"surrogates swapped", `"\ude00\ud83d"`, 1},
		{"high surrogate before other escape", `"\ud83d\n"`, 1},
		{"same name twice", `{"a":1,"b":2,"a":3}`, 13},
		{"same name twice, escaped", `{"a":1,"\u0061":3}`, 7},
		{"same name twice, deep", `[{"x":{"a":1,"a":3}}]`, 13},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.text))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Parse(%q) = %v, want a *SyntaxError", test.text, err)
			}
			if syntax.Offset != test.offset {
				t.Errorf("Parse(%q) stops at byte %d (%v), want %d", test.text, syntax.Offset, err, test.offset)
			}
		})
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		kind    Kind
		depth   int
		compact string
		str     string
	}{
		{" null ", Null, 0, "null", ""},
		{"true", Bool, 0, "true", ""},
		{"-0.5e+10", Number, 0, "-0.5e+10", ""},
		{"1e400", Number, 0, "1e400", ""},
		{`"\ud83d\ude00 \/\b\f\n\r\t\\\"\u00e9"`, String, 0, `"\ud83d\ude00 \/\b\f\n\r\t\\\"\u00e9"`, "😀 /\b\f\n\r\t\\\"é"},
		{"[ ]", Array, 1, "[]", ""},
		{` { "" : [ {"a b" : " c " } , 1 ] } `, Object, 3, `{"":[{"a b":" c "},1]}`, ""},
	}
	for _, test := range tests {
		v, err := Parse([]byte(test.text))
		if err != nil {
			t.Fatalf("Parse(%q) = %v, want no error", test.text, err)
		}
		if v.Kind() != test.kind || v.Depth() != test.depth || v.Compact() != test.compact || v.Str() != test.str {
			t.Errorf("Parse(%q) = kind %v, depth %d, compact %q, string %q; want %v, %d, %q, %q",
				test.text, v.Kind(), v.Depth(), v.Compact(), v.Str(), test.kind, test.depth, test.compact, test.str)
		}
	}
	if got := (Value{}); got.Kind() != Null || got.Text() != "null" {
		t.Errorf("zero Value = %v %q, want null", got.Kind(), got.Text())
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`{ "b" : 1 , "a":[ [1],2 ],"\u0063": { "x":"}" } ,"d":"" , "e":null}`))
	if err != nil {
		t.Fatal(err)
	}
	type member struct {
		Name, Text string
		Depth      int
	}
	var got []member
	for name, value := range v.Members() {
		got = append(got, member{name, value.Text(), value.Depth()})
	}
	want := []member{{"b", "1", 0}, {"a", "[ [1],2 ]", 2}, {"c", `{ "x":"}" }`, 1}, {"d", `""`, 0}, {"e", "null", 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Members (-want +got):\n%s", diff)
	}
}

func TestInteger(t *testing.T) {
	t.Parallel()
	const limit = 1_000_000
	tests := []struct {
		text string
		n    int64
		ok   bool
	}{
		{"20", 20, true}, {"20.0", 20, true}, {"2e1", 20, true}, {"2E+1", 20, true}, {"200e-1", 20, true},
		{"0.2e2", 20, true}, {"-0", 0, true}, {"0e999999999999999999999", 0, true}, {"-3", -3, true},
		{"1000000", limit, true}, {"1000000.000", limit, true}, {"1000001", limit + 1, true}, {"-1000001", -limit - 1, true},
		{"9223372036854775808", limit + 1, true}, {"1e400", limit + 1, true}, {"1e99999999999999999999", limit + 1, true},
		{"1.5", 0, false}, {"1.00000000000000000001", 0, false}, {"9007199254740993.5", 0, false},
		{"1e-400", 0, false}, {"1e-99999999999999999999", 0, false},
		{`"20"`, 0, false}, {"true", 0, false}, {"null", 0, false}, {"[1]", 0, false},
	}
	for _, test := range tests {
		v, err := Parse([]byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := v.Integer(limit); n != test.n || ok != test.ok {
			t.Errorf("Integer(%s) = %d, %v, want %d, %v", test.text, n, ok, test.n, test.ok)
		}
	}
}

// TestDeepNestingIsBounded: a text with too many levels is refused at the first level that is too deep, for any rest of
// the text.
func TestDeepNestingIsBounded(t *testing.T) {
	t.Parallel()
	const most = 10_000
	for _, part := range []struct{ open, inside, end string }{{"[", "", "]"}, {`{"a":`, "1", "}"}} {
		nested := func(levels int) []byte {
			return []byte(strings.Repeat(part.open, levels) + part.inside + strings.Repeat(part.end, levels))
		}
		if v, err := Parse(nested(most)); err != nil || v.Depth() != most {
			t.Errorf("Parse of %d times %s = depth %d, %v", most, part.open, v.Depth(), err)
		}
		for _, text := range [][]byte{nested(most + 1), nested(1 << 20), []byte(strings.Repeat(part.open, 1<<20))} {
			var syntax *SyntaxError
			if _, err := Parse(text); !errors.As(err, &syntax) || syntax.Offset != most*len(part.open) {
				t.Errorf("Parse of too many times %s = %v, want a *SyntaxError at byte %d", part.open, err, most*len(part.open))
			}
		}
	}
}

// TestAgreesWithEncodingJSON compares Parse with the standard library, on texts that are nearly JSON. They may differ
// only in what RFC 7493 adds.
func TestAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	pieces := rapid.SampledFrom([]string{"{", "}", "[", "]", ",", ":", " ", `"a"`, `"b"`, `"\u00e9"`, `"\ud800"`, `"`, `\`,
		"0", "1", "-", ".", "e", "+", "true", "false", "null", "\n", "é", "\xff", "\x00"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(pieces, 1, 12).Draw(t, "pieces"), "")
		v, err := Parse([]byte(text))
		if err == nil {
			if !json.Valid([]byte(text)) {
				t.Fatalf("Parse(%q) accepts what encoding/json refuses", text)
			}
			var want, got any
			if json.Unmarshal([]byte(text), &want) != nil || json.Unmarshal([]byte(v.Compact()), &got) != nil {
				return // a number beyond float64
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("Compact(%q) changes the value:\n%s", text, diff)
			}
			return
		}
		stricter := !utf8.ValidString(text) || strings.Contains(text, `\ud800`) || strings.Contains(err.Error(), "same name")
		if json.Valid([]byte(text)) && !stricter {
			t.Fatalf("Parse(%q) = %v, encoding/json accepts it", text, err)
		}
	})
}

// TestManyMembers: a repeated name is found in objects of any size, and inner objects may have the same names.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 23, 24, 25, 26, 49, 500} {
		var members []string
		for i := range size {
			members = append(members, fmt.Sprintf(`"n%d":{"n0":0,"inner%d":[{"n0":1}]}`, i, i))
		}
		if _, err := Parse([]byte("{" + strings.Join(members, ",") + "}")); err != nil {
			t.Errorf("Parse(%d members) = %v, want no error", size, err)
		}
		for _, again := range []int{0, size / 2, size - 1} {
			text := "{" + strings.Join(append(members[:size:size], fmt.Sprintf(`"n%d":0`, again)), ",") + "}"
			if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "same name") {
				t.Errorf("Parse(%d members and number %d again) = %v, want a complaint", size, again, err)
			}
		}
	}
}
