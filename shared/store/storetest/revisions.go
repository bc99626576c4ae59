package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// newRevision returns the update of a record by the operator. changeID may be "".
func newRevision(
	t *testing.T, before organization.Organization, r organization.Revision, changeID string, now time.Time,
) store.Update {
	t.Helper()
	u, err := store.RevisionRequest{Revision: r, ChangeID: changeID, RequestID: "cli_1"}.Plan(before, now)
	want(t, "Plan", err)
	return u
}

func (m *tenant) revise(t *testing.T, e Engine, r organization.Revision, changeID string, now time.Time) {
	t.Helper()
	u := newRevision(t, m.Organization, r, changeID, now)
	want(t, "StoreRevision", e.StoreRevision(t.Context(), u))
	m.Organization, m.Trail = u.After, append(m.Trail, u.Audit)
}

// reviseEach changes one property at a time, then all at once, and clears what can be cleared.
func (s suite) reviseEach(t *testing.T) {
	null := organization.Null[string]()
	revisions := []organization.Revision{
		{Tier: organization.Set(organization.Team)},
		{Credits: organization.Adding(7)},
		{AutoBilling: organization.Set(true)},
		{AutoBilling: organization.Set(false)},
		{BillingCycleStart: organization.Set(31)},
		{Usage: organization.Exactly(9)},
		{Users: organization.Set(`[{"user_id":"u3","emoji":"🧪","n":1e400}]`)},
		{AuthProviderOrgID: organization.Set("org_other")},
		{APIURL: organization.Set("https://other.example")},
		{Limits: organization.RateLimits{Upload: 3}},
		{Limits: organization.RateLimits{Data: 4}, ResetLimits: []organization.Category{organization.Upload}},
		{Patch: rename()},
		{
			Patch: organization.Patch{
				Name:               organization.Set("all"),
				LogoURL:            organization.Set("https://example.com/all.png"),
				BillingEmail:       organization.Set("all@example.com"),
				NotificationsEmail: organization.Set("all.notifications@example.com"),
				Metadata:           organization.Set[organization.Object](`{"all":1}`),
				Credentials:        organization.Set[organization.Object](`{"all":"secret"}`),
			},
			Tier: organization.Set(organization.Pro), Credits: organization.Exactly(1 << 62), AutoBilling: organization.Set(true),
			BillingCycleStart: organization.Set(2), Usage: organization.Adding(1), Users: organization.Set(`[]`),
			AuthProviderOrgID: organization.Set("all"), APIURL: organization.Set("https://all.example"),
			Limits: organization.RateLimits{Search: 5, Compute: 6},
		},
		{
			Patch: organization.Patch{
				LogoURL: null, BillingEmail: null, NotificationsEmail: null, RateLimits: organization.Null[organization.RateLimits](),
				Metadata: organization.Set[organization.Object](""), Credentials: organization.Set[organization.Object](""),
			},
			Credits: organization.Exactly(0), Usage: organization.Exactly(0), Users: null, AuthProviderOrgID: null, APIURL: null,
		},
	}
	for _, start := range []organization.Organization{Full(time.Now()), Bare(time.Now())} {
		made := s.create(t, start)
		for i, r := range revisions {
			made.revise(t, s.a, r, "", start.UpdatedAt.Add(time.Duration(i+1)*time.Second))
			wantFound(t, s.b, made.Organization, made.Keys[0].Hash, &made.Keys[0])
		}
		s.wantStored(t, made)
	}
}

// reviseRefuses makes changes of an old version, of a deleted organization, and of a missing one.
func (s suite) reviseRefuses(t *testing.T) {
	r := organization.Revision{Credits: organization.Adding(1)}
	made := s.create(t, Full(time.Now()))
	late := newRevision(t, made.Organization, r, "late", time.Now())
	made.update(t, s.a, rename(), time.Now())
	wantKind(t, "StoreRevision of an old version", s.b.StoreRevision(t.Context(), late), store.Conflict)
	s.wantStored(t, made)

	deleted := newRevision(t, made.Organization, r, "late", time.Now())
	made.delete(t, s.a, time.Now())
	wantKind(t, "StoreRevision of a deleted organization", s.b.StoreRevision(t.Context(), deleted), store.Conflict)
	_, err := store.Revise(t.Context(), s.b, made.ID, store.RevisionRequest{Revision: r}, time.Now)
	wantKind(t, "Revise of a deleted organization", err, store.Conflict)
	s.wantStored(t, made)
	wantChange(t, s.a, made.ID, "late", false)

	missing := newRevision(t, Full(time.Now()), r, "late", time.Now())
	wantKind(t, "StoreRevision of a missing organization", s.a.StoreRevision(t.Context(), missing), store.NotFound)
	wantChange(t, s.a, missing.Before.ID, "late", false)
	wantTrail(t, s.a, missing.Before.ID, nil)
}

