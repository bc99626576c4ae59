package load

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
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// loadOptions are the arguments of orgs load.
type loadOptions struct {
	plan           Plan
	organizations  int    // to create, if there is no file of keys
	keysFile, plot string // names of files; "" for none
}

const loadHelp = `Put a gateway on this machine under load with vegeta. No other machine can be put under load.

First it sends two requests, to see whether the gateway runs, knows the keys and has no rate limits.

Without --rate it looks for the highest throughput. It runs steps of 1, 2, 4 … workers. Each worker sends its
next request when it has the answer to the one before.

With --rate it sends that many requests per second in one step. Each request is sent when it is due, even if
earlier ones wait for their answers. So the latencies include all of the waiting that a client would see. At
most 1024 requests are in flight. If that is not enough to keep the rate, the output says so.

It prints, for each step and method: requests, successful requests per second, latencies in milliseconds (p50,
p90, p95, p99 and the maximum), the share of requests that succeeded, and the gateway's memory. Quantiles are
estimates by a t-digest; the maximum is exact. --json prints vegeta's metrics, with durations in nanoseconds
and the count of each status; status 0 is a request without an answer. The command fails if a request was not
answered with 200.

The keys come from a file of orgs seed --keys. Without one, it creates --most organizations in the store,
which must be the gateway's, and removes them at the end. The gateway should run with --rate-limits off, because the
keys of a file have the limits of their organizations.`

// Command returns the command load.
func Command(a *cli.App) *cobra.Command {
	var o loadOptions
	most := cli.NewFlag("n", "64", wholeNumber(MaxWorkers))
	rate := cli.NewFlag("n", "", wholeNumber(MaxRate))
	duration := cli.NewFlag("duration", "5s", parseStep)
	c := &cobra.Command{
		Use:   "load",
		Short: "Put a gateway on this machine under load, and measure it",
		Long:  loadHelp,
		Example: `  orgs load
  orgs load --url http://127.0.0.1:8080 --most 16 --duration 10s --patch 0
  orgs load --rate 500 --plot html`,
		Args: cli.Arguments,
		RunE: a.Run(func(ctx context.Context, _ []string) error {
			o.plan.Duration, o.organizations = duration.Value, most.Value
			o.plan.Paces = pacesTo(most.Value)
			if rate.Given {
				o.plan.Paces = []Pace{{Workers: MaxWorkers, Rate: rate.Value}}
			}
			return load(ctx, a, o)
		}),
	}
	flags := c.Flags()
	flags.StringVar(&o.plan.URL, "url", "http://127.0.0.1:8080", "base `URL` of the gateway")
	flags.Var(most, "most", "workers in the last step, and organizations to create without --keys")
	flags.Var(rate, "rate", "requests per second, in one step")
	flags.Var(duration, "duration", "how long a step takes")
	flags.IntVar(&o.plan.PatchShare, "patch", 10, "changes in a hundred requests")
	flags.IntVar(&o.plan.PID, "pid", 0, "the gateway's process, to measure its memory")
	flags.StringVar(&o.keysFile, "keys", "", "`FILE` of admin keys, one a line")
	flags.StringVar(&o.plot, "plot", "", "`FILE` for an HTML page that plots the latencies over time")
	return c
}

// wholeNumber returns a parser of whole numbers from 1 to most.
func wholeNumber(most int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("it is a whole number from 1 to %d", most)
		}
		return n, nil
	}
}

// pacesTo returns steps of 1, 2, 4 … workers; the last step has most workers.
func pacesTo(most int) []Pace {
	var paces []Pace
	for workers := 1; workers < most; workers *= 2 {
		paces = append(paces, Pace{Workers: workers})
	}
	return append(paces, Pace{Workers: most})
}

func parseStep(s string) (time.Duration, error) {
	d, err := cli.ParseDuration(s)
	if err != nil || d > MaxDuration {
		return 0, errors.New("a step takes a duration such as 5s or 1m, of at most 5m")
	}
	return d, nil
}

// load measures and cleans up before it prints. It goes on if the reader of its output leaves.
func load(ctx context.Context, a *cli.App, o loadOptions) error {
	if err := o.plan.Check(); err != nil {
		return term.Fail(term.Usage, "%v", err)
	}
	report, err := runLoad(ctx, a, o)
	if report.Steps != nil {
		err = errors.Join(reportLoad(a, o, report), err)
	}
	return err
}

// runLoad measures with the keys of the file. Without a file, it creates organizations and removes them again. If
// only the removal fails, it returns the report together with the error. It creates nothing and measures nothing if the
// gateway does not answer as it should.
func runLoad(ctx context.Context, a *cli.App, o loadOptions) (report Report, err error) {
	if o.keysFile != "" {
		o.plan.Keys, err = readKeys(o.keysFile)
		if err != nil {
			return Report{}, err
		}
	}
	if err := o.plan.reach(ctx); err != nil {
		return Report{}, err
	}
	if o.keysFile != "" {
		return measure(ctx, a, o.plan)
	}
	s, err := backend.OpenExisting(ctx, a.Choice(), a.Getenv)
	if err != nil {
		return Report{}, err
	}
	// If the reader of the progress goes away, writing fails and the process goes on.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	made, err := makeForLoad(ctx, s, o.organizations, a.Now())
	defer func() { err = errors.Join(err, purgeMade(ctx, a, s, made), s.Close()) }()
	if err != nil {
		return Report{}, err
	}
	for _, k := range made {
		o.plan.Keys = append(o.plan.Keys, k.Key.Reveal())
	}
	return measure(ctx, a, o.plan)
}

