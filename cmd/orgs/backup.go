package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/transfer"
	"organizations-api/shared/organization"
)

func (a *app) backupCommand() *cobra.Command {
	workers := newParsed("n", "8", parseWorkers)
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all organizations into a new file",
		Long: `Write all organizations, with their keys and audit trails, into a new file, for orgs restore. The service may run
meanwhile: each organization is as it was at one moment. The backup is written to FILE.*.partial, and named FILE when it is
complete and checked. An interrupted backup leaves nothing; the same command starts anew. A backup that was killed leaves its
FILE.*.partial; remove it.

The file has what the store has: internal identifiers, hashes of keys, and credentials of model providers in plain text. It
is readable by its owner alone; keep it so.`,
		Args: cobra.ExactArgs(1),
		Example: `  orgs backup monday.backup
  orgs --store dynamodb:organizations-api backup monday.backup --workers 16`,
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			return a.backup(ctx, s, args[0], workers.value)
		}),
	}
	c.Flags().Var(workers, "workers", "how many organizations to read at once")
	return c
}

func (a *app) backup(ctx context.Context, s *storage, file string, workers int) error {
	begin := a.now()
	p := a.newProgress("backing up", 0, false)
	summary, err := transfer.Write(ctx, s, file, transfer.Options{
		From: s.place, At: begin, Workers: workers, Progress: p.add,
	})
	p.end()
	if err != nil {
		return backupFailure(ctx, file, err)
	}
	if a.json {
		return writeJSON(a.stdout, struct {
			File          string `json:"file"`
			Organizations int64  `json:"organizations"`
			Entries       int64  `json:"entries"`
			Bytes         int64  `json:"bytes"`
			SHA256        string `json:"sha256"`
			Begun         string `json:"begun_at"`
		}{file, summary.Organizations, summary.Entries, summary.Bytes, summary.SHA256, organization.FormatTime(begin)})
	}
	return writeLine(a.stdout, strings.Join([]string{
		printable(file) + " has " + holds(summary) + ".",
		"Its SHA-256 is " + summary.SHA256 + ".",
		"It holds credentials: keep it from others.",
	}, "\n"))
}

// backupFailure says why a backup failed and what to do.
func backupFailure(ctx context.Context, file string, err error) error {
	switch {
	case missesTables(err):
		return err
	case errors.Is(err, transfer.ErrExists):
		return fail(kindConflict, "%s", err)
	}
	text := causeText(ctx, err)
	if _, missing := os.Lstat(file); missing != nil {
		text += "; no backup was written, and the same command starts anew"
	}
	return fail(kindOf(err), "%s", text)
}

// causeText returns the error's text, or "interrupted" when the user ended the command.
func causeText(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}

func holds(s transfer.Summary) string {
	return fmt.Sprintf("%s organizations with %s audit entries, %s bytes",
		grouped(s.Organizations), grouped(s.Entries), grouped(s.Bytes))
}

func (a *app) restoreCommand() *cobra.Command {
	workers := newParsed("n", "8", parseWorkers)
	compareOnly := false
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put the organizations of a backup into the store",
		Long: `Put the organizations of a backup into the store, whichever engine wrote it. The whole file is checked before anything is
written. What is there already stays as it is: an organization that is the same is skipped, one that differs is reported.
Every organization is read back and compared with the backup. A restore that was interrupted can be run again.`,
		Args: cobra.ExactArgs(1),
		Example: `  orgs restore monday.backup
  orgs restore monday.backup --compare
  orgs --store dynamodb:dev restore monday.backup`,
		RunE: a.does(func(ctx context.Context, args []string) error {
			return a.restore(ctx, args[0], workers.value, compareOnly)
		}),
	}
	c.Flags().Var(workers, "workers", "how many batches to write at once")
	c.Flags().BoolVar(&compareOnly, "compare", false, "write nothing; say how the store differs from the backup")
	return c
}

// restore checks the file before it opens the store, because opening makes a store where there is none.
func (a *app) restore(ctx context.Context, path string, workers int, compareOnly bool) (err error) {
	file, err := transfer.Open(ctx, path)
	if err != nil {
		return fail(kindFailed, "%s", causeText(ctx, err))
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	open, what, run := a.openOrMake, "restoring", file.Restore
	if compareOnly {
		open, what, run = a.openExisting, "comparing", file.Compare
	}
	return with(ctx, open, func(s *storage) error {
		p := a.newProgress(what, file.Organizations, false)
		report, err := run(ctx, s, workers, p.add)
		p.end()
		if err != nil {
			return restoreFailure(ctx, report, compareOnly, err)
		}
		if err := a.printRestored(path, file.Summary, report, compareOnly); err != nil {
			return err
		}
		return difference(report)
	})
}

func restoreFailure(ctx context.Context, r transfer.Report, compareOnly bool, err error) error {
	if missesTables(err) {
		return err
	}
	text := causeText(ctx, err)
	if !compareOnly {
		text += "; " + grouped(r.Restored) + " organizations are restored, and the same command does the rest"
	}
	return fail(kindOf(err), "%s", text)
}

// difference returns an error that names the organizations that are not as in the backup, if there are any.
func difference(r transfer.Report) error {
	const most = 20
	wrong := slices.Concat(r.Different, r.Missing)
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	text := strings.Join(texts(wrong[:min(most, len(wrong))]), ", ")
	if len(wrong) > most {
		text += ", …"
	}
	return fail(kindConflict, "%s organizations are not as in the backup, and were left as they are: %s", grouped(int64(len(wrong))), text)
}

func texts(ids []organization.ID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func (a *app) printRestored(path string, s transfer.Summary, r transfer.Report, compareOnly bool) error {
	slices.Sort(r.Different)
	slices.Sort(r.Missing)
	if a.json {
		return writeJSON(a.stdout, struct {
			File          string   `json:"file"`
			Organizations int64    `json:"organizations"`
			Entries       int64    `json:"entries"`
			SHA256        string   `json:"sha256"`
			Restored      int64    `json:"restored"`
			Identical     int64    `json:"identical"` // when they were read back
			Different     []string `json:"different"`
			Missing       []string `json:"missing"`
		}{path, s.Organizations, s.Entries, s.SHA256, r.Restored, r.Identical, texts(r.Different), texts(r.Missing)})
	}
	lines := []string{printable(path) + " is sound: " + holds(s) + "."}
	if !compareOnly {
		lines = append(lines, fmt.Sprintf("Restored %s; %s were there already.",
			grouped(r.Restored), grouped(s.Organizations-r.Restored)))
	}
	lines = append(lines, fmt.Sprintf("Compared with the store: %s identical, %s different, %s missing.",
		grouped(r.Identical), grouped(int64(len(r.Different))), grouped(int64(len(r.Missing)))))
	return writeLine(a.stdout, strings.Join(lines, "\n"))
}
