package api_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// traffic records what is asked of a store: "read" and "count" when a call begins, with an end when it ends. meet has
// each call wait until a call of the other sort has begun.
type traffic struct {
	store.Records
	mu     sync.Mutex
	events []string
	sum    int64
	meet   bool
	reads  chan struct{}
	counts chan struct{}
	count  func() error // nil: counts succeed
}

func newTraffic() *traffic {
	return &traffic{reads: make(chan struct{}, 1), counts: make(chan struct{}, 1)}
}

func (f *traffic) note(event string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, event)
}

// take returns what was recorded since the last take.
func (f *traffic) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := strings.Join(f.events, " ")
	f.events = nil
	return taken
}

// both says that a call has begun, and waits for one of the other sort. It fails when the request gives up.
func (f *traffic) both(ctx context.Context, mine, other chan struct{}) error {
	if !f.meet {
		return nil
	}
	mine <- struct{}{}
	select {
	case <-other:
		return nil
	case <-ctx.Done():
		return &store.Error{Kind: store.Unreachable, Op: "test", Err: errors.New("nobody came")}
	}
}

func (f *traffic) Find(ctx context.Context, id organization.ID, h apikey.Hash) (store.Found, error) {
	if err := f.both(ctx, f.reads, f.counts); err != nil {
		return store.Found{}, err
	}
	f.note("read")
	found, err := f.Records.Find(ctx, id, h)
	if !f.meet {
		f.note("read-end")
	}
	return found, err
}

func (f *traffic) Count(
	ctx context.Context, _ organization.ID, _ organization.Category, _ time.Time, n int64,
) (int64, error) {
	if err := f.both(ctx, f.counts, f.reads); err != nil {
		return 0, err
	}
	f.note("count")
	store.MeterOf(ctx).Add(store.Usage{Calls: 1, WriteUnits: 1})
	if f.count != nil {
		if err := f.count(); err != nil {
			return 0, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sum += n
	return f.sum, nil
}

// sender sends requests with a key to one service, which remembers.
type sender func(key apikey.Key, body string, headers ...string) *httptest.ResponseRecorder

// newBeside returns a world, its traffic, and a sender for the method.
func newBeside(t *testing.T, method string) (*world, *traffic, sender) {
	t.Helper()
	f := newTraffic()
	w := newWorld(t, options{counters: f, records: func(r store.Records) store.Records {
		f.Records = r
		return f
	}})
	return w, f, w.sender(t, method)
}

func (w *world) sender(t *testing.T, method string) sender {
	t.Helper()
	handler := w.handler(t, method)
	return func(key apikey.Key, body string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/v1/organizations", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key.Reveal())
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Request-Id", "one")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		return out
	}
}

// TestCountBesideTheRead: the first request of a key reads and then counts, as a new process has one connection. Later
// ones do both at once: the read waits for the count here, and the count for the read. After minutes without a request
// the key is forgotten.
func TestCountBesideTheRead(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		w, f, send := newBeside(t, method)
		for _, step := range []struct {
			after time.Duration
			both  bool
		}{{0, false}, {time.Second, true}, {4 * time.Minute, true}, {4 * time.Minute, true}, {5 * time.Minute, false}, {0, true}} {
			w.now = w.now.Add(step.after)
			f.meet = step.both
			r := send(w.key, fmt.Sprintf(`{"organization_name":"At %s"}`, w.now.Format(time.TimeOnly)))
			got := f.take()
			if step.both && (got == "read count" || got == "count read") {
				got = "both"
			}
			want := map[bool]string{true: "both", false: "read read-end count"}[step.both]
			if r.Code != 200 || got != want || r.Header().Get("X-RateLimit-Remaining") == "" {
				t.Errorf("%s after %v = %d with %q, want 200 with %q, and what remains", method, step.after, r.Code, got, want)
			}
		}
		if n := strings.Count(w.logs.String(), `"store_calls":1,"read_units":0,"write_units":1`); n != 6 {
			t.Errorf("%d lines have the cost of the count, want 6:\n%s", n, w.logs)
		}
	}
}

// TestRememberedKeysGiveNoAccess: the store's answer decides. A key that is refused after it was accepted counts once,
// and its refusal says nothing of the limit.
func TestRememberedKeysGiveNoAccess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(w *world, key apikey.Record) error
		status int
	}{
		"revoked": {func(w *world, key apikey.Record) error {
			return w.store.RevokeKey(t.Context(), w.org.ID, key.ID, w.now, entryOf(w, store.KeyRevoked))
		}, 401},
		"expired": {func(w *world, key apikey.Record) error {
			after, _ := key.Expiring(&w.now)
			return w.store.ChangeKey(t.Context(), w.org.ID, store.KeyChange{Before: key, After: after}, entryOf(w, store.KeyExpires))
		}, 401},
		"purged": {func(w *world, _ apikey.Record) error { return w.store.Purge(t.Context(), w.org.ID) }, 401},
		"deleted": {func(w *world, _ apikey.Record) error {
			return w.store.Delete(t.Context(), w.org.ID, w.now, entryOf(w, store.Deleted))
		}, 404},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			w, f, send := newBeside(t, method)
			key, record := w.addKey(t, func(k *apikey.Record) { k.Permission = apikey.Admin })
			if r := send(key, `{}`); r.Code != 200 {
				t.Fatalf("%s = %d %s, want 200", method, r.Code, r.Body)
			}
			if err := test.end(w, record); err != nil {
				t.Fatal(err)
			}
			f.take()
			for i := range 5 {
				r := send(key, `{}`)
				counts := strings.Count(f.take(), "count")
				if r.Code != test.status || r.Header().Get("X-RateLimit-Limit") != "" || counts > 0 && i > 0 {
					t.Errorf("%s: %s %d = %d %v with %d counts, want %d, and one count at most for all",
						name, method, i+1, r.Code, r.Header(), counts, test.status)
				}
			}
		}
	}
}

