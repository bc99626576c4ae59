package lambda

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

var (
	// ErrThrottled says that as many invocations as may be are under way: Lambda's TooManyRequestsException, a 429.
	ErrThrottled = errors.New("too many invocations are under way")
	// ErrClosed says that the function is closed, or was before the invocation ended.
	ErrClosed = errors.New("the function is closed")
	// ErrTooLarge says that the event is larger than Lambda takes: its RequestTooLargeException, a 413.
	ErrTooLarge = errors.New("the event has more than 6291456 bytes")
)

// FunctionError is what a runtime reported: the function returned an error or panicked, or the response was too large.
type FunctionError struct {
	Type    string // such as "errorString", as the runtime names it
	Message string
	Payload []byte // the whole report, which Lambda gives to who invoked the function
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("the function reported %s: %s", e.Type, e.Message)
}

// TimeoutError says that the time for an invocation or for a start was over, and that the process was killed.
type TimeoutError struct {
	After  time.Duration
	Output string // the last lines that the process wrote
}

func (e *TimeoutError) Error() string { return fmt.Sprintf("the process was killed after %v", e.After) }

// ExitError says that the process ended by itself, or that somebody else killed it.
type ExitError struct {
	Status int            // where Signal is 0
	Signal syscall.Signal // 0 where none ended the process
	Output string         // the last lines that the process wrote
}

// Error includes the last lines of the process, as they mostly say why.
func (e *ExitError) Error() string {
	how := fmt.Sprintf("the process exited with status %d", e.Status)
	if e.Signal != 0 {
		how = fmt.Sprintf("the process was ended by signal %d (%v)", int(e.Signal), e.Signal)
	}
	if e.Output == "" {
		return how
	}
	return fmt.Sprintf("%s; it last wrote:\n%s", how, e.Output)
}

// InitError says that a process never asked for an event. Err is why: a *TimeoutError, an *ExitError, a *FunctionError
// where the runtime reported the reason, or, where there was no process, the operating system's or that of Settings.Renew.
type InitError struct{ Err error }

func (e *InitError) Error() string { return fmt.Sprintf("initializing the function: %v", e.Err) }

// Unwrap returns the reason.
func (e *InitError) Unwrap() error { return e.Err }
