package coverage

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/harness"
)

//go:embed report.gohtml
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"state": Mark.state, "headerState": HeaderReport.state, "answered": HeaderReport.answered,
	"keywords": RequestReport.hasKeywords,
	"tint":     tint, "grouped": grouped, "short": short, "percent": percentText, "duration": durationText,
	"plural":  plural,
	"counted": counted, "times": func(n int64) string { return counted(int(n), "time") },
	"clipped": clipped, "parent": parentPointer, "leaf": leafPointer, "join": strings.Join,
}).Parse(reportPage))

// htmlPage has the values for the template.
type htmlPage struct {
	ReportInput
	Passed   bool
	Verdict  string
	Facts    string
	When     string
	Percent  float64
	Totals   []Total
	Gaps     []gapGroup
	Matrix   []matrixRow
	Runs     []subjectRow
	Failures []failureRow
	Checks   []checkRow
	Groups   []mutantGroup
	Caught   int
}

// matrixRow is one status, with a cell for each operation.
type matrixRow struct {
	Status string
	Text   string // the reason phrase
	Cells  []matrixCell
}

type matrixCell struct {
	Declared bool
	Seen     Mark
}

// gapGroup is the missing parts of one kind.
type gapGroup struct {
	Name  string
	Items []string
}

type subjectRow struct {
	Name string
	runSum
}

type failureRow struct {
	Subject string
	harness.Failure
}

// checkRow is one check, with a cell for each subject.
type checkRow struct {
	Name  string
	Cells []checkCell
}

type checkCell struct {
	Run bool // the subject has a check of that name
	CheckRun
}

// WriteHTML writes the report as one page that loads no other file.
func (in ReportInput) WriteHTML(w io.Writer) error {
	in = in.redacted()
	p := htmlPage{
		ReportInput: in, Passed: in.Passed(), Verdict: in.verdict(), Facts: in.facts(), When: in.date(),
		Percent: in.Coverage.Percent(), Totals: in.Coverage.Totals(), Gaps: gapGroups(in.Coverage.Missing()),
		Matrix: matrixRows(in.Coverage), Checks: checkRows(in.Subjects), Groups: mutantGroups(in.Mutants),
		Caught: len(in.Mutants) - in.survivors(),
	}
	for _, s := range in.Subjects {
		p.Runs = append(p.Runs, subjectRow{s.Name, s.sum()})
		for _, c := range s.Checks {
			for _, f := range c.Failures {
				p.Failures = append(p.Failures, failureRow{s.Name, f})
			}
		}
	}
	if err := reportTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("writing the report as HTML: %w", err)
	}
	return nil
}

// verdict returns the result of the report in one sentence.
func (in ReportInput) verdict() string {
	if in.Passed() && in.Partial {
		return "Nothing was found wrong in what the target can show."
	}
	if in.Passed() {
		return "Everything that the contract declares was exercised, and nothing was found wrong."
	}
	var parts []string
	if in.Stopped != "" {
		parts = append(parts, in.Stopped)
	}
	if _, n := in.Checks(); n > 0 {
		parts = append(parts, counted(n, "failed check"))
	}
	if n := len(in.Coverage.Missing()); n > 0 && !in.Partial {
		parts = append(parts, counted(n, "gap")+" in the coverage")
	}
	if n := in.survivors(); n > 0 {
		parts = append(parts, counted(n, "mutant")+" not caught")
	}
	return strings.Join(parts, ", ") + "."
}

func matrixRows(r Report) []matrixRow {
	var rows []matrixRow
	for _, status := range r.statuses() {
		row := matrixRow{Status: strings.ToLower(status)}
		if code, err := strconv.Atoi(status); err == nil {
			row.Status, row.Text = status, http.StatusText(code)
		}
		for _, op := range r.Operations {
			m, declared := op.status(status)
			row.Cells = append(row.Cells, matrixCell{declared, m})
		}
		rows = append(rows, row)
	}
	return rows
}

// gapGroups groups the result of Report.Missing, which is sorted by kind.
func gapGroups(missing []string) []gapGroup {
	var groups []gapGroup
	for _, item := range missing {
		kind, name, _ := strings.Cut(item, ": ")
		kind = plural(kind)
		if len(groups) == 0 || groups[len(groups)-1].Name != kind {
			groups = append(groups, gapGroup{Name: kind})
		}
		last := &groups[len(groups)-1]
		last.Items = append(last.Items, name)
	}
	for i := range groups {
		groups[i].Name = fmt.Sprintf("%s never exercised (%d)", upperFirst(groups[i].Name), len(groups[i].Items))
	}
	return groups
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// checkRows returns the checks of all subjects, each once, in the order of their first run.
func checkRows(subjects []SubjectRun) []checkRow {
	var rows []checkRow
	for at, s := range subjects {
		for _, c := range s.Checks {
			i := slices.IndexFunc(rows, func(row checkRow) bool { return row.Name == c.Name })
			if i < 0 {
				i = len(rows)
				rows = append(rows, checkRow{c.Name, make([]checkCell, len(subjects))})
			}
			rows[i].Cells[at] = checkCell{true, c}
		}
	}
	return rows
}

// state returns the name of the style of a mark.
func (m Mark) state() string {
	switch {
	case m.Count > 0:
		return "seen"
	case m.Asked == AskRequired:
		return "missing"
	default:
		return string(m.Asked)
	}
}

// tint says how strongly a count colours its cell, in five steps of a power of ten.
func tint(n int64) int {
	return min(5, 1+int(math.Log10(float64(max(n, 1)))))
}

// short writes a count in at most five characters.
func short(n int64) string {
	if n < 10_000 {
		return strconv.FormatInt(n, 10)
	}
	size, unit := 1_000.0, "k"
	if n >= 1_000_000 {
		size, unit = 1_000_000, "M"
	}
	scaled := math.Floor(float64(n)*10/size) / 10
	if scaled >= 100 {
		scaled = math.Floor(scaled)
	}
	return strconv.FormatFloat(scaled, 'f', -1, 64) + unit
}

// clipped returns the start of a long text, and "" for a short text.
func clipped(text string) string {
	const most = 28
	if utf8.RuneCountInString(text) <= most {
		return ""
	}
	return string([]rune(text)[:most]) + "…"
}

func parentPointer(pointer string) string { return pointer[:strings.LastIndexByte(pointer, '/')+1] }

func leafPointer(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

// hasKeywords reports whether there is any keyword to show.
func (r RequestReport) hasKeywords() bool {
	if slices.ContainsFunc(r.Headers, func(h ParameterReport) bool { return len(h.Keywords) > 0 }) {
		return true
	}
	return slices.ContainsFunc(r.Bodies, func(b BodyReport) bool {
		return slices.ContainsFunc(b.Properties, func(p PropertyReport) bool { return len(p.Keywords) > 0 })
	})
}

// answered returns how many of the answers that declare the header had it.
func (h HeaderReport) answered() int {
	n := 0
	for _, a := range h.Answers {
		if a.Seen.Count > 0 {
			n++
		}
	}
	return n
}

func (h HeaderReport) state() string {
	if slices.ContainsFunc(h.Answers, func(a AnswerReport) bool { return a.Seen.Missing() }) {
		return "missing"
	}
	return h.Seen.state()
}
