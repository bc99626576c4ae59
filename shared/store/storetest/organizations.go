package storetest

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

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
	for name, n := range map[string]int64{
		"largest": math.MaxInt64, "smallest": math.MinInt64, "beyond a double": 1<<53 + 1,
	} {
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
	wantTaken := func(by string) {
		other := Bare(time.Now())
		other.ID = made.ID
		again := newTenant(other)
		err := s.b.Create(t.Context(), other, again.Keys[0], again.Trail[0])
		wantKind(t, "Create with the ID of "+by, err, store.Conflict)
		s.wantStored(t, made)
		wantFound(t, s.a, made.Organization, again.Keys[0].Hash, nil)
	}
	wantTaken("an organization")
	made.delete(t, s.a, time.Now())
	wantTaken("a deleted organization")
}

func (s suite) createRace(t *testing.T) {
	const creators = 6
	id := organization.NewID()
	s.purgeAfter(t, id)
	var winner atomic.Pointer[tenant]
	together(creators, func(i int) {
		o := Full(time.Now())
		o.ID, o.Name = id, fmt.Sprint("creator ", i)
		mine := newTenant(o)
		err := s.handle(i).Create(t.Context(), mine.Organization, mine.Keys[0], mine.Trail[0])
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
			key := apikey.NewRecord(apikey.New(made.ID, mode, apikey.NewSecret()), p, at, nil)
			if mode == apikey.Test { // it is no longer valid, which the store does not check
				key.ExpiresAt = new(now.Add(-time.Hour + time.Microsecond))
				key.RevokedAt = new(now.Add(-time.Minute + 2*time.Microsecond))
			}
			made.addKey(t, s.a, key)
			wantFound(t, s.b, made.Organization, key.Hash, &key)
		}
	}
	s.wantStored(t, made)
}

func (s suite) findUnknownKey(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	wantFound(t, s.b, made.Organization, apikey.New(made.ID, apikey.Live, apikey.NewSecret()).Hash(), nil)
	wantFound(t, s.b, made.Organization, apikey.Hash{}, nil)
}

// findNearKey looks for hashes that differ from a key's in one bit of one byte: all of a hash is compared.
func (s suite) findNearKey(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	for i := range made.Keys[0].Hash {
		near := made.Keys[0].Hash
		near[i] ^= 1 << (i % 8)
		wantFound(t, s.b, made.Organization, near, nil)
	}
	wantFound(t, s.b, made.Organization, made.Keys[0].Hash, &made.Keys[0])
}

// unknownOrganization makes every call that needs an organization, with an ID that no organization has.
func (s suite) unknownOrganization(t *testing.T) {
	unknown, fresh := newTenant(Full(time.Now())), Full(time.Now())
	s.purgeAfter(t, unknown.ID)
	all := calls(s.a, unknown, fresh)
	for _, name := range []string{
		"Find", "Get", "Update", "StoreRevision", "Delete", "Undelete", "AddKey", "RevokeKey", "ChangeKey", "Export",
	} {
		wantKind(t, name+" of a missing organization", all[name](t.Context()), store.NotFound)
	}
	wantGone(t, s.b, unknown.ID, unknown.Keys[0].Hash)
}

// getKeys adds keys out of the order of their creation.
func (s suite) getKeys(t *testing.T) {
	now := organization.Timestamp(time.Now())
	made := s.create(t, Full(now)) // the first key is three days old
	first, keys := made.Keys[0], make([]apikey.Record, 5)
	for _, i := range []int{3, 0, 4, 2, 1} {
		keys[i] = newKey(made.ID, now.Add(time.Duration(i)*time.Microsecond))
		made.addKey(t, s.handle(i), keys[i])
	}
	old := newKey(made.ID, made.CreatedAt.Add(-time.Microsecond))
	made.addKey(t, s.a, old)
	made.Keys = append([]apikey.Record{old, first}, keys...)
	wantOrganization(t, s.b, made)
}

// listOnce lists in pages of several sizes. It ignores the organizations of other checks.
func (s suite) listOnce(t *testing.T) {
	now := organization.Timestamp(time.Now())
	own := make(map[organization.ID]organization.Organization)
	for i := range 12 {
		o := Full(now)
		if i%2 == 1 {
			o = Bare(now)
		}
		made := s.create(t, o)
		if i%3 == 2 {
			made.delete(t, s.a, now)
		}
		own[o.ID] = made.Organization
	}
	for _, limit := range []int{3, 10, 1000} {
		found := list(t, s.b, limit, func(int) {})
		for id, o := range own {
			if diff := cmp.Diff([]organization.Organization{o}, found[id], Options()); diff != "" {
				t.Errorf("List in pages of %d, every record of %s (-want +got):\n%s", limit, id, diff)
			}
		}
	}
}

