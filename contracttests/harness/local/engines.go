package local

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
)

// Engine is an engine of the store, with the methods that the service and its operator use.
type Engine interface {
	Store
	store.Operator
}

// SQLite returns a new database, which ends with the test.
func SQLite(t testing.TB) Engine {
	t.Helper()
	return OpenSQLite(t, filepath.Join(t.TempDir(), "orgs.db"))
}

// OpenSQLite opens the database in a file until the test ends.
func OpenSQLite(t testing.TB, path string) Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// DynamoDB returns new tables on DynamoDB Local.
func DynamoDB(t testing.TB) Engine {
	t.Helper()
	return NewTables(t, dynamotest.Settings(t, dynamotest.Prefix()))
}

// NewTables makes the tables of the settings and opens them.
func NewTables(t testing.TB, settings dynamo.Settings) Engine {
	t.Helper()
	engine := openDynamoDB(t, settings)
	if err := engine.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return engine
}

// OpenDynamoDB opens tables that exist.
func OpenDynamoDB(t testing.TB, settings dynamo.Settings) Engine {
	t.Helper()
	return openDynamoDB(t, settings)
}

func openDynamoDB(t testing.TB, settings dynamo.Settings) *dynamo.Store {
	t.Helper()
	engine, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// Memory is an engine without a disk, for tests that make many thousands of requests. It keeps no audit trail and notes
// no uses of keys. It has only the operator's methods that Operator needs; all others panic. The mutants that change
// nothing pass the whole suite on it, which shows that it keeps the promises of an engine.
type Memory struct {
	store.Operator // nil

	secrets apikey.Secrets

	mu     sync.Mutex
	items  map[organization.ID]item
	counts map[counted]int64
}

// item is a stored organization. It is replaced as a whole and never changed, so that Save need not copy it.
type item struct {
	organization.Organization
	keys map[apikey.Hash]apikey.Record
}

type counted struct {
	id       organization.ID
	category organization.Category
	window   int64
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		secrets: apikey.Secrets{apikey.NewSecret()},
		items:   map[organization.ID]item{}, counts: map[counted]int64{},
	}
}

// KeySecrets implements store.KeySecrets.
func (m *Memory) KeySecrets(context.Context) (apikey.Secrets, error) { return m.secrets, nil }

// EnsureKeySecrets implements store.Signing.
func (m *Memory) EnsureKeySecrets(context.Context) (apikey.Secrets, error) { return m.secrets, nil }

// Save returns a function that gives the store back the content that it has now, with all counters at zero.
func (m *Memory) Save() (restore func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	saved := maps.Clone(m.items)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.items = maps.Clone(saved)
		clear(m.counts)
	}
}

// replace stores the organization that change returns. If change returns an error, it stores nothing.
func (m *Memory) replace(id organization.ID, op string, change func(*item) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.items[id]
	if !ok {
		return &store.Error{Kind: store.NotFound, Op: op}
	}
	err := change(&found)
	if err == nil {
		m.items[id] = found
	}
	return err
}

// Find implements store.Records.
func (m *Memory) Find(_ context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.items[id]
	if !ok {
		return store.Found{}, &store.Error{Kind: store.NotFound, Op: "finding"}
	}
	out := store.Found{Organization: found.Organization}
	if key, ok := found.keys[hash]; ok {
		out.Key = &key
	}
	return out, nil
}

// Update implements store.Records.
func (m *Memory) Update(_ context.Context, u store.Update) error {
	return m.replace(u.Before.ID, "updating", func(i *item) error {
		if i.Version != u.Before.Version || i.DeletedAt != nil || !i.allows(u.Authority) {
			return &store.Error{Kind: store.Conflict, Op: "updating"}
		}
		i.Organization = u.After
		return nil
	})
}

// allows reports whether the organization still has the authority's key, unchanged.
func (i *item) allows(a *store.Authority) bool {
	if a == nil {
		return true
	}
	key, ok := i.keys[a.Key.Hash]
	return ok && a.Valid() && reflect.DeepEqual(key, a.Key)
}

// Count implements store.Counters.
func (m *Memory) Count(
	_ context.Context, id organization.ID, category organization.Category, window time.Time, n int64,
) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := counted{id, category, window.Unix()}
	m.counts[of] += n
	return m.counts[of], nil
}

// NoteUse implements store.UseNotes. It notes nothing.
func (*Memory) NoteUse(context.Context, organization.ID, string, time.Time) error { return nil }

// Create implements store.Directory.
func (m *Memory) Create(_ context.Context, o organization.Organization, key apikey.Record, _ store.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[o.ID] = item{o, map[apikey.Hash]apikey.Record{key.Hash: key}}
	return nil
}

// Delete implements store.Lifecycle.
func (m *Memory) Delete(_ context.Context, id organization.ID, at time.Time, _ store.Entry) error {
	return m.replace(id, "deleting", func(i *item) error {
		i.DeletedAt = cmp.Or(i.DeletedAt, &at)
		return nil
	})
}

// AddKey implements store.Keys.
func (m *Memory) AddKey(_ context.Context, id organization.ID, key apikey.Record, _ store.Entry) error {
	return m.replace(id, "adding a key", func(i *item) error {
		i.keys = maps.Clone(i.keys)
		i.keys[key.Hash] = key
		return nil
	})
}

// RevokeKey implements store.Keys.
func (m *Memory) RevokeKey(_ context.Context, id organization.ID, keyID string, at time.Time, _ store.Entry) error {
	return m.replace(id, "revoking a key", func(i *item) error {
		for hash, key := range i.keys {
			if key.ID == keyID {
				i.keys = maps.Clone(i.keys)
				key.RevokedAt = cmp.Or(key.RevokedAt, &at)
				i.keys[hash] = key
				return nil
			}
		}
		return &store.Error{Kind: store.NotFound, Op: "revoking a key"}
	})
}
