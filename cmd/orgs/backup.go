package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/backup"
	"organizations-api/shared/organization"
)

func backupCommand(a *cli.App) *cobra.Command {
	workers := cli.NewWorkers()
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all organizations into a new file",
		Long: `Write all organizations, with their keys and audit trails, into a new file, for orgs restore. The service may run
meanwhile: each organization is as it was at one moment. Until it is complete and checked, the file is FILE.partial; the same
command goes on from there when it was interrupted.

The file has what the store has: internal identifiers, hashes of keys, and credentials of model providers in plain text. It
is readable by its owner alone; keep it so.`,
		Args: cobra.ExactArgs(1),
		Example: `  orgs backup monday.backup
  orgs --store dynamodb:organizations-api backup monday.backup --workers 16`,
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			return writeBackup(ctx, a, s, args[0], int(workers.Value))
		}),
	}
	c.Flags().Var(workers, "workers", "how many organizations to read at once")
	return c
}

func writeBackup(ctx context.Context, a *cli.App, s *backend.Store, file string, workers int) error {
	p := a.Progress("backing up", 0, false)
	var begun time.Time
	var before int64
	resumed := func(organizations int64, at time.Time) {
		begun, before = at, organizations
		p.Resume(organizations)
	}
	summary, err := backup.Write(ctx, s, file, backup.Options{
		From: s.Place, Now: a.Now, Workers: workers, Resumed: resumed, Added: p.Add,
	})
	p.End()
	if err != nil {
		return backupFailure(ctx, file, err)
	}
	if a.JSON {
		return a.Stdout.WriteJSON(struct {
			File          string `json:"file"`
			Organizations int64  `json:"organizations"`
			Entries       int64  `json:"entries"`
			Bytes         int64  `json:"bytes"`
			SHA256        string `json:"sha256"`
			Resumed       int64  `json:"resumed"`  // of the organizations, those of earlier runs
			Begun         string `json:"begun_at"` // by the first run
		}{
			file, summary.Organizations, summary.Entries, summary.Bytes, summary.SHA256,
			before, organization.FormatTime(begun),
		})
	}
	lines := []string{term.Printable(file) + " has " + holds(summary) + "."}
	if before > 0 {
		lines = append(lines, term.Grouped(before)+" of them were read by an earlier run, begun at "+term.Time(&begun)+".")
	}
	return a.Print(nil, strings.Join(append(lines,
		"Its SHA-256 is "+summary.SHA256+".",
		"It holds credentials: keep it from others.",
	), "\n"))
}

// backupFailure says what is left of a backup that failed, and what to do with it.
func backupFailure(ctx context.Context, file string, err error) error {
	partial := backup.Partial(file)
	switch {
	case backend.KindOf(err) == term.NoTables:
		return err
	case errors.Is(err, backup.ErrExists), errors.Is(err, backup.ErrBusy):
		return term.Fail(term.Conflict, "%s", err)
	case errors.Is(err, backup.ErrNotResumable):
		return term.Fail(term.Conflict, "%s; remove %s or choose another name", err, partial)
	}
	text := causeText(ctx, err)
	if _, missing := os.Stat(partial); missing == nil {
		text += "; what was written is in " + partial + ", and the same command goes on from there"
	}
	return term.Fail(backend.KindOf(err), "%s", text)
}

// causeText is what an error is to who may have interrupted the command.
func causeText(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}

func holds(s backup.Summary) string {
	return fmt.Sprintf("%s organizations with %s audit entries, %s bytes",
		term.Grouped(s.Organizations), term.Grouped(s.Entries), term.Grouped(s.Bytes))
}

func restoreCommand(a *cli.App) *cobra.Command {
	workers := cli.NewWorkers()
	var o restoring
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put the organizations of a backup into the store",
		Long: `Put the organizations of a backup into the store, whichever engine wrote it. The whole file is checked before anything is
written. What is there already stays as it is: an organization that is the same is skipped, one that differs is reported. At
the end every organization is read back and compared with the backup. A restore that was interrupted can be run again.`,
		Args: cobra.ExactArgs(1),
		Example: `  orgs restore monday.backup
  orgs restore monday.backup --compare
  orgs --store dynamodb:dev restore monday.backup`,
		RunE: a.Run(func(ctx context.Context, args []string) error {
			o.file, o.workers = args[0], int(workers.Value)
			return restore(ctx, a, o)
		}),
	}
	c.Flags().Var(workers, "workers", "how many batches to write at once")
	c.Flags().BoolVar(&o.compareOnly, "compare", false, "write nothing; say how the store differs from the backup")
	return c
}

