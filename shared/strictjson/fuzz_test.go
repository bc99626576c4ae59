package strictjson

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse compares Parse with encoding/json. Parse must not accept a text that is not JSON, and must not refuse a
// text for a reason that is not in RFC 7493. What a Value returns must mean the same as the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "null", " true ", "-0.5e+10", "1e400", `"\ud83d\ude00 \/\n"`, `"\ud800"`, "[ ]", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		` { "" : [ {"a b" : " c " } , 1 ] } `, "{\"a\":\"\xff\"}", "\ufeff{}", `{"a":[1}`, `01`, `1.`, "\"\x01\"", strings.Repeat("[", 40) + strings.Repeat("]", 40),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err != nil {
			if json.Valid(text) && readableOnce(text) {
				t.Fatalf("Parse(%q) = %v, and it is I-JSON", text, err)
			}
			return
		}
		if v.Depth() < 10_000 && !json.Valid(text) { // encoding/json accepts no more levels
			t.Fatalf("Parse(%q) takes what is no JSON", text)
		}
		if !readableOnce(text) && !bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) {
			t.Fatalf("Parse(%q) takes what has two meanings", text)
		}
		checkCompact(t, v)
		checkParts(t, v)
	})
}

// checkCompact checks that Compact removes white space and nothing else.
func checkCompact(t *testing.T, v Value) {
	t.Helper()
	compact := v.Compact()
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(v.Text())); v.Depth() < 10_000 && (err != nil || want.String() != compact) {
		t.Fatalf("Compact(%q) = %q, want %q, %v", v.Text(), compact, &want, err)
	}
	again, err := Parse([]byte(compact))
	if err != nil || again.Text() != compact || again.Kind() != v.Kind() || again.Depth() != v.Depth() {
		t.Fatalf("Parse(%q) = %q, %v after Compact", compact, again.Text(), err)
	}
}

// checkParts checks that encoding/json and math/big read the same characters, members and numbers.
func checkParts(t *testing.T, v Value) {
	t.Helper()
	switch v.Kind() {
	case String:
		var want string
		if err := json.Unmarshal([]byte(v.Text()), &want); err != nil || v.Str() != want {
			t.Fatalf("Str(%q) = %q, want %q, %v", v.Text(), v.Str(), want, err)
		}
	case Object:
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(v.Text()), &want); err != nil {
			return // deeper than it reads
		}
		n := 0
		for name, value := range v.Members() {
			n++
			if string(want[name]) != value.Text() {
				t.Fatalf("the member %q of %q is %q, want %q", name, v.Text(), value.Text(), want[name])
			}
		}
		if n != len(want) {
			t.Fatalf("%q has %d members, want %d", v.Text(), n, len(want))
		}
	case Number:
		checkInteger(t, v)
	}
}

func checkInteger(t *testing.T, v Value) {
	t.Helper()
	const limit = 1_000_000
	exponent := strings.LastIndexAny(v.Text(), "eE")
	if exponent >= 0 && len(v.Text())-exponent > 4 {
		return // math/big would write it out
	}
	want, ok := new(big.Rat).SetString(v.Text())
	if !ok {
		t.Fatalf("math/big does not read %q", v.Text())
	}
	n, isInteger := v.Integer(limit)
	if isInteger != want.IsInt() {
		t.Fatalf("Integer(%q) = %v, want %v", v.Text(), isInteger, want.IsInt())
	}
	if !isInteger {
		return
	}
	cut := want.Num()
	for _, bound := range []int64{limit + 1, -limit - 1} {
		if b := big.NewInt(bound); cut.CmpAbs(b) > 0 && cut.Sign() == b.Sign() {
			cut = b
		}
	}
	if n != cut.Int64() {
		t.Fatalf("Integer(%q) = %d, want %v", v.Text(), n, cut)
	}
}

// readableOnce reports whether a JSON text has only one meaning: it is UTF-8, has no name twice, and has no half of a
// surrogate pair. It returns false for every text with a surrogate, because it does not look for the other half.
func readableOnce(text []byte) bool {
	if !utf8.Valid(text) || bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) {
		return false
	}
	var names []map[string]bool // of the open objects; nil of an open array
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for isName := false; ; {
		token, err := decoder.Token()
		if err != nil {
			return true
		}
		switch token {
		case json.Delim('{'):
			names, isName = append(names, map[string]bool{}), true
			continue
		case json.Delim('['):
			names, isName = append(names, nil), false
			continue
		case json.Delim('}'), json.Delim(']'):
			names = names[:len(names)-1]
		default:
			if isName {
				top := names[len(names)-1]
				if top[token.(string)] {
					return false
				}
				top[token.(string)], isName = true, false
				continue
			}
		}
		isName = len(names) > 0 && names[len(names)-1] != nil
	}
}
