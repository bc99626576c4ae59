package coverage

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/fixture"
)

const reportSecret = "sk_live_9f8e7d6c5b4a39281706"

// passedReport has everything that a report can show, and nothing wrong.
func passedReport(t *testing.T) ReportInput {
	t.Helper()
	return ReportInput{
		Title: "Organizations API", Version: "1.0.0", Seed: "42", Bodies: 100_000,
		Coverage: newOrganizationCoverage(t, completeExchanges()...).Report(),
		Subjects: []SubjectRun{
			{Name: "in process", Checks: []CheckRun{{Name: "laws/persist", Duration: 12 * time.Millisecond},
				{Name: "statuses/500", Duration: time.Microsecond}}},
			{Name: "live", Checks: []CheckRun{{Name: "laws/persist", Duration: 1500 * time.Millisecond},
				{Name: "statuses/500", NotShown: "it has no faults"}}},
		},
		Mutants: []MutantRun{
			{Name: "extra-member", Group: "schema", CaughtBy: []string{"laws/persist"}, Caught: true},
			{Name: "no-etag", Group: "headers", CaughtBy: []string{"laws/persist", "statuses/500"}, Caught: true},
		},
	}
}

// failedReport is wrong in every way, with a credential wherever a run could have put one.
func failedReport(t *testing.T) ReportInput {
	t.Helper()
	in := passedReport(t)
	undeclared := updateExchange(418,
		`{"organization_name":"`+reportSecret+`","default_llm_credentials":{"`+reportSecret+`":"`+reportSecret+`"}}`)
	undeclared.Request.Header.Set("Authorization", "Bearer "+reportSecret)
	in.Coverage = newOrganizationCoverage(t, undeclared, updateExchange(200, string(undeclared.Request.Body))).Report()
	in.Subjects[0].Checks[0].Failures = []harness.Failure{{
		Check: "laws/persist", Message: "got <b>" + reportSecret + "</b>", Curl: "curl -H 'X: " + reportSecret +
			"' \"$URL\" && echo '</code>'",
		Answer: "200 OK\nX: " + reportSecret + "\n\n{}",
	}}
	in.Target, in.Stopped = "http://127.0.0.1:8080/"+reportSecret, "stopped by "+reportSecret
	in.Subjects[1].Checks[1].NotShown = "no key like " + reportSecret
	in.Mutants[1].Caught, in.Mutants[1].CaughtBy = false, nil
	return in
}

// writers are the forms of a report.
func writers(in ReportInput) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{"text": in.WriteText, "JSON": in.WriteJSON, "HTML": in.WriteHTML,
		"JUnit": in.WriteJUnit}
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReportPassed(t *testing.T) {
	t.Parallel()
	if in := passedReport(t); !in.Passed() {
		t.Errorf("Passed() = false, want true: %s", in.verdict())
	}
	in := failedReport(t)
	in.Stopped = ""
	if in.Passed() {
		t.Error("Passed() = true, want false")
	}
	if got := in.verdict(); !strings.HasPrefix(got, "1 failed check, ") ||
		!strings.HasSuffix(got, " gaps in the coverage, 1 mutant not caught.") {
		t.Errorf("verdict() = %q", got)
	}
	survivor := passedReport(t)
	survivor.Mutants[0].Caught = false
	failure := passedReport(t)
	failure.Subjects[1].Checks[0].Failures = []harness.Failure{{Message: "x"}}
	gap := passedReport(t)
	gap.Coverage = newOrganizationCoverage(t, completeExchanges()[1:]...).Report()
	gap.Coverage.Operations[0].Statuses[0].Seen.Count = 0
	for name, in := range map[string]ReportInput{"a survivor": survivor, "a failure": failure, "a gap": gap} {
		if in.Passed() {
			t.Errorf("Passed() with %s = true, want false", name)
		}
	}
}

// TestReportHidesCredentials: no form of a report shows what a run put into a message, nor any value of an exchange.
func TestReportHidesCredentials(t *testing.T) {
	t.Parallel()
	for name, write := range writers(failedReport(t)) {
		out := written(t, write)
		if strings.Contains(out, reportSecret[8:]) || strings.Contains(out, fixture.CallerKey[8:]) {
			t.Errorf("the %s shows a credential", name)
		}
		if !strings.Contains(out, "[redacted]") {
			t.Errorf("the %s does not say that something was left out", name)
		}
		if strings.Contains(out, "Northwind") || strings.Contains(out, "logo.example") {
			t.Errorf("the %s shows a value of an answer", name)
		}
	}
}

func TestReportText(t *testing.T) {
	t.Parallel()
	out := written(t, passedReport(t).WriteText)
	for _, want := range []string{
		"Organizations API 1.0.0\n", "exchanges, 100,000 generated bodies, seed 42\n",
		"  GET /v1/organizations ", "  all                    506  506  100%\n",
		"  in process       2       0          0  12ms\n",
		"  live             1       0          1  1.5s\n", "  schema        1   1\n", "  Waived (3)\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "Never exercised") || strings.Contains(out, "NEVER") {
		t.Errorf("the text names gaps:\n%s", out)
	}
	out = written(t, failedReport(t).WriteText)
	for _, want := range []string{
		"NEVER", "PATCH /v1/organizations answered 418, which is not declared: 1 time\n", "  NOT CAUGHT: no-etag\n",
		"    request keyword: " + updateBody + "/logo_url minLength 1 refused\n", "in process: laws/persist: got <b>",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q:\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("there is space at the end of %q", line)
		}
	}
}

