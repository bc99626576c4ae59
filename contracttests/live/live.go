// Package live runs the checks against a service at a URL, with API keys of it. It says at once what cannot work and how
// long the run takes, shows how far it is, and reports what was found, failures first.
//
// It imports no check and nothing of the service: who runs it passes the checks.
package live

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"organizations-api/contracttests/coverage"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// Run is one run of the checks at a URL.
type Run struct {
	Target   string // the base URL, for the reports
	Subject  *harness.Subject
	Checks   []harness.Check
	Document []byte // that the service is judged by
	Verbose  bool   // lists what was not shown, and why
}

// Do runs the checks that the target can show, one after the other, and writes progress and the result to out. It
// returns what the reports show. It returns an error if the run could not begin or was stopped; what was found until
// then is in the report all the same.
func (r Run) Do(ctx context.Context, out io.Writer) (coverage.ReportInput, error) {
	in := r.input()
	shown, hidden := r.split()
	if err := r.begin(ctx, out, estimate(shown, r.Checks)); err != nil {
		return in, err
	}
	counted := coverage.New(r.Subject.Validator.Document)
	p := &progress{out: out, total: len(shown), began: time.Now()}
	observe := r.Subject.Observe
	r.Subject.Observe = func(x judge.Exchange) {
		p.requests.Add(1)
		counted.Observe(x)
		if observe != nil {
			observe(x)
		}
	}
	defer func() { r.Subject.Observe = observe }()
	defer context.AfterFunc(ctx, p.interrupted)()
	err := harness.RunSerially(ctx, shown, func(check harness.Check) []harness.Failure {
		p.say(check.Name)
		began := time.Now()
		failures := harness.Run(ctx, r.Subject, check)
		in.Subjects[0].Checks = append(in.Subjects[0].Checks,
			coverage.CheckRun{Name: check.Name, Duration: time.Since(began), Failures: failures})
		p.done(failures)
		return failures
	})
	in.Subjects[0].Checks = append(in.Subjects[0].Checks, hidden...)
	in.Coverage = counted.Report()
	in.Stopped = text(err)
	return in, err
}

// begin finds out whether the run can work, and says what it works on and how long it takes.
func (r Run) begin(ctx context.Context, out io.Writer, requests int) error {
	if r.Subject.Provision != nil {
		if err := r.askOperated(ctx); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s: with organizations of its own, which have no limit that the run reaches\n",
			r.Target)
		return err
	}
	facts, err := r.ask(ctx)
	if err != nil {
		return err
	}
	r.Subject.Start, r.Subject.Mark = &facts.admin, strings.ToLower(rand.Text()[:harness.MarkLength])
	_, err = fmt.Fprintf(out, "%s: %s\n%s\n", r.Target, facts.who(), facts.advice(requests))
	return err
}

func (r Run) input() coverage.ReportInput {
	sum := sha256.Sum256(r.Document)
	return coverage.ReportInput{
		Title: "Organizations API", Version: r.Subject.Validator.Document.Version, Target: r.Target,
		Date:         time.Now().UTC().Truncate(time.Second),
		DocumentHash: hex.EncodeToString(sum[:]), Partial: true, Verbose: r.Verbose,
		Subjects: []coverage.SubjectRun{{Name: r.Target}},
	}
}

// split returns the checks that the subject can show, and the others with the reason.
func (r Run) split() (shown []harness.Check, hidden []coverage.CheckRun) {
	for _, check := range r.Checks {
		if reasons := check.SkipReasons(r.Subject); len(reasons) > 0 {
			hidden = append(hidden, coverage.CheckRun{Name: check.Name, NotShown: strings.Join(reasons, ", and ")})
			continue
		}
		shown = append(shown, check)
	}
	slices.SortFunc(hidden, func(a, b coverage.CheckRun) int {
		return cmp.Or(strings.Compare(a.NotShown, b.NotShown), strings.Compare(a.Name, b.Name))
	})
	return shown, hidden
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// progress says how far a run is: at most one line a second, so that a terminal and a log can both be read.
type progress struct {
	out      io.Writer
	total    int
	began    time.Time
	last     time.Time
	ran      int
	failed   int
	requests atomic.Int64

	mu sync.Mutex // for out
}

const progressPause = time.Second

// interrupted says why the run does not end at once.
func (p *progress) interrupted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.out, "Interrupted: what was changed is put back, which can take a minute where the limit is used "+
		"up.")
}

func (p *progress) say(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.last) >= progressPause {
		p.last = now
		fmt.Fprintf(p.out, "[%d/%d] %s, %d requests, %d failed: %s\n",
			p.ran, p.total, time.Since(p.began).Round(time.Second), p.requests.Load(), p.failed, name)
	}
}

func (p *progress) done(failures []harness.Failure) {
	p.ran++
	if len(failures) > 0 {
		p.failed++
	}
}