// listAfter goes on after each organization of a listing, and after one that is gone.
func (s suite) listAfter(t *testing.T) {
	gone := s.create(t, Bare(time.Now()))
	own := make(map[organization.ID]bool)
	for range 5 {
		own[s.create(t, Bare(time.Now())).ID] = true
	}
	rest := func(after organization.ID) []organization.ID {
		var ids []organization.ID
		eachPage(t, 3, func(cursor string) ([]organization.Organization, string, error) {
			if cursor == "" {
				cursor = string(after)
			}
			return s.b.List(t.Context(), cursor, 3)
		}, func(page []organization.Organization) {
			for _, o := range page {
				if own[o.ID] || o.ID == gone.ID { // other checks create and purge theirs
					ids = append(ids, o.ID)
				}
			}
		})
		return ids
	}
	all := rest("")
	if len(all) != len(own)+1 {
		t.Fatalf("List has %d of the organizations, want %d", len(all), len(own)+1)
	}
	place := slices.Index(all, gone.ID)
	want(t, "Purge", s.a.Purge(t.Context(), gone.ID))
	all = slices.Delete(all, place, place+1)
	for i, id := range all {
		if got := rest(id); !slices.Equal(got, all[i+1:]) {
			t.Errorf("List after %s = %v, want %v", id, got, all[i+1:])
		}
	}
	if got := rest(gone.ID); !slices.Equal(got, all[place:]) {
		t.Errorf("List after %s, which is gone, = %v, want %v", gone.ID, got, all[place:])
	}
}

// listMoving creates and purges organizations between the pages.
func (s suite) listMoving(t *testing.T) {
	const pairs = 6
	now := time.Now()
	var staying, leaving []tenant
	for range pairs {
		staying = append(staying, s.create(t, Bare(now)))
		leaving = append(leaving, s.create(t, Bare(now)))
	}
	coming := make(map[organization.ID]bool)
	found := list(t, s.b, 4, func(page int) {
		if page >= pairs {
			return
		}
		coming[s.create(t, Bare(now)).ID] = true
		want(t, "Purge", s.a.Purge(t.Context(), leaving[page].ID))
	})
	for _, made := range staying {
		if n := len(found[made.ID]); n != 1 {
			t.Errorf("List has %s %d times, want once", made.ID, n)
		}
	}
	for id, all := range found {
		if len(all) > 1 && (coming[id] || slices.ContainsFunc(leaving, func(made tenant) bool { return made.ID == id })) {
			t.Errorf("List has %s, which came or went, %d times, want at most once", id, len(all))
		}
	}
}

// list reads all organizations in pages. For each ID it returns every record that the pages have. After each page it
// calls between with the number of the page.
func list(t *testing.T, e Engine, limit int, between func(page int)) map[organization.ID][]organization.Organization {
	t.Helper()
	found := make(map[organization.ID][]organization.Organization)
	pages := 0
	eachPage(t, limit, func(cursor string) ([]organization.Organization, string, error) {
		return e.List(t.Context(), cursor, limit)
	}, func(page []organization.Organization) {
		for _, o := range page {
			found[o.ID] = append(found[o.ID], o)
		}
		between(pages)
		pages++
	})
	return found
}

func (s suite) deleteAndBack(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	at := organization.Timestamp(time.Now())
	later := at.Add(time.Hour)
	early := entry(store.Undeleted, at, made.Version)
	want(t, "Undelete of a live organization", s.a.Undelete(t.Context(), made.ID, early))
	s.wantStored(t, made)

	made.delete(t, s.a, at)
	again := entry(store.Deleted, later, made.Version)
	want(t, "Delete again", s.b.Delete(t.Context(), made.ID, later, again))
	s.wantStored(t, made)

	made.undelete(t, s.b, later)
	againBack := entry(store.Undeleted, later.Add(time.Hour), made.Version)
	want(t, "Undelete again", s.a.Undelete(t.Context(), made.ID, againBack))
	s.wantStored(t, made)

	// The version is still the one from before the deletion, and all changes are possible again.
	made.update(t, s.a, rename(), later.Add(2*time.Hour))
	made.addKey(t, s.a, newKey(made.ID, later.Add(3*time.Hour)))
	s.wantStored(t, made)
}

