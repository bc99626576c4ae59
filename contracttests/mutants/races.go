package mutants

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// concurrencyMutants are right until two updates of one organization overlap.
func concurrencyMutants() []Mutant {
	return []Mutant{
		{"if-match-not-atomic", GroupBehaviour, "checks If-Match some time before it makes the change", remembering(checkEarly)},
		{"update-writes-whole-record", GroupBehaviour, "writes the fields that an update leaves out as they were when it began", remembering(writeWhole)},
	}
}

func checkEarly() mutantSend {
	var checked meeting
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		match, ok := wellFormed(judge.Canonical(r.Header)["If-Match"])
		t, kind, _ := w.caller(r)
		_, etag, found := w.read(ctx, r)
		if r.Method == http.MethodPatch && ok && found && kind == harness.KeyAdmin && match.Given && match.Matches(etag, false) {
			r.Header = r.Header.Clone()
			dropHeader(r.Header, "If-Match")
			checked.wait(ctx, t.ID)
		}
		return next.Send(ctx, r)
	}
}

func writeWhole() mutantSend {
	var looked meeting
	var writing sync.Mutex
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, kind, _ := w.caller(r)
		before, _, ok := w.read(ctx, r)
		if r.Method != http.MethodPatch || !ok || kind != harness.KeyAdmin {
			return next.Send(ctx, r)
		}
		looked.wait(ctx, t.ID)
		writing.Lock()
		defer writing.Unlock()
		now, _, _ := w.read(ctx, r)
		editUpdate(&r, func(o *rawObject) { writeBack(o, before, now) })
		return next.Send(ctx, r)
	}
}

// writeBack adds to an update what has changed meanwhile, as it was before.
func writeBack(update *rawObject, before, now rawObject) {
	asked := slices.Clone(*update)
	for _, name := range updateFields {
		was, _ := before.get(name)
		is, _ := now.get(name)
		if _, named := asked.get(name); !named && was != is {
			update.set(name, was)
		}
	}
}

// meeting has two requests wait for each other, so that they overlap whatever the machine is busy with. Whoever is alone
// goes on after a while.
type meeting struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// patienceAtMeetings is how long a request waits for another. Requests that are sent at once come closer together.
const patienceAtMeetings = 20 * time.Millisecond

func (m *meeting) wait(ctx context.Context, name string) {
	m.mu.Lock()
	if other, ok := m.waiting[name]; ok {
		delete(m.waiting, name)
		close(other)
		m.mu.Unlock()
		return
	}
	if m.waiting == nil {
		m.waiting = map[string]chan struct{}{}
	}
	met := make(chan struct{})
	m.waiting[name] = met
	m.mu.Unlock()
	timer := time.NewTimer(patienceAtMeetings)
	defer timer.Stop()
	select {
	case <-met:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting[name] == met {
		delete(m.waiting, name)
	}
}
