package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asCommand makes the test binary the command itself, so that tests can have it in processes of its own.
const asCommand = "ORGS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is what a run of the command left.
type result struct {
	code           int
	stdout, stderr string
}

// environment looks up variables in a map instead of the process.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// orgs runs the command in this process.
func orgs(t *testing.T, env environment, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, env.get, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// must runs the command and returns what it prints; it must succeed without a word on stderr.
func must(t *testing.T, env environment, args ...string) string {
	t.Helper()
	r := orgs(t, env, args...)
	if r.code != exitOK || r.stderr != "" {
		t.Fatalf("orgs %q = %d with %q on stderr, want %d and nothing", args, r.code, r.stderr, exitOK)
	}
	return r.stdout
}

// mustJSON runs the command with --json and returns what it prints, decoded. Members that T does not have are refused.
func mustJSON[T any](t *testing.T, env environment, args ...string) T {
	t.Helper()
	return decode[T](t, must(t, env, append(args, "--json")...))
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("decoding %q: %v", text, err)
	}
	return v
}

// newStore returns an environment that names a new, empty SQLite store.
func newStore(t *testing.T) environment {
	t.Helper()
	env := environment{storeVariable: "sqlite:" + filepath.Join(t.TempDir(), "orgs.db")}
	s, err := openStorage(t.Context(), env[storeVariable], env.get)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	return env
}

// The shapes of the answers.
type (
	created struct {
		Organization wireOrganization `json:"organization"`
		Key          wireIssued       `json:"key"`
	}
	shown struct {
		Organization wireOrganization `json:"organization"`
		Keys         wireKeyCount     `json:"keys"`
	}
	listed struct {
		Organizations []wireOrganization `json:"organizations"`
	}
	keyList struct {
		Keys []wireListedKey `json:"keys"`
	}
	trail struct {
		Entries []wireEntry `json:"entries"`
		Next    *string     `json:"next"`
	}
	state struct {
		ID    string `json:"organization_id"`
		State string `json:"state"`
	}
	reported struct {
		Error failure `json:"error"`
	}
)

