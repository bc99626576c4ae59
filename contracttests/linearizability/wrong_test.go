package linearizability

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/contracttests/harness/local"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// every reports true for every n-th call of hit.
type every struct {
	n     int64
	calls atomic.Int64
}

func (e *every) hit() bool { return e.calls.Add(1)%e.n == 0 }

// wrongStore is a store that is wrong now and then.
type wrongStore struct {
	local.Engine
	find   func(context.Context, organization.ID, apikey.Hash) (store.Found, error)
	update func(context.Context, store.Update) error
}

func (w wrongStore) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	return w.find(ctx, id, key)
}

func (w wrongStore) Update(ctx context.Context, u store.Update) error { return w.update(ctx, u) }

// wrongStores are wrong stores: they lose, deny or invent changes.
func wrongStores() map[string]func(local.Engine) wrongStore {
	return map[string]func(local.Engine) wrongStore{
		"loses an update": func(right local.Engine) wrongStore {
			now := &every{n: 20}
			return wrongStore{right, right.Find, func(ctx context.Context, u store.Update) error {
				if now.hit() {
					return nil
				}
				return right.Update(ctx, u)
			}}
		},
		"overwrites what it has not read": func(right local.Engine) wrongStore {
			return wrongStore{right, right.Find, func(ctx context.Context, u store.Update) error {
				err := right.Update(ctx, u)
				for store.KindOf(err) == store.Conflict {
					u.Before, _, err = right.Get(ctx, u.Before.ID)
					if err == nil {
						u.After.Version, u.Audit.Version = u.Before.Version+1, u.Before.Version+1
						err = right.Update(ctx, u)
					}
				}
				return err
			}}
		},
		"reads what was": func(right local.Engine) wrongStore {
			now, mu, older := &every{n: 10}, sync.Mutex{}, map[organization.ID]store.Found{}
			return wrongStore{right, func(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
				found, err := right.Find(ctx, id, key)
				mu.Lock()
				defer mu.Unlock()
				if before, ok := older[id]; ok && now.hit() {
					return before, err
				}
				older[id] = found
				return found, err
			}, right.Update}
		},
		"denies what it did": func(right local.Engine) wrongStore {
			now := &every{n: 10}
			return wrongStore{right, right.Find, func(ctx context.Context, u store.Update) error {
				err := right.Update(ctx, u)
				if err == nil && now.hit() {
					return &store.Error{Kind: store.Conflict, Op: "updating " + string(u.Before.ID)}
				}
				return err
			}}
		},
		"does it again later": func(right local.Engine) wrongStore {
			now, mu, last := &every{n: 10}, sync.Mutex{}, map[organization.ID]store.Update{}
			return wrongStore{right, right.Find, func(ctx context.Context, u store.Update) error {
				mu.Lock()
				defer mu.Unlock()
				err := right.Update(ctx, u)
				if again, ok := last[u.Before.ID]; ok && err == nil && now.hit() {
					again.Before, again.After.Version, again.Audit.Version = u.After, u.After.Version+1, u.After.Version+1
					again.Audit.ID = store.NewEntryID(time.Now())
					return right.Update(ctx, again)
				}
				last[u.Before.ID] = u
				return err
			}}
		},
	}
}

// TestWrongStores: a run finds every store that breaks a promise, and nothing wrong with a store that keeps them.
func TestWrongStores(t *testing.T) {
	t.Parallel()
	const operations = 3 * perOrganization
	for name, wrong := range wrongStores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := run(t, calm(t, func(right local.Engine) local.Store { return wrong(right) }), operations)
			if f.sound() {
				t.Errorf("it was not found out:\n%s", f)
			}
		})
	}
	t.Run("right", func(t *testing.T) {
		t.Parallel()
		if f := run(t, calm(t, func(right local.Engine) local.Store { return right }), operations); !f.sound() {
			t.Errorf("it was accused:\n%s", f)
		}
	})
}

// calm is a world whose only faults are those of its store.
func calm(t *testing.T, records func(right local.Engine) local.Store) *world {
	t.Helper()
	right := local.SQLite(t)
	shared := records(right)
	return &world{
		direct:   right,
		gateways: []gateway{throughEvents(t, "events 1", shared), throughEvents(t, "events 2", shared)},
		settle:   func() {},
		faults:   func() map[string]int { return nil },
	}
}
