package api_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// world is the API on a new SQLite file, with one organization and its admin key.
type world struct {
	store *sqlite.Store
	org   organization.Organization
	key   apikey.Key
	logs  *bytes.Buffer
	now   time.Time // that the service takes it for
	options
}

// options are what a test changes of the API before it starts.
type options struct {
	records  func(store.Records) store.Records
	counters store.Counters
	uses     store.UseNotes
}

func newWorld(t *testing.T, o options) *world {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{store: s, logs: &bytes.Buffer{}, now: time.Date(2026, 1, 5, 9, 30, 15, 0, time.UTC), options: o}
	w.org = organization.New("Northwind Video", organization.Pro, nil, w.now)
	w.key = w.newKey(t, w.org.ID, apikey.Live)
	e := store.Entry{ID: store.NewEntryID(w.now), Action: store.Created, Actor: store.OperatorActor}
	if err := s.Create(t.Context(), w.org, apikey.NewRecord(w.key, apikey.Admin, w.now, nil), e); err != nil {
		t.Fatal(err)
	}
	return w
}

// newKey returns a key that the store would issue.
func (w *world) newKey(t *testing.T, id organization.ID, mode apikey.Mode) apikey.Key {
	t.Helper()
	secrets, err := w.store.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return apikey.New(id, mode, secrets[0])
}

func (w *world) handler(t *testing.T, method string) http.Handler {
	t.Helper()
	var records store.Records = w.store
	if w.records != nil {
		records = w.records(records)
	}
	service, err := api.New(api.Options{
		Records: records, Counters: w.counters, Uses: w.uses, Now: func() time.Time { return w.now },
		Observe: telemetry.Log(slog.New(slog.NewJSONHandler(w.logs, nil)), nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range service.Routes() {
		if route.Method == method {
			return route.Handler
		}
	}
	t.Fatalf("no route for %s", method)
	return nil
}

// send sends a request with the admin key. Headers are given as name, value, name, value.
func (w *world) send(t *testing.T, method, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/v1/organizations", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	w.handler(t, method).ServeHTTP(out, r)
	return out
}

func (w *world) get(t *testing.T, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return w.send(t, http.MethodGet, "", headers...)
}

func (w *world) patch(t *testing.T, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return w.send(t, http.MethodPatch, body, headers...)
}

func text(t *testing.T, r *httptest.ResponseRecorder) string {
	t.Helper()
	body, err := io.ReadAll(r.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
