package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether v, a reader or a writer, is a terminal.
func IsTerminal(v any) bool {
	file, ok := v.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// ReadHidden prints a prompt and reads a line that the terminal does not show. The terminal hides the text before the
// prompt appears. The error is ctx's if ctx ends first, and io.EOF if the person gives up (Ctrl-C or Ctrl-D).
func ReadHidden(ctx context.Context, terminal *os.File, out io.Writer, prompt string) (text string, err error) {
	fd := int(terminal.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(fd, before)) }()
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.text, r.err = term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{terminal, out}, "").ReadPassword(prompt)
		done <- r
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
