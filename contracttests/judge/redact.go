package judge

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The longest texts in a report, in bytes.
const (
	MaxText    = 160 // an expectation or a finding
	MaxValue   = 60  // a string value within them
	MaxPointer = 200
)

// secretText matches what looks like a credential. Its first group, the kind of credential, is kept.
var secretText = regexp.MustCompile(`(?i)\b((?:sk|pk|rk|whsec)[-_](?:live_|test_)?|bearer +|basic ` +
	`+)[A-Za-z0-9+/=._~-]{4,}`)

// secretName matches the names of members and headers that hold credentials.
var secretName = regexp.MustCompile(`(?i)credential|secret|passw|token|api_?-?key|authorization|private_?key|cookie`)

// Clip makes a text fit for a report: printable, on one line, without credentials, and at most max bytes long.
func Clip(text string, max int) string {
	cut := len(text) > 4*max
	if cut {
		text = text[:4*max] // so that a huge body costs no more than a small one
	}
	text = secretText.ReplaceAllString(text, "$1[redacted]")
	text = printable(text)
	if !cut && len(text) <= max {
		return text
	}
	return strings.ToValidUTF8(text[:min(max, len(text))], "") + "…"
}

func printable(text string) string {
	for _, r := range text {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			quoted := strconv.Quote(text)
			return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		}
	}
	return text
}

// Describe says what the value at the given path of a body is. It shows strings and numbers, clipped, and only the
// size of everything else. It shows nothing of values whose path names a credential.
func Describe(value any, path []string) string {
	if sensitive(path) {
		return describeSize(value)
	}
	switch value := value.(type) {
	case string:
		return `"` + Clip(value, MaxValue) + `"`
	case json.Number:
		return Clip(value.String(), MaxValue)
	default:
		return describeSize(value)
	}
}

// describeSize says what kind of value it is and shows nothing of it but true, false and null.
func describeSize(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(value)
	case string:
		return "a string of " + count(len(value), "byte")
	case json.Number:
		return "a number"
	case []any:
		return "an array of " + count(len(value), "item")
	case map[string]any:
		return "an object of " + count(len(value), "member")
	default:
		return fmt.Sprintf("a %T", value)
	}
}

// count returns a number of things in words, such as 1 item or 2 items.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func sensitive(path []string) bool {
	for _, name := range path {
		if secretName.MatchString(name) {
			return true
		}
	}
	return false
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// Pointer joins reference tokens to a JSON pointer (RFC 6901).
func Pointer(path []string) string {
	var out strings.Builder
	for _, token := range path {
		out.WriteByte('/')
		out.WriteString(pointerEscapes.Replace(token))
	}
	return out.String()
}
