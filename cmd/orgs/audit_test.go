package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A", "--billing-email", "a@example.com")
	id := first.Organization.ID
	second := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--expires", "30d")
	must(t, env, "keys", "revoke", id, second.ID)

	got := mustJSON[trail](t, env, "audit", id).Entries
	type change struct{ Action, Field, Before, After string }
	var changes []change
	requests := make(map[string]bool)
	for _, e := range got {
		if e.Actor != "operator" || !strings.HasPrefix(e.ID, e.At) || requests[e.RequestID] {
			t.Errorf("entry = %+v, want the operator, an id that starts with the time, and a request of its own", e)
		}
		requests[e.RequestID] = true
		for _, c := range e.Changes {
			changes = append(changes, change{e.Action, c.Field, compact(t, c.Before), compact(t, c.After)})
		}
	}
	issuedText := `{"key_id":"` + second.ID + `","permission":"read","mode":"live","expires_at":"` + *second.ExpiresAt + `"}`
	revokedAt := *mustJSON[keyList](t, env, "keys", "list", id).Keys[1].RevokedAt
	want := []change{
		{"key.revoked", "key", issuedText, strings.TrimSuffix(issuedText, "}") + `,"revoked_at":"` + revokedAt + `"}`},
		{"key.issued", "key", "null", issuedText},
		{"organization.created", "organization", "null",
			`{"organization_name":"A","account_type":"free","credit_count":1000,"billing_email":"a@example.com"}`},
		{"organization.created", "key", "null",
			`{"key_id":"` + first.Key.ID + `","permission":"admin","mode":"live","expires_at":null}`},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	newest := mustJSON[trail](t, env, "audit", id, "--limit", "2").Entries
	if diff := cmp.Diff(got[:2], newest); diff != "" {
		t.Errorf("audit --limit 2 (-want +got):\n%s", diff)
	}
}

func TestAuditText(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	must(t, env, "delete", id)
	match(t, must(t, env, "audit", id),
		`^TIME +ACTION +ACTOR +CHANGES +VERSION +REQUEST\n`,
		`(?m)^[^ ]+ [^ ]+Z  organization.deleted  operator  deleted_at null -> "[^ ]+Z"  0        cli_\w+$`,
		`(?m)^[^ ]+ [^ ]+Z  organization.created  operator  organization, key_\w+ +0        cli_\w+$`,
	)
}

// TestAuditPages has more entries than one page.
func TestAuditPages(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	const rounds = 55
	for range rounds {
		must(t, env, "delete", id)
		must(t, env, "undelete", id)
	}
	for limit, want := range map[string]int{"1": 1, "100": 100, "101": 101, "1000": 1 + 2*rounds} {
		got := mustJSON[trail](t, env, "audit", id, "--limit", limit).Entries
		seen := make(map[string]bool)
		for i, e := range got {
			if i > 0 && got[i-1].ID <= e.ID {
				t.Errorf("entry %s comes after %s, want the newest first", e.ID, got[i-1].ID)
			}
			seen[e.ID] = true
		}
		if paged := auditInPages(t, env, id, limit); limit != "1" && !cmp.Equal(paged, mustJSON[trail](t, env, "audit", id, "--limit", "1000").Entries) {
			t.Errorf("audit in pages of %s has %d entries, which are not those of one page", limit, len(paged))
		}
		if len(got) != want || len(seen) != want {
			t.Errorf("audit --limit %s has %d entries, %d of them different, want %d", limit, len(got), len(seen), want)
		}
	}
}

// auditInPages follows next from page to page.
func auditInPages(t *testing.T, env environment, id, limit string) []admin.EntryJSON {
	t.Helper()
	var all []admin.EntryJSON
	args := []string{"audit", id, "--limit", limit}
	for {
		page := mustJSON[trail](t, env, args...)
		all = append(all, page.Entries...)
		if page.Next == nil || limit == "1" {
			return all
		}
		args = []string{"audit", id, "--limit", limit, "--before", *page.Next}
	}
}

func TestAuditGoesOn(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, env environment) {
		id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
		must(t, env, "delete", id)
		must(t, env, "undelete", id)
		text := must(t, env, "audit", id, "--limit", "2")
		next := regexp.MustCompile(`(?m)^There is more: .*orgs audit ` + id + ` --before ([^ ]+) --store .+$`).FindStringSubmatch(text)
		if next == nil || strings.Contains(text, "organization.created") {
			t.Fatalf("audit --limit 2 prints\n%s\nwant two entries and how to go on", text)
		}
		text = must(t, env, "audit", id, "--limit", "2", "--before", next[1])
		if !strings.Contains(text, "organization.created") || strings.Contains(text, "deleted") || strings.Contains(text, "There is more") {
			t.Errorf("audit --before prints\n%s\nwant the oldest entry alone", text)
		}
		if r := orgs(t, env, "audit", id, "--before", "yesterday"); r.code != exitUsage || !strings.Contains(r.stderr, "an entry is named") {
			t.Errorf("audit --before yesterday = %+v, want %d", r, exitUsage)
		}
	})
}

// TestAuditFilters: each filter shows the entries that it asks for, also when it has to read pages without any.
func TestAuditFilters(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	id := made.Organization.ID
	key := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", id, "--permission", "read", "--label", "web-ci")
	for range 60 {
		must(t, env, "delete", id)
		must(t, env, "undelete", id)
	}
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"--action", "organization.created"}, 1},
		{[]string{"--action", "key.issued"}, 1},
		{[]string{"--action", "organization.deleted", "--limit", "1000"}, 60},
		{[]string{"--action", "organization.deleted", "--limit", "7"}, 7},
		{[]string{"--actor", "operator", "--limit", "1000"}, 122},
		{[]string{"--actor", key.ID}, 0},
		{[]string{"--since", "1h", "--limit", "1000"}, 122},
		{[]string{"--since", "2001-02-03", "--limit", "1000"}, 122},
		{[]string{"--since", "9001-02-03"}, 0},
	} {
		got := mustJSON[trail](t, env, append([]string{"audit", id}, test.args...)...)
		if len(got.Entries) != test.want || (got.Next != nil) != slices.Contains(test.args, "7") {
			t.Errorf("audit %q = %d entries and then %v, want %d", test.args, len(got.Entries), got.Next, test.want)
		}
	}
	all := mustJSON[trail](t, env, "audit", id, "--limit", "1000").Entries
	tenth := all[9].At
	got := mustJSON[trail](t, env, "audit", id, "--since", tenth).Entries
	if len(got) != 10 || got[9].At != tenth {
		t.Errorf("audit --since the time of the tenth entry = %d entries, want 10 with that one", len(got))
	}
	if got := must(t, env, "audit", id, "--action", "key.issued"); !strings.Contains(got, key.ID+" (web-ci)") {
		t.Errorf("audit = %q, want the identifier of the key and its label", got)
	}
	text := must(t, env, "audit", id, "--action", "organization.deleted", "--limit", "2", "--since", "30d", "--actor", "operator")
	if !regexp.MustCompile(`--before [^ ]+ --since 30d --action organization.deleted --actor operator`).MatchString(text) {
		t.Errorf("audit prints\n%s\nwant the next page with the same filters", text)
	}
}
