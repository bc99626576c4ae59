// Package doctor is the command orgs doctor: it checks the store and everything that the store needs. Most of the
// checks are methods of the store's engines.
//
// It must import no engine of the store.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store"
)

// timeout bounds all checks together. Reading a large SQLite file takes the most time.
const timeout = 30 * time.Second

// Command returns the command doctor. version is the version of this program.
func Command(a *cli.App, version string) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the store and everything that it needs, and say what to do",
		Long: `Check this command, the store, its tables or file and their settings, the credentials and the clock. Check also whether
the store can be read and written: for that, the command writes something of its own and removes it. It changes no
organization.

Each check prints one line: ok, warn (it works, but something is wrong) or fail. The exit code is 1 if a check fails.`,
		Example: "  orgs doctor\n  orgs doctor --store dynamodb:organizations-api --json",
		Args:    cli.Arguments,
		RunE: a.Run(func(ctx context.Context, _ []string) error {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			findings := append([]store.Finding{store.Healthy("orgs", version)}, examine(ctx, a)...)
			if err := printFindings(a, findings); err != nil {
				return err
			}
			if errors.Is(ctx.Err(), context.Canceled) {
				return term.Fail(term.Interrupted, "interrupted; not everything was looked at")
			}
			failed := 0
			for _, f := range findings {
				if f.Level == store.Fail {
					failed++
				}
			}
			if failed > 0 {
				return term.Fail(term.Unhealthy, "%d of %d checks failed", failed, len(findings))
			}
			return nil
		}),
	}
}

// examine makes all checks of the store. If the store cannot be opened, that is the only finding; its text says what to
// do.
func examine(ctx context.Context, a *cli.App) []store.Finding {
	s, err := backend.OpenAsItIs(ctx, a.Choice(), a.Getenv)
	if err != nil {
		check := "store"
		if f := (*term.Failure)(nil); errors.As(err, &f) && f.Kind == term.NoAccess {
			check = "credentials"
		}
		return []store.Finding{store.Broken(check, err.Error(), "")}
	}
	findings := []store.Finding{store.Healthy("store", term.Printable(string(s.Choice))+" ("+a.ChoiceSource()+")")}
	if s.DynamoDB != nil {
		findings = append(findings, store.Healthy("credentials", "found, for region "+s.DynamoDB.Region))
	}
	findings = append(findings, s.Examine(ctx, a.Now)...)
	if err := s.Close(); err != nil {
		findings = append(findings, store.Broken("closing", err.Error(), ""))
	}
	return findings
}

func printFindings(a *cli.App, findings []store.Finding) error {
	type findingJSON struct {
		Check  string `json:"check"`
		Level  string `json:"level"`
		Detail string `json:"detail"`
		Advice string `json:"advice"`
	}
	rank := map[store.Level]int{store.OK: 0, store.Warn: 1, store.Fail: 2}
	worst, longest := store.OK, 0
	checks := make([]findingJSON, 0, len(findings))
	for _, f := range findings {
		checks = append(checks, findingJSON{f.Check, string(f.Level), f.Detail, f.Advice})
		longest = max(longest, len(f.Check))
		if rank[f.Level] > rank[worst] {
			worst = f.Level
		}
	}
	var lines []string
	for _, f := range findings {
		text := term.Printable(f.Detail)
		if f.Advice != "" {
			text += "; " + term.Printable(f.Advice)
		}
		level := a.Stdout.State(fmt.Sprintf("%-4s", f.Level))
		lines = append(lines, fmt.Sprintf("%s  %-*s  %s", level, longest, f.Check, text))
	}
	return a.Print(struct {
		Level  store.Level   `json:"level"` // the worst
		Checks []findingJSON `json:"checks"`
	}{worst, checks}, strings.Join(lines, "\n"))
}
