package linearizability

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// state is the part of a record that the clients read and change. No two changes set the same value, so a state never
// comes back, and an ETag stands for one state.
type state struct{ name, email string }

func (s state) String() string { return fmt.Sprintf("(%s, %s)", s.name, s.email) }

// asked is a request. A field that it does not change is "".
type asked struct {
	change      state
	ifMatch     *state // the state whose tag the client sent
	ifNoneMatch *state
}

func (a asked) writes() bool { return a.change != state{} }

// applied returns what the request makes of a state.
func (a asked) applied(s state) state {
	if a.change.name != "" {
		s.name = a.change.name
	}
	if a.change.email != "" {
		s.email = a.change.email
	}
	return s
}

// refused reports whether the request's conditions rule the state out.
func (a asked) refused(s state) bool {
	return a.ifMatch != nil && *a.ifMatch != s || a.writes() && a.ifNoneMatch != nil && *a.ifNoneMatch == s
}

// verdict is the result that the client was given.
type verdict int

const (
	shown       verdict = iota // 200, with a state
	unchanged                  // 304
	mismatched                 // 412, with the tag of a state that some other answer may have shown
	doubtful                   // the change may have been made
	denied                     // nothing was read or changed
	verdictsEnd = denied
)

func (v verdict) String() string {
	return [...]string{"shown", "unchanged", "mismatched", "doubtful", "denied"}[v]
}

// told is an answer.
type told struct {
	verdict verdict
	state   *state // that the answer has, or stands for by its tag; nil where nobody knows
}

// register is the model of the service: one record.
func register(initial state) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(now, input, output any) (bool, any) {
			return step(now.(state), input.(asked), output.(told))
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v: %v", input, output) },
	}
}

// step reports whether a request can have got the answer in a state, and returns the state after it.
func step(now state, a asked, answer told) (bool, state) {
	next := a.applied(now)
	switch answer.verdict {
	case shown:
		known := !a.writes() && a.ifNoneMatch != nil && *a.ifNoneMatch == now // that would be a 304
		return !a.refused(now) && !known && *answer.state == next, next
	case unchanged:
		return !a.refused(now) && a.ifNoneMatch != nil && *a.ifNoneMatch == now, now
	case mismatched:
		return a.refused(now) && (answer.state == nil || *answer.state == now), now
	case doubtful:
		if a.refused(now) {
			return true, now
		}
		return true, next
	default:
		return false, now // denied requests are no part of a history
	}
}

func (a asked) String() string {
	text := "read"
	if a.writes() {
		text = "set " + a.change.String()
	}
	if a.ifMatch != nil {
		text += " if it is " + a.ifMatch.String()
	}
	if a.ifNoneMatch != nil {
		text += " unless it is " + a.ifNoneMatch.String()
	}
	return text
}

func (a told) String() string {
	if a.state == nil {
		return a.verdict.String()
	}
	return a.verdict.String() + " " + a.state.String()
}
