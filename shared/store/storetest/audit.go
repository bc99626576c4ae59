package storetest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
)

func (s suite) auditPages(t *testing.T) {
	made := s.create(t, Full(time.Now()))
	start := made.UpdatedAt
	for i := range 22 {
		p := rename()
		if i%4 == 3 {
			p.LogoURL = organization.Set(fmt.Sprint("https://example.com/", i))
			p.Metadata = organization.Set(organization.Object(fmt.Sprintf(`{"step":%d}`, i)))
		}
		made.update(t, s.a, p, start.Add(time.Duration(i)*time.Second))
	}
	entries := newestFirst(made.Trail)
	for _, limit := range []int{1, 5, len(entries) - 1, len(entries), len(entries) + 1, 1000} {
		if diff := cmp.Diff(entries, audit(t, s.b, made.ID, limit), Options()); diff != "" {
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

// auditLarge makes a trail of more than a megabyte, which some engines cannot read in one call.
func (s suite) auditLarge(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	for i := range 10 {
		metadata := []byte(largest())
		metadata[len(metadata)/2] = 'a' + byte(i)
		made.update(t, s.a, organization.Patch{Metadata: organization.Set(organization.Object(metadata))}, time.Now())
	}
	wantTrail(t, s.b, made.ID, made.Trail)
	want(t, "Purge", s.a.Purge(t.Context(), made.ID))
	wantGone(t, s.b, made.ID, made.Keys[0].Hash)
}

// auditAtBounds changes several properties at once to the values whose audit entries are the largest.
func (s suite) auditAtBounds(t *testing.T) {
	made := s.create(t, Bare(time.Now()))
	for i, c := range []string{`\\`, `<`, `\"`, "\u2028", `\u0001`} {
		long := func(characters int) string { return strings.Repeat("\x01", characters-1) + strconv.Itoa(i) }
		value := strings.Repeat(c, 100)
		made.update(t, s.a, organization.Patch{
			Name:        organization.Set(long(organization.MaxNameLength)),
			LogoURL:     organization.Set(long(organization.MaxURLLength)),
			Metadata:    organization.Set(filled(func(n int) string { return fmt.Sprintf(`"%d":"%s"`, n, value) })),
			Credentials: organization.Set(filled(func(n int) string { return fmt.Sprintf(`"%s%x":""`, c, n) })),
		}, time.Now())
	}
	wantTrail(t, s.b, made.ID, made.Trail)
}

// filled returns an object of the members 0, 1, 2 and so on, with as many of them as the allowed size has room for.
func filled(member func(n int) string) organization.Object {
	var members []string
	for n, size := 0, 2; ; n++ {
		m := member(n)
		if size += len(m) + 1; size > organization.MaxObjectSize {
			return organization.Object("{" + strings.Join(members, ",") + "}")
		}
		members = append(members, m)
	}
}

func (s suite) auditNothing(t *testing.T) {
	page, next, err := s.a.Audit(t.Context(), organization.NewID(), "", 10)
	if len(page) != 0 || next != "" || err != nil {
		t.Errorf("Audit of a missing organization = %d entries, %q, %v, want none, no cursor, no error", len(page), next, err)
	}
}
