package mutants

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// mutantSend is what a mutant does with one request.
type mutantSend func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error)

// remembering returns a mutation that keeps something in mind: start makes what it sends with anew for every target.
func remembering(start func() mutantSend) mutation {
	return func(w *World, next harness.Target) harness.Target {
		do := start()
		return harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) { return do(ctx, w, next, r) })
	}
}

// mutantMemory holds a value for each of a number of names. The zero mutantMemory is ready for use, by several goroutines.
type mutantMemory[T any] struct {
	mu     sync.Mutex
	values map[string]T
}

// with lets change see and replace the value of a name.
func (m *mutantMemory[T]) with(name string, change func(T) T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]T{}
	}
	m.values[name] = change(m.values[name])
}

func (m *mutantMemory[T]) get(name string) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[name]
}

func (m *mutantMemory[T]) set(name string, value T) { m.with(name, func(T) T { return value }) }

// take returns the value of a name and forgets it.
func (m *mutantMemory[T]) take(name string) (taken T) {
	m.with(name, func(value T) (zero T) {
		taken = value
		return zero
	})
	return taken
}

// adding counts.
func adding(m *mutantMemory[int], name string, n int) (sum int) {
	m.with(name, func(value int) int {
		sum = value + n
		return sum
	})
	return sum
}

// token returns the key that a request presents.
func token(r judge.Request) string {
	token, _ := harness.BearerToken(judge.Canonical(r.Header).Get("Authorization"))
	return token
}

// unconditional reports whether a request states no condition.
func unconditional(r judge.Request) bool {
	h := judge.Canonical(r.Header)
	return len(h["If-Match"]) == 0 && len(h["If-None-Match"]) == 0
}

// etag returns the tag of an answer.
func etagOf(r judge.Response) string { return judge.Canonical(r.Header).Get("ETag") }

// changed reports whether an answer is that of an update that changed the record that had the tag before.
func changed(r judge.Response, asked judge.Request, before string) bool {
	return asked.Method == http.MethodPatch && r.Status == http.StatusOK && etagOf(r) != before
}

// editBody changes the members of the body.
func editBody(r *judge.Response, edit func(o *rawObject)) { setBody(r, editRaw(r.Body, edit)) }

// rawLater returns a time in JSON, later by d.
func rawLater(raw string, d time.Duration) string {
	at, err := time.Parse(time.RFC3339Nano, strings.Trim(raw, `"`))
	if err != nil {
		return raw
	}
	return at.Add(d).UTC().Format(`"2006-01-02T15:04:05.000000Z"`)
}
