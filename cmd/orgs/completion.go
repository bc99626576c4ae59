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

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// What a shell offers for the word that is being typed. The store is read, but not for long and without any message: if
// it cannot be read, nothing is offered.

const (
	completionTime  = 2 * time.Second
	completionLimit = 200 // organizations
)

// addCompletions gives completions to the arguments and flags of all commands. It takes them from the help: ORG and
// KEY_ID in the usage of a command, and a list of words as the kind of a flag.
func addCompletions(a *cli.App, c *cobra.Command) {
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = argumentCompletion(a, strings.Fields(c.Use)[1:])
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		words := strings.Split(f.Value.Type(), "|")
		if len(words) > 1 {
			words = slices.DeleteFunc(words, func(word string) bool { return word == "time" || word == "duration" }) // these stand for values
			cobra.CheckErr(c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
		}
	})
	if c.PersistentFlags().Lookup("store") != nil {
		cobra.CheckErr(c.RegisterFlagCompletionFunc("store", completeStore))
	}
	for _, sub := range c.Commands() {
		addCompletions(a, sub)
	}
}

// argumentCompletion completes the arguments that the usage of a command names.
func argumentCompletion(a *cli.App, names []string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= len(names) {
			return nil, none
		}
		switch names[len(args)] {
		case "ORG":
			return completeOrganizations(c.Context(), a, c.Name()), none
		case "KEY_ID":
			return completeKeys(c.Context(), a, args[0]), none
		case "FILE":
			return nil, cobra.ShellCompDirectiveDefault
		default:
			return nil, none
		}
	}
}

// completeOrganizations offers the organizations that the command can do something to.
func completeOrganizations(ctx context.Context, a *cli.App, command string) []cobra.Completion {
	var found []cobra.Completion
	whileCompleting(ctx, a, func(ctx context.Context, s *backend.Store) {
		for o, err := range s.Organizations(ctx) {
			if err != nil || len(found) == completionLimit {
				return
			}
			if (command == "undelete") == (o.DeletedAt != nil) || command == "delete" || command == "show" {
				found = append(found, cobra.CompletionWithDesc(string(o.ID), term.Printable(o.Name)))
			}
		}
	})
	return found
}

// completeKeys offers the keys that can still be used.
func completeKeys(ctx context.Context, a *cli.App, id string) []cobra.Completion {
	var found []cobra.Completion
	whileCompleting(ctx, a, func(ctx context.Context, s *backend.Store) {
		_, keys, _ := s.Get(ctx, organization.ID(id))
		for _, k := range keys {
			if k.Check(a.Now()) == nil {
				found = append(found, cobra.CompletionWithDesc(k.ID, k.Permission.String()+" "+string(k.Mode)))
			}
		}
	})
	return found
}

// whileCompleting opens the store as it is, for a short time. It ignores errors, because a message in the middle of a
// typed line would only disturb.
func whileCompleting(ctx context.Context, a *cli.App, ask func(context.Context, *backend.Store)) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	_ = a.With(ctx, backend.OpenAsItIs, func(s *backend.Store) error {
		ask(ctx, s)
		return nil
	})
}

// completeStore offers the kinds of stores. After sqlite: it offers folders and databases.
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
