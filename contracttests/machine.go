package contracttests

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Machine says how long the state machine runs.
type Machine struct {
	Seed  uint64 // the same seed makes the same sequences
	Runs  int    // sequences, each on organizations of its own
	Steps int    // requests in a sequence; each change is read back besides
}

// DefaultMachine returns what the suite runs where nothing else is asked for: a few short sequences, always the same, so
// that what the suite finds does not depend on luck.
func DefaultMachine() Machine { return Machine{Seed: 1, Runs: 4, Steps: 30} }

// maxSteps keeps a sequence below the limits of the tiers that it works with, of 200 requests a minute.
const maxSteps = 90

// StateMachine returns the check that mixes all laws: it sends sequences of requests, of two organizations in turns, and
// holds every answer against a model that is simple enough to be believed. A sequence that fails is made as short as
// possible and reported as commands.
//
// The sequences are data and are run by the package itself rather than by a library for tests, so that the check can be
// run against services that are wrong on purpose, many at a time, and stops soon.
func StateMachine(m Machine) Check {
	return law("state-machine", 0, func(s *Session) {
		for run := range uint64(m.Runs) {
			steps := newSequence(rand.New(rand.NewPCG(m.Seed, run)), min(m.Steps, maxSteps), s.live())
			if failed := s.play(steps); failed != nil {
				s.reportSequence(m, run, s.shrink(steps, *failed))
				return
			}
		}
	})
}

// outcome is what came of a sequence that failed.
type outcome struct {
	steps   int
	message string
	script  []string // commands, one for each request
}

func (s *Session) reportSequence(m Machine, run uint64, o outcome) {
	message := fmt.Sprintf("seed %d, sequence %d, %d steps: %s", m.Seed, run+1, o.steps, o.message)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, Failure{Check: s.check, Message: clip(message, maxMessage), Curl: strings.Join(o.script, "\n    ")})
}

// play runs a sequence and returns what came of it, nil where all is well. Its organizations are new, or what the
// machine left of those that are given: the model starts from what it finds.
func (s *Session) play(steps []step) *outcome {
	inner := &Session{Subject: s.Subject, ctx: s.ctx, check: s.check, before: s.before}
	inner.guardFaults()
	p := &player{s: inner}
	done := 0
	inner.protect(func() {
		p.begin()
		for _, one := range steps {
			if p.step(one); inner.Failed() {
				return
			}
			done++
		}
	})
	s.before = inner.before
	if !inner.Failed() {
		return nil
	}
	return &outcome{steps: min(done+1, len(steps)), message: inner.failures[0].Message, script: p.script}
}

// Bounds of how long a sequence is made shorter. The second is for services that are far away.
const (
	maxReplays   = 150
	maxShrinking = 30 * time.Second
)

// shrink looks for a shorter sequence that fails too: without some steps, and then with less in them.
func (s *Session) shrink(steps []step, failed outcome) outcome {
	best, replays, until := failed, 0, time.Now().Add(maxShrinking)
	steps = steps[:failed.steps]
	try := func(candidate []step) bool {
		if replays++; replays > maxReplays || time.Now().After(until) || s.ctx.Err() != nil {
			return false
		}
		found := s.play(candidate)
		if found == nil {
			return false
		}
		steps, best = candidate[:found.steps], *found
		return true
	}
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(steps); {
			if !try(without(steps, at, at+size)) {
				at += size
			}
		}
	}
	for i := 0; i < len(steps); i++ {
		for _, simpler := range steps[i].simpler() {
			if i < len(steps) {
				try(replaced(steps, i, simpler))
			}
		}
	}
	return best
}

func without(steps []step, from, to int) []step {
	return append(append([]step(nil), steps[:from]...), steps[to:]...)
}

func replaced(steps []step, i int, by step) []step {
	out := append([]step(nil), steps...)
	out[i] = by
	return out
}
