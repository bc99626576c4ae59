package admin

import (
	"context"
	"errors"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func auditCommand(a *cli.App) *cobra.Command {
	limit := cli.NewNumber("50", 1, math.MaxInt, "a limit is a whole number, 1 or more")
	before := cli.NewFlag("entry", "", parseEntryID)
	c := &cobra.Command{
		Use:   "audit ORG",
		Short: "Show what happened to an organization, the newest first",
		Long: `Show what happened to an organization, the newest first. Where there is more than the limit, the output ends with how to go
on; in JSON, next is the entry to go on from, and null at the end.`,
		Example: `  orgs audit org_znU9VHanHBWwM
  orgs audit org_znU9VHanHBWwM --limit 1 --json`,
		Args: cli.OrganizationArgument(1),
		RunE: withOrganization(a, func(ctx context.Context, t target, args []string) error {
			entries, next, err := readEntries(ctx, t, before.Value, int(limit.Value))
			if err != nil {
				return err
			}
			return printEntries(a, t.organization.ID, entries, next)
		}),
	}
	c.Flags().Var(limit, "limit", "how many entries at most")
	c.Flags().Var(before, "before", "show what is older than this entry")
	return c
}

// parseEntryID checks that s has the form of an entry's identifier.
func parseEntryID(s string) (string, error) {
	if (store.Entry{ID: s}).At().IsZero() {
		return "", errors.New("an entry is named as --json and the end of a page name it")
	}
	return s, nil
}

// readEntries returns the newest entries of the organization that are older than before, at most limit, and the entry to
// go on from, which is "" at the end.
func readEntries(ctx context.Context, t target, before string, limit int) ([]store.Entry, string, error) {
	const pageSize = 100
	var entries []store.Entry
	for cursor := before; ; {
		page, next, err := t.store.Audit(ctx, t.organization.ID, cursor, min(pageSize, limit-len(entries)))
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, page...)
		if next == "" || len(entries) >= limit {
			return entries, next, nil
		}
		cursor = next
	}
}

func printEntries(a *cli.App, id organization.ID, entries []store.Entry, next string) error {
	out := make([]EntryJSON, 0, len(entries))
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, EntryToJSON(e))
		at := e.At()
		rows = append(rows, []string{
			term.Time(&at), string(e.Action), e.Actor, strconv.FormatInt(e.Version, 10), changesText(e.Changes), e.RequestID,
		})
	}
	text := a.Stdout.Table([]string{"TIME", "ACTION", "ACTOR", "VERSION", "CHANGES", "REQUEST"}, rows)
	if next != "" {
		text += "\n\nThere is more: " + a.Choice().CommandLine("audit "+string(id)+" --before "+next)
	}
	return a.Print(struct {
		Entries []EntryJSON `json:"entries"`
		Next    *string     `json:"next"`
	}{out, nullIfEmpty(next)}, text)
}
