package judge_test

import (
	"encoding/json"
	"testing"

	"organizations-api/contracttests/spec"
)

// asJSON returns a YAML document as JSON, with an escape that YAML reads otherwise.
func asJSON(t *testing.T, document []byte) []byte {
	t.Helper()
	top, err := spec.Tree(document)
	if err != nil {
		t.Fatal(err)
	}
	value, ok := spec.Plain(top).(map[string]any)
	if !ok {
		t.Fatal("the document is no object")
	}
	value["x-escape"] = json.RawMessage(`"\ud83d\ude00 \/"`)
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
