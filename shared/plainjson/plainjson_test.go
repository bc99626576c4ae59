package plainjson

import (
	"encoding/json"
	"math"
	"testing"
)

func TestMarshal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value             any
		compact, indented string
	}{
		{nil, "null", "null"},
		{"<a href=\"?b&c\">\u2028\n", `"<a href=\"?b&c\">\u2028\n"`, `"<a href=\"?b&c\">\u2028\n"`},
		{map[string]any{"b": []int{1}, "a": "&"}, `{"a":"&","b":[1]}`, "{\n  \"a\": \"&\",\n  \"b\": [\n    1\n  ]\n}"},
		{json.RawMessage(`{"a": "<"}`), `{"a":"<"}`, "{\n  \"a\": \"<\"\n}"},
	} {
		compact, err := Marshal(test.value)
		if err != nil || string(compact) != test.compact || Text(test.value) != test.compact {
			t.Errorf("Marshal(%v) = %s, %v, want %s", test.value, compact, err, test.compact)
		}
		if indented, err := MarshalIndent(test.value); err != nil || string(indented) != test.indented {
			t.Errorf("MarshalIndent(%v) = %s, %v, want %s", test.value, indented, err, test.indented)
		}
	}
}

func TestMarshalFails(t *testing.T) {
	t.Parallel()
	if text, err := Marshal(math.NaN()); err == nil || text != nil {
		t.Errorf("Marshal(NaN) = %s, %v, want an error alone", text, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Text(NaN) returns, want a panic")
		}
	}()
	Text(math.NaN())
}
