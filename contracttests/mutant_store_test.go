package contracttests

import (
	"context"
	"errors"
	"sync"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// shelf is a store in memory, for the many services that mutants stand in front of. It writes no audit trail.
type shelf struct {
	mu     sync.Mutex
	items  map[organization.ID]*shelved
	counts map[string]int64
}

type shelved struct {
	organization.Organization
	keys  map[apikey.Hash]apikey.Record
	meter bool // whether requests are counted to the end
}

func newShelf() *shelf {
	return &shelf{items: map[organization.ID]*shelved{}, counts: map[string]int64{}}
}

func (s *shelf) put(o organization.Organization, meter bool, keys ...apikey.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item := &shelved{o, map[apikey.Hash]apikey.Record{}, meter}
	for _, key := range keys {
		item.keys[key.Hash] = key
	}
	s.items[o.ID] = item
}

// Find implements store.Records.
func (s *shelf) Find(_ context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[id]
	if !ok {
		return store.Found{}, &store.Error{Kind: store.NotFound, Op: "finding"}
	}
	found := store.Found{Organization: item.Organization}
	if key, ok := item.keys[hash]; ok {
		found.Key = &key
	}
	return found, nil
}

// Update implements store.Records.
func (s *shelf) Update(_ context.Context, u store.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[u.Before.ID]
	if !ok {
		return &store.Error{Kind: store.NotFound, Op: "updating"}
	}
	if item.Version != u.Before.Version || item.DeletedAt != nil {
		return &store.Error{Kind: store.Conflict, Op: "updating"}
	}
	item.Organization = u.After
	return nil
}

// fewRequests is as far as the requests of an organization are counted that is to have as many as it likes.
const fewRequests = 2

// Count implements store.Counters.
func (s *shelf) Count(_ context.Context, id organization.ID, category organization.Category, window time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := string(id) + string(category) + window.UTC().String()
	s.counts[name]++
	if item, ok := s.items[id]; ok && !item.meter {
		return min(s.counts[name], fewRequests), nil
	}
	return s.counts[name], nil
}

func (s *shelf) revoke(hash apikey.Hash, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range s.items {
		if key, ok := item.keys[hash]; ok {
			key.RevokedAt = &at
			item.keys[hash] = key
			return nil
		}
	}
	return errors.New("there is no such key")
}

// faultyShelf is a shelf in one of the states of Fault.
type faultyShelf struct {
	*shelf
	fault Fault
}

// Find implements store.Records.
func (f faultyShelf) Find(ctx context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	if f.fault == FaultWrites {
		return f.shelf.Find(ctx, id, hash)
	}
	return store.Found{}, f.err()
}

// Update implements store.Records.
func (f faultyShelf) Update(context.Context, store.Update) error { return f.err() }

func (f faultyShelf) err() error {
	cause := errors.New(FaultText)
	if f.fault == FaultBroken {
		return cause
	}
	return &store.Error{Kind: store.Throttled, Op: "asking the store", Err: cause}
}
