package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// BackupCommand returns the command backup.
func BackupCommand(a *cli.App) *cobra.Command {
	workers := cli.NewWorkers()
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all organizations into a new file",
		Long: `Write all organizations, with their keys and audit trails, into a new file for orgs restore. The service may run
meanwhile: each organization is written as it was at one moment.

The command writes FILE.*.partial, and renames it to FILE when it is complete and checked. After an interrupt it leaves
nothing, and you run it again from the start. If it is killed, it leaves FILE.*.partial. Remove that.

The file holds internal identifiers, hashes of keys, and the credentials of model providers in plain text. Only its owner
can read it. Keep it so.`,
		Args: cli.Arguments,
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
	begin := a.Now()
	p := a.Progress("backing up", 0, false)
	summary, err := Write(ctx, s, file, Options{
		From: s.Place, At: begin, Workers: workers, Progress: p.Add,
	})
	p.End()
	if err != nil {
		return backupFailure(ctx, file, err)
	}
	done := term.Printable(file) + " has " + holds(summary)
	result := struct {
		File          string `json:"file"`
		Organizations int64  `json:"organizations"`
		Entries       int64  `json:"entries"`
		Bytes         int64  `json:"bytes"`
		SHA256        string `json:"sha256"`
		Begun         string `json:"begun_at"`
	}{file, summary.Organizations, summary.Entries, summary.Bytes, summary.SHA256, organization.FormatTime(begin)}
	return a.PrintDone(done, result, strings.Join([]string{
		done + ".",
		"Its SHA-256 is " + summary.SHA256 + ".",
		"It holds credentials: keep it from others.",
	}, "\n"))
}

// backupFailure says why a backup failed and what to do.
func backupFailure(ctx context.Context, file string, err error) error {
	switch {
	case backend.KindOf(err) == term.NoTables:
		return err
	case errors.Is(err, ErrExists):
		return term.Fail(term.Conflict, "%s", err)
	}
	text := causeText(ctx, err)
	if _, missing := os.Lstat(file); missing != nil {
		text += "; no backup was written, and the same command starts anew"
	}
	return term.Fail(backend.KindOf(err), "%s", text)
}

// causeText returns the error's text, or "interrupted" when the user ended the command.
func causeText(ctx context.Context, err error) string {
	if errors.Is(ctx.Err(), context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}

func holds(s Summary) string {
	return fmt.Sprintf("%s with %s, %s", term.Count(s.Organizations, "organization", "organizations"),
		term.Count(s.Entries, "audit entry", "audit entries"), term.Count(s.Bytes, "byte", "bytes"))
}

// RestoreCommand returns the command restore.
func RestoreCommand(a *cli.App) *cobra.Command {
	workers := cli.NewWorkers()
	compareOnly := false
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put the organizations of a backup into the store",
		Long: `Put the organizations of a backup into the store. The backup may be from another engine. The command checks the whole
file before it writes anything.

It changes no organization that is there already: it skips one that is the same, and reports one that differs. It reads
every organization back and compares it with the backup. After an interrupt you can run it again.`,
		Args: cli.Arguments,
		Example: `  orgs restore monday.backup
  orgs restore monday.backup --compare
  orgs --store dynamodb:dev restore monday.backup`,
		RunE: a.Run(func(ctx context.Context, args []string) error {
			return restore(ctx, a, args[0], int(workers.Value), compareOnly)
		}),
	}
	c.Flags().Var(workers, "workers", "how many batches to write at once")
	c.Flags().BoolVar(&compareOnly, "compare", false, "write nothing; say how the store differs from the backup")
	return c
}

// restore checks the file before it opens the store, because opening would make a missing store.
func restore(ctx context.Context, a *cli.App, path string, workers int, compareOnly bool) (err error) {
	file, err := Open(ctx, path)
	if err != nil {
		return term.Fail(term.Failed, "%s", causeText(ctx, err))
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	open, what, run := cli.Opener(backend.Open), "restoring", file.Restore
	if compareOnly {
		open, what, run = backend.OpenExisting, "comparing", file.Compare
	}
	return a.With(ctx, open, func(s *backend.Store) error {
		p := a.Progress(what, file.Organizations, false)
		report, err := run(ctx, s, workers, p.Add)
		p.End()
		if err != nil {
			return restoreFailure(ctx, report, compareOnly, err)
		}
		if err := printRestored(a, path, file.Summary, report, compareOnly); err != nil {
			return err
		}
		return difference(report)
	})
}

func restoreFailure(ctx context.Context, r Report, compareOnly bool, err error) error {
	if backend.KindOf(err) == term.NoTables {
		return err
	}
	text := causeText(ctx, err)
	if !compareOnly {
		text += "; " + term.Grouped(r.Restored) + " organizations are restored, and the same command does the rest"
	}
	return term.Fail(backend.KindOf(err), "%s", text)
}

// difference returns an error that names the organizations that differ from the backup. It returns nil if none does.
func difference(r Report) error {
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
	return term.Fail(term.Conflict, "%s organizations are not as in the backup, and were left as they are: %s", term.Grouped(int64(len(wrong))), text)
}

func texts(ids []organization.ID) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func printRestored(a *cli.App, path string, s Summary, r Report, compareOnly bool) error {
	slices.Sort(r.Different)
	slices.Sort(r.Missing)
	result := struct {
		File          string   `json:"file"`
		Organizations int64    `json:"organizations"`
		Entries       int64    `json:"entries"`
		SHA256        string   `json:"sha256"`
		Restored      int64    `json:"restored"`
		Identical     int64    `json:"identical"` // when they were read back
		Different     []string `json:"different"`
		Missing       []string `json:"missing"`
	}{path, s.Organizations, s.Entries, s.SHA256, r.Restored, r.Identical, texts(r.Different), texts(r.Missing)}
	lines := []string{term.Printable(path) + " is sound: " + holds(s) + "."}
	done := "nothing was restored"
	if !compareOnly {
		done = fmt.Sprintf("%s organizations were restored", term.Grouped(r.Restored))
		lines = append(lines, fmt.Sprintf("Restored %s; %s were there already.",
			term.Grouped(r.Restored), term.Grouped(s.Organizations-r.Restored)))
	}
	lines = append(lines, fmt.Sprintf("Compared with the store: %s identical, %s different, %s missing.",
		term.Grouped(r.Identical), term.Grouped(int64(len(r.Different))), term.Grouped(int64(len(r.Missing)))))
	return a.PrintDone(done, result, strings.Join(lines, "\n"))
}
