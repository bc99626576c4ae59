package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/api"
)

func TestCreateJSON(t *testing.T) {
	t.Parallel()
	limits := map[string]api.RateLimits{
		"free":       {Metadata: 20, Data: 10, Search: 10, Upload: 5, Compute: 5},
		"pro":        {Metadata: 100, Data: 60, Search: 60, Upload: 30, Compute: 30},
		"team":       {Metadata: 200, Data: 100, Search: 100, Upload: 50, Compute: 50},
		"enterprise": {Metadata: 200, Data: 100, Search: 100, Upload: 50, Compute: 50},
	}
	email := "bills@example.com"
	tests := []struct {
		name        string
		args        []string
		wantTier    string
		wantCredits int64
		wantEmail   *string
	}{
		{"defaults", nil, "free", 1_000, nil},
		{"pro", []string{"--tier", "pro"}, "pro", 100_000, nil},
		{"team with an email", []string{"--tier=team", "--billing-email", email}, "team", 1_000_000, &email},
		{"enterprise", []string{"--tier", "enterprise"}, "enterprise", 0, nil},
		{"enterprise with credits", []string{"--tier", "enterprise", "--credits", "5000000"}, "enterprise", 5_000_000, nil},
		{"free with other credits", []string{"--credits", "0"}, "free", 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := newStore(t)
			got := mustJSON[created](t, env, append([]string{"create", "--name", "Ünïcode <& Sons>"}, test.args...)...)
			want := admin.OrganizationJSON{Representation: api.Representation{
				ID: got.Organization.ID, Name: "Ünïcode <& Sons>", Tier: test.wantTier, Credits: test.wantCredits,
				Metadata: json.RawMessage("{}"), BillingEmail: test.wantEmail, RateLimits: limits[test.wantTier], BillingCycleStart: 1,
				CreatedAt: got.Organization.CreatedAt, UpdatedAt: got.Organization.CreatedAt,
				Users: json.RawMessage("null"), Credentials: json.RawMessage("{}"),
			}}
			if diff := cmp.Diff(want, got.Organization); diff != "" {
				t.Errorf("create %q (-want +got):\n%s", test.args, diff)
			}
			wantKey := admin.IssuedKeyJSON{ID: got.Key.ID, Key: got.Key.Key, Permission: "admin", Mode: "live", CreatedAt: got.Organization.CreatedAt}
			if diff := cmp.Diff(wantKey, got.Key); diff != "" {
				t.Errorf("key of create %q (-want +got):\n%s", test.args, diff)
			}
			if diff := cmp.Diff(got.Organization, mustJSON[shown](t, env, "show", got.Organization.ID).Organization); diff != "" {
				t.Errorf("create and show differ (-create +show):\n%s", diff)
			}
		})
	}
}

