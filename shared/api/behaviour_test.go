package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// member returns the raw JSON text of a member of a response.
func member(t *testing.T, body, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	return string(members[name])
}

func TestMetadataComesBackAsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for _, metadata := range []string{
		`{}`, `{"z":1,"a":2}`, `{"n":1234567890123456789012345,"m":-1.7e308,"k":1.10,"x":0.1e-999}`,
		`{"":{"":[null,true,[],{}]}}`, `{"😀":"<script>&\u0026\u00e9é\ud83d\ude00\u2028"}`, "{\"\u2028\":\"\u007f\"}", `{"a":"\u0000"}`,
	} {
		for _, r := range []string{text(t, w.patch(t, `{"metadata":`+metadata+`}`)), text(t, w.get(t))} {
			if got := member(t, r, "metadata"); got != metadata {
				t.Errorf("metadata = %s, want %s", got, metadata)
			}
		}
	}
	if got := member(t, text(t, w.patch(t, `{"metadata": {"a" : [ 1 , "b  c" ] } }`)), "metadata"); got != `{"a":[1,"b  c"]}` {
		t.Errorf("metadata = %s, want it compact", got)
	}
}

func TestFullResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	want := `{"organization_id":"` + string(w.org.ID) + `","organization_name":"Northwind Video","logo_url":null,` +
		`"account_type":"pro","credit_count":100000,"metadata":{},"billing_email":null,"notifications_email":null,` +
		`"rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},"auto_billing_enabled":false,` +
		`"billing_cycle_start":1,"current_month_usage":0,"created_at":"2026-01-05T09:30:15.000000Z",` +
		`"updated_at":"2026-01-05T09:30:15.000000Z","users":null,"auth_provider_org_id":null,` +
		`"default_llm_credentials":{},"api_url":null,"nsfw_check_enabled":false,"nsfw_fail_closed":false}`
	if got := text(t, w.get(t)); got != want {
		t.Errorf("GET = %s\nwant %s", got, want)
	}
}

func TestLimitsAreReplacedNotMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for _, step := range []struct{ body, want string }{
		{`{"rate_limits":{"search":7}}`, `{"metadata":100,"data":60,"search":7,"upload":30,"compute":30}`},
		{`{"rate_limits":{"data":8}}`, `{"metadata":100,"data":8,"search":60,"upload":30,"compute":30}`},
		{`{"organization_name":"x"}`, `{"metadata":100,"data":8,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limits":null}`, `{"metadata":100,"data":8,"search":60,"upload":30,"compute":30}`},
		{`{"rate_limits":{"compute":9}}`, `{"metadata":100,"data":60,"search":60,"upload":30,"compute":9}`},
		{`{"rate_limits":{}}`, `{"metadata":100,"data":60,"search":60,"upload":30,"compute":30}`},
	} {
		if got := member(t, text(t, w.patch(t, step.body)), "rate_limits"); got != step.want {
			t.Errorf("rate_limits after %s = %s, want %s", step.body, got, step.want)
		}
	}
}

func TestEntityTagFollowsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	first := w.get(t).Header().Get("ETag")
	if again := w.patch(t, `{"organization_name":"Northwind Video"}`).Header().Get("ETag"); again != first {
		t.Errorf("an update that changes nothing gives the tag %s, want %s", again, first)
	}
	w.now = w.now.Add(time.Second)
	changed := w.patch(t, `{"organization_name":"B"}`, "If-Match", first)
	second := changed.Header().Get("ETag")
	if changed.Code != http.StatusOK || second == first || second != w.get(t).Header().Get("ETag") {
		t.Errorf("a change gives %d and the tag %s (first %s, now %s)", changed.Code, second, first, w.get(t).Header().Get("ETag"))
	}
	if body := text(t, w.get(t)); text(t, changed) != body {
		t.Errorf("a change is answered with %s, and the record is %s", changed.Body, body)
	}
	stale := w.patch(t, `{"organization_name":"C"}`, "If-Match", first)
	if stale.Code != http.StatusPreconditionFailed || stale.Header().Get("ETag") != second {
		t.Errorf("a stale change = %d with the tag %s, want 412 with %s", stale.Code, stale.Header().Get("ETag"), second)
	}
	w.now = w.now.Add(time.Second)
	w.patch(t, `{"organization_name":"Northwind Video"}`)
	if third := w.get(t).Header().Get("ETag"); third == first {
		t.Error("a record that was changed and changed back has the tag of before, although updated_at moved")
	}
	if r := w.get(t, "If-None-Match", second); r.Code != http.StatusOK {
		t.Errorf("GET with a tag of the past = %d, want 200", r.Code)
	}
}

func TestAuditNamesTheKeyAndTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.patch(t, `{"organization_name":"B"}`, "X-Request-Id", "request-1")
	w.patch(t, `{"organization_name":"B"}`, "X-Request-Id", "request-2")
	entries, _, err := w.store.Audit(t.Context(), w.org.ID, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 { // the creation and one change
		t.Fatalf("%d entries, want 2: %+v", len(entries), entries)
	}
	_, keys, err := w.store.Get(t.Context(), w.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	if e.RequestID != "request-1" || e.Actor != keys[0].ID || e.Version != 1 || len(e.Changes) != 1 || e.Changes[0].After != `"B"` {
		t.Errorf("entry = %+v, want request-1 by %s", e, keys[0].ID)
	}
}

// lossy is a store whose updates and reads can fail.
type lossy struct {
	store.Records
	update func(store.Update) error
	find   func() error
}

func (l lossy) Update(ctx context.Context, u store.Update) error {
	if err := l.update(u); err != nil {
		return err
	}
	return l.Records.Update(ctx, u)
}

func (l lossy) Find(ctx context.Context, id organization.ID, h apikey.Hash) (store.Found, error) {
	if l.find != nil {
		if err := l.find(); err != nil {
			return store.Found{}, err
		}
	}
	return l.Records.Find(ctx, id, h)
}

func TestLostRacesAreRunAgain(t *testing.T) {
	t.Parallel()
	lost := 0
	w := newWorld(t, options{records: func(r store.Records) store.Records {
		return lossy{Records: r, update: func(store.Update) error {
			if lost < 3 {
				lost++
				return &store.Error{Kind: store.Conflict, Op: "test"}
			}
			return nil
		}}
	}})
	if r := w.patch(t, `{"organization_name":"B"}`); r.Code != http.StatusOK || lost != 3 {
		t.Errorf("PATCH after %d lost races = %d %s, want 200", lost, r.Code, r.Body)
	}
}

// TestRevokedMeanwhile: the key ends after it was accepted, when the change is on its way to the store. The store must
// not make the change, and the caller gets the answer that the key gets from then on.
func TestRevokedMeanwhile(t *testing.T) {
	t.Parallel()
	e := func(w *world, action store.Action) store.Entry {
		return store.Entry{ID: store.NewEntryID(w.now), Action: action, Actor: store.OperatorActor}
	}
	expire := func(t *testing.T, w *world, key apikey.Record, at time.Time) error {
		after, err := key.Expiring(&at)
		if err != nil {
			return err
		}
		change := store.KeyChange{Before: key, After: after}
		return w.store.ChangeKey(t.Context(), w.org.ID, change, e(w, store.KeyExpires))
	}
	for code, end := range map[string]func(*testing.T, *world, apikey.Record) error{
		"api_key_revoked": func(t *testing.T, w *world, key apikey.Record) error {
			return w.store.RevokeKey(t.Context(), w.org.ID, key.ID, w.now, e(w, store.KeyRevoked))
		},
		"api_key_expired": func(t *testing.T, w *world, key apikey.Record) error { return expire(t, w, key, w.now) },
		"organization_not_found": func(t *testing.T, w *world, _ apikey.Record) error {
			return w.store.Delete(t.Context(), w.org.ID, w.now, e(w, store.Deleted))
		},
		"": func(t *testing.T, w *world, key apikey.Record) error { // it still allows the change
			return expire(t, w, key, w.now.Add(time.Hour))
		},
	} {
		var w *world
		tries := 0
		w = newWorld(t, options{records: func(r store.Records) store.Records {
			return lossy{Records: r, update: func(store.Update) error {
				if tries++; tries > 1 {
					return nil
				}
				_, keys, err := w.store.Get(t.Context(), w.org.ID)
				if err != nil {
					return err
				}
				return end(t, w, keys[0])
			}}
		}})
		r := w.patch(t, `{"organization_name":"B"}`)
		status := map[string]int{"": http.StatusOK, "organization_not_found": http.StatusNotFound}[code]
		if status = cmp.Or(status, http.StatusUnauthorized); r.Code != status || !strings.Contains(r.Body.String(), code) {
			t.Errorf("PATCH = %d %s, want %d %s", r.Code, r.Body, status, code)
		}
		stored, _, err := w.store.Get(t.Context(), w.org.ID)
		if changed := stored.Name != w.org.Name; err != nil || changed != (status == http.StatusOK) {
			t.Errorf("after %d %s the record was changed: %v, %v", r.Code, code, changed, err)
		}
	}
}

func TestEndlessRaceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{records: func(r store.Records) store.Records {
		return lossy{Records: r, update: func(store.Update) error { return &store.Error{Kind: store.Conflict, Op: "test"} }}
	}})
	r := w.patch(t, `{"organization_name":"B"}`)
	if r.Code != http.StatusServiceUnavailable || r.Header().Get("Retry-After") == "" {
		t.Errorf("PATCH = %d %v, want 503 with Retry-After", r.Code, r.Header())
	}
}

