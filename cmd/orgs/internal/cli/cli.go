// Package cli is the base of all commands: it chooses the store, prints results, and reports failures.
//
// It may import backend and term, but none of the packages that hold commands.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/term"
)

// StoreVariable is the environment variable that names the store of commands without --store.
const StoreVariable = "ORGS_STORE"

// App is one run of the command.
type App struct {
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr *term.Screen
	Now            func() time.Time
	JSON           bool // --json

	store   string // --store
	running bool   // the arguments were understood, so errors are no longer about syntax
}

// New returns a run whose flags are not parsed yet. It reads the standard input of the process.
func New(getenv func(string) string, stdout, stderr io.Writer) *App {
	return &App{
		Getenv: getenv, Stdin: os.Stdin,
		Stdout: term.NewScreen(stdout, getenv), Stderr: term.NewScreen(stderr, getenv), Now: time.Now,
	}
}

// AddFlags adds the flags that every command has.
func (a *App) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&a.store, "store", "", "where the organizations are: `sqlite:PATH|dynamodb:PREFIX` (default $"+
		StoreVariable+", else "+string(backend.DefaultChoice)+")")
	flags.BoolVar(&a.JSON, "json", false, "print JSON, errors too")
}

// Choice returns the store of the flag. Without the flag it returns the store of the environment, or the default.
func (a *App) Choice() backend.Choice {
	return cmp.Or(backend.Choice(a.store), backend.Choice(a.Getenv(StoreVariable)), backend.DefaultChoice)
}

// ChoiceSource says where Choice comes from.
func (a *App) ChoiceSource() string {
	switch {
	case a.store != "":
		return "from --store"
	case a.Getenv(StoreVariable) != "":
		return "from $" + StoreVariable
	default:
		return "the default"
	}
}

// Print prints the result of a command: v as JSON with --json, else the text and a newline.
func (a *App) Print(v any, text string) error {
	if a.JSON {
		return a.Stdout.WriteJSON(v)
	}
	_, err := fmt.Fprintln(a.Stdout, text)
	return err
}

// PrintDone prints the result of a command that has changed something. If it cannot print the result, the failure says
// what was done all the same, so that nobody does it again.
func (a *App) PrintDone(done string, v any, text string) error {
	if err := a.printAfterChange(v, text); err != nil {
		return term.Fail(term.Failed, "%s, but this could not be shown: %v", done, err)
	}
	return nil
}

func (a *App) printAfterChange(v any, text string) error {
	defer OutliveReader()()
	return a.Print(v, text)
}

// OutliveReader lets writes to an output whose reader is gone fail until end is called. Elsewhere they end the process,
// which could then not say what it has changed.
func OutliveReader() (end func()) {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}

// PrintSecret prints a result that holds a key in plain text, which can be shown only now. If it cannot print the
// result, the failure says what was done, why the result cannot be shown, and what to do. If the output is a file, it
// takes the right to read it from everybody but its owner.
func (a *App) PrintSecret(v any, text, done, goOn string) error {
	changed, err := a.Stdout.KeepPrivate()
	if err == nil {
		err = a.printAfterChange(v, text)
	}
	if err != nil {
		return term.Fail(term.Failed, "%s: %v; %s", done, err, goOn)
	}
	if changed {
		a.Stderr.Warn(&term.Failure{
			Kind: term.Failed, Message: "the output holds a key, so that only the owner of its file may read it now",
		}, a.JSON)
	}
	return nil
}

// Progress returns a progress that counts to total, shown on stderr. If stderr is not a terminal, it writes lines if
// lines is true. With --json it writes none, because errors there are JSON.
func (a *App) Progress(what string, total int64, lines bool) *term.Progress {
	return term.NewProgress(a.Stderr, a.Now, what, total, lines && !a.JSON)
}

// RunE is the function that cobra calls after it has read the arguments of a command.
type RunE = func(*cobra.Command, []string) error

// Run returns the RunE of a command that opens no store, or that opens one itself.
func (a *App) Run(f func(ctx context.Context, args []string) error) RunE {
	return func(c *cobra.Command, args []string) error {
		a.running = true
		return f(c.Context(), args)
	}
}

// Opener is one of the functions of package backend that open a store.
type Opener func(context.Context, backend.Choice, func(string) string) (*backend.Store, error)

// RunWith returns the RunE of a command that works on a store. It opens the store first, and closes it at the end.
func (a *App) RunWith(open Opener, f func(ctx context.Context, s *backend.Store, args []string) error) RunE {
	return a.Run(func(ctx context.Context, args []string) error {
		return a.With(ctx, open, func(s *backend.Store) error { return f(ctx, s, args) })
	})
}

// With opens the store, calls f, and closes the store.
func (a *App) With(ctx context.Context, open Opener, f func(*backend.Store) error) (err error) {
	s, err := open(ctx, a.Choice(), a.Getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err = f(s); backend.KindOf(err) == term.NoTables {
		return term.Fail(term.NoTables, "the tables are missing; %s", s.TablesAdvice())
	}
	return err
}

// Failure returns the failure to report for an error of a command with the context. If the chain of err holds a
// Failure, the result has its kind. It always has the whole text of err. Before the command runs, every other error is
// a Usage failure. After a signal, an error that prevented the rest is an interruption.
func (a *App) Failure(ctx context.Context, err error) *term.Failure {
	const interrupted = "interrupted"
	f := a.failure(err)
	if ctx.Err() == nil || f.Kind != term.Unavailable && f.Kind != term.Failed && f.Kind != term.Interrupted {
		return f
	}
	if !strings.HasPrefix(err.Error(), interrupted) {
		return &term.Failure{Kind: term.Interrupted, Message: interrupted + "; " + err.Error()}
	}
	return &term.Failure{Kind: term.Interrupted, Message: err.Error()}
}

func (a *App) failure(err error) *term.Failure {
	var f *term.Failure
	switch {
	case errors.As(err, &f):
		return &term.Failure{Kind: f.Kind, Message: err.Error()}
	case !a.running && !errors.Is(err, a.Stdout.Failed()): // cobra prints completions by itself
		return &term.Failure{Kind: term.Usage, Message: strings.TrimSpace(err.Error())}
	}
	f = &term.Failure{Kind: backend.KindOf(err), Message: err.Error()}
	switch {
	case f.Kind == term.Unavailable:
		f.Message += "; look into it with: " + a.Choice().CommandLine("doctor")
	case errors.Is(err, syscall.EADDRINUSE):
		f.Message += "; choose another address with --addr, such as 127.0.0.1:0 for any that is free"
	}
	return f
}
