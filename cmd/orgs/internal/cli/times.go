package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Every command reads times and durations by the same grammar:
//
//	2030-01-31            the beginning of the day, in UTC
//	2030-01-31T12:00:00Z  a time of RFC 3339
//	90m, 720h, 30d        a duration: as Go writes it, or whole days
//	never                 no time at all

const day = 24 * time.Hour

// MaxDuration is the longest duration, and the farthest from now that a time may be.
const MaxDuration = 36500 * day

// ParseDuration reads a duration, which is longer than zero. The error says what a duration looks like.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if text, isDays := strings.CutSuffix(s, "d"); isDays {
		var days uint64
		days, err = strconv.ParseUint(text, 10, 16)
		d = time.Duration(days) * day
	}
	if err != nil || d <= 0 || d > MaxDuration {
		return 0, errors.New("a duration is a number of hours or days, such as 720h or 30d, of at most 36500d")
	}
	return d, nil
}

// Moment is a time that the user gave: a point in time, or a duration from now or until now. If neither is set, it
// means never.
type Moment struct {
	At  *time.Time
	For time.Duration
}

// The kinds of flags for times, as the help shows them.
const (
	MomentKind   = "time|duration"
	OrNeverKind  = "time|duration|never"
	momentFormat = "give a time, such as 2030-01-31 or 2030-01-31T12:00:00Z, or a duration, such as 720h or 30d"
)

// ParseMoment reads a time or a duration.
func ParseMoment(s string) (Moment, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return Moment{At: &at}, nil
		}
	}
	d, err := ParseDuration(s)
	if err != nil {
		return Moment{}, errors.New(momentFormat + " of at most 36500d")
	}
	return Moment{For: d}, nil
}

// ParseMomentOrNever reads a time, a duration, or never.
func ParseMomentOrNever(s string) (Moment, error) {
	if s == "never" {
		return Moment{}, nil
	}
	m, err := ParseMoment(s)
	if err != nil {
		return Moment{}, errors.New(momentFormat + " of at most 36500d, or never")
	}
	return m, nil
}

// After returns the moment, where a duration counts from now. It returns nil for never.
func (m Moment) After(now time.Time) *time.Time {
	if m.For > 0 {
		return new(now.Add(m.For))
	}
	return m.At
}

// Before returns the moment, where a duration counts back from now. It returns nil for never.
func (m Moment) Before(now time.Time) *time.Time {
	if m.For > 0 {
		return new(now.Add(-m.For))
	}
	return m.At
}