// TestReportJSON fixes the names that programs depend on.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal([]byte(written(t, failedReport(t).WriteJSON)), &got); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	collectNames(got, "", names)
	want := strings.Fields(`
		/bodies /coverage /coverage/elsewhere /coverage/exchanges /coverage/headers /coverage/headers/answers
		/coverage/headers/answers/operation /coverage/headers/answers/seen /coverage/headers/answers/status /coverage/headers/name
		/coverage/headers/required /coverage/headers/seen /coverage/operations /coverage/operations/id /coverage/operations/method
		/coverage/operations/path /coverage/operations/statuses /coverage/operations/statuses/seen
		/coverage/operations/statuses/status /coverage/operations/undeclared /coverage/operations/undeclared/seen
		/coverage/operations/undeclared/status /coverage/requests /coverage/requests/bodies /coverage/requests/bodies/media
		/coverage/requests/bodies/properties /coverage/requests/bodies/properties/absent
		/coverage/requests/bodies/properties/keywords /coverage/requests/bodies/properties/keywords/accepted
		/coverage/requests/bodies/properties/keywords/bound /coverage/requests/bodies/properties/keywords/name
		/coverage/requests/bodies/properties/keywords/refused /coverage/requests/bodies/properties/null
		/coverage/requests/bodies/properties/pointer /coverage/requests/bodies/properties/types
		/coverage/requests/bodies/properties/value /coverage/requests/bodies/schema /coverage/requests/headers
		/coverage/requests/headers/absent /coverage/requests/headers/keywords /coverage/requests/headers/keywords/accepted
		/coverage/requests/headers/keywords/bound /coverage/requests/headers/keywords/name
		/coverage/requests/headers/keywords/refused /coverage/requests/headers/name /coverage/requests/headers/value
		/coverage/requests/operation /coverage/schemas /coverage/schemas/name /coverage/schemas/properties
		/coverage/schemas/properties/absent /coverage/schemas/properties/enum /coverage/schemas/properties/enum/seen
		/coverage/schemas/properties/enum/value /coverage/schemas/properties/null /coverage/schemas/properties/pointer
		/coverage/schemas/properties/types /coverage/schemas/properties/value /coverage/unmeasured /coverage/waivers
		/coverage/waivers/item /coverage/waivers/reason /coverage/waivers/seen /date /document_sha256 /missing /mutants /mutants/caught
		/mutants/caught_by /mutants/group /mutants/name /passed /percent /seed /stopped /subjects /subjects/checks
		/subjects/checks/failures /subjects/checks/failures/answer /subjects/checks/failures/curl /subjects/checks/failures/message
		/subjects/checks/milliseconds /subjects/checks/name /subjects/checks/not_shown /subjects/failed
		/subjects/milliseconds /subjects/name /subjects/not_shown /subjects/passed /target /title /totals /totals/kind
		/totals/percent /totals/required /totals/seen /version`)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(names))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	empty := written(t, ReportInput{Coverage: newOrganizationCoverage(t).Report()}.WriteJSON)
	if strings.Contains(empty, ": null") {
		t.Errorf("the JSON has null where a list is due:\n%s", empty)
	}
}

// collectNames collects the names of members, but not those of counts, which are the same everywhere.
func collectNames(value any, at string, names map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			collectNames(item, at, names)
		}
	case map[string]any:
		if len(value) == 2 && value["asked"] != nil && value["count"] != nil {
			return
		}
		for name, member := range value {
			names[at+"/"+name] = true
			collectNames(member, at+"/"+name, names)
		}
	}
}

