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

func (a *app) loadCommand() *cobra.Command {
	var l loading
	most := newParsed("n", "64", parseCallers)
	duration := newParsed("duration", "5s", parseStep)
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
		RunE: a.does(func(ctx context.Context, _ []string) error {
			l.plan.Steps, l.plan.Duration = stepsTo(most.value), duration.value
			return a.load(ctx, l)
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
func (a *app) load(ctx context.Context, l loading) error {
	if err := l.plan.Check(); err != nil {
		return err
	}
	steps, err := a.loadSteps(ctx, l)
	if steps != nil {
		err = errors.Join(a.reportLoad(l, steps), err)
	}
	return err
}

// loadSteps measures with the keys of the file, or else with those of organizations that it makes, and removes again. The
// steps are there too where only that failed.
func (a *app) loadSteps(ctx context.Context, l loading) (steps []load.Step, err error) {
	if l.keysFile != "" {
		l.plan.Keys, err = readKeys(l.keysFile)
		if err != nil {
			return nil, err
		}
		return a.measure(ctx, l.plan)
	}
	s, err := a.openExisting(ctx)
	if err != nil {
		return nil, err
	}
	// Where nobody reads the progress any more, writing it fails instead of ending the process.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	made, err := makeForLoad(ctx, s, l.plan.Steps[len(l.plan.Steps)-1], a.now())
	defer func() { err = errors.Join(err, a.purgeMade(ctx, s, made), s.close()) }()
	if err != nil {
		return nil, err
	}
	for _, k := range made {
		l.plan.Keys = append(l.plan.Keys, k.key.Reveal())
	}
	return a.measure(ctx, l.plan)
}

// makeForLoad makes organizations that no limit holds back, and returns their keys, also of those made before an error and
// of one that may have been made all the same.
func makeForLoad(ctx context.Context, s *storage, n int, now time.Time) ([]issued, error) {
	var made []issued
	for range n {
		o := organization.New("Load", organization.Enterprise, nil, now)
		o.Override.Metadata = organization.MaxLimit
		key, err := create(ctx, s, o, now)
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
func (a *app) purgeMade(ctx context.Context, s *storage, made []issued) error {
	var (
		left  []string
		cause error
	)
	for _, k := range made {
		if err := s.Purge(context.WithoutCancel(ctx), k.key.Organization()); err != nil {
			left, cause = append(left, string(k.key.Organization())), err
		}
	}
	if left == nil {
		return nil
	}
	return fail(kindOf(cause), "organizations that it made may still be there, each with an admin key: %s; remove each with: %s; %v",
		strings.Join(left, ", "), a.commandLine("delete ORG --purge"), cause)
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
			return nil, fail(kindFailed, "line %d of %s is no key", i+1, printable(file))
		}
	}
	return keys, nil
}

// measure puts the API under load.
func (a *app) measure(ctx context.Context, plan load.Plan) ([]load.Step, error) {
	var steps []load.Step
	p := a.newProgress("measuring", int64(len(plan.Steps)), true)
	err := load.Run(ctx, plan, func(s load.Step) {
		steps = append(steps, s)
		p.add(1)
	})
	p.end()
	if err != nil {
		return nil, err
	}
	return steps, nil
}

// reportLoad draws and prints what was measured. Requests that failed fail the command.
func (a *app) reportLoad(l loading, steps []load.Step) error {
	if l.chart != "" {
		if err := os.WriteFile(l.chart, load.Chart("orgs load, "+strconv.Itoa(l.plan.PatchShare)+" % changes", steps), 0o644); err != nil {
			return fmt.Errorf("drawing: %w", err)
		}
	}
	if err := a.printSteps(steps); err != nil {
		return err
	}
	failed, requests := 0, 0
	for _, s := range steps {
		failed, requests = failed+s.Failed, requests+s.Requests
	}
	if failed > 0 {
		return fail(kindFailed, "%d of %d requests were not answered with 200", failed, requests)
	}
	return nil
}

func (a *app) printSteps(steps []load.Step) error {
	if a.json {
		return writeJSON(a.stdout, struct {
			Steps []load.Step `json:"steps"`
		}{steps})
	}
	rows := make([][]string, 0, len(steps))
	ms := func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
	for _, s := range steps {
		memory := none
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
	return errors.Join(
		writeTable(a.stdout, header, rows),
		writeLine(a.stdout, "\nTimes are in milliseconds."+notes.String()),
	)
}
