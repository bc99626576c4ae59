package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// listOnce pages with several sizes. Organizations of others come in between; only the test's own are looked at.
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
			want(t, "Delete", s.a.Delete(t.Context(), o.ID, now, entry(store.Deleted, now, o.Version)))
			made.DeletedAt = &now
		}
		own[o.ID] = made.Organization
	}
	for _, limit := range []int{3, 10, 1000} {
		found := list(t, s.b, limit, func(int) {})
		for id, o := range own {
			if diff := cmp.Diff([]organization.Organization{o}, found[id], Options()); diff != "" {
				t.Errorf("List in pages of %d, all that comes as %s (-want +got):\n%s", limit, id, diff)
			}
		}
	}
}

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

func (s suite) auditPages(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	current, entries := made.Organization, []store.Entry{made.created}
	for i := range 22 {
		p := rename()
		if i%4 == 3 {
			p.LogoURL = organization.Set(fmt.Sprint("https://example.com/", i))
			p.Metadata = organization.Set(organization.Object(fmt.Sprintf(`{"step":%d}`, i)))
		}
		u := update(current, p, made.key.ID, made.UpdatedAt.Add(time.Duration(i)*time.Second))
		want(t, "Update", s.a.Update(t.Context(), u))
		current, entries = u.After, append(entries, u.Audit)
	}
	slices.Reverse(entries)
	for _, limit := range []int{1, 5, len(entries) - 1, len(entries), len(entries) + 1, 1000} {
		if diff := cmp.Diff(entries, trail(t, s.b, made.ID, limit), Options()); diff != "" {
			t.Errorf("Audit in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	page, _, err := s.b.Audit(t.Context(), made.ID, "", 5)
	want(t, "Audit", err)
	if len(page) == 0 {
		t.Fatal("Audit(…, \"\", 5) = no entry, want the newest")
	}
	if diff := cmp.Diff(entries[:len(page)], page, Options()); diff != "" {
		t.Errorf("Audit, first page (-want +got):\n%s", diff)
	}
}

// auditLarge has a trail of more than a megabyte, which some engines cannot read at one go.
func (s suite) auditLarge(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	current, entries := made.Organization, []store.Entry{made.created}
	for i := range 10 {
		metadata := []byte(largest())
		metadata[len(metadata)/2] = 'a' + byte(i)
		p := organization.Patch{Metadata: organization.Set(organization.Object(metadata))}
		u := update(current, p, made.key.ID, time.Now())
		want(t, "Update", s.a.Update(t.Context(), u))
		current, entries = u.After, append(entries, u.Audit)
	}
	slices.Reverse(entries)
	wantTrail(t, s.b, made.ID, entries...)
	want(t, "Purge", s.a.Purge(t.Context(), made.ID))
	wantGone(t, s.b, made.ID, made.key.Hash)
}

// auditAtBounds changes everything at once whose texts grow the most on their way into the trail.
func (s suite) auditAtBounds(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	object := func(member func(i int) string) organization.Object {
		var members []string
		for i, size := 0, 2; ; i++ {
			m := member(i)
			if size += len(m) + 1; size > organization.MaxObjectSize {
				return organization.Object("{" + strings.Join(members, ",") + "}")
			}
			members = append(members, m)
		}
	}
	current, entries := made.Organization, []store.Entry{made.created}
	for i, c := range []string{`\\`, `<`, `\"`, "\u2028", `\u0001`} {
		long := func(characters int) string { return strings.Repeat("\x01", characters-1) + strconv.Itoa(i) }
		patch := organization.Patch{
			Name:     organization.Set(long(organization.MaxNameLength)),
			LogoURL:  organization.Set(long(organization.MaxURLLength)),
			Metadata: organization.Set(object(func(i int) string { return fmt.Sprintf(`"%d":"%s"`, i, strings.Repeat(c, 100)) })),
			Credentials: organization.Set(object(func(i int) string {
				return fmt.Sprintf(`"%s%x":""`, c, i)
			})),
		}
		u := update(current, patch, made.key.ID, time.Now())
		want(t, "Update", s.a.Update(t.Context(), u))
		current, entries = u.After, append(entries, u.Audit)
	}
	slices.Reverse(entries)
	wantTrail(t, s.b, made.ID, entries...)
}

func (s suite) auditNothing(t *testing.T) {
	page, next, err := s.a.Audit(t.Context(), organization.NewID(), "", 10)
	if len(page) != 0 || next != "" || err != nil {
		t.Errorf("Audit of a missing organization = %d entries, %q, %v, want none, no cursor, no error", len(page), next, err)
	}
}