func entryOf(w *world, action store.Action) store.Entry {
	return store.Entry{ID: store.NewEntryID(w.now), Action: action, Actor: store.OperatorActor}
}

// TestMemoryChangesNoAnswer: a process that remembers a key answers as one that does not, whatever is wrong with the
// request, and counts it as often. That holds for the order of refusals too: of a request that is over the limit, has
// no permission and a bad body, the limit is told.
func TestMemoryChangesNoAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method  string
		sum     int64 // counted before
		body    string
		headers []string
		permits apikey.Permission
		count   func() error
		want    int
	}{
		"read":                        {http.MethodGet, 0, "", nil, apikey.Read, nil, 200},
		"not modified":                {http.MethodGet, 0, "", []string{"If-None-Match", "*"}, apikey.Read, nil, 304},
		"last one":                    {http.MethodGet, 99, "", nil, apikey.Read, nil, 200},
		"too many":                    {http.MethodGet, 100, "", nil, apikey.Read, nil, 429},
		"too many, and not permitted": {http.MethodPatch, 100, `{`, nil, apikey.Read, nil, 429},
		"too many, other version":     {http.MethodGet, 100, "", []string{"If-Match", `"x"`}, apikey.Read, nil, 429},
		"not permitted":               {http.MethodPatch, 0, `{`, []string{"If-Match", `"x"`}, apikey.Read, nil, 403},
		"malformed":                   {http.MethodPatch, 0, `{`, []string{"If-Match", `"x"`}, apikey.Admin, nil, 400},
		"invalid":                     {http.MethodPatch, 0, `{"organization_name":1}`, []string{"If-Match", `"x"`}, apikey.Admin, nil, 422},
		"another version":             {http.MethodPatch, 0, `{"organization_name":"B"}`, []string{"If-Match", `"x"`}, apikey.Admin, nil, 412},
		"changes nothing":             {http.MethodPatch, 0, `{}`, nil, apikey.Admin, nil, 200},
		"counter fails":               {http.MethodGet, 0, "", nil, apikey.Read, func() error { return errors.New("no counter") }, 200},
		"counter panics":              {http.MethodGet, 0, "", nil, apikey.Read, func() error { panic("no counter") }, 200},
	} {
		w, f, remembering := newBeside(t, test.method)
		key, _ := w.addKey(t, func(k *apikey.Record) { k.Permission = test.permits })
		remembering(key, `{}`)
		type answer struct {
			status, counts int
			header         http.Header
			body           string
		}
		ask := func(send sender) answer {
			f.take()
			f.sum, f.count = test.sum, test.count
			r := send(key, test.body, test.headers...)
			return answer{r.Code, strings.Count(f.take(), "count"), maps.Clone(r.Header()), r.Body.String()}
		}
		w.now = w.now.Add(time.Minute) // so that a minute that is used up is not known yet
		got, want := ask(remembering), ask(w.sender(t, test.method))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" || got.status != test.want || got.counts != 1 {
			t.Errorf("%s: %d with %d counts, want %d with one; (-without memory +with memory):\n%s", name, got.status, got.counts, test.want, diff)
		}
		if failed := strings.Count(w.logs.String(), `"count_error"`); test.count != nil && failed != 2 {
			t.Errorf("%s: %d lines say that the request was not counted, want 2:\n%s", name, failed, w.logs)
		}
	}
}

