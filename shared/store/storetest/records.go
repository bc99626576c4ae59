package storetest

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// wantStored checks that a tenant is found as it was created, in every way of asking.
func (s suite) wantStored(t *testing.T, made tenant) {
	t.Helper()
	wantFound(t, s.a, made.Organization, made.key.Hash, &made.key)
	wantFound(t, s.b, made.Organization, made.key.Hash, &made.key)
	wantOrganization(t, s.b, made.Organization, made.key)
	wantTrail(t, s.b, made.ID, made.created)
}

func (s suite) createFull(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	s.wantStored(t, made)

	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	for name, at := range map[string]time.Time{"CreatedAt": got.CreatedAt, "UpdatedAt": got.UpdatedAt} {
		if at.Location() != time.UTC || !at.Equal(organization.Timestamp(at)) {
			t.Errorf("Get(…).%s = %v, want UTC and whole microseconds", name, at)
		}
	}
}

func (s suite) createBare(t *testing.T) {
	s.wantStored(t, s.create(t, Bare(time.Now())))
}

func (s suite) createBounds(t *testing.T) {
	for name, n := range map[string]int64{"largest": math.MaxInt64, "smallest": math.MinInt64, "beyond a double": 1<<53 + 1} {
		t.Run(name, func(t *testing.T) {
			o := Bare(time.Now())
			o.Credits, o.CurrentMonthUsage = n, n
			o.Override = organization.RateLimits{Search: organization.MaxLimit, Compute: organization.MinLimit}
			o.BillingCycleStart = 31
			o.CreatedAt = time.Date(2000, 2, 29, 23, 59, 59, 999_999_000, time.UTC)
			o.UpdatedAt = time.Date(9999, 12, 31, 23, 59, 59, 1_000, time.UTC)
			s.wantStored(t, s.create(t, o))
		})
	}
}

func (s suite) createTexts(t *testing.T) {
	for name, text := range hostileTexts() {
		t.Run(name, func(t *testing.T) {
			o := Bare(time.Now())
			o.Name, o.LogoURL, o.BillingEmail, o.NotificationsEmail = text, new(text), new(text), new(text)
			o.AuthProviderOrgID, o.APIURL = new(text), new(text)
			s.wantStored(t, s.create(t, o))
		})
	}
}

func (s suite) createObjects(t *testing.T) {
	for name, object := range hostileObjects() {
		t.Run(name, func(t *testing.T) {
			o := Bare(time.Now())
			o.Metadata, o.Users = object, new("["+object.Text()+"]")
			o.Credentials = `{"":"","openai":"\u0000é😀<&>","z":"1","a":"2"}`
			s.wantStored(t, s.create(t, o))
		})
	}
}

func (s suite) createTaken(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	other := Bare(time.Now())
	other.ID = made.ID
	key := newKey(made.ID, time.Now())
	again := entry(store.Created, time.Now(), 0)

	wantKind(t, "Create with a taken identifier", s.b.Create(t.Context(), other, key, again), store.Conflict)
	s.wantStored(t, made)
	wantFound(t, s.a, made.Organization, key.Hash, nil)

	deletedAt := organization.Timestamp(time.Now())
	gone := entry(store.Deleted, deletedAt, made.Version)
	want(t, "Delete", s.a.Delete(t.Context(), made.ID, deletedAt, gone))
	wantKind(t, "Create with a deleted one's identifier", s.b.Create(t.Context(), other, key, again), store.Conflict)
	made.DeletedAt = &deletedAt
	wantOrganization(t, s.a, made.Organization, made.key)
	wantTrail(t, s.a, made.ID, gone, made.created)
}

func (s suite) createRace(t *testing.T) {
	const creators = 6
	id := organization.NewID()
	s.purgeAfter(t, id)
	var winner atomic.Pointer[tenant]
	together(creators, func(i int) {
		o := Full(time.Now())
		o.ID, o.Name = id, fmt.Sprint("creator ", i)
		mine := tenant{o, newKey(id, o.CreatedAt), entry(store.Created, o.CreatedAt, o.Version)}
		err := s.handle(i).Create(t.Context(), mine.Organization, mine.key, mine.created)
		if err != nil {
			wantKind(t, "Create at the same time", err, store.Conflict)
		} else if !winner.CompareAndSwap(nil, &mine) {
			t.Errorf("Create(%s) succeeded twice", id)
		}
	})
	if winner.Load() == nil {
		t.Fatalf("no Create(%s) succeeded", id)
	}
	s.wantStored(t, *winner.Load())
}

func (s suite) findKeys(t *testing.T) {
	now := organization.Timestamp(time.Now())
	made := s.create(t, Bare(now))
	for i, p := range []apikey.Permission{apikey.Read, apikey.Write, apikey.Delete, apikey.Admin} {
		for j, mode := range []apikey.Mode{apikey.Live, apikey.Test} {
			at := now.Add(time.Duration(2*i+j+1) * time.Microsecond)
			key := apikey.NewRecord(apikey.New(made.ID, mode), p, at, nil)
			if mode == apikey.Test { // expired long ago; whether it is valid is not for the store to say
				key.ExpiresAt = new(now.Add(-time.Hour + time.Microsecond))
				key.RevokedAt = new(now.Add(-time.Minute + 2*time.Microsecond))
			}
			want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, key, entry(store.KeyIssued, at, 0)))
			wantFound(t, s.b, made.Organization, key.Hash, &key)
		}
	}
}

func (s suite) findUnknownKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	wantFound(t, s.b, made.Organization, apikey.New(made.ID, apikey.Live).Hash(), nil)
	wantFound(t, s.b, made.Organization, apikey.Hash{}, nil)
}

// unknownOrganization checks that whatever needs an organization says that there is none, and makes none.
func (s suite) unknownOrganization(t *testing.T) {
	o := Full(time.Now())
	key := newKey(o.ID, time.Now())
	s.purgeAfter(t, o.ID)
	now := time.Now()
	for call, err := range map[string]error{
		"Update":    s.a.Update(t.Context(), update(o, rename(), key.ID, now)),
		"Delete":    s.a.Delete(t.Context(), o.ID, now, entry(store.Deleted, now, 0)),
		"Undelete":  s.a.Undelete(t.Context(), o.ID, entry(store.Undeleted, now, 0)),
		"AddKey":    s.a.AddKey(t.Context(), o.ID, key, entry(store.KeyIssued, now, 0)),
		"RevokeKey": s.a.RevokeKey(t.Context(), o.ID, key.ID, now, entry(store.KeyRevoked, now, 0)),
	} {
		wantKind(t, call+" of a missing organization", err, store.NotFound)
	}
	wantGone(t, s.b, o.ID, key.Hash)
}

func (s suite) getKeys(t *testing.T) {
	now := organization.Timestamp(time.Now())
	made := s.create(t, Full(now)) // the first key is three days old
	keys := make([]apikey.Record, 5)
	for _, i := range []int{3, 0, 4, 2, 1} {
		keys[i] = newKey(made.ID, now.Add(time.Duration(i)*time.Microsecond))
		e := entry(store.KeyIssued, now, made.Version)
		want(t, "AddKey", s.handle(i).AddKey(t.Context(), made.ID, keys[i], e))
	}
	old := newKey(made.ID, made.CreatedAt.Add(-time.Microsecond))
	want(t, "AddKey", s.a.AddKey(t.Context(), made.ID, old, entry(store.KeyIssued, now, made.Version)))
	wantOrganization(t, s.b, made.Organization, append([]apikey.Record{old, made.key}, keys...)...)
}
