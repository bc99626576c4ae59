package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDynamoDB(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	prefix := strings.TrimPrefix(env[storeVariable], "dynamodb:")
	missing := failure{kindNoTables, "the tables are missing; create them with: orgs tables create --store dynamodb:" + prefix}
	for _, args := range [][]string{
		{"list"}, {"create", "--name", "A"}, {"show", "org_0123456789ABC"}, {"serve", "--addr", "127.0.0.1:0"},
	} {
		r := orgs(t, env, append(args, "--json")...)
		if got := decode[reported](t, r.stderr).Error; got != missing || r.code != exitFailed || r.stdout != "" {
			t.Errorf("orgs %q without tables = %+v, want %d and %+v", args, r, exitFailed, missing)
		}
	}

	type tables struct{ Tables []string }
	want := tables{[]string{prefix + "-organizations", prefix + "-counters"}}
	if got := mustJSON[tables](t, env, "tables", "create"); !cmp.Equal(got, want) {
		t.Errorf("tables create = %+v, want %+v", got, want)
	}
	wantText := "The tables " + prefix + "-organizations and " + prefix + "-counters are there.\n"
	if got := must(t, env, "tables", "create"); got != wantText {
		t.Errorf("tables create, again = %q, want %q", got, wantText)
	}

	s := startServer(t, env)
	screen := s.stdout.String()
	keys := keyPattern.FindAllString(screen, -1)
	if len(keys) != 4 {
		t.Fatalf("the screen says\n%s\nwant two keys, each twice", screen)
	}
	body := `{"organization_name": "B"}`
	if got := ask(t, newClient(t), "PATCH", s.url+organizations, keys[0], body); got.status != 200 {
		t.Errorf("PATCH = %d %s, want 200", got.status, got.body)
	}
	list := mustJSON[listed](t, env, "list").Organizations
	if len(list) != 1 || list[0].Name != "B" || list[0].Version != 1 {
		t.Errorf("list = %+v, want B in version 1", list)
	}
	if got, want := actions(mustJSON[trail](t, env, "audit", list[0].ID)), []string{
		"organization.updated", "key.issued", "organization.created",
	}; !cmp.Equal(got, want) {
		t.Errorf("actions = %q, want %q", got, want)
	}
}