// TestRememberedLimit: a limit that was raised or lowered holds for the next request.
func TestRememberedLimit(t *testing.T) {
	t.Parallel()
	w, f, send := newBeside(t, http.MethodGet)
	current := w.org
	setLimit := func(limit int) {
		after, changes := current.Apply(organization.Patch{RateLimits: organization.Set(organization.RateLimits{Metadata: limit})}, w.now)
		audit := entryOf(w, store.Updated)
		audit.Version, audit.Changes = after.Version, changes
		if err := w.store.Update(t.Context(), store.Update{Before: current, After: after, Audit: audit}); err != nil {
			t.Fatal(err)
		}
		current = after
	}
	for _, step := range []struct {
		limit     int
		status    int
		remaining string
		counts    int
	}{
		{3, 200, "2", 1}, {3, 200, "1", 1}, {3, 200, "0", 1},
		{3, 429, "0", 0}, // it is known that the minute is used up
		{5, 200, "1", 1},
		{4, 429, "0", 1}, // counted beside the read, under a limit of 5
		{4, 429, "0", 0},
		{1_000_000, 200, "999994", 1},
	} {
		if int(current.Limits().Metadata) != step.limit {
			setLimit(step.limit)
		}
		r := send(w.key, "")
		counts := strings.Count(f.take(), "count")
		if r.Code != step.status || r.Header().Get("X-RateLimit-Remaining") != step.remaining || counts != step.counts {
			t.Errorf("limit %d: GET = %d, %s remain, %d counts, want %+v", step.limit, r.Code, r.Header().Get("X-RateLimit-Remaining"), counts, step)
		}
	}
}

// TestReadFailsBesideTheCount: without the read there is no answer but 503, and the key is not forgotten.
func TestReadFailsBesideTheCount(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func() error{
		"an error": func() error { return &store.Error{Kind: store.Unreachable, Op: "test"} },
		"a panic":  func() error { panic("in the test") },
	} {
		f, down := newTraffic(), false
		w := newWorld(t, options{counters: f, records: func(r store.Records) store.Records {
			f.Records = lossy{Records: r, find: func() error {
				if down {
					return find()
				}
				return nil
			}}
			return f
		}})
		send := w.sender(t, http.MethodGet)
		send(w.key, "")
		down = true
		if r := send(w.key, ""); r.Code < 500 || r.Header().Get("X-RateLimit-Limit") != "" {
			t.Errorf("%s: GET = %d %v, want a 5xx that says nothing of the limit", name, r.Code, r.Header())
		}
		down, f.meet = false, true
		if r := send(w.key, ""); r.Code != 200 {
			t.Errorf("%s: GET after it = %d %s, want 200", name, r.Code, r.Body)
		}
	}
}

// one is a store.Records with one organization, in memory.
type one struct {
	store.Records
	found   store.Found
	secrets apikey.Secrets
}

func (o one) Find(context.Context, organization.ID, apikey.Hash) (store.Found, error) {
	return o.found, nil
}
func (o one) KeySecrets(context.Context) (apikey.Secrets, error) { return o.secrets, nil }

// TestWritesOfGETs: eight services, as eight sandboxes, on one counter. With a limit of 100,000 a minute few GETs
// write. With 20 a minute exactly 20 pass, in each of several minutes. What remains is never more than there is.
func TestWritesOfGETs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit, requests int
		passed          int
		writes          float64 // for each GET, at most
	}{{100_000, 8000, 8000, 0.02}, {20, 60, 20, 1}} {
		w := newWorld(t, options{})
		secrets, err := w.store.KeySecrets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.org.Override.Metadata = test.limit
		record := apikey.NewRecord(w.key, apikey.Read, w.now, nil)
		f := newTraffic()
		w.counters = f
		w.records = func(store.Records) store.Records {
			return one{found: store.Found{Organization: w.org, Key: &record}, secrets: secrets}
		}
		var services []sender
		for range 8 {
			services = append(services, w.sender(t, http.MethodGet))
		}
		for minute := range 3 {
			f.sum, w.now = 0, w.now.Add(time.Minute)
			f.take()
			passed := 0
			for i := range test.requests {
				r := services[i%len(services)](w.key, "")
				if r.Code == http.StatusOK {
					passed++
				}
				if n, err := strconv.Atoi(r.Header().Get("X-RateLimit-Remaining")); err != nil || n > test.limit-passed {
					t.Fatalf("limit %d: GET %d says that %d remain, %v, after %d passed", test.limit, i+1, n, err, passed)
				}
			}
			writes := strings.Count(f.take(), "count")
			if share := float64(writes) / float64(test.requests); passed != test.passed || share > test.writes {
				t.Errorf("limit %d, minute %d: %d of %d GETs passed with %.4f writes each, want %d and at most %v",
					test.limit, minute+1, passed, test.requests, share, test.passed, test.writes)
			}
		}
	}
}