// TestReportHTML: the page is well-formed, stands alone, and says in words what it says in colours.
func TestReportHTML(t *testing.T) {
	t.Parallel()
	bare := ReportInput{Title: "x", Coverage: newOrganizationCoverage(t).Report()}
	for name, in := range map[string]ReportInput{"passed": passedReport(t), "failed": failedReport(t), "bare": bare} {
		page := written(t, in.WriteHTML)
		if err := pageWellFormed(page); err != nil {
			t.Errorf("%s: the page is not well-formed: %v", name, err)
		}
		for _, pattern := range []string{`(?i)<(script|link|img|iframe|object|base)\b`,
			`(?i)\b(src|action|onclick|onload)=`, `(?i)url\(`, `@import`, `href="[^#]`, `https?://[^1]`, `ZgotmplZ`} {
			if found := regexp.MustCompile(pattern).FindString(page); found != "" {
				t.Errorf("%s: the page has %q", name, found)
			}
		}
		if n := strings.Count(page, "<th "); n == 0 || n != strings.Count(page, `<th scope="`) {
			t.Errorf("%s: %d headers of tables, of which %d have a scope", name, n, strings.Count(page, `<th scope="`))
		}
	}
	passed := written(t, passedReport(t).WriteHTML)
	for _, media := range []string{updateMedia, strings.ReplaceAll(mergeMedia, "+", "&#43;")} {
		caption, row := `, `+media+`</caption>`, ` <span class="muted">`+media+`</span></th>`
		if !strings.Contains(passed, caption) || !strings.Contains(passed, row) {
			t.Errorf("the page does not say which properties and keywords are of %s", media)
		}
	}
	failed := written(t, failedReport(t).WriteHTML)
	for _, want := range []string{
		"✗ Not passed.", "✗ never", "✗ not caught", "got &lt;b&gt;", "not declared",
		`<details class="card" open="open">`, "prefers-color-scheme: dark",
		"Statuses never exercised (", "<b>418</b>", `<html lang="en">`,
	} {
		if !strings.Contains(failed, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

var htmlID = regexp.MustCompile(` id="([^"]*)"`)

// pageWellFormed reads a page as strictly as XML, holds it against the elements that HTML knows as blocks of text, and
// looks for the targets of its links.
func pageWellFormed(page string) error {
	decoder := xml.NewDecoder(strings.NewReader(page))
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			block := slices.Contains([]string{"div", "p", "ul", "table", "section", "h2", "h3", "details"}, name)
			if block && (slices.Contains(open, "p") || slices.Contains(open, "span")) {
				return fmt.Errorf("<%s> in %v", name, open)
			}
			open = append(open, name)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	var ids []string
	for _, match := range htmlID.FindAllStringSubmatch(page, -1) {
		if slices.Contains(ids, match[1]) {
			return fmt.Errorf("the id %s twice", match[1])
		}
		ids = append(ids, match[1])
	}
	for _, match := range regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !slices.Contains(ids, match[1]) {
			return fmt.Errorf("nothing has the id %s", match[1])
		}
	}
	return nil
}

func TestReportShort(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 9_999: "9999", 10_000: "10k", 12_345: "12.3k", 123_999: "123k",
		999_999: "999k", 1_000_000: "1M", 1_250_000: "1.2M", 250_000_000: "250M"} {
		if got := short(n); got != want {
			t.Errorf("short(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1_000: "1,000", 1_234_567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestReportAtURL: the report of a run at a URL has the place and time, failures first, and the number of checks that
// were skipped.
func TestReportAtURL(t *testing.T) {
	t.Parallel()
	in := passedReport(t)
	in.Subjects = in.Subjects[1:]
	in.Coverage = newOrganizationCoverage(t).Report()
	in.Target, in.Date, in.DocumentHash, in.Partial = "https://api.example",
		time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC), strings.Repeat("ab", 32), true
	if !in.Passed() {
		t.Error("what a target cannot show is no failure")
	}
	for name, want := range map[string][]string{
		"text": {"https://api.example at 2026-01-05T09:30:00Z", "abababababababab", "1 check, and"},
		"JSON": {`"target": "https://api.example"`, `"date": "2026-01-05T09:30:00Z"`, `"document_sha256": "abab`,
			`"passed": true`},
		"HTML": {"https://api.example", "2026-01-05T09:30:00Z", "abababab", "Nothing was found wrong"},
		"JUnit": {`timestamp="2026-01-05T09:30:00"`, `name="target" value="https://api.example"`,
			`tests="2" failures="0" errors="0" skipped="1"`, `<skipped message="it has no faults">`},
	} {
		got := written(t, writers(in)[name])
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s has no %q:\n%.3000s", name, part, got)
			}
		}
	}
	in.Verbose = true
	if got := written(t, in.WriteText); !strings.Contains(got, "Not shown, as it has no faults\n    statuses/500") ||
		!strings.Contains(got, "Never exercised (") {
		t.Errorf("the verbose text lists nothing:\n%s", got)
	}
	in.Subjects[0].Checks[0].Failures = []harness.Failure{{Message: "got 1, want 2", Curl: "curl $KEY",
		Answer: "200 OK\n\n{}"}}
	in.Stopped = "interrupted"
	if in.Passed() {
		t.Error("it passed")
	}
	text := written(t, in.WriteText)
	failed, answers := strings.Index(text, "FAILED live: "), strings.Index(text, "Answers")
	if failed < 0 || failed > answers || !strings.Contains(text,
		"got 1, want 2\n    curl $KEY\n    | 200 OK\n    |\n    | {}") ||
		!strings.Contains(text, "STOPPED: interrupted") {
		t.Errorf("the text is\n%s", text)
	}
	in.Subjects[0].Checks[0].Failures = slices.Repeat(in.Subjects[0].Checks[0].Failures, 20)
	if got := written(t, in.WriteText); strings.Count(got, "FAILED") != 3 ||
		!strings.Contains(got, "\n17 further failures") {
		t.Errorf("the text of 20 failures of one check is\n%s", got)
	}
	if got := written(t, in.WriteJUnit); strings.Count(got, "<failure ") != 20 ||
		!strings.Contains(got, `<failure message="got 1, want 2">`) || !strings.Contains(got, `errors="1"`) {
		t.Errorf("the JUnit is\n%s", got)
	}
}
