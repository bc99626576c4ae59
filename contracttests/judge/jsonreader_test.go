package judge_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"organizations-api/contracttests/harness/fixture"
	"organizations-api/contracttests/judge"
)

// TestReadJSONAgrees: what the reader takes and what it makes of it is what encoding/json does, wherever that repairs
// nothing.
func TestReadJSONAgrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := mutatedJSON(t)
		value, faults, ok := judge.ReadJSON(text)
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
func broken(faults []judge.Fault) bool {
	for _, f := range faults {
		if f.Rule == judge.RuleJSONMalformed || f.Rule == judge.RuleJSONTrailingData {
			return true
		}
	}
	return false
}

// mutatedJSON draws a text that is JSON or nearly so.
func mutatedJSON(t *rapid.T) []byte {
	text := rapid.SampledFrom([]string{
		fixture.WholeOrganization, fixture.WholeUpdate, fixture.ValidationError, fixture.ErrorJSON(401), `[]`,
		`-0.5e-7`, ` [ 1 , 2.0E+5 , -0 ] `,
		`{"a":{"b":[null,true,false,"\u00e9\ud83d\ude00\n\/"]}}`, `""`, `[[[[]]],{}]`,
	}).Draw(t, "seed")
	out := []byte(text)
	for range rapid.IntRange(0, 3).Draw(t, "edits") {
		i := rapid.IntRange(0, len(out)).Draw(t, "at")
		piece := rapid.SampledFrom([]string{
			"", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "1e5", "null", " ", "\n", "\x00", "\\u",
			"\\ud800",
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
		want  []judge.Rule
	}{
		{`{"a":1,"a":2}`, map[string]any{"a": json.Number("2")}, rules(judge.RuleJSONDuplicateMember)},
		{"[\"a\xffb\"]", []any{"a�b"}, rules(judge.RuleJSONInvalidUTF8)},
		{`["\ud800\u0041"]`, []any{"�A"}, rules(judge.RuleJSONLoneSurrogate)},
		{`["\ud800\ud83d\ude00"]`, []any{"�😀"}, rules(judge.RuleJSONLoneSurrogate)},
		{`["\ud800\n"]`, []any{"�\n"}, rules(judge.RuleJSONLoneSurrogate)},
		{`[1] x`, []any{json.Number("1")}, rules(judge.RuleJSONTrailingData)},
		{`"\u0000"`, "\x00", nil},
		{`"�"`, "�", nil},
	}
	for _, c := range cases {
		value, faults, ok := judge.ReadJSON([]byte(c.text))
		got := []judge.Rule{}
		for _, f := range faults {
			got = append(got, f.Rule)
		}
		if !ok || !cmp.Equal(value, c.value) || !cmp.Equal(got, append([]judge.Rule{}, c.want...)) {
			t.Errorf("readJSON(%q) = %q, %v, %v, want %q, %v", c.text, value, got, ok, c.value, c.want)
		}
	}
}

func TestReadJSONDepth(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, _, ok := judge.ReadJSON(nested(judge.MaxDepth)); !ok {
		t.Errorf("%d levels were refused", judge.MaxDepth)
	}
	if _, _, ok := judge.ReadJSON(nested(judge.MaxDepth + 2)); ok {
		t.Errorf("%d levels were taken", judge.MaxDepth+2)
	}
}