func TestUsage(t *testing.T) {
	t.Parallel()
	const id = "org_0123456789ABC"
	tests := []struct {
		args []string
		want string // part of the message
	}{
		{nil, "a command is missing"},
		{[]string{"bogus"}, `no command "bogus"`},
		{[]string{"lsit"}, `no command "lsit"; did you mean list?`},
		{[]string{"keys", "isue", id}, `no command "isue"; did you mean issue?`},
		{[]string{"create", "--nmae", "A"}, "unknown flag: --nmae; did you mean --name?"},
		{[]string{"list", "--stroe", "x"}, "unknown flag: --stroe; did you mean --store?"},
		{[]string{"--bogus", "list"}, "unknown flag: --bogus"},
		{[]string{"keys"}, "a command is missing"},
		{[]string{"help", "nosuch"}, `no command "nosuch"`},
		{[]string{"help", "lsit"}, `no command "lsit"; did you mean list?`},
		{[]string{"help", "keys", "isue"}, `no command "isue"; did you mean issue?`},
		{[]string{"help", "list", "extra"}, `no command "extra"`},
		{[]string{"keys", "bogus", id}, `no command "bogus"`},
		{[]string{"tables"}, "a command is missing"},
		{[]string{"create"}, `"name" not set`},
		{[]string{"create", "--name", ""}, "1 to 100 characters"},
		{[]string{"create", "--name", strings.Repeat("é", 101)}, "1 to 100 characters"},
		{[]string{"create", "--name", "A", "extra"}, "unknown command"},
		{[]string{"create", "--name", "A", "--tier", "gold"}, "a tier is one of"},
		{[]string{"create", "--name", "A", "--billing-email", "nobody"}, "no @"},
		{[]string{"create", "--name", "A", "--credits", "-1"}, "0 or more"},
		{[]string{"create", "--name", "A", "--credits", "1.5"}, "whole number"},
		{[]string{"show"}, "accepts 1 arg"},
		{[]string{"show", "acme"}, "an organization id is"},
		{[]string{"show", id, id}, "accepts 1 arg"},
		{[]string{"list", "extra"}, "unknown command"},
		{[]string{"delete", "org_short"}, "an organization id is"},
		{[]string{"undelete"}, "accepts 1 arg"},
		{[]string{"audit", id, "--limit", "0"}, "1 or more"},
		{[]string{"audit", id, "--limit", "many"}, "whole number"},
		{[]string{"keys", "issue", id}, `"permission" not set`},
		{[]string{"keys", "issue", id, "--permission", "root"}, "a permission is one of"},
		{[]string{"keys", "issue", id, "--permission", "read", "--mode", "dev"}, "a mode is"},
		{[]string{"keys", "issue", id, "--permission", "read", "--expires", "-1h"}, "a duration is"},
		{[]string{"keys", "issue", id, "--permission", "read", "--expires", "soon"}, "a duration is"},
		{[]string{"keys", "issue", "--permission", "read"}, "accepts 1 arg"},
		{[]string{"keys", "list"}, "accepts 1 arg"},
		{[]string{"keys", "revoke", id}, "accepts 2 arg"},
		{[]string{"keys", "revoke", "acme", "key_1"}, "an organization id is"},
		{[]string{"tables", "create"}, "needs no tables"},
		{[]string{"serve", "--addr", "8080"}, "HOST:PORT"},
		{[]string{"serve", "--addr", "127.0.0.1:http"}, "HOST:PORT"},
		{[]string{"serve", "--rate-limits", "maybe"}, "on or off"},
		{[]string{"serve", "--allowed-origins", "localhost:3000"}, "http://localhost:3000"},
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
			asJSON := orgs(t, env, append([]string{"--json"}, test.args...)...)
			if asJSON.code != exitUsage || asJSON.stdout != "" {
				t.Errorf("orgs --json %q = %+v, want %d and nothing on stdout", test.args, asJSON, exitUsage)
			}
			got := decode[reported](t, asJSON.stderr).Error
			if got.Kind != kindUsage || !strings.Contains(got.Message, test.want) {
				t.Errorf("orgs --json %q reports %+v, want %s with %q", test.args, got, kindUsage, test.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--help"}, {"help"}, {"help", "serve"}, {"help", "keys", "issue"}, {"help", "help"}, {"help", "completion", "bash"},
		{"keys", "--help"}, {"create", "-h"},
	} {
		if got := must(t, environment{}, args...); !strings.Contains(got, "Usage:") {
			t.Errorf("orgs %q = %q, want the usage", args, got)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	env := environment{storeVariable: "not a store"} // is not looked at
	if got := must(t, env, "version"); !strings.HasPrefix(got, "orgs ") {
		t.Errorf("orgs version = %q, want it to start with the name", got)
	}
	if got := mustJSON[build](t, env, "version"); got != thisBuild() || got.Version == "" || got.Go != runtime.Version() {
		t.Errorf("orgs version --json = %+v, want %+v", got, thisBuild())
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

// TestStoreChoice checks that the flag goes before the environment.
func TestStoreChoice(t *testing.T) {
	t.Parallel()
	env, other := newStore(t), newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A", "--store", other[storeVariable]).Organization.ID
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
	tests := []struct {
		name string
		env  environment
		want string
	}{
		{"no such folder", environment{storeVariable: "sqlite:" + file + "/orgs.db"}, kindFailed},
		{"nobody there", environment{storeVariable: "dynamodb:x", endpointVariable: "http://127.0.0.1:1"}, kindUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := orgs(t, test.env, "list", "--json")
			got := decode[reported](t, r.stderr).Error
			if diff := cmp.Diff(test.want, got.Kind); r.code != exitFailed || diff != "" {
				t.Errorf("orgs list = %d, kind (-want +got):\n%s\nwant %d", r.code, diff, exitFailed)
			}
		})
	}
}

// TestMissingFile checks that who only looks makes no file of a path that is mistyped, and is told what to do.
func TestMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "typo", "orgs.db")
	env := environment{storeVariable: "sqlite:" + path}
	const id = "org_0123456789ABC"
	for _, args := range [][]string{
		{"list"}, {"show", id}, {"audit", id}, {"delete", id}, {"undelete", id},
		{"keys", "list", id}, {"keys", "issue", id, "--permission", "read"}, {"keys", "revoke", id, "key_1"},
	} {
		got := decode[reported](t, orgs(t, env, append(args, "--json")...).stderr).Error
		want := failure{kindNoStore, "there is no file " + path + "; name another with --store, or make this one with: " +
			"orgs create --name NAME --store sqlite:" + path}
		if got != want {
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
