package local

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// creator is where a test puts the organizations that the service then finds.
type creator interface {
	store.Records
	Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error
}

// Simple is the service in this process, without rate limits.
func Simple(t *testing.T, records creator) *harness.Subject {
	t.Helper()
	service, err := api.New(api.Options{Records: records, Now: time.Now, Observe: telemetry.Log(slog.New(slog.DiscardHandler), nil)})
	if err != nil {
		t.Fatal(err)
	}
	handlers := map[string]http.Handler{}
	for _, route := range service.Routes() {
		handlers[route.Method] = route.Handler
	}
	return &harness.Subject{
		Name: "in process", Validator: harness.Validator(),
		Target: harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
			request := httptest.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(string(r.Body)))
			request.Header = r.Header
			out := httptest.NewRecorder()
			handlers[r.Method].ServeHTTP(out, request)
			return judge.Response{Status: out.Code, Header: out.Header(), Body: out.Body.Bytes()}, nil
		}),
		Provision: func(ctx context.Context, _ harness.TenantSpec) (harness.Tenant, error) {
			return provision(ctx, records)
		},
	}
}

func provision(ctx context.Context, records creator) (harness.Tenant, error) {
	now := time.Now()
	o := organization.New("Northwind", organization.Pro, nil, now)
	key := apikey.New(o.ID, apikey.Live)
	e := store.Entry{ID: store.NewEntryID(now), Action: store.Created, Actor: store.OperatorActor}
	if err := records.Create(ctx, o, apikey.NewRecord(key, apikey.Admin, now, nil), e); err != nil {
		return harness.Tenant{}, err
	}
	return harness.Tenant{ID: string(o.ID), Keys: map[harness.KeyKind]string{harness.KeyAdmin: key.Reveal()}}, nil
}

func OnSQLite(t *testing.T) creator {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Memory keeps organizations in a map. A long run writes tens of thousands of times, and is about requests: waiting for
// a disk each time would be most of what it does.
type Memory struct {
	mu    sync.Mutex
	Found map[organization.ID]store.Found
}

func NewMemory() *Memory { return &Memory{Found: map[organization.ID]store.Found{}} }

func (m *Memory) Create(_ context.Context, o organization.Organization, key apikey.Record, _ store.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Found[o.ID] = store.Found{Organization: o, Key: &key}
	return nil
}

func (m *Memory) Find(_ context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.Found[id]
	if !ok {
		return store.Found{}, &store.Error{Kind: store.NotFound, Op: "finding " + string(id)}
	}
	if found.Key.Hash != key {
		found.Key = nil
	}
	return found, nil
}

func (m *Memory) Update(_ context.Context, u store.Update) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.Found[u.Before.ID]
	if found.Organization.Version != u.Before.Version {
		return &store.Error{Kind: store.Conflict, Op: "updating " + string(u.Before.ID)}
	}
	found.Organization = u.After
	m.Found[u.Before.ID] = found
	return nil
}