// makeForLoad creates n organizations with the highest rate limit, and returns their admin keys. With an error, it
// returns the keys of the organizations that were or may have been created.
func makeForLoad(ctx context.Context, s *backend.Store, n int, now time.Time) ([]admin.IssuedKey, error) {
	var made []admin.IssuedKey
	for range n {
		o := organization.New("Load", organization.Enterprise, nil, now)
		o.Override.Metadata = organization.MaxLimit
		key, err := admin.Create(ctx, s, o, "", now)
		if err == nil || store.Unavailable(err) {
			made = append(made, key)
		}
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// purgeMade removes the organizations, also after an interrupt. Its error names the organizations that may be left,
// because each of them has a valid admin key.
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
	return term.Fail(backend.KindOf(cause),
		"organizations that it made may still be there, each with an admin key: %s; remove each with: %s; %v",
		strings.Join(left, ", "), a.Choice().CommandLine("delete ORG --purge"), cause)
}

// readKeys reads a file with one key on each line. Its error does not contain the text of the line.
func readKeys(file string) ([]string, error) {
	text, err := cli.ReadRegular(file)
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

// measure puts the API under load and shows the progress.
func measure(ctx context.Context, a *cli.App, plan Plan) (Report, error) {
	if err := plan.try(ctx, string(a.Choice())); err != nil {
		return Report{}, err
	}
	p := a.Progress("measuring", int64(len(plan.Paces)), true)
	defer p.End()
	return Run(ctx, plan, func() { p.Add(1) })
}

// reportLoad writes the plot and prints the figures. It returns an error if a request was not answered with 200.
func reportLoad(a *cli.App, o loadOptions, report Report) error {
	if o.plot != "" {
		var page bytes.Buffer
		if err := report.WritePlot(&page); err != nil {
			return fmt.Errorf("plotting: %w", err)
		}
		if err := cli.ReplaceFile(o.plot, page.Bytes(), 0o644); err != nil {
			return fmt.Errorf("plotting: %w", err)
		}
	}
	if err := printLoad(a, report); err != nil {
		return err
	}
	failed, requests := 0, 0
	for _, s := range report.Steps {
		failed, requests = failed+s.Failed(), requests+int(s.All.Requests)
	}
	if failed > 0 {
		return term.Fail(term.Failed, "%d of %d requests were not answered with 200", failed, requests)
	}
	return nil
}

func printLoad(a *cli.App, report Report) error {
	if a.JSON {
		return a.Stdout.WriteJSON(report)
	}
	header := []string{
		"WORKERS", "RATE", "METHOD", "REQUESTS", "PER SECOND", "P50", "P90", "P95", "P99", "MAX", "SUCCESS", "MIB",
	}
	var rows [][]string
	var notes strings.Builder
	for _, s := range report.Steps {
		rows = append(rows, loadRows(s)...)
		notes.WriteString(loadNotes(s))
	}
	return a.Print(nil, a.Stdout.Table(header, rows)+"\n\nLatencies are in milliseconds."+notes.String())
}

// loadRows returns one row for all requests of the step, and one for each method.
func loadRows(s Step) [][]string {
	ms := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 2, 64) }
	rate, memory := term.None, term.None
	if s.Rate > 0 {
		rate = strconv.Itoa(s.Rate)
	}
	if s.Memory > 0 {
		memory = strconv.FormatInt(s.Memory>>20, 10)
	}
	var rows [][]string
	for _, method := range []struct {
		name string
		m    vegeta.Metrics
	}{{"all", s.All}, {"GET", s.Get}, {"PATCH", s.Patch}} {
		m, l := method.m, method.m.Latencies
		if m.Requests == 0 {
			continue
		}
		rows = append(rows, []string{
			strconv.Itoa(s.Workers), rate, method.name, strconv.FormatUint(m.Requests, 10),
			strconv.FormatFloat(m.Throughput, 'f', 0, 64), ms(l.P50), ms(l.P90), ms(l.P95), ms(l.P99), ms(l.Max),
			strconv.FormatFloat(m.Success*100, 'f', 2, 64) + "%", memory,
		})
	}
	return rows
}

// loadNotes says what went wrong in the step, with vegeta's report if requests failed.
func loadNotes(s Step) string {
	var notes strings.Builder
	const enough = 0.95 // of the rate: a step ends between two requests
	if s.All.Rate < enough*float64(s.Rate) {
		fmt.Fprintf(&notes, "\nThe rate was not kept: %.0f of %d requests per second were sent.", s.All.Rate, s.Rate)
	}
	if s.Failed() > 0 {
		fmt.Fprintf(&notes, "\n\nFailures with workers = %d (status 0 is no answer):\n", s.Workers)
		_ = vegeta.NewTextReporter(&s.All).Report(&notes) // a strings.Builder never fails
	}
	return strings.TrimRight(notes.String(), "\n")
}