// deletedRefuses makes the changes that need an organization that is not deleted.
func (s suite) deletedRefuses(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	live, now := made.Organization, organization.Timestamp(time.Now())
	made.delete(t, s.a, now)
	for name, read := range map[string]organization.Organization{"before": live, "after": made.Organization} {
		u := newUpdate(read, rename(), made.Keys[0], now)
		wantKind(t, "Update of a record that was read "+name+" the deletion", s.b.Update(t.Context(), u), store.Conflict)
	}
	all := calls(s.b, made, Full(now))
	for _, name := range []string{"AddKey", "ChangeKey"} {
		wantKind(t, name+" of a deleted organization", all[name](t.Context()), store.NotFound)
	}
	alone := store.KeyChange{Before: made.Keys[0], After: made.Keys[0]}
	err := s.b.ChangeKey(t.Context(), made.ID, alone, entry(store.KeyExpires, now, made.Version))
	wantKind(t, "ChangeKey of a deleted organization, without a new key", err, store.NotFound)
	s.wantStored(t, made)
}

func (s suite) deleteRace(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	entries := s.markTogether(t, store.Deleted, func(e Engine, at time.Time, deleted store.Entry) error {
		return e.Delete(t.Context(), made.ID, at, deleted)
	})
	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	wantTrail(t, s.b, made.ID, append(made.Trail, winner(t, entries, got.DeletedAt)))
}

// markTogether calls mark several times at once, each time with another time. All calls must succeed. It returns the
// entries of the calls.
func (s suite) markTogether(
	t *testing.T, action store.Action, mark func(e Engine, at time.Time, marked store.Entry) error,
) []store.Entry {
	const processes = 6
	now := organization.Timestamp(time.Now())
	entries := make([]store.Entry, processes)
	together(processes, func(i int) {
		at := now.Add(time.Duration(i+1) * time.Second)
		entries[i] = entry(action, at, 0)
		if err := mark(s.handle(i), at, entries[i]); err != nil {
			t.Errorf("%s by process %d = %v, want no error", action, i, err)
		}
	})
	return entries
}

// winner returns the entry with the time of the mark.
func winner(t *testing.T, entries []store.Entry, at *time.Time) store.Entry {
	t.Helper()
	if at == nil {
		t.Fatal("there is no mark, want that of one process")
	}
	i := slices.IndexFunc(entries, func(e store.Entry) bool { return e.At().Equal(*at) })
	if i < 0 {
		t.Fatalf("the mark has the time %v, want that of one process", at)
	}
	return entries[i]
}

func (s suite) deleteTime(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	made.delete(t, s.a, time.Date(2031, 7, 1, 1, 2, 3, 456_789_999, time.FixedZone("west", -8*3600)))
	wantOrganization(t, s.b, made)
}

func (s suite) purge(t *testing.T) {
	const entries = 60
	kept, made := s.create(t, Full(time.Now())), s.create(t, Full(time.Now()))
	now := organization.Timestamp(time.Now())
	made.addKey(t, s.a, newKey(made.ID, now))
	for len(made.Trail) < entries {
		made.update(t, s.a, rename(), now)
	}
	if n := len(audit(t, s.b, made.ID, 50)); n != entries {
		t.Fatalf("Audit(%s) = %d entries, want %d", made.ID, n, entries)
	}

	for _, id := range []organization.ID{kept.ID, made.ID} {
		for _, c := range organization.Categories() {
			wantCount(t, s.a, id, c, now.Truncate(time.Minute), 1)
		}
	}

	want(t, "Purge", s.b.Purge(t.Context(), made.ID))
	wantGone(t, s.a, made.ID, made.Keys[0].Hash)
	for _, c := range organization.Categories() {
		wantCount(t, s.a, made.ID, c, now.Truncate(time.Minute), 1) // counted anew
		wantCount(t, s.a, kept.ID, c, now.Truncate(time.Minute), 2)
	}
	all := calls(s.a, made, Full(now))
	for _, name := range []string{"Update", "StoreRevision", "AddKey", "RevokeKey"} {
		wantKind(t, name+" of a purged organization", all[name](t.Context()), store.NotFound)
	}
	want(t, "Purge again", s.a.Purge(t.Context(), made.ID))
	wantGone(t, s.b, made.ID, made.Keys[1].Hash)
	s.wantStored(t, kept)

	// A new organization with the same ID has nothing of the old one.
	reborn := Bare(now)
	reborn.ID = made.ID
	s.wantStored(t, s.create(t, reborn))
	wantFound(t, s.a, reborn, made.Keys[1].Hash, nil)
}

