package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/cli"
)

func TestCompletion(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	here := mustJSON[created](t, env, "create", "--name", "Here\x1b").Organization.ID
	gone := mustJSON[created](t, env, "create", "--name", "Gone").Organization.ID
	must(t, env, "delete", gone)
	read := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", here, "--permission", "read").ID
	revoked := mustJSON[admin.IssuedKeyJSON](t, env, "keys", "issue", here, "--permission", "write").ID
	must(t, env, "keys", "revoke", here, revoked)
	admin := mustJSON[keyList](t, env, "keys", "list", here).Keys[0].ID
	folder := t.TempDir()
	for _, name := range []string{"a.db", "b.sqlite3", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	const both, withGone = `\x1b`, "\tGone"
	tests := []struct {
		args []string // the last one is being typed
		want []string
	}{
		{[]string{"audit", ""}, []string{here + "\tHere" + both}},
		{[]string{"keys", "issue", "org_"}, []string{here + "\tHere" + both}},
		{[]string{"undelete", ""}, []string{gone + withGone}},
		{[]string{"keys", "revoke", here, ""}, []string{admin + "\tadmin live", read + "\tread live"}},
		{[]string{"show", here, ""}, nil},
		{[]string{"create", "--tier", ""}, []string{"free", "pro", "team", "enterprise"}},
		{[]string{"keys", "issue", here, "--permission", ""}, []string{"read", "write", "delete", "admin"}},
		{[]string{"keys", "issue", here, "--mode", ""}, []string{"live", "test"}},
		{[]string{"serve", "--rate-limits", ""}, []string{"on", "off"}},
		{[]string{"list", "--store", ""}, []string{"sqlite:\ta file on this machine", "dynamodb:\tthe prefix of the tables' names"}},
		{[]string{"list", "--store", "sqlite:" + folder + "/"},
			[]string{"sqlite:" + folder + "/a.db", "sqlite:" + folder + "/b.sqlite3", "sqlite:" + folder + "/inner/"}},
		{[]string{"list", "--store", "sqlite:" + folder + "/b"}, []string{"sqlite:" + folder + "/b.sqlite3"}},
		{[]string{"keys", "is"}, []string{"issue\tIssue a key; it is shown once and never again"}},
	}
	for _, test := range tests {
		r := orgs(t, env, append([]string{"__complete"}, test.args...)...)
		var got []string
		for line := range strings.Lines(r.stdout) {
			if !strings.HasPrefix(line, ":") { // a directive for the shell
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || r.code != exitOK {
			t.Errorf("completing %q = %d (-want +got):\n%s", test.args, r.code, diff)
		}
	}
	if got := orgs(t, environment{cli.StoreVariable: "sqlite:" + folder + "/no.db"}, "__complete", "show", ""); got.stdout != ":4\n" {
		t.Errorf("completing without a store = %+v, want nothing", got)
	}
	if _, err := os.Stat(folder + "/no.db"); err == nil {
		t.Error("completing made the file of the store")
	}
}

// TestCompletionOnAnOlderSchema completes from a file with an older schema. Completion offers nothing then, and leaves
// the file as it is. After any command that updates the schema, it offers organizations again.
func TestCompletionOnAnOlderSchema(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "Here").Organization.ID
	path := strings.TrimPrefix(env[cli.StoreVariable], "sqlite:")
	before := older(t, path)
	for _, args := range [][]string{{"__complete", "show", ""}, {"__complete", "keys", "revoke", id, ""}} {
		if got := orgs(t, env, args...); got.stdout != ":4\n" || got.code != exitOK {
			t.Errorf("orgs %q = %+v, want no completion and no error", args, got)
		}
	}
	if contentOf(t, path) != before {
		t.Error("completing changes the file")
	}
	must(t, env, "show", id)
	if got := orgs(t, env, "__complete", "show", ""); got.stdout != id+"\tHere\n:4\n" {
		t.Errorf("completing after a command = %+v, want %s", got, id)
	}
}

// TestCompletionScripts checks the script for each shell, and has bash parse its own.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script := must(t, environment{}, "completion", shell)
		if !strings.Contains(script, "__complete") {
			t.Errorf("the script for %s is %q", shell, script)
		}
		if shell != "bash" {
			continue // the others are not on every machine
		}
		check := exec.CommandContext(t.Context(), shell, "-n")
		check.Stdin = strings.NewReader(script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s does not understand its script: %v\n%s", shell, err, out)
		}
	}
}