// TestMembersOfJSON pins the members of the JSON. Decoding does not: it accepts an object that lacks some.
func TestMembersOfJSON(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	got := mustJSON[map[string]map[string]any](t, env, "create", "--name", "A")
	want := map[string][]string{
		"organization": {
			"account_type", "api_url", "auth_provider_org_id", "auto_billing_enabled", "billing_cycle_start", "billing_email",
			"created_at", "credit_count", "current_month_usage", "default_llm_credentials", "deleted_at", "logo_url", "metadata",
			"notifications_email", "nsfw_check_enabled", "nsfw_fail_closed", "organization_id", "organization_name",
			"rate_limit_override", "rate_limits", "updated_at", "users", "version",
		},
		"key": {"created_at", "expires_at", "key", "key_id", "label", "mode", "permission"},
	}
	for name, members := range want {
		if diff := cmp.Diff(members, sortedKeys(got[name])); diff != "" {
			t.Errorf("members of %s (-want +got):\n%s", name, diff)
		}
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func TestTextOfOrganization(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	text := must(t, env, "create", "--name", "Acme", "--tier", "pro")
	match(t, text,
		`(?m)^Organization +org_\w{13}$`, `(?m)^Name +Acme$`, `(?m)^Tier +pro$`, `(?m)^Credits +100000$`,
		`(?m)^Rate limits +metadata 100, data 60, search 60, upload 30, compute 30 a minute$`, `(?m)^Permission +admin$`,
		`(?m)^Key +sk_live_\w{13}_\w{38}$`, `shown only now`,
	)
	id := regexp.MustCompile(`org_\w{13}`).FindString(text)
	text = must(t, env, "show", id)
	match(t, text, id, `(?m)^Keys +1, of which 1 active$`)
	if strings.Contains(text, "sk_live") {
		t.Errorf("show prints\n%s\nwant no key", text)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	if got := must(t, env, "list", "--json"); got != "{\n  \"organizations\": [],\n  \"next\": null\n}\n" {
		t.Errorf("list of nothing = %q, want an empty list", got)
	}
	names := []string{"First", "Second", "Evil\x1b[2J\tname\u202e\n"}
	var ids []string
	for _, name := range names {
		ids = append(ids, mustJSON[created](t, env, "create", "--name", name).Organization.ID)
	}
	must(t, env, "delete", ids[1])
	got := mustJSON[listed](t, env, "list", "--sort", "created_at").Organizations
	for i, o := range got {
		if o.ID != ids[i] || o.Name != names[i] || (o.DeletedAt != nil) != (i == 1) {
			t.Errorf("list[%d] = %s %q deleted at %v, want %s %q, the second deleted", i, o.ID, o.Name, o.DeletedAt, ids[i], names[i])
		}
	}
	lines := strings.Split(strings.TrimSpace(must(t, env, "list", "--sort", "created_at")), "\n")
	wants := []string{
		`^ORGANIZATION +NAME +TIER +CREDITS +VERSION +CREATED +STATE$`,
		`^` + ids[0] + `  First +free  1000     0        \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  active$`,
		`^` + ids[1] + `  Second +free  1000     0        .*  deleted$`,
		`^` + ids[2] + `  Evil\\x1b\[2J\\tname\\u202e\\n  free  1000     0        .*  active$`,
	}
	if len(got) != len(ids) || len(lines) != len(wants) {
		t.Fatalf("list has %d organizations and %d lines, want %d and %d", len(got), len(lines), len(ids), len(wants))
	}
	for i, want := range wants {
		if !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d of list = %q, want %s", i, lines[i], want)
		}
	}
}

func TestDeleteUndeletePurge(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	steps := []struct {
		args        []string
		wantState   string
		wantText    string
		wantDeleted bool // afterwards
	}{
		{[]string{"delete", id}, "deleted", id + " is deleted; orgs undelete brings it back\n", true},
		{[]string{"undelete", id}, "active", id + " is active\n", false},
	}
	for _, step := range steps {
		for range 2 { // the second time changes nothing
			if got, want := mustJSON[state](t, env, step.args...), (state{id, step.wantState}); got != want {
				t.Errorf("orgs %q = %+v, want %+v", step.args, got, want)
			}
		}
		if got := must(t, env, step.args...); got != step.wantText {
			t.Errorf("orgs %q = %q, want %q", step.args, got, step.wantText)
		}
		o := mustJSON[shown](t, env, "show", id).Organization
		if (o.DeletedAt != nil) != step.wantDeleted || o.Version != 0 {
			t.Errorf("after %q: deleted at %v, version %d, want deleted %v and version 0", step.args, o.DeletedAt, o.Version, step.wantDeleted)
		}
	}
	if got, want := actions(mustJSON[trail](t, env, "audit", id)), []string{
		"organization.undeleted", "organization.deleted", "organization.created",
	}; !cmp.Equal(got, want) {
		t.Errorf("actions = %q, want %q", got, want)
	}
	if got := failed(t, env, "delete", id, "--purge"); got.Kind != term.Usage || !strings.Contains(got.Message, "--yes") {
		t.Errorf("delete --purge without a terminal = %+v, want a failure of kind %s that names --yes", got, term.Usage)
	}
	if got, want := mustJSON[state](t, env, "delete", id, "--purge", "--yes"), (state{id, "purged"}); got != want {
		t.Errorf("delete --purge --yes = %+v, want %+v", got, want)
	}
	for _, args := range [][]string{{"delete", id, "--purge"}, {"delete", id, "--purge", "--yes"}} {
		if got := failed(t, env, args...); got.Kind != term.NotFound {
			t.Errorf("orgs %q of what is gone = %+v, want a failure of kind %s", args, got, term.NotFound)
		}
	}
	if got := orgs(t, env, "show", id); got.code != exitFailed {
		t.Errorf("show after purge = %+v, want %d", got, exitFailed)
	}
}

func TestNoSuchOrganization(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	const id = "org_0123456789ABC"
	message := "there is no organization " + id + "; see those there are with: orgs list --store " + env[cli.StoreVariable]
	for _, args := range [][]string{
		{"show", id}, {"delete", id}, {"delete", id, "--purge"}, {"undelete", id}, {"audit", id}, {"find", id},
		{"update", id, "--tier", "pro"},
		{"keys", "issue", id, "--permission", "read"}, {"keys", "list", id}, {"keys", "revoke", id, "key_0123456789ABC"},
	} {
		want := result{exitFailed, "", "orgs " + command(args) + ": " + message + "\n"}
		if got := orgs(t, env, args...); got != want {
			t.Errorf("orgs %q = %+v, want %+v", args, got, want)
		}
		got := failed(t, env, args...)
		if want := (term.Failure{Kind: term.NotFound, Message: message}); got != want {
			t.Errorf("orgs %q --json reports %+v, want %+v", args, got, want)
		}
	}
}

// command returns the words of the arguments that name the command.
func command(args []string) string {
	if args[0] == "keys" {
		return strings.Join(args[:2], " ")
	}
	return args[0]
}
