package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

func (a *app) auditCommand() *cobra.Command {
	limit := newParsed("n", "50", parseLimit)
	before := newParsed("entry", "", parseEntryID)
	c := &cobra.Command{
		Use:   "audit ORG",
		Short: "Show what happened to an organization, the newest first",
		Long: `Show what happened to an organization, the newest first. Where there is more than the limit, the output ends with how to go
on; in JSON, next is the entry to go on from, and null at the end.`,
		Args: organizationArgument(1),
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			o, _, err := find(ctx, s, organization.ID(args[0]))
			if err != nil {
				return err
			}
			entries, next, err := readTrail(ctx, s, o.ID, before.value, limit.value)
			if err != nil {
				return err
			}
			return a.printEntries(o.ID, entries, next)
		}),
	}
	c.Flags().Var(limit, "limit", "how many entries at most")
	c.Flags().Var(before, "before", "show what is older than this entry")
	return c
}

func parseLimit(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, errors.New("a limit is a whole number, 1 or more")
	}
	return n, nil
}

// parseEntryID checks that s has the form of an entry's identifier.
func parseEntryID(s string) (string, error) {
	if (store.Entry{ID: s}).At().IsZero() {
		return "", errors.New("an entry is named as --json and the end of a page name it")
	}
	return s, nil
}

// readTrail returns the newest entries of the organization that are older than before, at most limit, and the one to go on
// from; "" at the end.
func readTrail(ctx context.Context, s *storage, id organization.ID, before string, limit int) ([]store.Entry, string, error) {
	const pageSize = 100
	var entries []store.Entry
	for cursor := before; ; {
		page, next, err := s.Audit(ctx, id, cursor, min(pageSize, limit-len(entries)))
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

func (a *app) printEntries(id organization.ID, entries []store.Entry, next string) error {
	if a.json {
		wire := make([]wireEntry, 0, len(entries))
		for _, e := range entries {
			wire = append(wire, toWireEntry(e))
		}
		return writeJSON(a.stdout, struct {
			Entries []wireEntry `json:"entries"`
			Next    *string     `json:"next"`
		}{wire, wireName(next)})
	}
	rows := make([][]string, 0, len(entries))
	for _, e := range entries {
		at := e.At()
		rows = append(rows, []string{
			textTime(&at), string(e.Action), e.Actor, strconv.FormatInt(e.Version, 10), changesText(e.Changes), e.RequestID,
		})
	}
	err := writeTable(a.stdout, []string{"TIME", "ACTION", "ACTOR", "VERSION", "CHANGES", "REQUEST"}, rows)
	if err != nil || next == "" {
		return err
	}
	return writeLine(a.stdout, "\nThere is more: "+a.commandLine("audit "+string(id)+" --before "+next))
}

// changesText tells short changes and names long ones; --json has them all.
func changesText(changes []organization.Change) string {
	const longest = 60
	texts := make([]string, 0, len(changes))
	for _, c := range changes {
		text := c.Field + " " + c.Before + " -> " + c.After
		if len(text) > longest {
			text = c.Field
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}
