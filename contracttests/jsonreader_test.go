package contracttests

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestReadJSONAgrees: what the reader takes and what it makes of it is what encoding/json does, wherever that repairs
// nothing.
func TestReadJSONAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := mutatedJSON(t)
		value, faults, ok := readJSON(text)
		if got, want := ok && !broken(faults), json.Valid(text); got != want && utf8.Valid(text) {
			t.Fatalf("readJSON(%q) took it: %v, want %v; %v", text, got, want, faults)
		}
		if !ok || len(faults) > 0 {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, value); diff != "" {
			t.Fatalf("readJSON(%q) (-want +got):\n%s", text, diff)
		}
	})
}

// broken reports whether one of the faults is one to encoding/json as well.
func broken(faults []fault) bool {
	for _, f := range faults {
		if f.rule == RuleJSONMalformed || f.rule == RuleJSONTrailingData {
			return true
		}
	}
	return false
}

// mutatedJSON draws a text that is JSON or nearly so.
func mutatedJSON(t *rapid.T) []byte {
	text := rapid.SampledFrom([]string{
		wholeOrganization, wholeUpdate, validationError, errorJSON(401), `[]`, `-0.5e-7`, ` [ 1 , 2.0E+5 , -0 ] `,
		`{"a":{"b":[null,true,false,"\u00e9\ud83d\ude00\n\/"]}}`, `""`, `[[[[]]],{}]`,
	}).Draw(t, "seed")
	out := []byte(text)
	for range rapid.IntRange(0, 3).Draw(t, "edits") {
		i := rapid.IntRange(0, len(out)).Draw(t, "at")
		piece := rapid.SampledFrom([]string{
			"", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "1e5", "null", " ", "\n", "\x00", "\\u", "\\ud800",
			"\\udc00", "é", "\ufeff", "\xff", "tru",
		}).Draw(t, "piece")
		cut := min(len(out)-i, rapid.IntRange(0, 2).Draw(t, "cut"))
		out = append(append(bytes.Clone(out[:i]), piece...), out[i+cut:]...)
	}
	return out
}

// TestReadJSONGoesOn: after a fault that leaves a value, the value is there to be judged.
func TestReadJSONGoesOn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text  string
		value any
		want  []Rule
	}{
		{`{"a":1,"a":2}`, map[string]any{"a": json.Number("2")}, rules(RuleJSONDuplicateMember)},
		{"[\"a\xffb\"]", []any{"a�b"}, rules(RuleJSONInvalidUTF8)},
		{`["\ud800\u0041"]`, []any{"�A"}, rules(RuleJSONLoneSurrogate)},
		{`["\ud800\ud83d\ude00"]`, []any{"�😀"}, rules(RuleJSONLoneSurrogate)},
		{`["\ud800\n"]`, []any{"�\n"}, rules(RuleJSONLoneSurrogate)},
		{`[1] x`, []any{json.Number("1")}, rules(RuleJSONTrailingData)},
		{`"\u0000"`, "\x00", nil},
		{`"�"`, "�", nil},
	}
	for _, c := range cases {
		value, faults, ok := readJSON([]byte(c.text))
		got := []Rule{}
		for _, f := range faults {
			got = append(got, f.rule)
		}
		if !ok || !cmp.Equal(value, c.value) || !cmp.Equal(got, append([]Rule{}, c.want...)) {
			t.Errorf("readJSON(%q) = %q, %v, %v, want %q, %v", c.text, value, got, ok, c.value, c.want)
		}
	}
}

func TestReadJSONDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, _, ok := readJSON(nested(maxDepth)); !ok {
		t.Errorf("%d levels were refused", maxDepth)
	}
	if _, _, ok := readJSON(nested(maxDepth + 2)); ok {
		t.Errorf("%d levels were taken", maxDepth+2)
	}
}

func TestExact(t *testing.T) {
	t.Parallel()
	cases := map[json.Number]bool{
		"0": true, "-0": true, "0.0": true, "0e9": true, "0.1": true, "1e2": true, "100": true, "-1.5E-3": true,
		"9007199254740992": true, "9007199254740993": false, "9007199254740994": true, "9007199254740993.5": false,
		"1e308": true, "1e309": false, "5e-324": true, "1e-400": false, "1e-999999999": false, "1e999999999": false,
		"1.00000000000000000001": false, "0.1000000000000000055511151231257827021181583404541015625": true,
		"0.10000000000000000": true, "1" + json.Number(strings.Repeat("0", 300)): true,
	}
	for n, want := range cases {
		if got := exact(n); got != want {
			t.Errorf("exact(%s) = %v, want %v", n, got, want)
		}
	}
}

func TestBoundedNumber(t *testing.T) {
	t.Parallel()
	cases := map[json.Number]json.Number{
		"0": "0", "-0.0e999999999": "0", "1.5": "1.5", "1e2000": "1e2000", "1e400": "1e400",
		"1e99999999999999999999": "1e2000", "-3e2001": "-1e2000", "1e-99999999999999999999": "1e-2000", "-12e-3000": "-1e-2000",
	}
	for n, want := range cases {
		if got := boundedNumber(n); got != want {
			t.Errorf("boundedNumber(%s) = %s, want %s", n, got, want)
		}
	}
}
