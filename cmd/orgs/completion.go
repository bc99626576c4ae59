package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"organizations-api/shared/organization"
)

// What the shell offers for the word that is being typed. What the store has is asked for briefly; where it cannot be
// had, nothing is offered and nothing said.

const (
	completionTime  = 2 * time.Second
	completionLimit = 200 // organizations
)

// complete gives the arguments and flags of all commands their completions, by what their help says they are: ORG and
// KEY_ID in the usage, and a list of words as the kind of a flag.
func (a *app) complete(c *cobra.Command) {
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = a.argumentsOf(c)
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		words := strings.Split(f.Value.Type(), "|")
		if len(words) > 1 {
			words = slices.DeleteFunc(words, func(word string) bool { return word == "duration" }) // that is no word to type
			cobra.CheckErr(c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
		}
	})
	if c.PersistentFlags().Lookup("store") != nil {
		cobra.CheckErr(c.RegisterFlagCompletionFunc("store", completeStore))
	}
	for _, sub := range c.Commands() {
		a.complete(sub)
	}
}

func (a *app) argumentsOf(c *cobra.Command) cobra.CompletionFunc {
	places := strings.Fields(c.Use)[1:]
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= len(places) {
			return nil, none
		}
		switch places[len(args)] {
		case "ORG":
			return a.completeOrganizations(c.Context(), c.Name()), none
		case "KEY_ID":
			return a.completeKeys(c.Context(), args[0]), none
		case "FILE":
			return nil, cobra.ShellCompDirectiveDefault
		default:
			return nil, none
		}
	}
}

// completeOrganizations offers the organizations that the command can do something to.
func (a *app) completeOrganizations(ctx context.Context, command string) []cobra.Completion {
	var found []cobra.Completion
	a.whileCompleting(ctx, func(ctx context.Context, s *storage) error {
		return pages(ctx, s, func(o organization.Organization) bool {
			if (command == "undelete") == (organizationState(o) == stateDeleted) || command == "delete" || command == "show" {
				found = append(found, cobra.CompletionWithDesc(string(o.ID), printable(o.Name)))
			}
			return len(found) < completionLimit
		})
	})
	return found
}

// completeKeys offers the keys that can still be used.
func (a *app) completeKeys(ctx context.Context, id string) []cobra.Completion {
	var found []cobra.Completion
	a.whileCompleting(ctx, func(ctx context.Context, s *storage) error {
		_, keys, err := s.Get(ctx, organization.ID(id))
		for _, k := range keys {
			if k.Check(a.now()) == nil {
				found = append(found, cobra.CompletionWithDesc(k.ID, k.Permission.String()+" "+string(k.Mode)))
			}
		}
		return err
	})
	return found
}

// whileCompleting asks the store something, and leaves it as it is; what goes wrong is nobody's business in the middle of a
// line.
func (a *app) whileCompleting(ctx context.Context, ask func(context.Context, *storage) error) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	s, err := a.openAsItIs(ctx)
	if err != nil {
		return
	}
	_ = ask(ctx, s)
	_ = s.close()
}

// completeStore offers the kinds of stores, and after sqlite: the folders and databases.
func completeStore(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const more = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	path, isFile := strings.CutPrefix(typed, "sqlite:")
	if !isFile {
		return []cobra.Completion{
			cobra.CompletionWithDesc("sqlite:", "a file on this machine"),
			cobra.CompletionWithDesc("dynamodb:", "the prefix of the tables' names"),
		}, more
	}
	folder, start := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean("./" + folder))
	if filepath.IsAbs(folder) {
		entries, err = os.ReadDir(folder)
	}
	if err != nil {
		return nil, more
	}
	var found []cobra.Completion
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case !strings.HasPrefix(name, start):
		case entry.IsDir():
			found = append(found, "sqlite:"+folder+name+"/")
		case slices.Contains([]string{".db", ".sqlite", ".sqlite3"}, filepath.Ext(name)):
			found = append(found, "sqlite:"+folder+name)
		}
	}
	return found, more
}
