package coverage

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteText writes the report for a terminal: first what failed, then the answers and the totals, and what is missing.
func (in ReportInput) WriteText(w io.Writer) error {
	in = in.redacted()
	out := &textReport{}
	out.line("%s %s", in.Title, in.Version)
	out.line("%s", in.facts())
	out.run(in)
	out.failures(in.Subjects)
	out.matrix(in.Coverage)
	out.totals(in.Coverage)
	out.subjects(in.Subjects)
	out.mutants(in.Mutants)
	if in.Partial && !in.Verbose {
		out.counts(in)
	} else {
		out.notShown(in.Subjects)
		out.list("Never exercised", in.Coverage.Missing())
		out.list("Not measured", in.Coverage.Unmeasured)
		out.waivers(in.Coverage.Waivers)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("writing the report as text: %w", err)
	}
	return nil
}

// facts describes the run in one line.
func (in ReportInput) facts() string {
	facts := []string{counted(int(in.Coverage.Exchanges), "exchange")}
	if in.Coverage.Elsewhere > 0 {
		facts = append(facts, grouped(in.Coverage.Elsewhere)+" of them outside of the document")
	}
	if in.Bodies > 0 {
		facts = append(facts, counted(in.Bodies, "generated body"))
	}
	if in.Seed != "" {
		facts = append(facts, "seed "+in.Seed)
	}
	return strings.Join(facts, ", ")
}

// textReport collects lines.
type textReport struct {
	strings.Builder
}

func (t *textReport) line(format string, args ...any) {
	t.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// table writes rows in columns, the first to the left and the others to the right.
func (t *textReport) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := fmt.Sprintf("  %-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			line += fmt.Sprintf("  %*s", widths[i+1], cell)
		}
		t.line("%s", line)
	}
}

// matrix writes operations by statuses, with how often each was seen.
func (t *textReport) matrix(r Report) {
	statuses := r.statuses()
	rows := [][]string{append([]string{"Answers"}, statuses...)}
	for _, op := range r.Operations {
		row := []string{op.Method + " " + op.Path}
		for _, status := range statuses {
			row = append(row, statusText(op, status))
		}
		rows = append(rows, row)
	}
	t.line("")
	t.table(rows)
	for _, op := range r.Operations {
		for _, s := range op.Undeclared {
			t.line("  %s %s answered %s, which is not declared: %s", op.Method, op.Path, s.Status,
				counted(int(s.Seen.Count), "time"))
		}
	}
}

