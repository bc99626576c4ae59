package coverage

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// ReportInput is everything that a report shows, as plain data. The report hides every text that looks like a
// credential.
type ReportInput struct {
	Title    string
	Version  string // of the document
	Seed     string // of generated requests; "" where there were none
	Bodies   int    // that were generated
	Subjects []SubjectRun
	Coverage Report
	Mutants  []MutantRun

	Target       string    // the URL; "" where the service was started for the run
	Date         time.Time // zero where it does not matter
	DocumentHash string    // SHA-256 of the document, in hexadecimal
	Stopped      string    // why the run ended early; "" where it did not
	Partial      bool      // the target cannot show everything: what was not exercised is no fault
	Verbose      bool      // the text lists what was not shown and what was not exercised
}

// SubjectRun is a run of the suite against one subject.
type SubjectRun struct {
	Name   string
	Checks []CheckRun
}

// CheckRun is one check of a run.
type CheckRun struct {
	Name     string
	Duration time.Duration
	Failures []harness.Failure
	NotShown string // why the subject cannot show it; "" where it was run
}

// MutantRun is one wrong service and the checks that caught it.
type MutantRun struct {
	Name     string
	Group    string
	CaughtBy []string
	Caught   bool
}

// Passed reports whether everything is right: no check failed, the run was not stopped, nothing is missing that the
// target can show, and every mutant was caught. If nothing was run, Passed is true, and the coverage shows it.
func (in ReportInput) Passed() bool {
	return in.failures() == 0 && in.Stopped == "" && (in.Partial || len(in.Coverage.Missing()) == 0) && in.survivors() == 0
}

func (in ReportInput) failures() int {
	n := 0
	for _, s := range in.Subjects {
		n += s.sum().Failed
	}
	return n
}

func (in ReportInput) survivors() int {
	n := 0
	for _, m := range in.Mutants {
		if !m.Caught {
			n++
		}
	}
	return n
}

// runSum is the summary of a run, in numbers of checks.
type runSum struct {
	Passed, Failed, NotShown int
	Duration                 time.Duration
}

func (s SubjectRun) sum() runSum {
	var sum runSum
	for _, c := range s.Checks {
		sum.Duration += c.Duration
		switch {
		case len(c.Failures) > 0:
			sum.Failed++
		case c.NotShown != "":
			sum.NotShown++
		default:
			sum.Passed++
		}
	}
	return sum
}

// This is the JSON of a report. The names are stable: members may be added, but none is renamed or removed.
type (
	reportJSON struct {
		Title    string        `json:"title"`
		Version  string        `json:"version"` // of the document
		Passed   bool          `json:"passed"`
		Percent  float64       `json:"percent"` // of what must be exercised
		Totals   []Total       `json:"totals"`  // by kind
		Missing  []string      `json:"missing"`
		Seed     string        `json:"seed"`
		Bodies   int           `json:"bodies"` // generated
		Subjects []subjectJSON `json:"subjects"`
		Mutants  []mutantJSON  `json:"mutants"`
		Coverage Report        `json:"coverage"`

		Target       string `json:"target"` // "" where the service was started for the run
		Date         string `json:"date"`   // RFC 3339; "" where it does not matter
		DocumentHash string `json:"document_sha256"`
		Stopped      string `json:"stopped"` // why the run ended early; "" where it did not
	}
	subjectJSON struct {
		Name         string      `json:"name"`
		Passed       int         `json:"passed"`    // checks
		Failed       int         `json:"failed"`    // checks
		NotShown     int         `json:"not_shown"` // checks
		Milliseconds float64     `json:"milliseconds"`
		Checks       []checkJSON `json:"checks"`
	}
	checkJSON struct {
		Name         string        `json:"name"`
		Milliseconds float64       `json:"milliseconds"`
		NotShown     string        `json:"not_shown"` // the reason; "" where it was run
		Failures     []failureJSON `json:"failures"`
	}
	failureJSON struct {
		Message string `json:"message"`
		Curl    string `json:"curl"`
		Answer  string `json:"answer"`
	}
	mutantJSON struct {
		Name     string   `json:"name"`
		Group    string   `json:"group"`
		Caught   bool     `json:"caught"`
		CaughtBy []string `json:"caught_by"`
	}
)

// WriteJSON writes the report for programs.
func (in ReportInput) WriteJSON(w io.Writer) error {
	in = in.redacted()
	out := reportJSON{
		Title: in.Title, Version: in.Version, Passed: in.Passed(), Percent: in.Coverage.Percent(), Totals: in.Coverage.Totals(),
		Missing: in.Coverage.Missing(), Seed: in.Seed, Bodies: in.Bodies, Subjects: []subjectJSON{}, Mutants: []mutantJSON{},
		Coverage: in.Coverage, Target: in.Target, Date: in.date(), DocumentHash: in.DocumentHash, Stopped: in.Stopped,
	}
	for _, s := range in.Subjects {
		out.Subjects = append(out.Subjects, s.json())
	}
	for _, m := range in.Mutants {
		out.Mutants = append(out.Mutants, mutantJSON{m.Name, m.Group, m.Caught, append([]string{}, m.CaughtBy...)})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

func (s SubjectRun) json() subjectJSON {
	sum := s.sum()
	out := subjectJSON{s.Name, sum.Passed, sum.Failed, sum.NotShown, milliseconds(sum.Duration), []checkJSON{}}
	for _, c := range s.Checks {
		check := checkJSON{c.Name, milliseconds(c.Duration), c.NotShown, []failureJSON{}}
		for _, f := range c.Failures {
			check.Failures = append(check.Failures, failureJSON{f.Message, f.Curl, f.Answer})
		}
		out.Checks = append(out.Checks, check)
	}
	return out
}

// date returns the date of the run, or "" if there is none.
func (in ReportInput) date() string {
	if in.Date.IsZero() {
		return ""
	}
	return in.Date.Format(time.RFC3339)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// redacted returns a copy in which no text from a run looks like a credential. Texts from the document are public.
func (in ReportInput) redacted() ReportInput {
	subjects := make([]SubjectRun, len(in.Subjects))
	for i, s := range in.Subjects {
		subjects[i] = SubjectRun{Name: judge.Clip(s.Name, judge.MaxText), Checks: make([]CheckRun, len(s.Checks))}
		for j, c := range s.Checks {
			subjects[i].Checks[j] = c.redacted()
		}
	}
	in.Subjects = subjects
	in.Target, in.Stopped = judge.Clip(in.Target, judge.MaxText), judge.Clip(in.Stopped, harness.MaxMessage)
	in.Title, in.Version, in.Seed = judge.Clip(in.Title, judge.MaxText), judge.Clip(in.Version, judge.MaxText), judge.Clip(in.Seed, judge.MaxText)
	return in
}

func (c CheckRun) redacted() CheckRun {
	failures := make([]harness.Failure, len(c.Failures))
	for i, f := range c.Failures {
		failures[i] = harness.Failure{Check: c.Name, Message: judge.Clip(f.Message, harness.MaxMessage), Curl: clipLines(f.Curl), Answer: clipLines(f.Answer)}
	}
	c.Failures, c.NotShown = failures, judge.Clip(c.NotShown, judge.MaxText)
	return c
}

// clipLines clips a text of several lines, and keeps the lines.
func clipLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = judge.Clip(line, maxCommand)
	}
	return strings.Join(lines, "\n")
}

// maxCommand is enough for any command that Curl makes of a short body.
const maxCommand = 4000
