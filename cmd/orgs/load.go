package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/load"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// loading is what load was told.
type loading struct {
	plan            load.Plan
	keysFile, chart string
}

func loadCommand(a *cli.App) *cobra.Command {
	var l loading
	most := cli.NewFlag("n", "64", parseCallers)
	duration := cli.NewFlag("duration", "5s", parseStep)
	c := &cobra.Command{
		Use:   "load",
		Short: "Put a gateway on this machine under load, and measure it",
		Long: `Put a gateway on this machine under load: by 1, 2, 4 … callers at once, each of which sends its next request when it has
the answer to the one before. It prints throughput, the exact distribution of latency, and what failed. No other machine
can be put under load.

The keys come from a file of orgs seed --keys. Without one, it makes an organization for each caller in the store, which must
be that of the gateway, and removes them at the end. The gateway should run with --rate-limits off.`,
		Example: `  orgs load
  orgs load --url http://127.0.0.1:8080 --most 16 --duration 10s --patch 0 --chart load.svg`,
		Args: cobra.NoArgs,
		RunE: a.Run(func(ctx context.Context, _ []string) error {
			l.plan.Steps, l.plan.Duration = stepsTo(most.Value), duration.Value
			return runLoad(ctx, a, l)
		}),
	}
	flags := c.Flags()
	flags.StringVar(&l.plan.URL, "url", "http://127.0.0.1:8080", "base `URL` of the gateway")
	flags.Var(most, "most", "callers at once in the last step")
	flags.Var(duration, "duration", "how long a step takes")
	flags.IntVar(&l.plan.PatchShare, "patch", 10, "changes in a hundred requests")
	flags.IntVar(&l.plan.PID, "pid", 0, "the gateway's process, to measure its memory")
	flags.StringVar(&l.keysFile, "keys", "", "`FILE` of admin keys, one a line")
	flags.StringVar(&l.chart, "chart", "", "`FILE` to draw an SVG into")
	return c
}

func parseCallers(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > load.MaxCallers {
		return 0, fmt.Errorf("it is a whole number from 1 to %d", load.MaxCallers)
	}
	return n, nil
}

// stepsTo returns 1, 2, 4 … and most at the end.
func stepsTo(most int) []int {
	var steps []int
	for callers := 1; callers < most; callers *= 2 {
		steps = append(steps, callers)
	}
	return append(steps, most)
}

func parseStep(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > load.MaxDuration {
		return 0, fmt.Errorf("it is a duration such as 5s, of at most %v", load.MaxDuration)
	}
	return d, nil
}

// load measures and then prints, so that whoever stops reading stops nothing that is still to be done.
func runLoad(ctx context.Context, a *cli.App, l loading) error {
	if err := l.plan.Check(); err != nil {
		return err
	}
	steps, err := loadSteps(ctx, a, l)
	if steps != nil {
		err = errors.Join(reportLoad(a, l, steps), err)
	}
	return err
}

// loadSteps measures with the keys of the file, or else with those of organizations that it makes, and removes again. The
// steps are there too where only that failed.
func loadSteps(ctx context.Context, a *cli.App, l loading) (steps []load.Step, err error) {
	if l.keysFile != "" {
		l.plan.Keys, err = readKeys(l.keysFile)
		if err != nil {
			return nil, err
		}
		return measure(ctx, a, l.plan)
	}
	s, err := backend.OpenExisting(ctx, a.Choice(), a.Getenv)
	if err != nil {
		return nil, err
	}
	// Where nobody reads the progress any more, writing it fails instead of ending the process.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	made, err := makeForLoad(ctx, s, l.plan.Steps[len(l.plan.Steps)-1], a.Now())
	defer func() { err = errors.Join(err, purgeMade(ctx, a, s, made), s.Close()) }()
	if err != nil {
		return nil, err
	}
	for _, k := range made {
		l.plan.Keys = append(l.plan.Keys, k.Key.Reveal())
	}
	return measure(ctx, a, l.plan)
}