func wantChange(t *testing.T, e Engine, id organization.ID, changeID string, want bool) {
	t.Helper()
	if got, err := e.HasChange(t.Context(), id, changeID); got != want || err != nil {
		t.Errorf("HasChange(%s, %q) = %v, %v, want %v", id, changeID, got, err, want)
	}
}

// changeIDs are identifiers that could be taken for something else.
func changeIDs() []string {
	longest := slices.Repeat([]byte("~"), store.MaxChangeIDLength)
	return []string{"invoice-2026-11-0001", "invoice-2026-11-000", "ORG", "AUDIT#", "%_'\"\\`", "#/?", "1", string(longest)}
}

// reviseOnce makes each change with an identifier once, in each of two organizations.
func (s suite) reviseOnce(t *testing.T) {
	r := organization.Revision{Credits: organization.Adding(1)}
	one, two := s.create(t, Full(time.Now())), s.create(t, Bare(time.Now()))
	for _, id := range changeIDs() {
		wantChange(t, s.b, one.ID, id, false)
		one.revise(t, s.a, r, id, time.Now())
		wantChange(t, s.b, one.ID, id, true)
		wantChange(t, s.b, two.ID, id, false)
		two.revise(t, s.b, r, id, time.Now())
		again := newRevision(t, one.Organization, r, id, time.Now())
		wantKind(t, "StoreRevision a second time", s.b.StoreRevision(t.Context(), again), store.Applied)
	}
	s.wantStored(t, one)
	s.wantStored(t, two)
	wantExport(t, s.b, one)

	// Whatever else would be wrong with it, the change was made.
	id := changeIDs()[0]
	old := newRevision(t, one.Organization, r, id, time.Now())
	one.update(t, s.a, rename(), time.Now())
	wantKind(t, "StoreRevision a second time, of an old version", s.b.StoreRevision(t.Context(), old), store.Applied)
	for name, request := range map[string]store.RevisionRequest{
		"Revise a second time":                {Revision: r, ChangeID: id},
		"a dry run of what was made":          {Revision: r, ChangeID: id, DryRun: true},
		"Revise a second time, below 0":       {Revision: organization.Revision{Credits: organization.Adding(-1 << 62)}, ChangeID: id},
		"Revise a second time, not permitted": {ChangeID: id, Check: func(organization.Organization) error { return errors.New("no") }},
	} {
		_, err := store.Revise(t.Context(), s.b, one.ID, request, time.Now)
		wantKind(t, name, err, store.Applied)
	}
	one.delete(t, s.a, time.Now())
	_, err := store.Revise(t.Context(), s.b, one.ID, store.RevisionRequest{Revision: r, ChangeID: id}, time.Now)
	wantKind(t, "Revise a second time, deleted", err, store.Applied)
	s.wantStored(t, one)
}

// reviseNothing: a change that changes nothing is remembered if it has an identifier, and otherwise leaves no trace.
func (s suite) reviseNothing(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	same := organization.Revision{Tier: organization.Set(made.Tier)}
	for _, r := range []store.RevisionRequest{
		{Revision: same}, {Revision: organization.Revision{Credits: organization.Adding(5)}, DryRun: true},
	} {
		u, err := store.Revise(t.Context(), s.a, made.ID, r, time.Now)
		if want := made.Credits; err != nil || u.Before.Credits != want || r.DryRun != (u.After.Credits == want+5) {
			t.Errorf("Revise = from %d to %d credits, %v, want %d before", u.Before.Credits, u.After.Credits, err, want)
		}
		s.wantStored(t, made)
	}
	for i, id := range []string{"a", "b"} {
		u, err := store.Revise(t.Context(), s.handle(i), made.ID, store.RevisionRequest{Revision: same, ChangeID: id}, time.Now)
		want(t, "Revise", err)
		if len(u.Audit.Changes) != 0 || u.Audit.Version != made.Version || u.Audit.ChangeID != id {
			t.Errorf("Revise = %+v, want an entry of version %d without changes", u.Audit, made.Version)
		}
		made.Trail = append(made.Trail, u.Audit)
		wantChange(t, s.b, made.ID, id, true)
	}
	s.wantStored(t, made)
	wantExport(t, s.b, made)
	_, err := store.Revise(t.Context(), s.b, made.ID, store.RevisionRequest{Revision: same, ChangeID: "a"}, time.Now)
	wantKind(t, "Revise a second time", err, store.Applied)
}

// reviseOnceRace lets many processes make one change with one identifier.
func (s suite) reviseOnceRace(t *testing.T) {
	const processes = 12
	made := s.create(t, Bare(time.Now()))
	r := store.RevisionRequest{Revision: organization.Revision{Credits: organization.Adding(1)}, ChangeID: "once"}
	var won atomic.Int64
	together(processes, func(i int) {
		if _, err := store.Revise(t.Context(), s.handle(i), made.ID, r, time.Now); err == nil {
			won.Add(1)
		} else {
			wantKind(t, "Revise by the others", err, store.Applied)
		}
	})
	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if won.Load() != 1 || got.Credits != made.Credits+1 || got.Version != made.Version+1 {
		t.Errorf("%d of %d made the change, and it has %d credits at version %d, want one, %d and %d",
			won.Load(), processes, got.Credits, got.Version, made.Credits+1, made.Version+1)
	}
}

