package contracttests_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/bodies"
	"organizations-api/contracttests/coverage"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
)

var (
	// A run of all packages sets the variable, as go test passes a flag to every package, and most do not have this one.
	reportDir = flag.String("contract.report", os.Getenv("CONTRACT_REPORT"),
		"`folder` to write the reports of TestSuite to")
	mutantsFile = flag.String("contract.mutants", "", "`file` that -mutants.json wrote, for the report")
)

// suiteRecord is what the runs of the suite have shown so far. It is safe for concurrent use.
type suiteRecord struct {
	coverage *coverage.Coverage

	mu   sync.Mutex
	runs map[string][]coverage.CheckRun // by subject
}

func newSuiteRecord(t *testing.T) *suiteRecord {
	t.Helper()
	counted := coverage.New(harness.Validator().Document)
	for _, waiver := range coverage.OrganizationWaivers() {
		if err := counted.Waive(waiver.Item, waiver.Reason); err != nil {
			t.Fatal(err)
		}
	}
	return &suiteRecord{coverage: counted, runs: map[string][]coverage.CheckRun{}}
}

// run runs a check and keeps the result. Every subject here can show every check but one: the clock of built functions
// cannot be set, and waiting for a minute would be long. The report counts what a subject does not show.
func (r *suiteRecord) run(t *testing.T, subject *harness.Subject, check harness.Check) {
	t.Helper()
	began, result := time.Now(), coverage.CheckRun{Name: check.Name}
	if check.Needs&harness.NeedLater != 0 && subject.Later == nil {
		result.NotShown = strings.Join(check.SkipReasons(subject), ", and ")
	} else {
		result.Failures = harness.Run(t.Context(), subject, check)
	}
	result.Duration = time.Since(began)
	r.mu.Lock()
	r.runs[subject.Name] = append(r.runs[subject.Name], result)
	r.mu.Unlock()
	local.Report(t, result.Failures)
}

// input returns the input of the report, in an order that is the same each time.
func (r *suiteRecord) input(t *testing.T) coverage.ReportInput {
	t.Helper()
	in := coverage.ReportInput{
		Title:    "Organizations API",
		Version:  harness.Validator().Document.Version,
		Seed:     fmt.Sprint(bodies.GenerationSeed),
		Bodies:   bodies.GenerationBodies,
		Coverage: r.coverage.Report(),
		Mutants:  readMutants(t),
	}
	for name, runs := range r.runs {
		slices.SortFunc(runs, func(a, b coverage.CheckRun) int { return strings.Compare(a.Name, b.Name) })
		in.Subjects = append(in.Subjects, coverage.SubjectRun{Name: name, Checks: runs})
	}
	slices.SortFunc(in.Subjects, func(a, b coverage.SubjectRun) int { return cmp.Compare(a.Name, b.Name) })
	return in
}

func readMutants(t *testing.T) []coverage.MutantRun {
	t.Helper()
	if *mutantsFile == "" {
		return nil
	}
	text, err := os.ReadFile(*mutantsFile)
	if err != nil {
		t.Fatal(err)
	}
	var mutants []coverage.MutantRun
	if err := json.Unmarshal(text, &mutants); err != nil {
		t.Fatal(err)
	}
	return mutants
}

// finish logs what the runs covered, and reports every part of the document that was never exercised.
func (r *suiteRecord) finish(t *testing.T) {
	t.Helper()
	in := r.input(t)
	var text strings.Builder
	if err := in.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	for _, missing := range in.Coverage.Missing() {
		t.Errorf("never exercised: %s", missing)
	}
	writeReports(t, in)
}

// writeReports writes the report to the folder of the flag, if there is one.
func writeReports(t *testing.T, in coverage.ReportInput) {
	t.Helper()
	if *reportDir == "" {
		return
	}
	if err := in.WriteFolder(*reportDir); err != nil {
		t.Error(err)
	}
}
