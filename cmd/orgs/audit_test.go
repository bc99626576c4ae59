package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A", "--billing-email", "a@example.com")
	id := first.Organization.ID
	second := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "read", "--expires", "30d")
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
	text := must(t, env, "audit", id)
	for _, want := range []string{
		`^TIME +ACTION +ACTOR +VERSION +CHANGES +REQUEST\n`,
		`(?m)^[^ ]+ [^ ]+Z  organization.deleted  operator  0        deleted_at null -> "[^ ]+Z"  cli_\w+$`,
		`(?m)^[^ ]+ [^ ]+Z  organization.created  operator  0        organization, key +cli_\w+$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("audit prints\n%s\nwant it to match %s", text, want)
		}
	}
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
		if len(got) != want || len(seen) != want {
			t.Errorf("audit --limit %s has %d entries, %d of them different, want %d", limit, len(got), len(seen), want)
		}
	}
}

// TestSecretsStayIn runs every command that prints something of an organization, and looks for what must not be printed.
func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	first := mustJSON[created](t, env, "create", "--name", "A")
	id := first.Organization.ID
	second := mustJSON[wireIssued](t, env, "keys", "issue", id, "--permission", "read")
	var printed strings.Builder
	for _, args := range [][]string{
		{"show", id}, {"list"}, {"keys", "list", id}, {"keys", "revoke", id, second.ID}, {"keys", "list", id}, {"delete", id},
		{"keys", "issue", id, "--permission", "read"}, {"undelete", id}, {"audit", id},
	} {
		for _, format := range [][]string{nil, {"--json"}} {
			r := orgs(t, env, append(args, format...)...)
			printed.WriteString(r.stdout + r.stderr)
		}
	}
	for _, secret := range secrets(t, env, first, second) {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("the command printed %s, want it kept; all it printed:\n%s", secret, &printed)
		}
	}
	if regexp.MustCompile(`int_|internal|hash|sha256`).MatchString(printed.String()) {
		t.Errorf("the command printed\n%s\nwant nothing of internal identifiers and hashes", &printed)
	}
}

// secrets returns what must never be printed again.
func secrets(t *testing.T, env environment, first created, second wireIssued) []string {
	t.Helper()
	s, err := openStorage(t.Context(), env[storeVariable], env.get)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	o, _, err := s.Get(t.Context(), organization.ID(first.Organization.ID))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{o.InternalID.Reveal()}
	for _, text := range []string{first.Key.Key, second.Key} {
		key, err := apikey.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text, key.Hash().Hex())
	}
	return all
}

// TestKeyIsPrintedOnce counts what the commands that make keys print, as text and as JSON.
func TestKeyIsPrintedOnce(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	for _, args := range [][]string{{"create", "--name", "B"}, {"keys", "issue", id, "--permission", "read"}} {
		for _, format := range [][]string{nil, {"--json"}} {
			text := must(t, env, append(args, format...)...)
			if got := len(regexp.MustCompile(`sk_\w+`).FindAllString(text, -1)); got != 1 {
				t.Errorf("orgs %q %q prints %d keys, want 1:\n%s", args, format, got, text)
			}
		}
	}
}

// compact returns JSON without white space.
func compact(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
