package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	const id = "org_0123456789ABC"
	tests := []struct {
		args []string
		want string // part of the message
	}{
		{[]string{"bogus"}, `no command "bogus"`},
		{[]string{"lsit"}, `no command "lsit"; did you mean list?`},
		{[]string{"keys", "isue", id}, `no command "isue"; did you mean issue?`},
		{[]string{"create", "--nmae", "A"}, "unknown flag: --nmae; did you mean --name?"},
		{[]string{"show", "--stroe", "x"}, "unknown flag: --stroe; did you mean --store?"},
		{[]string{"--bogus", "list"}, "unknown flag: --bogus"},
		{[]string{"help", "nosuch"}, `no command "nosuch"`},
		{[]string{"help", "lsit"}, `no command "lsit"; did you mean list?`},
		{[]string{"help", "keys", "isue"}, `no command "isue"; did you mean issue?`},
		{[]string{"help", "list", "extra"}, `no command "extra"`},
		{[]string{"keys", "bogus", id}, `no command "bogus"`},
		{[]string{"create"}, "--name is missing"},
		{[]string{"create", "--name", ""}, "1 to 100 characters"},
		{[]string{"create", "--name", strings.Repeat("é", 101)}, "1 to 100 characters"},
		{[]string{"create", "--name", "A", "extra"}, `"extra" is one argument too many`},
		{[]string{"create", "--name", "A", "--tier", "gold"}, "a tier is one of"},
		{[]string{"create", "--name", "A", "--billing-email", "nobody"}, "no @"},
		{[]string{"create", "--name", "A", "--credits", "-1"}, "0 or more"},
		{[]string{"create", "--name", "A", "--credits", "1.5"}, "whole number"},
		{[]string{"show"}, "ORG is missing"},
		{[]string{"show", "acme"}, "an organization id is"},
		{[]string{"show", id, id}, "is one argument too many"},
		{[]string{"list", "extra"}, `"extra" is one argument too many`},
		{[]string{"delete", "org_short"}, "an organization id is"},
		{[]string{"undelete"}, "ORG is missing"},
		{[]string{"audit", id, "--limit", "0"}, "1 or more"},
		{[]string{"audit", id, "--limit", "many"}, "whole number"},
		{[]string{"audit", id, "--since", "never"}, "give a time, such as 2030-01-31"},
		{[]string{"audit", id, "--action", "updated"}, "an action is one of organization.created"},
		{[]string{"man"}, "FOLDER is missing"},
		{[]string{"keys", "issue", id}, "--permission is missing"},
		{[]string{"keys", "issue"}, "ORG and --permission are missing"},
		{[]string{"keys", "issue", id, "--permission", "root"}, "a permission is one of"},
		{[]string{"keys", "issue", id, "--permission", "read", "--mode", "dev"}, "a mode is"},
		{[]string{"keys", "issue", id, "--permission", "read", "--expires", "-1h"}, "or never"},
		{[]string{"keys", "issue", id, "--permission", "read", "--expires", "soon"}, "give a time, such as 2030-01-31"},
		{[]string{"keys", "issue", "--permission", "read"}, "ORG is missing"},
		{[]string{"keys", "list"}, "ORG is missing"},
		{[]string{"keys", "revoke", id}, "KEY_ID is missing"},
		{[]string{"keys", "revoke"}, "ORG and KEY_ID are missing"},
		{[]string{"keys", "revoke", "acme", "key_1"}, "an organization id is"},
		{[]string{"tables", "create"}, "needs no tables"},
		{[]string{"serve", "--addr", "8080"}, "HOST:PORT"},
		{[]string{"serve", "--addr", "127.0.0.1:http"}, "HOST:PORT"},
		{[]string{"serve", "--rate-limits", "maybe"}, "on or off"},
		{[]string{"serve", "--allowed-origins", "localhost:3000"}, "http://localhost:3000"},
		{[]string{"seed"}, "--count is missing"},
		{[]string{"seed", "--count", "0"}, "a count is a whole number from 1"},
		{[]string{"seed", "--count", "-1"}, "a count is a whole number from 1"},
		{[]string{"seed", "--count", "1", "--workers", "0"}, "workers are a whole number from 1"},
		{[]string{"seed", "--count", "1", "--seed", "x"}, "a seed is a whole number from 0"},
		{[]string{"backup"}, "FILE is missing"},
		{[]string{"restore"}, "FILE is missing"},
		{[]string{"restore", "a", "b"}, `"b" is one argument too many`},
		{[]string{"list", "--store", "memory"}, "neither sqlite:PATH nor dynamodb:PREFIX"},
		{[]string{"list", "--store", "sqlite:"}, "neither sqlite:PATH nor dynamodb:PREFIX"},
		{[]string{"list", "--store", "postgres:x"}, "neither sqlite:PATH nor dynamodb:PREFIX"},
		{[]string{"list", "--store", "dynamodb:a/b"}, "cannot stand in a table's name"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			env := newStore(t)
			text := orgs(t, env, test.args...)
			if text.code != exitUsage || text.stdout != "" || !strings.Contains(text.stderr, test.want) {
				t.Errorf("orgs %q = %+v, want %d and %q on stderr alone", test.args, text, exitUsage, test.want)
			}
			if !strings.HasPrefix(text.stderr, "orgs") || !strings.HasSuffix(text.stderr, " --help\n") {
				t.Errorf("orgs %q says %q, want the command first and where to find help last", test.args, text.stderr)
			}
			if got := failed(t, env, test.args...); got.Kind != term.Usage || !strings.Contains(got.Message, test.want) {
				t.Errorf("orgs --json %q reports %+v, want %s with %q", test.args, got, term.Usage, test.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--help"}, {"help"}, {"help", "serve"}, {"help", "keys", "issue"}, {"help", "help"}, {"help", "completion", "bash"},
		{"keys", "--help"}, {"create", "-h"}, {}, {"keys"}, {"tables"},
	} {
		if got := must(t, environment{}, args...); !strings.Contains(got, "Usage:") {
			t.Errorf("orgs %q = %q, want the usage", args, got)
		}
	}
}

// TestEveryCommandHasHelp checks that each command has a summary, and examples that it understands.
func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			visit(sub)
		}
		if c.Name() == "completion" || c.Name() == "help" || c.HasParent() && c.Parent().Name() == "completion" {
			return // cobra's own
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has the summary %q and the examples %q, want both", c.CommandPath(), c.Short, c.Example)
		}
		for line := range strings.Lines(c.Example) {
			checkExample(t, env, c, strings.TrimSpace(line))
		}
	}
	visit(newRoot(cli.New(env.get, nil, nil)))
}

