package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShownBody bounds what Show shows of a body, in bytes.
const maxShownBody = 800

// Show returns a response for a report: the status, the headers and the body, without credentials, and bounded. A JSON
// body is shown without the values of members whose names are those of credentials.
func Show(r Response) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d %s\n", r.Status, http.StatusText(r.Status))
	h := Canonical(r.Header)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			text := Clip(value, MaxText)
			if secretName.MatchString(name) {
				text = describeSize(value)
			}
			fmt.Fprintf(&out, "%s: %s\n", Clip(name, MaxValue), text)
		}
	}
	if len(r.Body) == 0 {
		out.WriteString("(no body)")
		return out.String()
	}
	out.WriteString("\n" + shownBody(r.Body))
	return out.String()
}

func shownBody(body []byte) string {
	value, _, ok := ReadJSON(body)
	if !ok {
		if !utf8.Valid(body) {
			return fmt.Sprintf("(%d bytes that are no text)", len(body))
		}
		return Clip(string(body), maxShownBody)
	}
	text, err := json.Marshal(hidden(value, nil))
	if err != nil {
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	return Clip(string(text), maxShownBody)
}

// hidden returns a value without what is below the name of a credential.
func hidden(value any, path []string) any {
	if sensitive(path) {
		switch value.(type) {
		case nil, bool:
			return value
		}
		return "(" + describeSize(value) + ")"
	}
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, member := range value {
			out[name] = hidden(member, []string{name})
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = hidden(item, nil)
		}
		return out
	default:
		return value
	}
}
