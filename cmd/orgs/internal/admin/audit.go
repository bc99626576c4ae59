package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// auditFlags say which entries audit shows.
type auditFlags struct {
	limit  *cli.Flag[int64]
	before *cli.Flag[string]
	since  *cli.Flag[cli.Moment]
	action *cli.Flag[store.Action]
	actor  string
}

func auditCommand(a *cli.App) *cobra.Command {
	f := &auditFlags{
		limit:  cli.NewNumber("50", 1, math.MaxInt, "a limit is a whole number, 1 or more"),
		before: cli.NewFlag("entry", "", parseEntryID),
		since:  cli.NewFlag(cli.MomentKind, "", cli.ParseMoment),
		action: cli.NewFlag("action", "", parseAction),
	}
	c := &cobra.Command{
		Use:   "audit ORG",
		Short: "Show what happened to an organization, the newest first",
		Long: `Show what happened to an organization, the newest first.

If there are more entries than the limit, the output ends with the command that shows the next ones. In JSON, next is the
entry to go on from. It is null at the end.

A duration for --since counts back from now. The actions are: ` + actionNames() + `.`,
		Example: `  orgs audit org_znU9VHanHBWwM
  orgs audit org_znU9VHanHBWwM --since 7d --action organization.updated
  orgs audit org_znU9VHanHBWwM --since 2026-11-01 --actor operator --json`,
		Args: cli.OrganizationArgument,
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			entries, next, err := f.read(ctx, t, a.Now())
			if err != nil {
				return err
			}
			return f.print(a, t.organization.ID, entries, next)
		}),
	}
	c.Flags().Var(f.limit, "limit", "how many entries at most")
	c.Flags().Var(f.before, "before", "only entries that are older than this entry")
	c.Flags().Var(f.since, "since", "only entries from this time on")
	c.Flags().Var(f.action, "action", "only entries of this action")
	c.Flags().StringVar(&f.actor, "actor", "", "only entries of this `KEY_ID`, or of "+store.OperatorActor+" for this command")
	cobra.CheckErr(c.RegisterFlagCompletionFunc("action",
		cobra.FixedCompletions(strings.Split(actionNames(), ", "), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func actionNames() string {
	var names []string
	for _, action := range store.Actions() {
		names = append(names, string(action))
	}
	return strings.Join(names, ", ")
}

func parseAction(s string) (store.Action, error) {
	if !slices.Contains(store.Actions(), store.Action(s)) {
		return "", fmt.Errorf("an action is one of %s", actionNames())
	}
	return store.Action(s), nil
}

// parseEntryID checks that s has the form of an entry's identifier.
func parseEntryID(s string) (string, error) {
	if (store.Entry{ID: s}).At().IsZero() {
		return "", errors.New("an entry is named by the id in the output of --json, or by the command at the end of a page")
	}
	return s, nil
}

// read returns the newest entries that the flags ask for, and the entry to go on from. That is "" if no entry is left.
func (f *auditFlags) read(ctx context.Context, t target, now time.Time) ([]store.Entry, string, error) {
	var found []store.Entry
	since := f.since.Value.Before(now)
	for cursor := f.before.Value; ; {
		size := 100
		if !f.action.Given && f.actor == "" {
			size = min(size, int(f.limit.Value)-len(found))
		}
		page, next, err := t.store.Audit(ctx, t.organization.ID, cursor, size)
		if err != nil {
			return nil, "", err
		}
		for i, e := range page {
			if since != nil && e.At().Before(*since) {
				return found, "", nil // all others are older
			}
			if !f.matches(e) {
				continue
			}
			if found = append(found, e); len(found) < int(f.limit.Value) {
				continue
			}
			if next == "" && i == len(page)-1 {
				return found, "", nil
			}
			return found, e.ID, nil
		}
		if next == "" {
			return found, "", nil
		}
		cursor = next
	}
}

func (f *auditFlags) matches(e store.Entry) bool {
	return (!f.action.Given || e.Action == f.action.Value) && (f.actor == "" || e.Actor == f.actor)
}

func (f *auditFlags) print(a *cli.App, id organization.ID, entries []store.Entry, next string) error {
	out := make([]EntryJSON, 0, len(entries))
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, EntryToJSON(e))
		at := e.At()
		rows = append(rows, []string{
			term.Time(&at), string(e.Action), e.Actor, changesText(e.Changes), strconv.FormatInt(e.Version, 10), e.RequestID,
		})
	}
	text := a.Stdout.Table([]string{"TIME", "ACTION", "ACTOR", "CHANGES", "VERSION", "REQUEST"}, rows, "REQUEST", "VERSION")
	if next != "" {
		text += "\n\nThere is more: " + a.Choice().CommandLine("audit "+string(id)+" --before "+next+f.rest())
	}
	return a.Print(struct {
		Entries []EntryJSON `json:"entries"`
		Next    *string     `json:"next"`
	}{out, nullIfEmpty(next)}, text)
}

// rest returns the flags that the command for the next page needs too.
func (f *auditFlags) rest() string {
	rest := ""
	if f.since.Given {
		rest += " --since " + f.since.String()
	}
	if f.action.Given {
		rest += " --action " + string(f.action.Value)
	}
	if f.actor != "" {
		rest += " --actor " + backend.Quote(f.actor)
	}
	return rest
}
