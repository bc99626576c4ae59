package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"organizations-api/shared/store"
)

// screen is where the command writes, and what that can show. To a file or a pipe nothing is coloured and nothing cut
// short: programs read it.
type screen struct {
	io.Writer
	terminal bool // whether a person looks at it
	width    int  // in columns; 0 where there is no bound
	colours  bool
}

// newScreen finds out whether w is a terminal. NO_COLOR (no-color.org) turns colours off, and so does a terminal that is
// dumb or does not say what it is.
func newScreen(w io.Writer, getenv func(string) string) *screen {
	s := &screen{Writer: w}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return s
	}
	s.terminal = true
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		s.width = width
	}
	kind := getenv("TERM")
	s.colours = getenv("NO_COLOR") == "" && kind != "" && kind != "dumb"
	return s
}

// style is the number of an SGR escape sequence.
type style string

// The styles.
const (
	plain  style = ""
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint returns the text in the style, where the screen has colours.
func (s *screen) paint(how style, text string) string {
	if !s.colours || how == plain {
		return text
	}
	return "\x1b[" + string(how) + "m" + text + "\x1b[0m"
}

// styleOf returns how a word that says what state something is in is painted.
func styleOf(word string) style {
	switch word {
	case stateActive, string(store.OK):
		return green
	case "expired", string(store.Warn):
		return yellow
	case stateDeleted, "revoked", string(store.Fail):
		return red
	default:
		return plain
	}
}