// statuses returns every status that any operation declares, in order.
func (r Report) statuses() []string {
	var all []string
	for _, op := range r.Operations {
		for _, s := range op.Statuses {
			all = append(all, s.Status)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (op OperationReport) status(status string) (Mark, bool) {
	for _, s := range op.Statuses {
		if s.Status == status {
			return s.Seen, true
		}
	}
	return Mark{}, false
}

func statusText(op OperationReport, status string) string {
	switch m, declared := op.status(status); {
	case !declared:
		return "-"
	case m.Missing():
		return "NEVER"
	default:
		return grouped(m.Count)
	}
}

func (t *textReport) totals(r Report) {
	rows := [][]string{{"Exercised", "seen", "of", ""}}
	seen, required := 0, 0
	for _, total := range r.Totals() {
		rows = append(rows, []string{plural(string(total.Kind)), strconv.Itoa(total.Seen),
			strconv.Itoa(total.Required), percentText(total.Percent)})
		seen, required = seen+total.Seen, required+total.Required
	}
	rows = append(rows, []string{"all", strconv.Itoa(seen), strconv.Itoa(required), percentText(r.Percent())})
	t.line("")
	t.table(rows)
}

func (t *textReport) subjects(subjects []SubjectRun) {
	if len(subjects) == 0 {
		return
	}
	rows := [][]string{{"Checks", "passed", "failed", "not shown", "time"}}
	for _, s := range subjects {
		sum := s.sum()
		rows = append(rows, []string{
			s.Name, strconv.Itoa(sum.Passed), strconv.Itoa(sum.Failed), strconv.Itoa(sum.NotShown),
			durationText(sum.Duration),
		})
	}
	t.line("")
	t.table(rows)
}

// run writes where and when a run was, and why it ended early.
func (t *textReport) run(in ReportInput) {
	if in.Target != "" {
		t.line("%s at %s, document SHA-256 %.16s…", in.Target, in.date(), in.DocumentHash)
	}
	if in.Stopped != "" {
		t.line("STOPPED: %s", strings.TrimPrefix(in.Stopped, "stopped: "))
	}
}

// maxShown is how many failures of one check the text shows.
const maxShown = 3

// failures writes the failures: what the check wanted and what it got, how to reproduce it, and the answer.
func (t *textReport) failures(subjects []SubjectRun) {
	further := 0
	for _, s := range subjects {
		for _, c := range s.Checks {
			shown := c.Failures[:min(len(c.Failures), maxShown)]
			further += len(c.Failures) - len(shown)
			for _, f := range shown {
				t.line("\nFAILED %s: %s", s.Name, f)
				for line := range strings.Lines(f.Answer) {
					t.line("    | %s", strings.TrimRight(line, "\n"))
				}
			}
		}
	}
	if further > 0 {
		t.line("\n%s of these checks: the other forms of the report have them", counted(further, "further failure"))
	}
}

// notShown writes which checks a target cannot show, and why.
func (t *textReport) notShown(subjects []SubjectRun) {
	why := ""
	for _, s := range subjects {
		for _, c := range s.Checks {
			if c.NotShown == "" {
				continue
			}
			if c.NotShown != why {
				why = c.NotShown
				t.line("\n  Not shown, as %s", why)
			}
			t.line("    %s", c.Name)
		}
	}
}

// counts writes the numbers of the items that notShown and list name.
func (t *textReport) counts(in ReportInput) {
	hidden := 0
	for _, s := range in.Subjects {
		hidden += s.sum().NotShown
	}
	if missing := len(in.Coverage.Missing()); hidden+missing > 0 {
		t.line("\n  Not shown here: %s, and %s of the document. They are listed "+
			"with -v.",
			counted(hidden, "check"), counted(missing, "part"))
	}
}

func (t *textReport) mutants(mutants []MutantRun) {
	if len(mutants) == 0 {
		return
	}
	rows := [][]string{{"Mutants", "caught", "of"}}
	for _, g := range mutantGroups(mutants) {
		rows = append(rows, []string{g.Name, strconv.Itoa(g.Caught), strconv.Itoa(len(g.Mutants))})
	}
	t.line("")
	t.table(rows)
	for _, m := range mutants {
		if !m.Caught {
			t.line("  NOT CAUGHT: %s", m.Name)
		}
	}
}

// mutantGroup is the mutants of one group, in their order.
type mutantGroup struct {
	Name    string
	Caught  int
	Mutants []MutantRun
}

func mutantGroups(mutants []MutantRun) []mutantGroup {
	var groups []mutantGroup
	for _, m := range mutants {
		i := slices.IndexFunc(groups, func(g mutantGroup) bool { return g.Name == m.Group })
		if i < 0 {
			i = len(groups)
			groups = append(groups, mutantGroup{Name: m.Group})
		}
		groups[i].Mutants = append(groups[i].Mutants, m)
		if m.Caught {
			groups[i].Caught++
		}
	}
	return groups
}

func (t *textReport) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	t.line("\n  %s (%d)", title, len(items))
	for _, item := range items {
		t.line("    %s", item)
	}
}

func (t *textReport) waivers(waivers []Waiver) {
	if len(waivers) == 0 {
		return
	}
	t.line("\n  Waived (%d)", len(waivers))
	for _, w := range waivers {
		t.line("    %s\n      %s", w.Item, w.Reason)
	}
}

// grouped writes a number with a comma at the thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func counted(n int, what string) string {
	if n != 1 {
		what = plural(what)
	}
	return grouped(int64(n)) + " " + what
}

func plural(what string) string {
	switch {
	case strings.HasSuffix(what, "y"):
		return what[:len(what)-1] + "ies"
	case strings.HasSuffix(what, "s"):
		return what + "es"
	default:
		return what + "s"
	}
}

func percentText(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + "%" }

func durationText(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d > 0:
		return "<1ms"
	default:
		return "0s"
	}
}