// checkExample parses the line as the command would.
func checkExample(t *testing.T, env environment, c *cobra.Command, line string) {
	t.Helper()
	words := strings.Split(strings.ReplaceAll(line, "'Northwind Video'", "Northwind"), " ")
	if words[0] != "orgs" {
		t.Errorf("an example of %s is %q, want it to start with orgs", c.CommandPath(), line)
		return
	}
	root := newRoot(cli.New(env.get, nil, nil))
	found, rest, err := root.Find(words[1:])
	if err == nil {
		err = found.ParseFlags(rest)
	}
	if err == nil {
		err = found.ValidateRequiredFlags()
	}
	if err == nil {
		err = found.ValidateArgs(found.Flags().Args())
	}
	if err != nil {
		t.Errorf("the example %q is not understood: %v", line, err)
	} else if !strings.HasPrefix(found.CommandPath(), c.CommandPath()) {
		t.Errorf("the example %q is of %s, want %s", line, found.CommandPath(), c.CommandPath())
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	env := environment{cli.StoreVariable: "not a store"} // is not looked at
	if got := must(t, env, "--version"); !strings.HasPrefix(got, "orgs ") {
		t.Errorf("orgs --version = %q, want it to start with the name", got)
	}
	if got := mustJSON[build](t, env, "--version"); got != thisBuild() || got.Version == "" || got.Go != runtime.Version() {
		t.Errorf("orgs --version --json = %+v, want %+v", got, thisBuild())
	}
}

// TestManPages: each command has a page, and man can read it.
func TestManPages(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a", "b")
	must(t, environment{}, "man", folder)
	want := map[string]string{"orgs.1": "", "orgs-keys-rotate.1": "--overlap", "orgs-audit.1": "--since", "orgs-serve.1": "--addr"}
	for name, has := range want {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(text), ".TH") || !strings.Contains(strings.ReplaceAll(string(text), `\-`, "-"), has) {
			t.Errorf("%s has %.200q, want a page with %q", name, text, has)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"list"}, false},
		{[]string{"list", "--bogus", "--json"}, true},
		{[]string{"--json=true", "list"}, true},
		{[]string{"--json=false", "list"}, false},
		{[]string{"show", "--", "--json"}, false},
	}
	for _, test := range tests {
		if got := wantsJSON(test.args); got != test.want {
			t.Errorf("wantsJSON(%q) = %v, want %v", test.args, got, test.want)
		}
	}
}

