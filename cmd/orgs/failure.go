package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"organizations-api/shared/store"
)

// failure is an error as it is reported.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// The kinds of failures.
const (
	kindUsage       = "usage"     // the arguments were not understood
	kindNotFound    = "not_found" // there is no such organization or key
	kindConflict    = "conflict"  // it is not in the state that this needs
	kindFull        = "full"      // there is no room for one more
	kindNoStore     = "no_store"  // the SQLite file is missing
	kindNoTables    = "no_tables" // the DynamoDB tables are missing
	kindNoAccess    = "no_access" // AWS's region or credentials are missing
	kindUnavailable = "unavailable"
	kindUnhealthy   = "unhealthy" // doctor found something
	kindFailed      = "failed"    // anything else
)

func (f *failure) Error() string { return f.Message }

func (f *failure) exitCode() int {
	if f.Kind == kindUsage {
		return exitUsage
	}
	return exitFailed
}

func fail(kind, format string, args ...any) error {
	return &failure{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func usageError(format string, args ...any) error { return fail(kindUsage, format, args...) }

// failureOf says what err is to the caller. Whatever comes before a command runs is about its syntax. Where a failure was
// joined with other errors, or has more around it, its kind is that of all, and nothing of the text is lost.
func (a *app) failureOf(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return &failure{f.Kind, err.Error()}
	case !a.running:
		return &failure{kindUsage, strings.TrimSpace(err.Error())}
	case missesTables(err):
		return &failure{kindNoTables, "the tables are missing; " + a.tablesAdvice()}
	case errors.Is(err, syscall.EADDRINUSE):
		return &failure{kindFailed, err.Error() + "; choose another address with --addr, such as 127.0.0.1:0 for any that is free"}
	}
	f = &failure{kindOf(err), err.Error()}
	if f.Kind == kindUnavailable {
		f.Message += "; look into it with: " + a.commandLine("doctor")
	}
	return f
}

// tablesAdvice says where tables come from. Those that the command creates are for a DynamoDB on this machine: in AWS they
// would have neither recovery nor protection, and most likely only the name or the region is wrong.
func (a *app) tablesAdvice() string {
	if onThisMachine(a.getenv(endpointVariable)) {
		return "create them with: " + a.commandLine("tables create")
	}
	return "check the prefix in --store and the region; in AWS the stack creates them"
}

func kindOf(err error) string {
	switch k := store.KindOf(err); k {
	case store.NotFound:
		return kindNotFound
	case store.Conflict:
		return kindConflict
	case store.Full:
		return kindFull
	case store.Throttled, store.Unreachable:
		return kindUnavailable
	default:
		return kindFailed
	}
}

// report tells the caller on stderr. What cannot be written there, nobody can be told.
func (a *app) report(f *failure, command string, asJSON bool) {
	if asJSON {
		_ = writeJSON(a.stderr, struct {
			Error *failure `json:"error"`
		}{f})
		return
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.stderr.paint(red, command+":"), f.Message)
	if f.Kind == kindUsage {
		fmt.Fprintf(a.stderr, "See: %s --help\n", command)
	}
}

// warn tells the caller on stderr of what is missing from an answer that is there all the same.
func (a *app) warn(f failure) {
	if a.json {
		_ = writeJSON(a.stderr, struct {
			Warning failure `json:"warning"`
		}{f})
		return
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.stderr.paint(yellow, "orgs:"), f.Message)
}

// wantsJSON finds the flag where arguments that were not understood may have kept it from being parsed.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}
