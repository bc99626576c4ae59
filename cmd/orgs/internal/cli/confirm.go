package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"organizations-api/cmd/orgs/internal/term"
)

// Confirm asks on the terminal whether to go ahead. effect is a sentence without its full stop that says what will
// happen. With --yes, which sets yes, it does not ask. If nobody can be asked, as in a script or with --json, it
// returns a Usage failure. If the answer is not yes, it returns a failure of the kind Declined.
func (a *App) Confirm(ctx context.Context, yes bool, effect string) error {
	switch {
	case yes:
		return nil
	case a.JSON || !a.Stderr.Terminal || !term.IsTerminal(a.Stdin):
		return term.Fail(term.Usage, "%s; nobody can be asked here, so give --yes to go ahead", effect)
	}
	fmt.Fprintf(a.Stderr, "%s. Go ahead? [y/N] ", effect)
	answer, err := a.ReadLine(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	default:
		return term.Fail(term.Declined, "nothing was changed")
	}
}

// maxLine is the longest line that ReadLine accepts, in bytes.
const maxLine = 4 << 10

// ReadLine reads a line from standard input, and returns it without its end. The last line may have no end. If ctx ends
// first, ReadLine returns an error, and nobody may read standard input afterwards.
func (a *App) ReadLine(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := bufio.NewReader(io.LimitReader(a.Stdin, maxLine)).ReadString('\n')
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("reading standard input: %w", r.err)
		}
		return strings.TrimRight(r.text, "\r\n"), nil
	case <-ctx.Done():
		return "", term.Fail(term.Interrupted, "interrupted; nothing was changed")
	}
}

// ReadSecret is ReadLine, but a terminal does not show what the person types. prompt says what to type.
func (a *App) ReadSecret(ctx context.Context, prompt string) (string, error) {
	file, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(file) {
		return a.ReadLine(ctx)
	}
	text, err := term.ReadHidden(ctx, file, a.Stderr, prompt)
	if err != nil {
		return "", term.Fail(term.Failed, "nothing was read: %v", err)
	}
	return text, nil
}