// TestStoreChoice checks that the flag overrides the environment.
func TestStoreChoice(t *testing.T) {
	t.Parallel()
	env, other := newStore(t), newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A", "--store", other[cli.StoreVariable]).Organization.ID
	if got := mustJSON[listed](t, env, "list").Organizations; len(got) != 0 {
		t.Errorf("list of the store of the environment = %+v, want nothing", got)
	}
	got := mustJSON[listed](t, other, "list").Organizations
	if len(got) != 1 || got[0].ID != id {
		t.Errorf("list of the store of the flag = %+v, want %s", got, id)
	}
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "not-a-folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := environment{cli.StoreVariable: "sqlite:" + file + "/orgs.db"}
	if got := failed(t, nowhere, "list"); got.Kind != term.Failed {
		t.Errorf("orgs list without a folder = %+v, want a failure of kind %s", got, term.Failed)
	}
	nobody := environment{cli.StoreVariable: "dynamodb:x", backend.EndpointVariable: "http://127.0.0.1:1"}
	if got := failed(t, nobody, "list"); got.Kind != term.Unavailable {
		t.Errorf("orgs list without an answer = %+v, want a failure of kind %s", got, term.Unavailable)
	}
}

// TestMissingFile mistypes the path of a store. The command makes no file there and says what to do.
func TestMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "typo", "orgs.db")
	env := environment{cli.StoreVariable: "sqlite:" + path}
	const id = "org_0123456789ABC"
	for _, args := range [][]string{
		{"list"}, {"show", id}, {"audit", id}, {"delete", id}, {"undelete", id},
		{"keys", "list", id}, {"keys", "issue", id, "--permission", "read"}, {"keys", "revoke", id, "key_1"},
	} {
		want := term.Failure{Kind: term.NoStore, Message: "there is no file " + path + "; name another with --store, or make this one with: " +
			"orgs create --name NAME --store sqlite:" + path}
		if got := failed(t, env, args...); got != want {
			t.Errorf("orgs %q reports %+v, want %+v", args, got, want)
		}
		if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
			t.Errorf("after orgs %q there is something at %s (%v)", args, path, err)
		}
	}
	must(t, env, "create", "--name", "A")
	if got := mustJSON[listed](t, env, "list").Organizations; len(got) != 1 {
		t.Errorf("list after create = %+v, want one", got)
	}
}

// TestRefusedBeforeAnythingIsMade checks that a command that cannot work leaves no store behind.
func TestRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"tables", "create"}, exitUsage, "needs no tables created"},
		{[]string{"serve", "--addr", "127.0.0.1:0", "--functions", "build"}, exitUsage, "no store but DynamoDB"},
		{[]string{"load", "--patch", "101"}, exitUsage, "0 to 100"},
		{[]string{"load", "--url", "https://example.com"}, exitUsage, "nothing else is put under load"},
	} {
		folder := filepath.Join(t.TempDir(), "new")
		env := environment{cli.StoreVariable: "sqlite:" + filepath.Join(folder, "orgs.db")}
		if r := orgs(t, env, test.args...); r.code != test.code || !strings.Contains(r.stderr, test.want) {
			t.Errorf("orgs %q = %+v, want %d and %q", test.args, r, test.code, test.want)
		}
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("after orgs %q there is something at %s (%v)", test.args, folder, err)
		}
	}
}

func TestDynamoDB(t *testing.T) {
	t.Parallel()
	env := newTables(t)
	prefix := strings.TrimPrefix(env[cli.StoreVariable], "dynamodb:")
	missing := term.Failure{
		Kind: term.NoTables, Message: "the tables are missing; create them with: orgs tables create --store dynamodb:" + prefix,
	}
	for _, args := range [][]string{
		{"list"}, {"create", "--name", "A"}, {"show", "org_0123456789ABC"}, {"serve", "--addr", "127.0.0.1:0"},
	} {
		if got := failed(t, env, args...); got != missing {
			t.Errorf("orgs %q without tables = %+v, want %+v", args, got, missing)
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
