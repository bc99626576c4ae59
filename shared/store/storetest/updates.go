package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"organizations-api/shared/apikey"
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
	late := newUpdate(old, organization.Patch{LogoURL: organization.Null[string]()}, made.Keys[0], time.Now())
	wantKind(t, "Update of an old version", s.b.Update(t.Context(), late), store.Conflict)

	future := made.Organization
	future.Version++
	early := newUpdate(future, rename(), made.Keys[0], time.Now())
	wantKind(t, "Update of a future version", s.b.Update(t.Context(), early), store.Conflict)
	s.wantStored(t, made)
}

// updateRace lets writers of two processes change one record. Each retries after a conflict, as the service does.
func (s suite) updateRace(t *testing.T) {
	const writers = 8
	each := 25
	if testing.Short() {
		each = 8
	}
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
	if got.Version != int64(writers*each) {
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
		u := newUpdate(found.Organization, p, made.Keys[0], time.Now())
		if err = e.Update(t.Context(), u); store.KindOf(err) != store.Conflict {
			return u.Audit, err
		}
	}
	return store.Entry{}, err
}

// updateByWhom changes the key between the reading of the organization and the update, which then must not be made.
func (s suite) updateByWhom(t *testing.T) {
	now := organization.Timestamp(time.Now())
	later := new(now.Add(time.Hour))
	expire := func(at *time.Time) func(*tenant) {
		return func(m *tenant) {
			after, err := m.Keys[0].Expiring(at)
			want(t, "Expiring", err)
			m.changeKey(t, s.a, 0, store.KeyChange{Before: m.Keys[0], After: after}, store.KeyExpires, now.Add(time.Second))
		}
	}
	for name, test := range map[string]struct {
		change  func(*tenant)        // of what is stored
		claimed func(*apikey.Record) // of what the caller says that it read
	}{
		"revoked":         {change: func(m *tenant) { m.revokeKey(t, s.a, 0, now) }},
		"expired at once": {change: expire(&now)},
		"to expire":       {change: expire(later)},
		"rotated": {change: func(m *tenant) {
			m.changeKey(t, s.a, 0, rotation(m.Keys[0], newKey(m.ID, now.Add(time.Second)), now), store.KeyRotated, now)
		}},
		"of a lower permission": {claimed: func(k *apikey.Record) { k.Permission = apikey.Read }},
		"unknown":               {claimed: func(k *apikey.Record) { k.Hash = newKey("org_0000000000000", now).Hash }},
		"said to be revoked":    {claimed: func(k *apikey.Record) { k.RevokedAt = &now }},
		"said to expire":        {claimed: func(k *apikey.Record) { k.ExpiresAt = later }},
	} {
		made := s.create(t, Full(now))
		read, key := made.Organization, made.Keys[0]
		if test.change != nil {
			test.change(&made)
		} else {
			test.claimed(&key)
		}
		u := newUpdate(read, rename(), key, now)
		wantKind(t, "Update by a key that is "+name, s.b.Update(t.Context(), u), store.Conflict)
		s.wantStored(t, made)

		u.Authority = nil
		want(t, "Update by the operator, with a key that is "+name, s.b.Update(t.Context(), u))
		made.Organization, made.Trail = u.After, append(made.Trail, u.Audit)
		wantOrganization(t, s.a, made)
	}

	// A key that reaches its expiry after it was read.
	made := s.create(t, Full(now))
	expire(later)(&made)
	u := newUpdate(made.Organization, rename(), made.Keys[0], now)
	u.Authority.Now = func() time.Time { return *later }
	wantKind(t, "Update at the moment of the key's expiry", s.b.Update(t.Context(), u), store.Conflict)
	u.Authority.Now = func() time.Time { return later.Add(-time.Microsecond) }
	want(t, "Update just before the key's expiry", s.b.Update(t.Context(), u))
}

// updateRevokeRace revokes the key of several writers. From the moment at which that is acknowledged, nothing that
// they do may be committed, also if they began before.
func (s suite) updateRevokeRace(t *testing.T) {
	const writers = 4
	made := s.create(t, Bare(time.Now()))
	var revoked organization.Organization
	together(1+writers, func(i int) {
		if i == 0 {
			for revoked.Version < 3 && !t.Failed() { // until the writers are at work
				var err error
				if revoked, _, err = s.a.Get(t.Context(), made.ID); err != nil {
					t.Errorf("Get = %v, want no error", err)
					return
				}
			}
			now := time.Now()
			err := s.a.RevokeKey(t.Context(), made.ID, made.Keys[0].ID, now, entry(store.KeyRevoked, now, 0))
			if err != nil {
				t.Errorf("RevokeKey = %v, want no error", err)
			}
			if revoked, _, err = s.b.Get(t.Context(), made.ID); err != nil {
				t.Errorf("Get = %v, want no error", err)
			}
			return
		}
		for { // as a caller whose key was found before it was revoked
			current, keys, err := s.handle(i).Get(t.Context(), made.ID)
			if err == nil {
				err = s.handle(i).Update(t.Context(), newUpdate(current, rename(), made.Keys[0], time.Now()))
			}
			if err != nil && store.KindOf(err) != store.Conflict {
				t.Errorf("Update by writer %d = %v, want no error or a conflict", i, err)
				return
			}
			if len(keys) == 1 && keys[0].RevokedAt != nil {
				return
			}
		}
	})
	last, _, err := s.a.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if last.Version != revoked.Version {
		t.Errorf("version %d when the key was revoked, and %d in the end: changes were made after the revocation",
			revoked.Version, last.Version)
	}
}
