package store

import (
	"errors"
	"fmt"
)

// Kind says what went wrong, as far as callers need to tell.
type Kind int

// The kinds. An error of an engine that is of no kind is a fault of the engine or of its configuration.
const (
	Unknown     Kind = iota
	NotFound         // what was asked for does not exist
	Conflict         // it is not as the caller believed
	Full             // there is no room for one more
	Throttled        // the engine asks to slow down
	Unreachable      // the engine does not answer in time, or not at all
)

var kindNames = [...]string{"unknown", "not found", "conflict", "full", "throttled", "unreachable"}

func (k Kind) String() string { return kindNames[k] }

// Error is an error of one of the kinds. Its text is for the log, not for callers of the service.
type Error struct {
	Kind Kind
	Op   string // what was being done, such as "finding org_…"
	Err  error  // the cause; may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err, and Unknown where it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// Unavailable reports whether err says that the engine could not be asked now: throttled or unreachable.
func Unavailable(err error) bool {
	k := KindOf(err)
	return k == Throttled || k == Unreachable
}
