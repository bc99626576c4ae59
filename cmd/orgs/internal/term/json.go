package term

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"organizations-api/shared/plainjson"
)

// WriteJSON writes the value as indented JSON, completely or not at all. It escapes the same characters as Printable,
// because a terminal obeys escape sequences in JSON too.
func (s *Screen) WriteJSON(v any) error {
	text, err := plainjson.MarshalIndent(v)
	if err != nil {
		return err
	}
	_, err = s.Write(append(escapeJSON(text), '\n'))
	return err
}

// JSONLines returns a writer for lines of JSON that escapes as WriteJSON does. A Write must not end inside a character.
func (s *Screen) JSONLines() io.Writer { return jsonLines{s} }

type jsonLines struct{ screen *Screen }

func (j jsonLines) Write(text []byte) (int, error) {
	if _, err := j.screen.Write(escapeJSON(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escapeJSON escapes control and invisible characters in JSON from an encoder. There, line feeds stand only outside
// strings, and all other such characters only inside.
func escapeJSON(text []byte) []byte {
	var out strings.Builder
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return []byte(out.String())
}
