package api_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// windows counts in memory, by the beginning of the window.
type windows map[time.Time]int64

func (w windows) Count(
	_ context.Context, _ organization.ID, _ organization.Category, start time.Time, n int64,
) (int64, error) {
	w[start] += n
	return w[start], nil
}

// TestWindowIsAMinute sends a request in each second of three minutes. The counts of each minute of the clock are its
// own, from its first second to its last one.
func TestWindowIsAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{counters: windows{}})
	const limit = 100 // of the tier pro
	minute := w.now.Truncate(time.Minute)
	for second := range 3 * 60 {
		w.now = minute.Add(time.Duration(second)*time.Second + 999*time.Millisecond)
		r := w.get(t)
		remaining := strconv.Itoa(limit - second%60 - 1)
		reset := strconv.FormatInt(minute.Add(time.Duration(second/60+1)*time.Minute).Unix(), 10)
		h := r.Header()
		if r.Code != http.StatusOK || h.Get("X-RateLimit-Remaining") != remaining || h.Get("X-RateLimit-Reset") != reset {
			t.Fatalf("GET in second %d = %d, %s remain until %s, want %s until %s",
				second, r.Code, h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset"), remaining, reset)
		}
	}
}

// patient answers after so long, unless the request gives up before.
type patient struct {
	found   store.Found
	calls   *[]time.Duration // how long each call was waited for
	secrets apikey.Secrets
}

func (p patient) wait(ctx context.Context) error {
	began := time.Now()
	<-ctx.Done()
	*p.calls = append(*p.calls, time.Since(began))
	return &store.Error{Kind: store.Unreachable, Op: "test", Err: ctx.Err()}
}

func (p patient) Find(ctx context.Context, _ organization.ID, _ apikey.Hash) (store.Found, error) {
	if p.found.Key == nil {
		return store.Found{}, p.wait(ctx)
	}
	return p.found, nil
}

func (p patient) KeySecrets(context.Context) (apikey.Secrets, error) { return p.secrets, nil }

func (p patient) Update(ctx context.Context, _ store.Update) error { return p.wait(ctx) }

// TestTimeOfARequest: the service gives up after 8 seconds on a store that never answers, by a clock of the test's own.
func TestTimeOfARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	record := apikey.NewRecord(w.key, apikey.Admin, w.now, nil)
	secrets, err := w.store.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range map[string]store.Found{"reading": {}, "writing": {Organization: w.org, Key: &record}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls []time.Duration
				slow := *w
				slow.records = func(store.Records) store.Records { return patient{found, &calls, secrets} }
				began := time.Now()
				r := slow.patch(t, `{"organization_name":"B"}`)
				if took := time.Since(began); r.Code != http.StatusServiceUnavailable || took != 8*time.Second {
					t.Errorf("PATCH = %d %s after %v, want 503 after 8s; the calls took %v", r.Code, r.Body, took, calls)
				}
			})
		})
	}
}

// demoting takes the permission away from the key when an update meets a conflict.
type demoting struct {
	store.Records
	conflicts *int
	left      apikey.Permission
}

func (d demoting) Update(context.Context, store.Update) error {
	*d.conflicts++
	return &store.Error{Kind: store.Conflict, Op: "test"}
}

func (d demoting) Find(ctx context.Context, id organization.ID, h apikey.Hash) (store.Found, error) {
	found, err := d.Records.Find(ctx, id, h)
	if *d.conflicts > 0 && found.Key != nil {
		found.Key.Permission = d.left
	}
	return found, err
}

// TestPermissionAfterAConflict: a key that lost the permission between two attempts changes nothing.
func TestPermissionAfterAConflict(t *testing.T) {
	t.Parallel()
	for _, left := range []apikey.Permission{apikey.None, apikey.Read, apikey.Write, apikey.Delete} {
		conflicts := 0
		w := newWorld(t, options{records: func(r store.Records) store.Records { return demoting{r, &conflicts, left} }})
		if r := w.patch(t, `{"organization_name":"B"}`); r.Code != http.StatusForbidden || conflicts != 1 {
			t.Errorf("PATCH of a key that is left with %s = %d %s after %d attempts, want 403 after one", left, r.Code, r.Body, conflicts)
		}
	}
}
