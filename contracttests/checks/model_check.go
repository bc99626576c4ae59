package checks

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// Machine says how long the state machine runs.
type Machine struct {
	Seed  uint64 // the same seed makes the same sequences
	Runs  int    // sequences, each on organizations of its own
	Steps int    // requests in a sequence; each change is read back besides
}

// DefaultMachine returns the default of the suite: a few short sequences. They are always the same, so that the result
// does not depend on luck.
func DefaultMachine() Machine { return Machine{Seed: 1, Runs: 4, Steps: 30} }

// maxSteps is the longest sequence. It stays below the limit of the tiers that it uses, 200 requests a minute.
const maxSteps = 90

// StateMachine returns the check that mixes all laws. It sends random sequences of requests for two organizations in
// turns, and compares every answer with a simple model. If a sequence fails, it makes the sequence as short as possible
// and reports it as commands.
//
// The package runs the sequences itself, without a library for tests, so that the check also runs against services that
// are wrong on purpose.
func StateMachine(m Machine) harness.Check {
	return law("state-machine", 0, func(s *harness.Session) {
		for run := range uint64(m.Runs) {
			steps := newSequence(rand.New(rand.NewPCG(m.Seed, run)), min(m.Steps, maxSteps), s.Live())
			if failed := play(s, steps); failed != nil {
				reportSequence(s, m, run, shrink(s, steps, *failed))
				return
			}
		}
	})
}

// outcome is a sequence that failed.
type outcome struct {
	steps   int
	message string
	script  []string // commands, one for each request
}

func reportSequence(s *harness.Session, m Machine, run uint64, o outcome) {
	message := fmt.Sprintf("seed %d, sequence %d, %d steps: %s", m.Seed, run+1, o.steps, o.message)
	s.FailScript(o.script, "%s", message)
}

// play runs a sequence. It returns nil if nothing is wrong. The organizations are new. On a live target it is the given
// one, as the last sequence left it; the model starts with its record.
func play(s *harness.Session, steps []step) *outcome {
	var p *player
	done := 0
	failures := s.Try(func(inner *harness.Session) {
		p = &player{s: inner}
		p.begin()
		for _, one := range steps {
			if p.step(one); inner.Failed() {
				return
			}
			done++
		}
	})
	if len(failures) == 0 {
		return nil
	}
	return &outcome{steps: min(done+1, len(steps)), message: failures[0].Message, script: p.script}
}

// These bounds limit the search for a shorter sequence. The second one is for services that are far away.
const (
	maxReplays   = 150
	maxShrinking = 30 * time.Second
)

// shrink looks for a shorter sequence that fails too: first without some steps, then with simpler steps.
func shrink(s *harness.Session, steps []step, failed outcome) outcome {
	best, replays, until := failed, 0, time.Now().Add(maxShrinking)
	steps = steps[:failed.steps]
	try := func(candidate []step) bool {
		if replays++; replays > maxReplays || time.Now().After(until) || s.Context().Err() != nil {
			return false
		}
		found := play(s, candidate)
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

// player runs a sequence against a model of each organization.
type player struct {
	s      *harness.Session
	who    []harness.Caller
	models []*model
	script []string
}

// begin makes the organizations and reads them.
func (p *player) begin() {
	tiers := []string{"team", "enterprise"}
	if p.s.Live() {
		tiers = tiers[:1]
	}
	for _, tier := range tiers {
		c := p.s.Caller(harness.TenantSpec{Tier: tier,
			Keys: []harness.KeyKind{harness.KeyRead, harness.KeyWrite, harness.KeyDelete}})
		p.who = append(p.who, c)
		p.models = append(p.models, newModel(p.s.Snapshot(p.send(len(p.who)-1, harness.KeyAdmin, http.MethodGet, nil))))
	}
}

// send sends a request and records it.
func (p *player) send(who int, key harness.KeyKind, method string, body []byte, headers ...string) judge.Exchange {
	r := harness.NewRequest(method, p.who[who].Keys[key], body, headers...)
	name := fmt.Sprintf("$KEY_%d_%s", who+1, strings.ToUpper(string(key)))
	p.script = append(p.script, strings.Replace(judge.Curl(r), "$KEY", name, 1))
	return p.s.Send(r)
}

// step sends one request and compares the answer with the model. After a change it reads the record back.
func (p *player) step(one step) {
	m := p.models[one.who]
	var headers []string
	if value := m.header(one.match); value != "" {
		headers = append(headers, "If-Match", value)
	}
	if value := m.header(one.none); value != "" {
		headers = append(headers, "If-None-Match", value)
	}
	var body []byte
	if one.method == http.MethodPatch {
		body = []byte(one.body())
		if one.merge {
			headers = append(headers, mergePatch()...)
		}
	}
	x := p.send(one.who, one.key, one.method, body, headers...)
	status := m.status(one)
	if !p.s.WantStatus(x, status) {
		return
	}
	if status == http.StatusOK {
		what := changesNothing
		if one.method == http.MethodPatch {
			what = m.apply(one)
		}
		p.compare(m, p.s.Snapshot(x), what)
	}
	if one.method == http.MethodPatch {
		p.compare(m, p.s.Snapshot(p.send(one.who, harness.KeyAdmin, http.MethodGet, nil)), changesNothing)
	}
}

// compare compares an answer with the model. Then it copies the new time and ETag from the answer, because the model
// cannot know them.
func (p *player) compare(m *model, now harness.Snapshot, what verdict) {
	for _, name := range slices.Sorted(maps.Keys(m.members)) {
		same := harness.SameJSON(m.members[name], now.Members[name])
		if name == "rate_limits" {
			same = sameLimits(m.members[name], now.Members[name])
		}
		if name != "updated_at" && !same {
			p.s.FailExchange(now.Exchange, "%s is not what it must be", name)
		}
	}
	for _, name := range m.shown.Differences(now) {
		if _, modelled := m.members[name]; !modelled {
			p.s.FailExchange(now.Exchange, "%s was not there before", name)
		}
	}
	p.compareVersion(m, now, what)
	m.shown = now
	if now.ETag != m.etag() {
		m.etags = append(m.etags, now.ETag)
	}
}

func (p *player) compareVersion(m *model, now harness.Snapshot, what verdict) {
	moved := now.Updated().Compare(m.shown.Updated())
	if what == mayChange {
		what = changesNothing
		if moved > 0 {
			what = changes
		}
	}
	switch {
	case what == changes && moved <= 0:
		p.s.FailExchange(now.Exchange, "the record changed, and updated_at went from %s to %s",
			m.shown.Text("updated_at"), now.Text("updated_at"))
	case what == changesNothing && moved != 0:
		p.s.FailExchange(now.Exchange, "nothing changed, and updated_at went from %s to %s",
			m.shown.Text("updated_at"), now.Text("updated_at"))
	case what == changes && slices.Contains(m.etags, now.ETag):
		p.s.FailExchange(now.Exchange, "the record changed, and its ETag %s is that of an earlier version", now.ETag)
	case what == changesNothing && now.ETag != m.etag():
		p.s.FailExchange(now.Exchange, "nothing changed, and the ETag went from %s to %s", m.etag(), now.ETag)
	}
}