// reviseGoesWithTrail: the identifier of an applied change is part of an export, comes back with a restore, and is gone
// after a purge.
func (s suite) reviseGoesWithTrail(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	for _, id := range changeIDs() {
		made.revise(t, s.a, organization.Revision{Usage: organization.Adding(2)}, id, time.Now())
	}
	want(t, "Purge", s.a.Purge(t.Context(), made.ID))
	for _, id := range changeIDs() {
		wantChange(t, s.b, made.ID, id, false)
	}
	wantRestored(t, s.b, []tenant{made}, true)
	wantExport(t, s.a, made)
	for _, id := range changeIDs() {
		wantChange(t, s.a, made.ID, id, true)
		again := newRevision(t, made.Organization, organization.Revision{Usage: organization.Adding(2)}, id, time.Now())
		wantKind(t, "StoreRevision after a restore", s.a.StoreRevision(t.Context(), again), store.Applied)
	}
}

// additions is how many callers reviseSum has at once: a thousand, and with -short thirty.
func additions() int {
	if testing.Short() {
		return 30
	}
	return 1_000
}

// reviseSum has a thousand callers that each add 1, all at once, while others patch the record. Nothing is lost and
// nothing counts twice. Each caller's change has an id. A caller that does not learn what became of its change, as the
// server does not keep up, makes the same change again.
func (s suite) reviseSum(t *testing.T) {
	const patchers, each = 2, 20
	callers := additions()
	made := s.create(t, Bare(time.Now()))
	var patched atomic.Int64
	together(callers+patchers, func(i int) {
		if i >= patchers {
			s.addOne(t, s.handle(i), made.ID, fmt.Sprint("addition-", i))
			return
		}
		for range each {
			switch _, err := renameWithRetries(t, s.handle(i), made, "patched"); {
			case err == nil:
				patched.Add(1)
			case !store.Unavailable(err): // then it may have been made or not
				t.Errorf("Update beside revisions = %v, want no error", err)
			}
		}
	})
	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	sum := int64(callers)
	if got.Credits != made.Credits+sum || got.CurrentMonthUsage != 2*sum {
		t.Errorf("%d credits and %d used, want %d and %d", got.Credits, got.CurrentMonthUsage, made.Credits+sum, 2*sum)
	}
	if least, most := sum+patched.Load(), sum+patchers*each; got.Version < least || got.Version > most {
		t.Errorf("the version is %d, want %d to %d", got.Version, least, most)
	}
	versions, changeIDs := make(map[int64]bool), make(map[string]bool)
	for _, e := range audit(t, s.b, made.ID, 500) {
		versions[e.Version], changeIDs[e.ChangeID] = true, true
	}
	if delete(changeIDs, ""); len(changeIDs) != callers || len(versions) != int(got.Version)+1 {
		t.Errorf("the trail has %d changes with an id and entries of %d versions, want %d and %d",
			len(changeIDs), len(versions), callers, got.Version+1)
	}
}

// addOne adds a credit and two uses, once, however often it has to ask.
func (s suite) addOne(t *testing.T, e Engine, id organization.ID, changeID string) {
	request := store.RevisionRequest{
		Revision: organization.Revision{Credits: organization.Adding(1), Usage: organization.Adding(2)},
		ChangeID: changeID,
	}
	for {
		_, err := store.Revise(t.Context(), e, id, request, time.Now)
		switch store.KindOf(err) {
		case store.Unreachable, store.Throttled:
			continue
		case store.Applied:
			return
		}
		if err != nil {
			t.Errorf("Revise = %v, want no error", err)
		}
		return
	}
}

// reviseDown subtracts more than the value, in steps and at once. A refused change changes nothing.
func (s suite) reviseDown(t *testing.T) {
	const credits, takers = 7, 20
	bare := Bare(time.Now())
	bare.Credits = credits
	made := s.create(t, bare)
	minus := store.RevisionRequest{Revision: organization.Revision{Credits: organization.Adding(-1), Usage: organization.Adding(1)}}
	var taken atomic.Int64
	together(takers, func(i int) {
		_, err := store.Revise(t.Context(), s.handle(i), made.ID, minus, time.Now)
		var refused *organization.RangeError
		switch {
		case err == nil:
			taken.Add(1)
		case !errors.As(err, &refused):
			t.Errorf("Revise = %v, want no error or a RangeError", err)
		}
	})
	got, _, err := s.b.Get(t.Context(), made.ID)
	want(t, "Get", err)
	if taken.Load() != credits || got.Credits != 0 || got.CurrentMonthUsage != credits || got.Version != credits {
		t.Errorf("%d taken, %d left, %d used at version %d, want %d, 0, %d and %d",
			taken.Load(), got.Credits, got.CurrentMonthUsage, got.Version, credits, credits, credits)
	}
}
