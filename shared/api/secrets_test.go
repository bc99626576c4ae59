package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// counting is a store that counts reads, and can fail to read the secrets.
type counting struct {
	store.Records
	finds, secrets *atomic.Int64
	fail           *atomic.Pointer[error]
}

func (c counting) Find(ctx context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	c.finds.Add(1)
	return c.Records.Find(ctx, id, hash)
}

func (c counting) KeySecrets(ctx context.Context) (apikey.Secrets, error) {
	c.secrets.Add(1)
	if err := c.fail.Load(); err != nil {
		return nil, *err
	}
	return c.Records.KeySecrets(ctx)
}

// counted is a world whose requests all go to one Service on a counting store.
type counted struct {
	*world
	counting
	get func(key string) *httptest.ResponseRecorder
}

func newCounted(t *testing.T) counted {
	t.Helper()
	c := counting{finds: new(atomic.Int64), secrets: new(atomic.Int64), fail: new(atomic.Pointer[error])}
	w := newWorld(t, options{records: func(r store.Records) store.Records { c.Records = r; return c }})
	handler := w.handler(t, http.MethodGet)
	return counted{w, c, func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/organizations", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		return out
	}}
}

// want sends the key n times, and checks the status, and how many reads of the secrets and of organizations that costs.
func (c counted) want(t *testing.T, what, key string, n, status int, secrets, finds int64) {
	t.Helper()
	c.secrets.Store(0)
	c.finds.Store(0)
	for range n {
		if r := c.get(key); r.Code != status {
			t.Errorf("%s: GET = %d %s, want %d", what, r.Code, r.Body, status)
		}
	}
	if c.secrets.Load() != secrets || c.finds.Load() != finds {
		t.Errorf("%s: %d requests read the secrets %d times and organizations %d times, want %d and %d",
			what, n, c.secrets.Load(), c.finds.Load(), secrets, finds)
	}
}

// TestSecretsAreReadSeldom: the secrets are read by the first request, and then by made-up keys, once in ten seconds at
// most. No made-up key reads an organization.
func TestSecretsAreReadSeldom(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	good, forged := c.key.Reveal(), apikey.New(c.org.ID, apikey.Live, apikey.NewSecret()).Reveal()
	c.want(t, "first", good, 1, 200, 1, 1)
	c.want(t, "later", good, 20, 200, 0, 20)
	c.want(t, "forged", forged, 50, 401, 0, 0)
	c.now = c.now.Add(10*time.Second - 1)
	c.want(t, "forged, just before ten seconds", forged, 5, 401, 0, 0)
	c.now = c.now.Add(1)
	c.want(t, "forged, after ten seconds", forged, 50, 401, 1, 0)
	c.want(t, "malformed", forged[1:], 5, 401, 0, 0)
	c.now = c.now.Add(time.Hour)
	c.want(t, "an hour later", good, 5, 200, 0, 5)
	if logs := c.logs.String(); strings.Contains(logs, forged) {
		t.Errorf("the log has a key: %s", logs)
	}
}

// TestAddedSecretIsLearnt: a key that was made with a secret just added is accepted after ten seconds at the latest.
func TestAddedSecretIsLearnt(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	c.want(t, "first", c.key.Reveal(), 1, 200, 1, 1)
	secret := apikey.NewSecret()
	key := apikey.New(c.org.ID, apikey.Live, secret)
	e := store.Entry{ID: store.NewEntryID(c.now), Action: store.KeyIssued, Actor: store.OperatorActor}
	record := apikey.NewRecord(key, apikey.Read, c.now, nil)
	if err := c.store.AddKey(t.Context(), c.org.ID, record, e); err != nil {
		t.Fatal(err)
	}
	c.want(t, "before the secret is added", key.Reveal(), 1, 401, 0, 0)
	if err := c.store.AddKeySecrets(t.Context(), apikey.Secrets{secret}); err != nil {
		t.Fatal(err)
	}
	c.want(t, "just after", key.Reveal(), 1, 401, 0, 0)
	c.now = c.now.Add(10 * time.Second)
	c.want(t, "ten seconds later", key.Reveal(), 3, 200, 1, 3)
	c.want(t, "a key of before", c.key.Reveal(), 1, 200, 0, 1)
}

// TestSecretsCannotBeRead: as long as none is known, requests get a 503 and each tries again. When some are known,
// those who have a key that was made with them notice nothing.
func TestSecretsCannotBeRead(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	good, forged := c.key.Reveal(), apikey.New(c.org.ID, apikey.Live, apikey.NewSecret()).Reveal()
	var away error = &store.Error{Kind: store.Unreachable, Op: "test", Err: errors.New("secret-cause")}
	c.fail.Store(&away)
	c.want(t, "none known", good, 3, 503, 3, 0)
	if r := c.get(good); r.Header().Get("Retry-After") == "" || strings.Contains(r.Body.String(), "secret-cause") {
		t.Errorf("GET = %v %s, want a Retry-After, and nothing of the cause", r.Header(), r.Body)
	}
	c.fail.Store(nil)
	c.want(t, "back", good, 3, 200, 1, 3)
	c.fail.Store(&away)
	c.now = c.now.Add(time.Minute)
	c.want(t, "known, and away", good, 3, 200, 0, 3)
	c.want(t, "forged, and away", forged, 1, 503, 1, 0)
	c.want(t, "forged again", forged, 3, 401, 0, 0)
}

// TestSecretsAreReadOnceByMany: requests that come at once wait for one of them to read the secrets.
func TestSecretsAreReadOnceByMany(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	var done sync.WaitGroup
	for range 30 {
		done.Go(func() {
			if r := c.get(c.key.Reveal()); r.Code != http.StatusOK {
				t.Errorf("GET = %d %s, want 200", r.Code, r.Body)
			}
		})
	}
	done.Wait()
	if n := c.secrets.Load(); n != 1 {
		t.Errorf("30 requests at once read the secrets %d times, want once", n)
	}
}
