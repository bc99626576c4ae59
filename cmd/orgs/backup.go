package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/shared/backup"
	"organizations-api/shared/organization"
)

func (a *app) backupCommand() *cobra.Command {
	workers := newParsed("n", "8", parseWorkers)
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
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, args []string) error {
			return a.backup(ctx, s, args[0], workers.value)
		}),
	}
	c.Flags().Var(workers, "workers", "how many organizations to read at once")
	return c
}

func (a *app) backup(ctx context.Context, s *storage, file string, workers int) error {
	p := a.newProgress("backing up", 0, false)
	summary, err := backup.Write(ctx, s, file, backup.Options{
		From: s.place, Now: a.now, Workers: workers, Resumed: p.resume, Added: p.add,
	})
	p.end()
	if err != nil {
		return a.backupFailure(ctx, file, err)
	}
	if a.json {
		return writeJSON(a.stdout, struct {
			File          string `json:"file"`
			Organizations int64  `json:"organizations"`
			Entries       int64  `json:"entries"`
			Bytes         int64  `json:"bytes"`
			SHA256        string `json:"sha256"`
			Resumed       int64  `json:"resumed"` // of the organizations, those of an earlier run
		}{file, summary.Organizations, summary.Entries, summary.Bytes, summary.SHA256, p.before})
	}
	return writeLine(a.stdout, strings.Join([]string{
		printable(file) + " has " + holds(summary) + ".",
		"Its SHA-256 is " + summary.SHA256 + ".",
		"It holds credentials: keep it from others.",
	}, "\n"))
}

// backupFailure says what is left of a backup that failed.
func (a *app) backupFailure(ctx context.Context, file string, err error) error {
	if missesTables(err) {
		return err
	}
	text := err.Error()
	if errors.Is(ctx.Err(), context.Canceled) {
		text = "interrupted"
	}
	if _, missing := os.Stat(backup.Partial(file)); missing == nil && !errors.Is(err, backup.ErrExists) {
		text += "; what was written is in " + backup.Partial(file) + ", and the same command goes on from there"
	}
	if errors.Is(err, backup.ErrExists) {
		return fail(kindConflict, "%s", text)
	}
	return fail(kindOf(err), "%s", text)
}

func holds(s backup.Summary) string {
	return fmt.Sprintf("%s organizations with %s audit entries, %s bytes",
		grouped(s.Organizations), grouped(s.Entries), grouped(s.Bytes))
}

func (a *app) restoreCommand() *cobra.Command {
	workers := newParsed("n", "8", parseWorkers)
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
		RunE: func(c *cobra.Command, args []string) error {
			does := a.doesWithNewStore
			if o.compareOnly {
				does = a.doesWithStore
			}
			return does(func(ctx context.Context, s *storage, args []string) error {
				o.file, o.workers = args[0], workers.value
				return a.restore(ctx, s, o)
			})(c, args)
		},
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

func (a *app) restore(ctx context.Context, s *storage, o restoring) error {
	summary, err := backup.Check(o.file)
	if err != nil {
		return err
	}
	var wrote int64
	if !o.compareOnly {
		p := a.newProgress("restoring", summary.Organizations, false)
		wrote, err = backup.Restore(ctx, o.file, s, o.workers, p.add)
		p.end()
		if err != nil {
			return restoreFailure(ctx, wrote, err)
		}
	}
	p := a.newProgress("comparing", summary.Organizations, false)
	found, err := backup.Compare(ctx, o.file, s, o.workers, p.add)
	p.end()
	if err != nil {
		return restoreFailure(ctx, wrote, err)
	}
	if err := a.printRestored(o, summary, wrote, found); err != nil {
		return err
	}
	return difference(found)
}

func restoreFailure(ctx context.Context, wrote int64, err error) error {
	if missesTables(err) {
		return err
	}
	text := err.Error()
	if errors.Is(ctx.Err(), context.Canceled) {
		text = "interrupted"
	}
	return fail(kindOf(err), "%s; %s organizations are restored, and the same command does the rest", text, grouped(wrote))
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
	return fail(kindConflict, "%s organizations are not as in the backup, and were left as they are: %s", grouped(int64(len(wrong))), text)
}

func texts(ids []organization.ID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func (a *app) printRestored(o restoring, summary backup.Summary, wrote int64, found backup.Report) error {
	slices.SortFunc(found.Different, cmp.Compare[organization.ID])
	slices.SortFunc(found.Missing, cmp.Compare[organization.ID])
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
		}{
			o.file, summary.Organizations, summary.Entries, summary.SHA256,
			wrote, found.Identical, texts(found.Different), texts(found.Missing),
		})
	}
	lines := []string{printable(o.file) + " is sound: " + holds(summary) + "."}
	if !o.compareOnly {
		lines = append(lines, fmt.Sprintf("Restored %s; %s were there already.",
			grouped(wrote), grouped(summary.Organizations-wrote)))
	}
	lines = append(lines, fmt.Sprintf("Compared with the store: %s identical, %s different, %s missing.",
		grouped(found.Identical), grouped(int64(len(found.Different))), grouped(int64(len(found.Missing)))))
	return writeLine(a.stdout, strings.Join(lines, "\n"))
}
