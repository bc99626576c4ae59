package linearizability

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// history is the requests of the clients of one organization, with the answers. It is safe for concurrent use.
type history struct {
	initial state
	started time.Time

	mu         sync.Mutex
	operations []operation
	tags       map[string]state // that answers showed
	clashes    []string         // tags that stood for two states
}

// operation is one request with its answer. The tags of a 412 find their states when all answers are in.
type operation struct {
	porcupine.Operation
	tag string // of a 412
}

func newHistory(initial state) *history {
	return &history{initial: initial, started: time.Now(), tags: map[string]state{}}
}

func (h *history) now() int64 { return time.Since(h.started).Nanoseconds() }

// learn notes which state a tag stands for.
func (h *history) learn(tag string, s state) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.tags[tag]; ok && known != s {
		h.clashes = append(h.clashes, tag+" stands for "+known.String()+" and "+s.String())
	}
	h.tags[tag] = s
}

func (h *history) add(client int, call int64, a asked, answer told, tag string) {
	op := operation{tag: tag, Operation: porcupine.Operation{
		ClientId: client, Input: a, Call: call, Output: answer, Return: h.now(),
	}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, op)
}

// counts returns how many answers of each kind there were.
func (h *history) counts() map[verdict]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts := map[verdict]int{}
	for _, op := range h.operations {
		counts[op.Output.(told).verdict]++
	}
	return counts
}

// checkTimeout bounds the search for an order. It takes milliseconds; a search that takes this long has gone astray.
const checkTimeout = time.Minute

// linearizable looks for an order that explains the history. A change in doubt may have been made at any time after its
// request. made says whether it was made at all, because otherwise the search would have to try every position for it.
func (h *history) linearizable(made func(change state) bool) porcupine.CheckResult {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []porcupine.Operation
	for _, op := range h.operations {
		answer := op.Output.(told)
		switch answer.verdict {
		case denied:
			continue
		case doubtful:
			if !made(op.Input.(asked).change) {
				continue
			}
			op.Return = math.MaxInt64
		case mismatched:
			if s, known := h.tags[op.tag]; known {
				answer.state = &s
				op.Output = answer
			}
		}
		all = append(all, op.Operation)
	}
	return porcupine.CheckOperationsTimeout(register(h.initial), all, checkTimeout)
}

// values returns the values that requests with one of the verdicts set.
func (h *history) values(verdicts ...verdict) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var values []string
	for _, op := range h.operations {
		change := op.Input.(asked).change
		for _, v := range verdicts {
			if op.Output.(told).verdict != v {
				continue
			}
			for _, value := range []string{change.name, change.email} {
				if value != "" {
					values = append(values, value)
				}
			}
		}
	}
	return values
}

// TestChecker: the checker accepts histories that one record explains, and no others.
func TestChecker(t *testing.T) {
	t.Parallel()
	a, b, c := state{"a", "e"}, state{"b", "e"}, state{"c", "e"}
	type op struct {
		call, end int64
		asked     asked
		told      told
	}
	set := func(name string) asked { return asked{change: state{name: name}} }
	is := func(s state) told { return told{shown, &s} }
	tests := []struct {
		name string
		ops  []op
		want porcupine.CheckResult
	}{
		{"one after the other", []op{{1, 2, set("b"), is(b)}, {3, 4, asked{}, is(b)}}, porcupine.Ok},
		{"a stale read", []op{{1, 2, set("b"), is(b)}, {3, 4, asked{}, is(a)}}, porcupine.Illegal},
		{"an early read at the same time", []op{{1, 9, set("b"), is(b)}, {3, 4, asked{}, is(b)}, {5, 6, asked{}, is(b)}}, porcupine.Ok},
		{"back in time", []op{{1, 9, set("b"), is(b)}, {3, 4, asked{}, is(b)}, {5, 6, asked{}, is(a)}}, porcupine.Illegal},
		{"a lost update", []op{{1, 2, set("b"), is(b)}, {3, 4, set("c"), is(c)}, {5, 6, asked{}, is(b)}}, porcupine.Illegal},
		{"both of two on one version", []op{
			{1, 9, asked{change: state{name: "b"}, ifMatch: &a}, is(b)}, {1, 9, asked{change: state{name: "c"}, ifMatch: &a}, is(c)},
		}, porcupine.Illegal},
		{"one of two on one version", []op{
			{1, 9, asked{change: state{name: "b"}, ifMatch: &a}, is(b)}, {1, 9, asked{change: state{name: "c"}, ifMatch: &a}, told{mismatched, &b}},
		}, porcupine.Ok},
		{"a mismatch that was none", []op{{1, 2, asked{change: state{name: "b"}, ifMatch: &a}, told{mismatched, nil}}}, porcupine.Illegal},
		{"in doubt and made", []op{{1, 2, set("b"), told{doubtful, nil}}, {3, 4, asked{}, is(b)}}, porcupine.Ok},
		{"in doubt and never made", []op{{1, 2, set("b"), told{doubtful, nil}}, {3, 4, asked{}, is(a)}}, porcupine.Ok},
		{"in doubt and made late", []op{{1, 2, set("b"), told{doubtful, nil}}, {3, 4, asked{}, is(a)}, {5, 6, asked{}, is(b)}}, porcupine.Ok},
		{"in doubt, made and undone", []op{{1, 2, set("b"), told{doubtful, nil}}, {3, 4, asked{}, is(b)}, {5, 6, asked{}, is(a)}}, porcupine.Illegal},
		{"denied and made", []op{{1, 2, set("b"), told{denied, nil}}, {3, 4, asked{}, is(b)}}, porcupine.Illegal},
		{"unchanged", []op{{1, 2, asked{ifNoneMatch: &a}, told{unchanged, nil}}}, porcupine.Ok},
		{"unchanged after a change", []op{{1, 2, set("b"), is(b)}, {3, 4, asked{ifNoneMatch: &a}, told{unchanged, nil}}}, porcupine.Illegal},
		{"half a change", []op{{1, 2, asked{change: state{"b", "f"}}, is(state{"b", "f"})}, {3, 4, asked{}, is(state{"b", "e"})}}, porcupine.Illegal},
	}
	for _, test := range tests {
		h := newHistory(a)
		for _, o := range test.ops {
			h.operations = append(h.operations, operation{Operation: porcupine.Operation{
				Input: o.asked, Call: o.call, Output: o.told, Return: o.end,
			}})
		}
		if got := h.linearizable(func(state) bool { return true }); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// story is the history as text, for a person who looks for what went wrong.
func (h *history) story() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	model := register(h.initial)
	text := ""
	for _, op := range h.operations {
		text += fmt.Sprintf("\n%8d-%8d µs, client %d: %s", op.Call/1000, op.Return/1000, op.ClientId, model.DescribeOperation(op.Input, op.Output))
	}
	return text
}
