// Package term is the output of the orgs command: tables, progress and failures for people, JSON for programs.
//
// It knows nothing of organizations and must import nothing else of this module. Every package of the command may
// import it.
package term

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// Screen is where the command writes, with what the place can show. If it is a file or a pipe, a program reads it, so
// nothing is coloured or cut short.
type Screen struct {
	io.Writer
	Terminal bool // a person looks at it
	Width    int  // in columns; 0 means unlimited
	Colours  bool
	Cursor   bool // it can draw a line again
}

// NewScreen finds out whether w is a terminal. NO_COLOR (no-color.org) turns colours off. If TERM is empty or "dumb",
// it sends no escape sequences.
func NewScreen(w io.Writer, getenv func(string) string) *Screen {
	s := &Screen{Writer: &output{writer: w}}
	file, ok := w.(*os.File)
	if !ok || !IsTerminal(file) {
		return s
	}
	s.Terminal = true
	if width, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil {
		s.Width = width
	}
	kind := getenv("TERM")
	s.Cursor = kind != "" && kind != "dumb"
	s.Colours = s.Cursor && getenv("NO_COLOR") == ""
	return s
}

// The styles, as the numbers of SGR escape sequences.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// states are the words for a state, and their colours.
var states = map[string]string{
	"active": green, "ok": green,
	"expired": yellow, "warn": yellow,
	"deleted": red, "revoked": red, "fail": red,
}

// State returns the text, coloured if it is a word for a state. Spaces around the word are ignored.
func (s *Screen) State(text string) string { return s.paint(states[strings.TrimSpace(text)], text) }

// paint returns the text in the style, or unchanged for the style "" and on a screen without colours.
func (s *Screen) paint(style, text string) string {
	if !s.Colours || style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Printable returns the text with control and invisible characters escaped. It leaves letters, marks, numbers,
// punctuation, symbols and the ASCII space. Customers choose names, and a terminal obeys the escape sequences in them.
func Printable(s string) string {
	var out strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return out.String()
}

// printableLines is Printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// Grouped returns the number with commas between thousands.
func Grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := len(text) - len(strings.TrimPrefix(text, "-"))
	for i := len(text) - 3; i > sign; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count returns the number with its noun: "1 key", "2 keys".
func Count(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(n) + " " + more
}
