package term

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether v, a reader or a writer, is a terminal.
func IsTerminal(v any) bool {
	file, ok := v.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// ReadHidden reads a line from a terminal that does not show what is typed. When ctx ends first, it makes the terminal
// show again what is typed, and returns the error of ctx.
func ReadHidden(ctx context.Context, terminal *os.File) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return string(r.text), r.err
	case <-ctx.Done():
		_ = term.Restore(fd, before) // the error of ctx says more
		return "", ctx.Err()
	}
}
