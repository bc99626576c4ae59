package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// notebook is a store.UseNotes that records the uses.
type notebook struct {
	mu    sync.Mutex
	notes []string
	fail  func(context.Context) error // nil: it does not
}

func (n *notebook) NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error {
	n.mu.Lock()
	n.notes = append(n.notes, fmt.Sprint(id, " ", keyID, " ", at.UTC().Format(time.TimeOnly)))
	n.mu.Unlock()
	store.MeterOf(ctx).Add(store.Usage{Calls: 1})
	if n.fail != nil {
		return n.fail(ctx)
	}
	return nil
}

func (n *notebook) taken() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.notes
	n.notes = nil
	return taken
}

// noting returns a world, its notebook, and a function that sends a request with a key. All requests go to one Service,
// so that it remembers the uses.
func noting(t *testing.T, method string, o options) (*world, *notebook, func(key string) *httptest.ResponseRecorder) {
	t.Helper()
	notes := &notebook{}
	o.uses = notes
	w := newWorld(t, o)
	handler := w.handler(t, method)
	return w, notes, func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/v1/organizations", strings.NewReader("{"))
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		return out
	}
}

func (w *world) addKey(t *testing.T, change func(*apikey.Record)) (apikey.Key, apikey.Record) {
	t.Helper()
	key := w.newKey(t, w.org.ID, apikey.Test)
	record := apikey.NewRecord(key, apikey.Read, w.now, nil)
	change(&record)
	e := store.Entry{ID: store.NewEntryID(w.now), Action: store.KeyIssued, Actor: store.OperatorActor}
	if err := w.store.AddKey(t.Context(), w.org.ID, record, e); err != nil {
		t.Fatal(err)
	}
	return key, record
}

func TestUsesAreNotedOnceAnHour(t *testing.T) {
	t.Parallel()
	w, notes, get := noting(t, http.MethodGet, options{})
	key, record := w.addKey(t, func(*apikey.Record) {})
	note := func(at string) []string { return []string{fmt.Sprint(w.org.ID, " ", record.ID, " ", at)} }
	start := w.now // at half past nine
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, note("09:30:15")}, {0, nil}, {29 * time.Minute, nil}, {29*time.Minute + 45*time.Second, note("10:00:00")},
		{time.Hour, nil}, {5 * time.Hour, note("14:30:15")}, {5 * time.Hour, nil},
	} {
		w.now = start.Add(step.after)
		r := get(key.Reveal())
		if got := notes.taken(); r.Code != 200 || !cmp.Equal(step.want, got) {
			t.Errorf("after %v: GET = %d and noted %q, want 200 and %q", step.after, r.Code, got, step.want)
		}
	}
	if n := strings.Count(w.logs.String(), `"store_calls":1`); n != 3 {
		t.Errorf("%d lines count the call that notes the use, want 3:\n%s", n, w.logs)
	}
}

func TestUsesAreNotedOnceByManyRequests(t *testing.T) {
	t.Parallel()
	w, notes, get := noting(t, http.MethodGet, options{})
	key, _ := w.addKey(t, func(*apikey.Record) {})
	var done sync.WaitGroup
	for range 50 {
		done.Go(func() { get(key.Reveal()) })
	}
	done.Wait()
	if got := notes.taken(); len(got) != 1 {
		t.Errorf("50 requests at once noted %q, want one note", got)
	}
}

// TestUsesOfWhom: a use counts when the key is accepted, even if the request fails after that.
func TestUsesOfWhom(t *testing.T) {
	t.Parallel()
	over := options{counters: counters{n: 1000}}
	for _, test := range []struct {
		name   string
		method string
		o      options
		change func(*apikey.Record)
		status int
		noted  int
	}{
		{"read", http.MethodGet, options{}, func(*apikey.Record) {}, 200, 1},
		{"over the limit", http.MethodGet, over, func(*apikey.Record) {}, 429, 1},
		{"without the permission", http.MethodPatch, options{}, func(*apikey.Record) {}, 403, 1},
		{"with a bad body", http.MethodPatch, options{}, func(k *apikey.Record) { k.Permission = apikey.Admin }, 400, 1},
		{"revoked", http.MethodGet, options{}, func(k *apikey.Record) { k.RevokedAt = new(k.CreatedAt) }, 401, 0},
		{"expired", http.MethodGet, options{}, func(k *apikey.Record) { k.ExpiresAt = new(k.CreatedAt) }, 401, 0},
		{"unknown", http.MethodGet, options{}, func(k *apikey.Record) { k.Hash[0]++ }, 401, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, notes, send := noting(t, test.method, test.o)
			key, _ := w.addKey(t, test.change)
			r := send(key.Reveal())
			if got := notes.taken(); r.Code != test.status || len(got) != test.noted {
				t.Errorf("%s = %d and noted %q, want %d and %d notes", test.method, r.Code, got, test.status, test.noted)
			}
		})
	}
	t.Run("deleted organization", func(t *testing.T) {
		t.Parallel()
		w, notes, get := noting(t, http.MethodGet, options{})
		e := store.Entry{ID: store.NewEntryID(w.now), Action: store.Deleted, Actor: store.OperatorActor}
		if err := w.store.Delete(t.Context(), w.org.ID, w.now, e); err != nil {
			t.Fatal(err)
		}
		if r := get(w.key.Reveal()); r.Code != 404 || notes.taken() != nil {
			t.Errorf("GET = %d, and the use is noted, want 404 and no note", r.Code)
		}
	})
}

// TestUsesThatCannotBeNoted: a failed note does not change the answer. It is logged once, and made again after a
// minute.
func TestUsesThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context) error{
		"failing":   func(context.Context) error { return errors.New("no notes today") },
		"panicking": func(context.Context) error { panic("no notes today") },
		"hanging":   func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("no notes today: %w", ctx.Err()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, notes, get := noting(t, http.MethodGet, options{})
			notes.fail = fail
			for i, after := range []time.Duration{0, time.Second, 58 * time.Second, 2 * time.Second} {
				w.now = w.now.Add(after)
				noted := i == 0 || i == 3
				if r := get(w.key.Reveal()); r.Code != 200 || (notes.taken() != nil) != noted {
					t.Errorf("request %d = %d, want 200, and that its use is noted: %v", i, r.Code, noted)
				}
			}
			logs := w.logs.String()
			if n := strings.Count(logs, "no notes today"); n != 2 || strings.Count(logs, `"level":"WARN"`) != 2 || strings.Contains(logs, `"level":"ERROR"`) {
				t.Errorf("the log tells of %d failures, want 2, as warnings:\n%s", n, logs)
			}
		})
	}
}
