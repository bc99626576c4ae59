package store

import (
	"errors"
	"fmt"
)

// Kind says what went wrong, as far as callers need to know.
type Kind int

// The kinds. Unknown is for all errors that are not an *Error: faults of the engine or of its configuration.
const (
	Unknown     Kind = iota
	NotFound         // the organization or the key does not exist
	Conflict         // it exists already, or has changed since the caller read it
	Full             // the organization has as many keys as it can have
	Applied          // the organization has had the change with this ID already
	Throttled        // the engine refuses the call because of too many requests
	Unreachable      // the engine does not answer, or not in time
)

var kindNames = [...]string{"unknown", "not found", "conflict", "full", "applied", "throttled", "unreachable"}

func (k Kind) String() string { return kindNames[k] }

// Error is an error with a kind. Its text is for the log. Callers of the service must not see it.
type Error struct {
	Kind Kind
	Op   string // what the engine was doing, such as "finding org_…"
	Err  error  // the cause; may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrNotAsked is in the chain of the error if a read returned another organization, or another key, than the requested
// one. If a caller used such an answer, it would show one tenant the data of another, or change them. Its kind is
// Unknown.
var ErrNotAsked = errors.New("the answer has what was not asked for")

// KindOf returns the kind of err. It returns Unknown if err is not an *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// Unavailable reports whether err is Throttled or Unreachable. The same call may succeed later.
func Unavailable(err error) bool {
	k := KindOf(err)
	return k == Throttled || k == Unreachable
}
