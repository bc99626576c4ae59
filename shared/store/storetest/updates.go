package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// accept makes an update through one handle, and checks through the other that Find returns the new record.
func (s suite) accept(t *testing.T, m *tenant, p organization.Patch, now time.Time) {
	t.Helper()
	m.update(t, s.a, p, now)
	wantFound(t, s.b, m.Organization, m.Keys[0].Hash, &m.Keys[0])
}

// updateEach changes one property at a time, and then all at once.
func (s suite) updateEach(t *testing.T) {
	patches := []organization.Patch{
		{Name: organization.Set("renamed")},
		{LogoURL: organization.Set("https://example.com/new.png")},
		{BillingEmail: organization.Set("new@example.com")},
		{NotificationsEmail: organization.Set("new.notifications@example.com")},
		{Metadata: organization.Set[organization.Object](`{"new":1}`)},
		{RateLimits: organization.Set(organization.RateLimits{Search: 77})},
		{Credentials: organization.Set[organization.Object](`{"mistral":"secret"}`)},
		{NSFWCheck: organization.Set(true), NSFWFailClosed: organization.Set(false)}, // in any record, one of them changes
		{NSFWCheck: organization.Set(false)},
		{NSFWFailClosed: organization.Set(true)},
		{
			Name:               organization.Set("all"),
			LogoURL:            organization.Set("https://example.com/all.png"),
			BillingEmail:       organization.Set("all@example.com"),
			NotificationsEmail: organization.Set("all.notifications@example.com"),
			Metadata:           organization.Set[organization.Object](`{"all":1}`),
			RateLimits:         organization.Set(organization.RateLimits{Metadata: 9, Compute: 8}),
			Credentials:        organization.Set[organization.Object](`{"all":"secret"}`),
			NSFWCheck:          organization.Set(true),
			NSFWFailClosed:     organization.Set(true),
		},
	}
	for _, start := range []organization.Organization{Full(time.Now()), Bare(time.Now())} {
		made := s.create(t, start)
		for i, p := range patches {
			s.accept(t, &made, p, start.UpdatedAt.Add(time.Duration(i+1)*time.Second))
		}
		s.wantStored(t, made)
	}
}

func (s suite) updateClears(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	empty := organization.Patch{
		LogoURL:            organization.Null[string](),
		BillingEmail:       organization.Null[string](),
		NotificationsEmail: organization.Null[string](),
		RateLimits:         organization.Null[organization.RateLimits](),
		Metadata:           organization.Set[organization.Object](`{}`),
		Credentials:        organization.Set[organization.Object](`{}`),
		NSFWCheck:          organization.Null[bool](),
		NSFWFailClosed:     organization.Null[bool](),
	}
	set := organization.Patch{
		LogoURL:            organization.Set("x"),
		BillingEmail:       organization.Set("again@example.com"),
		NotificationsEmail: organization.Set("again.notifications@example.com"),
		RateLimits:         organization.Set(organization.RateLimits{Upload: organization.MaxLimit}),
		Metadata:           organization.Set[organization.Object](`{"again":[]}`),
		Credentials:        organization.Set[organization.Object](`{"":""}`),
		NSFWCheck:          organization.Set(true),
		NSFWFailClosed:     organization.Set(true),
	}
	for _, p := range []organization.Patch{empty, set, empty} {
		s.accept(t, &made, p, time.Now())
	}
	wantTrail(t, s.b, made.ID, made.Trail)
}

func (s suite) updateTexts(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	for _, text := range hostileTexts() {
		s.accept(t, &made, organization.Patch{Name: organization.Set(text), LogoURL: organization.Set(text)}, time.Now())
	}
	for _, object := range hostileObjects() {
		if object != "{}" { // with which the record begins
			s.accept(t, &made, organization.Patch{Metadata: organization.Set(object)}, time.Now())
		}
	}
	credentials := organization.Set[organization.Object](`{"":"\u0000é😀","z":"1","a":"2"}`)
	s.accept(t, &made, organization.Patch{Credentials: credentials}, time.Now())
	wantTrail(t, s.b, made.ID, made.Trail)
}

func (s suite) updateStale(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	old := made.Organization
	s.accept(t, &made, rename(), time.Now())
	late := newUpdate(old, organization.Patch{LogoURL: organization.Null[string]()}, made.Keys[0].ID, time.Now())
	wantKind(t, "Update of an old version", s.b.Update(t.Context(), late), store.Conflict)

	future := made.Organization
	future.Version++
	early := newUpdate(future, rename(), made.Keys[0].ID, time.Now())
	wantKind(t, "Update of a future version", s.b.Update(t.Context(), early), store.Conflict)
	s.wantStored(t, made)
}

// updateRace lets writers of two processes change one record. Each retries after a conflict, as the service does.
func (s suite) updateRace(t *testing.T) {
	const writers, each = 8, 25
	made := s.create(t, Bare(time.Now()))
	accepted := make([][]store.Entry, writers)
	together(writers, func(i int) {
		for n := range each {
			e, err := renameWithRetries(t, s.handle(i), made, fmt.Sprintf("writer %d, change %d", i, n))
			if err != nil {
				t.Errorf("Update by writer %d = %v, want no error or a conflict", i, err)
				return
			}
			accepted[i] = append(accepted[i], e)
		}
	})
	entries := append(made.Trail, slices.Concat(accepted...)...)
	slices.SortFunc(entries, func(a, b store.Entry) int { return int(a.Version - b.Version) })
	wantTrail(t, s.b, made.ID, entries)

	got, _, err := s.a.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if got.Version != writers*each {
		t.Errorf("version after %d accepted changes = %d", writers*each, got.Version)
	}
	for i, e := range entries {
		if e.Version != int64(i) {
			t.Fatalf("entry %d has version %d", i, e.Version)
		}
	}
}

// renameWithRetries renames the organization, and repeats that after a conflict.
func renameWithRetries(t *testing.T, e Engine, made tenant, name string) (store.Entry, error) {
	const attempts = 10_000 // in each round the attempt of one writer succeeds
	p := organization.Patch{Name: organization.Set(name + " " + base62.Random(4))}
	var err error
	for range attempts {
		var found store.Found
		if found, err = e.Find(t.Context(), made.ID, made.Keys[0].Hash); err != nil {
			return store.Entry{}, err
		}
		u := newUpdate(found.Organization, p, made.Keys[0].ID, time.Now())
		if err = e.Update(t.Context(), u); store.KindOf(err) != store.Conflict {
			return u.Audit, err
		}
	}
	return store.Entry{}, err
}
