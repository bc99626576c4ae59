package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/shared/store"
)

// doctorTime bounds all checks together. Reading a large SQLite file takes the most of it.
const doctorTime = 30 * time.Second

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that the store and what it needs are well, and say what to do",
		Long: `Check this command, the store, its tables or file and their settings, the credentials, and the clock. Nothing is
changed. Each check is one line: ok, warn (it works, but not as it should) or fail. It exits with 1 if one fails.`,
		Example: "  orgs doctor\n  orgs doctor --store dynamodb:organizations-api --json",
		Args:    cobra.NoArgs,
		RunE: a.does(func(ctx context.Context, _ []string) error {
			ctx, cancel := context.WithTimeout(ctx, doctorTime)
			defer cancel()
			findings := a.examine(ctx)
			if err := a.printFindings(findings); err != nil {
				return err
			}
			if errors.Is(ctx.Err(), context.Canceled) {
				return fail(kindFailed, "interrupted; not everything was looked at")
			}
			failed := 0
			for _, f := range findings {
				if f.Level == store.Fail {
					failed++
				}
			}
			if failed > 0 {
				return fail(kindUnhealthy, "%d of %d checks failed", failed, len(findings))
			}
			return nil
		}),
	}
}

// examine makes all checks that can be made.
func (a *app) examine(ctx context.Context) []store.Finding {
	findings := []store.Finding{store.Healthy("orgs", thisBuild().String())}
	s, err := a.openAsItIs(ctx)
	if err != nil {
		return append(findings, a.unopened(err))
	}
	findings = append(findings, store.Healthy("store", printable(a.storeChoice())+" ("+a.storeSource()+")"))
	if s.region != "" {
		findings = append(findings, store.Healthy("credentials", "found, for region "+s.region))
	}
	findings = append(findings, s.Examine(ctx, a.now)...)
	if err := s.close(); err != nil {
		findings = append(findings, store.Broken("closing", err.Error(), ""))
	}
	return findings
}

// storeSource says who chose the store.
func (a *app) storeSource() string {
	switch {
	case a.store != "":
		return "from --store"
	case a.getenv(storeVariable) != "":
		return "from $" + storeVariable
	default:
		return "the default"
	}
}

// unopened is the finding where the store could not be opened. The message says what to do.
func (a *app) unopened(err error) store.Finding {
	check, message := "store", err.Error()
	var f *failure
	if errors.As(err, &f) && f.Kind == kindNoAccess {
		check = "credentials"
	}
	return store.Broken(check, message, "")
}

func (a *app) printFindings(findings []store.Finding) error {
	if a.json {
		return a.printFindingsJSON(findings)
	}
	longest := 0
	for _, f := range findings {
		longest = max(longest, columnsOf(f.Check))
	}
	for _, f := range findings {
		text := printable(f.Detail)
		if f.Advice != "" {
			text += "; " + printable(f.Advice)
		}
		level := a.stdout.paint(styleOf(string(f.Level)), fmt.Sprintf("%-4s", f.Level))
		if err := writeLine(a.stdout, fmt.Sprintf("%s  %-*s  %s", level, longest, f.Check, text)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printFindingsJSON(findings []store.Finding) error {
	type wireFinding struct {
		Check  string `json:"check"`
		Level  string `json:"level"`
		Detail string `json:"detail"`
		Advice string `json:"advice"`
	}
	rank := map[store.Level]int{store.OK: 0, store.Warn: 1, store.Fail: 2}
	wire := make([]wireFinding, 0, len(findings))
	worst := store.OK
	for _, f := range findings {
		wire = append(wire, wireFinding{f.Check, string(f.Level), f.Detail, f.Advice})
		if rank[f.Level] > rank[worst] {
			worst = f.Level
		}
	}
	return writeJSON(a.stdout, struct {
		Level  store.Level   `json:"level"` // the worst
		Checks []wireFinding `json:"checks"`
	}{worst, wire})
}
