package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/shared/organization"
	"organizations-api/shared/store/sqlite"
)

// app is one run of the command.
type app struct {
	getenv         func(string) string
	stdout, stderr *screen
	now            func() time.Time

	store   string // as given; see storeChoice
	json    bool   // where it was parsed; see wantsJSON
	running bool   // the arguments were understood; what goes wrong now is not the caller's syntax
}

func newApp(getenv func(string) string, stdout, stderr io.Writer) *app {
	return &app{getenv: getenv, stdout: newScreen(stdout, getenv), stderr: newScreen(stderr, getenv), now: time.Now}
}

const (
	storeVariable = "ORGS_STORE"
	defaultStore  = "sqlite:.orgs/orgs.db"
)

// storeChoice returns what the flag says, else the environment, else the default.
func (a *app) storeChoice() string { return cmp.Or(a.store, a.getenv(storeVariable), defaultStore) }

func (a *app) rootCommand() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "orgs",
		Short: "Serve the organizations API, and operate it",
		Long: `orgs serves the organizations API on this machine, as API Gateway and Lambda do in AWS, and operates it anywhere:
it creates organizations, issues and revokes keys, and shows what happened.

Exit codes: 0 done, 1 failed, 2 not understood.`,
		Example: `  orgs serve
  orgs create --name 'Northwind Video' --tier pro
  orgs --store dynamodb:organizations-api list`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(suggestFlag)
	flags := root.PersistentFlags()
	flags.StringVar(&a.store, "store", "",
		"where the organizations are: `sqlite:PATH|dynamodb:PREFIX` (default $"+storeVariable+", else "+defaultStore+")")
	flags.BoolVar(&a.json, "json", false, "print JSON, errors too")
	root.AddCommand(
		a.serveCommand(), a.createCommand(), a.showCommand(), a.listCommand(), a.deleteCommand(), a.undeleteCommand(),
		a.auditCommand(), a.keysCommand(), a.backupCommand(), a.restoreCommand(), a.seedCommand(), a.loadCommand(),
		a.tablesCommand(), a.doctorCommand(), a.versionCommand(),
	)
	a.complete(root)
	refuseUnknownTopics(root)
	return root
}

// refuseUnknownTopics has help answer for a command that there is not as that would be answered itself; cobra's own would
// show the help of what there is, and succeed.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Args = func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = unknownCommand(found, rest[0])
			}
			return err
		}
	}
}

// group makes a command that only holds others. Alone it is not understood.
func group(c *cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, args[0])
		}
		return usageError("a command is missing")
	}
	return c
}

func unknownCommand(c *cobra.Command, name string) error {
	return usageError("there is no command %q%s", name, didYouMean(c.SuggestionsFor(name)))
}

// does makes the function of a command that needs no store.
func (a *app) does(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		a.running = true
		return f(c.Context(), args)
	}
}

// doesWithStore makes the function of a command that works on a store that is there: a mistyped path makes no file. The
// store is closed in any case.
func (a *app) doesWithStore(f func(ctx context.Context, s *storage, args []string) error) func(*cobra.Command, []string) error {
	return a.doesWith(a.openExisting, f)
}

// doesWithNewStore is doesWithStore for a command that makes the store where it is missing.
func (a *app) doesWithNewStore(f func(ctx context.Context, s *storage, args []string) error) func(*cobra.Command, []string) error {
	return a.doesWith(a.openOrMake, f)
}

func (a *app) doesWith(
	open func(context.Context) (*storage, error), f func(ctx context.Context, s *storage, args []string) error,
) func(*cobra.Command, []string) error {
	return a.does(func(ctx context.Context, args []string) error {
		return with(ctx, open, func(s *storage) error { return f(ctx, s, args) })
	})
}

// with opens a store for a function, and closes it in any case.
func with(ctx context.Context, open func(context.Context) (*storage, error), f func(*storage) error) (err error) {
	s, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return f(s)
}

func (a *app) openOrMake(ctx context.Context) (*storage, error) {
	return openStorage(ctx, a.storeChoice(), a.getenv)
}

func (a *app) openExisting(ctx context.Context) (*storage, error) {
	if err := a.needsFile(); err != nil {
		return nil, err
	}
	return a.openOrMake(ctx)
}

// openAsItIs opens the store that is there for a look: unlike for other commands, a file keeps the schema that it has.
func (a *app) openAsItIs(ctx context.Context) (*storage, error) {
	if err := a.needsFile(); err != nil {
		return nil, err
	}
	if name, path, err := parseChoice(a.storeChoice()); err == nil && name == engineSQLite {
		return openSQLite(ctx, a.storeChoice(), path, sqlite.OpenAsItIs)
	}
	return a.openOrMake(ctx)
}

// needsFile refuses a file that is not there.
func (a *app) needsFile() error {
	name, path, err := parseChoice(a.storeChoice())
	if err != nil || name != engineSQLite {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fail(kindNoStore, "there is no file %s; name another with --store, or make this one with: %s",
			printable(path), a.commandLine("create --name NAME"))
	}
	return nil
}

// Arguments. What these return is reported as usage.

// organizationArgument checks that the first of n arguments is the identifier of an organization.
func organizationArgument(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return err
		}
		_, err := organization.ParseID(args[0])
		return err
	}
}

// parsed is a flag whose text a function checks and turns into a value.
type parsed[T any] struct {
	parse func(string) (T, error)
	kind  string // in the help
	text  string
	value T
	given bool
}

// newParsed returns a flag; its text until it is set is initial, which must parse or be "".
func newParsed[T any](kind, initial string, parse func(string) (T, error)) *parsed[T] {
	p := &parsed[T]{parse: parse, kind: kind, text: initial}
	if initial != "" {
		p.value, _ = parse(initial)
	}
	return p
}

func (p *parsed[T]) String() string { return p.text }
func (p *parsed[T]) Type() string   { return p.kind }
func (p *parsed[T]) Set(s string) error {
	value, err := p.parse(s)
	if err != nil {
		return err
	}
	p.text, p.value, p.given = s, value, true
	return nil
}
