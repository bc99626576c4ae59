package lambda

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

var (
	// ErrThrottled says that the maximum number of invocations is running. Lambda calls it TooManyRequestsException, a
	// 429.
	ErrThrottled = errors.New("too many invocations are under way")
	// ErrClosed says that the function was closed before the invocation ended, or before it began.
	ErrClosed = errors.New("the function is closed")
	// ErrTooLarge says that the event is too large for Lambda, which calls it RequestTooLargeException, a 413.
	ErrTooLarge = errors.New("the event has more than 6291456 bytes")
)

// FunctionError is an error that the runtime reported: the function returned an error, panicked, or made a response
// that is too large.
type FunctionError struct {
	Type    string // such as "errorString", as the runtime names it
	Message string
	Payload []byte // the whole report, which Lambda gives to the caller
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("the function reported %s: %s", e.Type, e.Message)
}

// TimeoutError says that an invocation or a start took too long, and that the process was killed.
type TimeoutError struct {
	After  time.Duration
	Output string // the last lines that the process wrote
}

func (e *TimeoutError) Error() string { return fmt.Sprintf("the process was killed after %v", e.After) }

// ExitError says that the process ended by itself, or that somebody else killed it.
type ExitError struct {
	Status int            // valid if Signal is 0
	Signal syscall.Signal // 0 if no signal ended the process
	Output string         // the last lines that the process wrote
}

// Error includes the last lines that the process wrote, because they usually say why.
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

// InitError says that a process never asked for an event. Err is the reason: a *TimeoutError, an *ExitError, or a
// *FunctionError that the runtime reported. If there was no process, it is the error of the operating system or of
// Settings.Renew.
type InitError struct{ Err error }

func (e *InitError) Error() string { return fmt.Sprintf("initializing the function: %v", e.Err) }

// Unwrap returns the reason.
func (e *InitError) Unwrap() error { return e.Err }
