package term

import "fmt"

// Kind says for programs what kind of failure happened.
type Kind string

// The kinds of failures.
const (
	Usage       Kind = "usage"     // the arguments were not understood
	NotFound    Kind = "not_found" // there is no such organization or key
	Conflict    Kind = "conflict"  // it is not in the state that this needs
	Full        Kind = "full"      // there is no room for one more
	NoStore     Kind = "no_store"  // the SQLite file is missing
	NoTables    Kind = "no_tables" // the DynamoDB tables are missing
	NoAccess    Kind = "no_access" // AWS's region or credentials are missing
	Unavailable Kind = "unavailable"
	Unhealthy   Kind = "unhealthy"   // doctor or contract found something
	Declined    Kind = "declined"    // the person who was asked did not say yes
	Interrupted Kind = "interrupted" // by a signal
	Failed      Kind = "failed"      // anything else
)

// Failure is an error as the command reports it.
type Failure struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
}

func (f *Failure) Error() string { return f.Message }

// Fail returns a Failure.
func Fail(kind Kind, format string, args ...any) error {
	return &Failure{kind, fmt.Sprintf(format, args...)}
}

// Report prints the failure of a command, such as "orgs list". It ignores an error of printing, because there is no
// other place to report it.
func (s *Screen) Report(f *Failure, command string, asJSON bool) {
	if asJSON {
		_ = s.WriteJSON(struct {
			Error *Failure `json:"error"`
		}{f})
		return
	}
	fmt.Fprintf(s, "%s %s\n", s.paint(red, command+":"), printableLines(f.Message))
	if f.Kind == Usage {
		fmt.Fprintf(s, "See: %s --help\n", command)
	}
}

// Warn prints a failure that left a part of the answer out.
func (s *Screen) Warn(f *Failure, asJSON bool) {
	if asJSON {
		_ = s.WriteJSON(struct {
			Warning *Failure `json:"warning"`
		}{f})
		return
	}
	fmt.Fprintf(s, "%s %s\n", s.paint(yellow, "orgs:"), printableLines(f.Message))
}
