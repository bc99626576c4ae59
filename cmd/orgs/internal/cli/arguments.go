package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// Group makes a command that only holds other commands. Called alone, it prints its help. If the first argument is none
// of its commands, that is a Usage failure.
func Group(c *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = suggestionDistance
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return UnknownCommand(c, args[0])
		}
		return c.Help()
	}
	c.AddCommand(commands...)
	return c
}

// suggestionDistance is how many characters a mistyped word may differ from the command that is suggested for it.
const suggestionDistance = 2

// UnknownCommand returns the failure for a command that c does not have. It suggests similar ones.
func UnknownCommand(c *cobra.Command, name string) error {
	return term.Fail(term.Usage, "there is no command %q%s", name, didYouMean(c.SuggestionsFor(name)))
}

// SuggestFlag adds similar flags to an error about an unknown flag. Cobra can only suggest commands, so this function
// makes commands with the names of the flags and lets Cobra suggest one.
func SuggestFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	names := &cobra.Command{SuggestionsMinimumDistance: suggestionDistance}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	var flags []string
	for _, name := range names.SuggestionsFor(unknown.GetSpecifiedName()) {
		flags = append(flags, "--"+name)
	}
	return fmt.Errorf("%w%s", err, didYouMean(flags))
}

func didYouMean(candidates []string) string {
	if len(candidates) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(candidates, " or ") + "?"
}

// keyPattern finds API keys, mistyped ones too.
var keyPattern = regexp.MustCompile(`sk_(live|test)_[0-9A-Za-z]+_`)

// RefuseKeys returns a Usage failure if there is an API key among the arguments, where other users of the machine and
// the history of the shell see it. The failure does not quote it.
func RefuseKeys(args []string) error {
	if !slices.ContainsFunc(args, keyPattern.MatchString) {
		return nil
	}
	return term.Fail(term.Usage, "an API key is among the arguments, where others can see it. If it is in use, rotate it. "+
		"Commands take the KEY_ID, which orgs keys list shows; orgs find - reads a key from standard input")
}

// Arguments checks that a command got its required flags and the arguments in its usage, where each word is one
// argument. The error names everything that is missing, or quotes the first argument that is too many.
func Arguments(c *cobra.Command, args []string) error {
	var names []string
	for _, word := range strings.Fields(c.Use)[1:] {
		if strings.HasPrefix(word, "-") {
			break
		}
		names = append(names, word)
	}
	if len(args) > len(names) {
		return fmt.Errorf("%q is one argument too many", args[len(names)])
	}
	missing := names[len(args):]
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[cobra.BashCompOneRequiredFlag] != nil && !f.Changed {
			missing = append(missing, "--"+f.Name)
		}
	})
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s is missing", missing[0])
	default:
		return fmt.Errorf("%s are missing", strings.Join(missing, " and "))
	}
}

// OrganizationArgument is Arguments, and checks that the first is the identifier of an organization.
func OrganizationArgument(c *cobra.Command, args []string) error {
	if err := Arguments(c, args); err != nil {
		return err
	}
	_, err := organization.ParseID(args[0])
	return err
}

// Flag is a flag that checks its text and turns it into a value.
type Flag[T any] struct {
	Value T
	Given bool // on the command line

	parse func(string) (T, error)
	kind  string
	text  string
}

// NewFlag returns a flag. The help shows its kind. The initial text must be valid, or "" for the zero value.
func NewFlag[T any](kind, initial string, parse func(string) (T, error)) *Flag[T] {
	f := &Flag[T]{parse: parse, kind: kind, text: initial}
	if initial != "" {
		f.Value, _ = parse(initial)
	}
	return f
}

func (f *Flag[T]) String() string { return f.text }

// Type returns the kind of the flag.
func (f *Flag[T]) Type() string { return f.kind }

// Set parses the text.
func (f *Flag[T]) Set(text string) error {
	value, err := f.parse(text)
	if err != nil {
		return err
	}
	f.text, f.Value, f.Given = text, value, true
	return nil
}

// NewNumber returns a flag for a whole number from least to most, such as 1000 or 1_000. For any other text the error
// is the rule.
func NewNumber(initial string, least, most int64, rule string) *Flag[int64] {
	return NewFlag("n", initial, func(text string) (int64, error) {
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil || n < least || n > most {
			return 0, errors.New(rule)
		}
		return n, nil
	})
}

// NewWorkers returns a flag for how much is done at once.
func NewWorkers() *Flag[int64] {
	return NewNumber("8", 1, 256, "workers are a whole number from 1 to 256")
}
