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

// accept makes an update through one handle and checks through the other that all of it came true.
func (s suite) accept(
	t *testing.T, made tenant, before organization.Organization, p organization.Patch, now time.Time,
) store.Update {
	t.Helper()
	u := update(before, p, made.key.ID, now)
	want(t, "Update", s.a.Update(t.Context(), u))
	wantFound(t, s.b, u.After, made.key.Hash, &made.key)
	return u
}

// updateEach changes one property at a time, and then all at once.
func (s suite) updateEach(t *testing.T) {
	all := organization.Patch{
		Name:               organization.Set("all"),
		LogoURL:            organization.Set("https://example.com/all.png"),
		BillingEmail:       organization.Set("all@example.com"),
		NotificationsEmail: organization.Set("all.notifications@example.com"),
		Metadata:           organization.Set[organization.Object](`{"all":1}`),
		RateLimits:         organization.Set(organization.RateLimits{Metadata: 9, Compute: 8}),
		Credentials:        organization.Set[organization.Object](`{"all":"secret"}`),
	}
	patches := []organization.Patch{
		{Name: organization.Set("renamed")},
		{LogoURL: organization.Set("https://example.com/new.png")},
		{BillingEmail: organization.Set("new@example.com")},
		{NotificationsEmail: organization.Set("new.notifications@example.com")},
		{Metadata: organization.Set[organization.Object](`{"new":1}`)},
		{RateLimits: organization.Set(organization.RateLimits{Search: 77})},
		{Credentials: organization.Set[organization.Object](`{"mistral":"secret"}`)},
		all,
	}
	for _, start := range []organization.Organization{Full(time.Now()), Bare(time.Now())} {
		made := s.create(t, start)
		current, entries := start, []store.Entry{made.created}
		for i, p := range patches {
			u := s.accept(t, made, current, p, start.UpdatedAt.Add(time.Duration(i+1)*time.Second))
			current, entries = u.After, append(entries, u.Audit)
		}
		slices.Reverse(entries)
		wantTrail(t, s.b, made.ID, entries...)
		wantOrganization(t, s.b, current, made.key)
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
	}
	set := organization.Patch{
		LogoURL:            organization.Set("x"),
		BillingEmail:       organization.Set("again@example.com"),
		NotificationsEmail: organization.Set("again.notifications@example.com"),
		RateLimits:         organization.Set(organization.RateLimits{Upload: organization.MaxLimit}),
		Metadata:           organization.Set[organization.Object](`{"again":[]}`),
		Credentials:        organization.Set[organization.Object](`{"":""}`),
	}
	cleared := s.accept(t, made, made.Organization, empty, time.Now())
	again := s.accept(t, made, cleared.After, set, time.Now())
	twice := s.accept(t, made, again.After, empty, time.Now())
	wantTrail(t, s.b, made.ID, twice.Audit, again.Audit, cleared.Audit, made.created)
}

func (s suite) updateTexts(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	current, entries := made.Organization, []store.Entry{made.created}
	try := func(p organization.Patch) {
		u := s.accept(t, made, current, p, time.Now())
		current, entries = u.After, append(entries, u.Audit)
	}
	for _, text := range hostileTexts() {
		try(organization.Patch{Name: organization.Set(text), LogoURL: organization.Set(text)})
	}
	for _, object := range hostileObjects() {
		if object != "{}" { // that is what the record starts with
			try(organization.Patch{Metadata: organization.Set(object)})
		}
	}
	try(organization.Patch{Credentials: organization.Set[organization.Object](`{"":"\u0000é😀","z":"1","a":"2"}`)})
	slices.Reverse(entries)
	wantTrail(t, s.b, made.ID, entries...)
}

func (s suite) updateStale(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	first := s.accept(t, made, made.Organization, rename(), time.Now())
	late := update(made.Organization, organization.Patch{LogoURL: organization.Null[string]()}, made.key.ID, time.Now())
	wantKind(t, "Update of an old version", s.b.Update(t.Context(), late), store.Conflict)

	early := first.After
	early.Version++
	tooNew := update(early, rename(), made.key.ID, time.Now())
	wantKind(t, "Update of a version still to come", s.b.Update(t.Context(), tooNew), store.Conflict)

	wantOrganization(t, s.b, first.After, made.key)
	wantTrail(t, s.b, made.ID, first.Audit, made.created)
}

func (s suite) updateDeleted(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	deleted := entry(store.Deleted, at, made.Version)
	want(t, "Delete", s.b.Delete(t.Context(), made.ID, at, deleted))

	u := update(made.Organization, rename(), made.key.ID, time.Now())
	wantKind(t, "Update of a deleted organization", s.a.Update(t.Context(), u), store.Conflict)
	gone := made.Organization
	gone.DeletedAt = &at
	fromDeleted := update(gone, rename(), made.key.ID, time.Now())
	wantKind(t, "Update of a record read as deleted", s.a.Update(t.Context(), fromDeleted), store.Conflict)
	wantOrganization(t, s.b, gone, made.key)
	wantTrail(t, s.b, made.ID, deleted, made.created)
}

func (s suite) updateGone(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	want(t, "Purge", s.b.Purge(t.Context(), made.ID))
	u := update(made.Organization, rename(), made.key.ID, time.Now())
	wantKind(t, "Update of a purged organization", s.a.Update(t.Context(), u), store.NotFound)
	wantGone(t, s.b, made.ID, made.key.Hash)
}

// updateRace has writers of two processes change one record, each retrying on a conflict as the service does.
func (s suite) updateRace(t *testing.T) {
	const writers, each = 8, 25
	made := s.create(t, Bare(time.Now()))
	accepted := make([][]store.Entry, writers)
	together(writers, func(i int) {
		for n := range each {
			e, err := s.change(t, s.handle(i), made, fmt.Sprintf("writer %d, change %d", i, n))
			if err != nil {
				t.Errorf("Update by writer %d = %v, want no error or a conflict", i, err)
				return
			}
			accepted[i] = append(accepted[i], e)
		}
	})
	entries := append(slices.Concat(accepted...), made.created)
	slices.SortFunc(entries, func(a, b store.Entry) int { return int(b.Version - a.Version) })
	wantTrail(t, s.b, made.ID, entries...)

	got, _, err := s.a.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if got.Version != writers*each {
		t.Errorf("version after %d accepted changes = %d", writers*each, got.Version)
	}
	for i, e := range entries[:len(entries)-1] {
		if expected := got.Version - int64(i); e.Version != expected {
			t.Fatalf("entry %d from the newest has version %d, want %d", i, e.Version, expected)
		}
	}
}

// change renames the organization, again and again until no one comes in between.
func (s suite) change(t *testing.T, e Engine, made tenant, name string) (store.Entry, error) {
	const patience = 10_000 // attempts; someone succeeds in each round
	p := organization.Patch{Name: organization.Set(name + " " + base62.Random(4))}
	var err error
	for range patience {
		var found store.Found
		if found, err = e.Find(t.Context(), made.ID, made.key.Hash); err != nil {
			return store.Entry{}, err
		}
		u := update(found.Organization, p, made.key.ID, time.Now())
		if err = e.Update(t.Context(), u); store.KindOf(err) != store.Conflict {
			return u.Audit, err
		}
	}
	return store.Entry{}, err
}
