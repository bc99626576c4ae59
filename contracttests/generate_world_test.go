package contracttests

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

// generatedSubject is the service in this process, without rate limits.
func generatedSubject(t *testing.T, records creator) *Subject {
	t.Helper()
	service, err := api.New(api.Options{Records: records, Now: time.Now, Observe: telemetry.Log(slog.New(slog.DiscardHandler), nil)})
	if err != nil {
		t.Fatal(err)
	}
	handlers := map[string]http.Handler{}
	for _, route := range service.Routes() {
		handlers[route.Method] = route.Handler
	}
	return &Subject{
		Name: "in process", Validator: organizationValidator(),
		Target: TargetFunc(func(ctx context.Context, r Request) (Response, error) {
			request := httptest.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(string(r.Body)))
			request.Header = r.Header
			out := httptest.NewRecorder()
			handlers[r.Method].ServeHTTP(out, request)
			return Response{Status: out.Code, Header: out.Header(), Body: out.Body.Bytes()}, nil
		}),
		Provision: func(ctx context.Context, _ TenantSpec) (Tenant, error) { return provision(ctx, records) },
	}
}

func provision(ctx context.Context, records creator) (Tenant, error) {
	now := time.Now()
	o := organization.New("Northwind", organization.Pro, nil, now)
	key := apikey.New(o.ID, apikey.Live)
	e := store.Entry{ID: store.NewEntryID(now), Action: store.Created, Actor: store.OperatorActor}
	if err := records.Create(ctx, o, apikey.NewRecord(key, apikey.Admin, now, nil), e); err != nil {
		return Tenant{}, err
	}
	return Tenant{ID: string(o.ID), Keys: map[KeyKind]string{KeyAdmin: key.Reveal()}}, nil
}

func onSQLite(t *testing.T) creator {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// memory keeps organizations in a map. A long run writes tens of thousands of times, and is about requests: waiting for
// a disk each time would be most of what it does.
type memory struct {
	mu    sync.Mutex
	found map[organization.ID]store.Found
}

func inMemory() *memory { return &memory{found: map[organization.ID]store.Found{}} }

func (m *memory) Create(_ context.Context, o organization.Organization, key apikey.Record, _ store.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found[o.ID] = store.Found{Organization: o, Key: &key}
	return nil
}

func (m *memory) Find(_ context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.found[id]
	if !ok {
		return store.Found{}, &store.Error{Kind: store.NotFound, Op: "finding " + string(id)}
	}
	if found.Key.Hash != key {
		found.Key = nil
	}
	return found, nil
}

func (m *memory) Update(_ context.Context, u store.Update) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.found[u.Before.ID]
	if found.Organization.Version != u.Before.Version {
		return &store.Error{Kind: store.Conflict, Op: "updating " + string(u.Before.ID)}
	}
	found.Organization = u.After
	m.found[u.Before.ID] = found
	return nil
}
