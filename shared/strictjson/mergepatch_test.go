package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func parsed(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string) Value {
	t.Helper()
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return v
}

// TestMergePatch tries the examples of RFC 7396, appendix A, and cases that the RFC leaves open: order and spelling.
func TestMergePatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		// A null inside an array is a value.
		{`{}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
		// Numbers and strings stay as they are written, members in their order.
		{`{"z":1.50,"a":1e2,"\u006d":"\u00e9"}`, ` { "m" : -0.0 , "b" : 1E+2 } `, `{"z":1.50,"a":1e2,"\u006d":-0.0,"b":1E+2}`},
		{`{"a":1,"":2}`, `{"\u0061":null,"":{"x":3}}`, `{"":{"x":3}}`},
		{`{"a":{"b":1}}`, `{}`, `{"a":{"b":1}}`},
	} {
		if got := MergePatch(parsed(t, test.target), parsed(t, test.patch)); got != test.want {
			t.Errorf("MergePatch(%s, %s) = %s, want %s", test.target, test.patch, got, test.want)
		}
	}
}

// mergedTrees is the pseudocode of RFC 7396, section 2, on decoded JSON.
func mergedTrees(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out := map[string]any{}
	if members, ok := target.(map[string]any); ok {
		for name, value := range members {
			out[name] = value
		}
	}
	for name, change := range changes {
		if change == nil {
			delete(out, name)
		} else {
			out[name] = mergedTrees(out[name], change)
		}
	}
	return out
}

// trees draws JSON of a few names and values, so that target and patch often meet.
func trees(depth int) *rapid.Generator[any] {
	scalars := rapid.SampledFrom([]any{nil, true, "", "a", json.Number("1.50"), json.Number("-0")})
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(scalars, rapid.SliceOfN(trees(depth-1), 0, 2).AsAny(),
		rapid.MapOfN(rapid.SampledFrom([]string{"", "a", "b", "é\"\\"}), trees(depth-1), 0, 4).AsAny())
}

func tree(t *rapid.T, text string) any {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func TestMergePatchIsThatOfTheRFC(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := make([]string, 2)
		for i := range texts {
			text, err := json.Marshal(trees(3).Draw(t, "tree"))
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = string(text)
		}
		target, patch := parsed(t, texts[0]), parsed(t, texts[1])
		got := MergePatch(target, patch)
		if diff := cmp.Diff(mergedTrees(tree(t, texts[0]), tree(t, texts[1])), tree(t, got)); diff != "" {
			t.Fatalf("MergePatch(%s, %s) = %s (-RFC +got):\n%s", texts[0], texts[1], got, diff)
		}
		result := parsed(t, got) // no name twice
		if result.Compact() != got {
			t.Fatalf("MergePatch(%s, %s) = %s, which is not compact", texts[0], texts[1], got)
		}
		if depth := result.Depth(); depth > max(target.Depth(), patch.Depth()) {
			t.Fatalf("MergePatch(%s, %s) = %s, which is deeper than both", texts[0], texts[1], got)
		}
	})
}

func TestBeyondFloat64(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 309)
	for text, want := range map[string]string{
		`1e400`: "[]", `-1e309`: "[]", nines: "[]", `-` + nines + `.5`: "[]", `1.8e308`: "[]", `1E+999999999999`: "[]",
		`1.7976931348623157e308`: "", `-1.7976931348623157e308`: "", `1e-400`: "", `0e999`: "", `1` + strings.Repeat("0", 308): "",
		`"1e400"`: "", `{"1e400":"-1e400"}`: "", `null`: "", `{}`: "", `0.` + nines + nines: "",
		`{"a":1,"b":[2,{"c":1e400}],"d":-1e400}`: "[b 1 c] [d]", `[[1e400],[],[1e400]]`: "[0 0] [2 0]",
	} {
		var ways []string
		for way := range parsed(t, text).BeyondFloat64() {
			ways = append(ways, fmt.Sprint(way))
		}
		if got := strings.Join(ways, " "); got != want {
			t.Errorf("BeyondFloat64 of %.40s = %s, want %s", text, got, want)
		}
	}
	for way := range parsed(t, `[1e400,1e400]`).BeyondFloat64() {
		if fmt.Sprint(way) != "[0]" {
			t.Errorf("BeyondFloat64 goes on to %v after it was stopped", way)
		}
		break
	}
	var zero Value
	for way := range zero.BeyondFloat64() {
		t.Errorf("BeyondFloat64 of the zero Value = %v", way)
	}
}
