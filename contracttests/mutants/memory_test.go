package mutants_test

import (
	"cmp"
	"context"
	"sync"
	"time"

	"organizations-api/contracttests/harness/local"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// memory is an engine without a disk: what is stored matters little to mutants, and there are hundreds of them. It keeps
// no audit trail, and of what an operator does it knows what subjects ask for; the rest is nil. That the harmless mutants
// pass the suite shows that it is an engine as good as any.
type memory struct {
	store.Operator
	mu     sync.Mutex
	items  map[organization.ID]*item
	counts map[countOf]int64
}

type item struct {
	organization.Organization
	keys map[apikey.Hash]apikey.Record
}

type countOf struct {
	id       organization.ID
	category organization.Category
	window   int64
}

var _ local.Engine = (*memory)(nil)

func newMemory() *memory {
	return &memory{items: map[organization.ID]*item{}, counts: map[countOf]int64{}}
}

// with calls a function with the item of an organization.
func (m *memory) with(id organization.ID, op string, do func(*item) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.items[id]
	if !ok {
		return &store.Error{Kind: store.NotFound, Op: op}
	}
	return do(found)
}

// Find implements store.Records.
func (m *memory) Find(_ context.Context, id organization.ID, hash apikey.Hash) (found store.Found, err error) {
	err = m.with(id, "finding", func(i *item) error {
		found.Organization = i.Organization
		if key, ok := i.keys[hash]; ok {
			found.Key = &key
		}
		return nil
	})
	return found, err
}

// Update implements store.Records.
func (m *memory) Update(_ context.Context, u store.Update) error {
	return m.with(u.Before.ID, "updating", func(i *item) error {
		if i.Version != u.Before.Version || i.DeletedAt != nil {
			return &store.Error{Kind: store.Conflict, Op: "updating"}
		}
		i.Organization = u.After
		return nil
	})
}

// Count implements store.Counters.
func (m *memory) Count(_ context.Context, id organization.ID, category organization.Category, window time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := countOf{id, category, window.Unix()}
	m.counts[of]++
	return m.counts[of], nil
}

// Create implements store.Directory.
func (m *memory) Create(_ context.Context, o organization.Organization, key apikey.Record, _ store.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[o.ID] = &item{o, map[apikey.Hash]apikey.Record{key.Hash: key}}
	return nil
}

// Delete implements store.Lifecycle.
func (m *memory) Delete(_ context.Context, id organization.ID, at time.Time, _ store.Entry) error {
	return m.with(id, "deleting", func(i *item) error {
		i.DeletedAt = cmp.Or(i.DeletedAt, &at)
		return nil
	})
}

// AddKey implements store.Keys.
func (m *memory) AddKey(_ context.Context, id organization.ID, key apikey.Record, _ store.Entry) error {
	return m.with(id, "adding a key", func(i *item) error {
		i.keys[key.Hash] = key
		return nil
	})
}

// RevokeKey implements store.Keys.
func (m *memory) RevokeKey(_ context.Context, id organization.ID, keyID string, at time.Time, _ store.Entry) error {
	return m.with(id, "revoking a key", func(i *item) error {
		for hash, key := range i.keys {
			if key.ID == keyID {
				key.RevokedAt = cmp.Or(key.RevokedAt, &at)
				i.keys[hash] = key
				return nil
			}
		}
		return &store.Error{Kind: store.NotFound, Op: "revoking a key"}
	})
}
