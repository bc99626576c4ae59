package mutants

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"organizations-api/contracttests/harness"
)

// Result says what the suite found wrong with one mutant.
type Result struct {
	Name     string
	Group    string
	Does     string
	CaughtBy []string // the names of the checks, in the order in which they ran
	Caught   bool
	Failure  string // what the first of them found
	Duration time.Duration
}

// Before returns the subject with the mutant in front of its service. direct is the right service on the same store,
// without rate limits. The subject must be able to provision.
func (m Mutant) Before(subject *harness.Subject, direct harness.Target) *harness.Subject {
	world := &World{Direct: direct}
	faulty := map[harness.Fault]harness.Target{}
	for _, fault := range harness.Faults() {
		faulty[fault] = m.Wrap(world, subject.Faulty(fault))
	}
	mutant := *subject
	mutant.Name += " behind " + m.Name
	mutant.Target = m.Wrap(world, subject.Target)
	if subject.Later != nil {
		mutant.Later = func(ctx context.Context, at time.Time) harness.Target {
			return m.Wrap(world, subject.Later(ctx, at))
		}
	}
	mutant.Faulty = func(fault harness.Fault) harness.Target { return faulty[fault] }
	mutant.Provision = func(ctx context.Context, spec harness.TenantSpec) (harness.Tenant, error) {
		t, err := subject.Provision(ctx, spec)
		if err == nil {
			world.Add(t, spec)
		}
		return t, err
	}
	return &mutant
}

// Try runs checks against a subject that has the mutant in front. It stops when a check catches the mutant, unless
// every check is to run.
func (m Mutant) Try(ctx context.Context, subject *harness.Subject, checks []harness.Check, every bool) Result {
	began := time.Now()
	result := Result{Name: m.Name, Group: m.Group, Does: m.Does}
	for _, check := range checks {
		failures := harness.Run(ctx, subject, check)
		if len(failures) == 0 {
			continue
		}
		result.CaughtBy = append(result.CaughtBy, check.Name)
		if !result.Caught {
			result.Caught, result.Failure = true, failures[0].Message
		}
		if !every {
			break
		}
	}
	result.Duration = time.Since(began)
	return result
}

// Table lists results for a person.
func Table(results []Result) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MUTANT\tGROUP\tCAUGHT BY\t\tTIME")
	for _, r := range results {
		first, more := "NOTHING", ""
		if r.Caught {
			first = r.CaughtBy[0]
		}
		if n := len(r.CaughtBy); n > 1 {
			more = fmt.Sprintf("and %d more", n-1)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\n", r.Name, r.Group, first, more, r.Duration.Round(time.Millisecond))
	}
	_ = w.Flush() // to a strings.Builder, which takes everything
	out.WriteString("\n" + mutantSums(results) + onlyCatchers(results))
	return out.String()
}

// onlyCatchers lists the checks that alone catch something: without one of them the suite would have a hole. It says
// nothing if no result has more than one check, as not every check was run then.
func onlyCatchers(results []Result) string {
	only := map[string][]string{}
	every := false
	for _, r := range results {
		every = every || len(r.CaughtBy) > 1
		if len(r.CaughtBy) == 1 {
			only[r.CaughtBy[0]] = append(only[r.CaughtBy[0]], r.Name)
		}
	}
	if !every {
		return "-mutants.all runs every check, and lists those that alone catch something.\n"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d checks alone catch something:\n", len(only))
	for _, check := range slices.Sorted(maps.Keys(only)) {
		fmt.Fprintf(&out, "  %s: %s\n", check, strings.Join(only[check], ", "))
	}
	return out.String()
}

// mutantSums counts by group.
func mutantSums(results []Result) string {
	all, caught := map[string]int{}, map[string]int{}
	for _, r := range results {
		all[r.Group]++
		if r.Caught {
			caught[r.Group]++
		}
	}
	var out strings.Builder
	for _, group := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "%s: %d of %d caught\n", group, caught[group], all[group])
	}
	return out.String()
}