func TestFaultsStayInside(t *testing.T) {
	t.Parallel()
	const cause = "secret-cause"
	panicking := func() error { panic(cause) }
	failing := func() error { return errors.New(cause) }
	for name, find := range map[string]func() error{"a panic": panicking, "an error": failing} {
		w := newWorld(t, options{records: func(r store.Records) store.Records { return lossy{Records: r, find: find} }})
		r := w.get(t)
		if r.Code != http.StatusInternalServerError || strings.Contains(r.Body.String(), cause) {
			t.Errorf("%s: GET = %d %s, want 500 without the cause", name, r.Code, r.Body)
		}
		if n := strings.Count(w.logs.String(), `"level":"ERROR"`); n != 1 || !strings.Contains(w.logs.String(), cause) {
			t.Errorf("%s: log has %d errors, want one with the cause: %s", name, n, w.logs)
		}
	}
}

// counters is a store.Counters that always returns the same.
type counters struct {
	n   int64
	err error
}

func (c counters) Count(context.Context, organization.ID, organization.Category, time.Time, int64) (int64, error) {
	return c.n, c.err
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		counters  counters
		status    int
		limit     string
		remaining string
		retry     string
	}{
		{counters{n: 1}, 200, "100", "99", ""},
		{counters{n: 100}, 200, "100", "0", ""},
		{counters{n: 101}, 429, "100", "0", "45"},
		{counters{err: errors.New("no counter")}, 200, "", "", ""},
	} {
		w := newWorld(t, options{counters: test.counters})
		r := w.get(t)
		h := r.Header()
		if r.Code != test.status || h.Get("X-RateLimit-Limit") != test.limit || h.Get("X-RateLimit-Remaining") != test.remaining || h.Get("Retry-After") != test.retry {
			t.Errorf("GET with the count %+v = %d %v, want %+v", test.counters, r.Code, h, test)
		}
		if window := h.Get("X-RateLimit-Window"); window != map[bool]string{true: "60"}[test.limit != ""] {
			t.Errorf("X-RateLimit-Window with the count %+v = %q, want 60 beside the others", test.counters, window)
		}
		if test.status == 429 && !strings.Contains(r.Body.String(), `"details":{"category":"metadata","limit":100,"retry_after":45,"window":"1m"}`) {
			t.Errorf("429 = %s, want the window and the seconds to wait", r.Body)
		}
		if test.limit != "" && h.Get("X-RateLimit-Reset") != "1767605460" { // 09:31:00 of that day
			t.Errorf("X-RateLimit-Reset = %s, want the end of the minute", h.Get("X-RateLimit-Reset"))
		}
		if test.counters.err != nil && !strings.Contains(w.logs.String(), "no counter") {
			t.Errorf("an uncounted request is not logged: %s", w.logs)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	for given, kept := range map[string]bool{"JKJaXmPLvHcESHA=": true, "": false, "a b": false, "é": false, "a\x7f": false, strings.Repeat("x", 129): false} {
		got := w.get(t, "X-Request-Id", given).Header().Get("X-Request-Id")
		if got == "" || (got == given) != kept {
			t.Errorf("request id for %q = %q, want it kept: %v", given, got, kept)
		}
	}
}

func TestOtherRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "/v1/organizations", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	out := httptest.NewRecorder()
	w.handler(t, http.MethodGet).ServeHTTP(out, r)
	if out.Code != http.StatusNotFound || !strings.Contains(out.Body.String(), "route_not_found") {
		t.Errorf("DELETE = %d %s, want 404 route_not_found", out.Code, out.Body)
	}
}