// makeForLoad makes organizations that no limit holds back, and returns their keys, also of those made before an error and
// of one that may have been made all the same.
func makeForLoad(ctx context.Context, s *backend.Store, n int, now time.Time) ([]admin.IssuedKey, error) {
	var made []admin.IssuedKey
	for range n {
		o := organization.New("Load", organization.Enterprise, nil, now)
		o.Override.Metadata = organization.MaxLimit
		key, err := admin.Create(ctx, s, o, now)
		if err == nil || store.Unavailable(err) {
			made = append(made, key)
		}
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// purgeMade removes the organizations, also after an interrupt. Its error names those that may be left: each has a valid
// admin key.
func purgeMade(ctx context.Context, a *cli.App, s *backend.Store, made []admin.IssuedKey) error {
	var (
		left  []string
		cause error
	)
	for _, k := range made {
		if err := s.Purge(context.WithoutCancel(ctx), k.Key.Organization()); err != nil {
			left, cause = append(left, string(k.Key.Organization())), err
		}
	}
	if left == nil {
		return nil
	}
	return term.Fail(backend.KindOf(cause), "organizations that it made may still be there, each with an admin key: %s; remove each with: %s; %v",
		strings.Join(left, ", "), a.Choice().CommandLine("delete ORG --purge"), cause)
}

// readKeys reads a file of keys, one a line.
func readKeys(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	keys := strings.Fields(string(text))
	for i, key := range keys {
		if _, err := apikey.Parse(key); err != nil {
			return nil, term.Fail(term.Failed, "line %d of %s is no key", i+1, term.Printable(file))
		}
	}
	return keys, nil
}

// measure puts the API under load.
func measure(ctx context.Context, a *cli.App, plan load.Plan) ([]load.Step, error) {
	var steps []load.Step
	p := a.Progress("measuring", int64(len(plan.Steps)), true)
	err := load.Run(ctx, plan, func(s load.Step) {
		steps = append(steps, s)
		p.Add(1)
	})
	p.End()
	if err != nil {
		return nil, err
	}
	return steps, nil
}

// reportLoad draws and prints what was measured. Requests that failed fail the command.
func reportLoad(a *cli.App, l loading, steps []load.Step) error {
	if l.chart != "" {
		if err := os.WriteFile(l.chart, load.Chart("orgs load, "+strconv.Itoa(l.plan.PatchShare)+" % changes", steps), 0o644); err != nil {
			return fmt.Errorf("drawing: %w", err)
		}
	}
	if err := printSteps(a, steps); err != nil {
		return err
	}
	failed, requests := 0, 0
	for _, s := range steps {
		failed, requests = failed+s.Failed, requests+s.Requests
	}
	if failed > 0 {
		return term.Fail(term.Failed, "%d of %d requests were not answered with 200", failed, requests)
	}
	return nil
}

func printSteps(a *cli.App, steps []load.Step) error {
	if a.JSON {
		return a.Stdout.WriteJSON(struct {
			Steps []load.Step `json:"steps"`
		}{steps})
	}
	rows := make([][]string, 0, len(steps))
	ms := func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
	for _, s := range steps {
		memory := term.None
		if s.Memory > 0 {
			memory = strconv.FormatInt(s.Memory>>20, 10)
		}
		rows = append(rows, []string{
			strconv.Itoa(s.Callers), strconv.Itoa(s.Requests), strconv.FormatFloat(s.Throughput, 'f', 0, 64),
			ms(s.Get.P50), ms(s.Get.P99), ms(s.Get.P999), ms(s.Patch.P50), ms(s.Patch.P99), ms(s.Patch.P999),
			strconv.Itoa(s.Failed), memory,
		})
	}
	header := []string{"CALLERS", "REQUESTS", "A SECOND", "GET P50", "P99", "P99.9", "PATCH P50", "P99", "P99.9", "FAILED", "MIB"}
	var notes bytes.Buffer
	for _, s := range steps {
		if s.Failed > 0 {
			fmt.Fprintf(&notes, "\nWith %d callers: %v %s", s.Callers, s.Statuses, s.FirstError)
		}
	}
	return a.Print(nil, a.Stdout.Table(header, rows)+"\n\nTimes are in milliseconds."+notes.String())
}