// wantCount counts a request of the window.
func wantCount(t *testing.T, e Engine, id organization.ID, c organization.Category, at time.Time, n int64) {
	t.Helper()
	if got, err := e.Count(t.Context(), id, c, at, 1); got != n || err != nil {
		t.Errorf("Count(%s, %s) = %d, %v, want %d", id, c, got, err, n)
	}
}

// purgeInUse purges an organization while others read and change it, and its keys, in every way. When Purge returns,
// nothing is left, and nothing comes back.
func (s suite) purgeInUse(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	for range 30 {
		made.update(t, s.a, rename(), time.Now())
	}
	var done atomic.Bool
	var changes atomic.Int64
	note := func(action store.Action) store.Entry { return entry(action, time.Now(), made.Version) }
	work := []func(e Engine) error{
		func(e Engine) error {
			found, err := e.Find(t.Context(), made.ID, made.Keys[0].Hash)
			if err != nil {
				return err
			}
			return e.Update(t.Context(), newUpdate(found.Organization, rename(), made.Keys[0], time.Now()))
		},
		func(e Engine) error {
			key := newKey(made.ID, time.Now())
			err := e.AddKey(t.Context(), made.ID, key, note(store.KeyIssued))
			if err != nil {
				return err
			}
			return e.RevokeKey(t.Context(), made.ID, key.ID, time.Now(), note(store.KeyRevoked))
		},
		func(e Engine) error { return e.Undelete(t.Context(), made.ID, note(store.Undeleted)) },
		func(e Engine) error {
			_, keys, err := e.Get(t.Context(), made.ID)
			if err != nil {
				return err
			}
			after, err := keys[0].Expiring(new(time.Now().Add(time.Hour)))
			if err != nil {
				return err
			}
			return e.ChangeKey(t.Context(), made.ID, store.KeyChange{Before: keys[0], After: after}, note(store.KeyExpires))
		},
	}
	together(1+2*len(work), func(i int) {
		if i > 0 {
			for !done.Load() {
				switch err := work[i%len(work)](s.handle(i)); store.KindOf(err) {
				case store.Unknown:
					if changes.Add(1); err != nil {
						t.Errorf("worker %d = %v, want no error, or one of a kind", i, err)
						return
					}
				case store.Full: // the keys are many by now
				case store.NotFound, store.Conflict, store.Throttled:
				default:
					t.Errorf("worker %d = %v, want no error, NotFound, Conflict or Throttled", i, err)
					return
				}
			}
			return
		}
		for changes.Load() < 10 && !t.Failed() { // until the others are at work
			time.Sleep(time.Millisecond)
		}
		err := s.a.Purge(t.Context(), made.ID)
		for store.KindOf(err) == store.Throttled { // there are many others, and a purge can be repeated
			err = s.a.Purge(t.Context(), made.ID)
		}
		if err != nil {
			t.Errorf("Purge of an organization that is in use = %v, want no error", err)
		}
		wantGone(t, s.b, made.ID, made.Keys[0].Hash)
		done.Store(true)
	})
	wantGone(t, s.b, made.ID, made.Keys[0].Hash)
	wantUses(t, s.b, made.ID, map[string]time.Time{})
}

// purgeWhileRestored purges an organization while a backup of it is restored. In the end it is there as a whole, or
// nothing of it is.
func (s suite) purgeWhileRestored(t *testing.T) {
	m := s.unstored(t, Full(time.Now()), 40)
	for range 3 {
		if _, err := s.a.Restore(t.Context(), []store.Export{m.export()}); err != nil {
			t.Fatalf("Restore = %v, want no error", err)
		}
		together(2, func(i int) {
			if i == 0 {
				if err := s.a.Purge(t.Context(), m.ID); err != nil {
					t.Errorf("Purge beside a restore = %v, want no error", err)
				}
				return
			}
			for range 3 {
				if _, err := s.b.Restore(t.Context(), []store.Export{m.export()}); err != nil {
					t.Errorf("Restore beside a purge = %v, want no error", err)
				}
			}
		})
		if _, _, err := s.a.Get(t.Context(), m.ID); store.KindOf(err) == store.NotFound {
			wantGone(t, s.a, m.ID, m.Keys[0].Hash)
		} else {
			wantExport(t, s.a, m)
		}
	}
}

func (s suite) purgeNothing(t *testing.T) {
	id := organization.NewID()
	want(t, "Purge of what never was", s.a.Purge(t.Context(), id))
	wantGone(t, s.b, id, newKey(id, time.Now()).Hash)
}
