package coverage

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The JUnit form of a report, as CI systems read it: a suite for each subject, a case for each check.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
		SystemErr  string          `xml:"system-err,omitempty"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class    string         `xml:"classname,attr"`
		Name     string         `xml:"name,attr"`
		Time     string         `xml:"time,attr"`
		Failures []junitFailure `xml:"failure"`
		Skipped  *junitSkipped  `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the checks of the report as JUnit XML. A check that the target cannot show is skipped.
func (in ReportInput) WriteJUnit(w io.Writer) error {
	in = in.redacted()
	out := junitSuites{Name: in.Title}
	total := time.Duration(0)
	for _, s := range in.Subjects {
		sum := s.sum()
		suite := junitSuite{
			Name: s.Name, Tests: len(s.Checks), Failures: sum.Failed, Skipped: sum.NotShown,
			Time:      seconds(sum.Duration),
			SystemErr: in.Stopped,
		}
		if in.Stopped != "" {
			suite.Errors = 1
		}
		if !in.Date.IsZero() {
			suite.Timestamp = in.Date.Format("2006-01-02T15:04:05")
		}
		for _, p := range []junitProperty{{"target", in.Target}, {"document.version", in.Version},
			{"document.sha256", in.DocumentHash}} {
			if p.Value != "" {
				suite.Properties = append(suite.Properties, p)
			}
		}
		for _, c := range s.Checks {
			suite.Cases = append(suite.Cases, c.junit())
		}
		out.Suites = append(out.Suites, suite)
		out.Tests, out.Failures, out.Skipped = out.Tests+suite.Tests, out.Failures+suite.Failures,
			out.Skipped+suite.Skipped
		total += sum.Duration
	}
	out.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing the report as JUnit: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("writing the report as JUnit: %w", err)
	}
	return nil
}

func (c CheckRun) junit() junitCase {
	group, _, _ := strings.Cut(c.Name, "/")
	out := junitCase{Class: group, Name: c.Name, Time: seconds(c.Duration)}
	if c.NotShown != "" {
		out.Skipped = &junitSkipped{c.NotShown}
	}
	for _, f := range c.Failures {
		out.Failures = append(out.Failures, junitFailure{f.Message, strings.TrimSpace(f.Curl + "\n\n" + f.Answer)})
	}
	return out
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