// restoring is what restore was told.
type restoring struct {
	file        string
	workers     int
	compareOnly bool
}

// restore checks the file before it opens the store, which makes one where there is none.
func restore(ctx context.Context, a *cli.App, o restoring) error {
	summary, err := backup.Check(o.file)
	if err != nil {
		return err
	}
	open := backend.Open
	if o.compareOnly {
		open = backend.OpenExisting
	}
	return a.With(ctx, open, func(s *backend.Store) error { return restoreChecked(ctx, a, s, o, summary) })
}

func restoreChecked(ctx context.Context, a *cli.App, s *backend.Store, o restoring, summary backup.Summary) error {
	var wrote int64
	if !o.compareOnly {
		p := a.Progress("restoring", summary.Organizations, false)
		var err error
		wrote, err = backup.Restore(ctx, o.file, s, o.workers, p.Add)
		p.End()
		if err != nil {
			return restoreFailure(ctx, o, wrote, err)
		}
	}
	p := a.Progress("comparing", summary.Organizations, false)
	found, err := backup.Compare(ctx, o.file, s, o.workers, p.Add)
	p.End()
	if err != nil {
		return restoreFailure(ctx, o, wrote, err)
	}
	if err := printRestored(a, o, summary, wrote, found); err != nil {
		return err
	}
	return difference(found)
}

func restoreFailure(ctx context.Context, o restoring, wrote int64, err error) error {
	if backend.KindOf(err) == term.NoTables {
		return err
	}
	text := causeText(ctx, err)
	if !o.compareOnly {
		text += "; " + term.Grouped(wrote) + " organizations are restored, and the same command does the rest"
	}
	return term.Fail(backend.KindOf(err), "%s", text)
}

// difference returns an error that names organizations that are not as in the backup.
func difference(found backup.Report) error {
	const most = 20
	wrong := slices.Concat(found.Different, found.Missing)
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	text := strings.Join(texts(wrong[:min(most, len(wrong))]), ", ")
	if len(wrong) > most {
		text += ", …"
	}
	return term.Fail(term.Conflict, "%s organizations are not as in the backup, and were left as they are: %s", term.Grouped(int64(len(wrong))), text)
}

func texts(ids []organization.ID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func printRestored(a *cli.App, o restoring, summary backup.Summary, wrote int64, found backup.Report) error {
	slices.SortFunc(found.Different, cmp.Compare[organization.ID])
	slices.SortFunc(found.Missing, cmp.Compare[organization.ID])
	if a.JSON {
		return a.Stdout.WriteJSON(struct {
			File          string   `json:"file"`
			Organizations int64    `json:"organizations"`
			Entries       int64    `json:"entries"`
			SHA256        string   `json:"sha256"`
			Restored      int64    `json:"restored"`
			Identical     int64    `json:"identical"` // when they were read back
			Different     []string `json:"different"`
			Missing       []string `json:"missing"`
		}{
			o.file, summary.Organizations, summary.Entries, summary.SHA256,
			wrote, found.Identical, texts(found.Different), texts(found.Missing),
		})
	}
	lines := []string{term.Printable(o.file) + " is sound: " + holds(summary) + "."}
	if !o.compareOnly {
		lines = append(lines, fmt.Sprintf("Restored %s; %s were there already.",
			term.Grouped(wrote), term.Grouped(summary.Organizations-wrote)))
	}
	lines = append(lines, fmt.Sprintf("Compared with the store: %s identical, %s different, %s missing.",
		term.Grouped(found.Identical), term.Grouped(int64(len(found.Different))), term.Grouped(int64(len(found.Missing)))))
	return a.Print(nil, strings.Join(lines, "\n"))
}
