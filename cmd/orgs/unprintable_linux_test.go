package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
)

// openFull opens a file on which nothing can be written, as on a full disk.
func openFull(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// TestUnprintableKeys: if a new key cannot be printed, the failure says what was done and names the lost key, once
// each. A key that is in use stays as it was.
func TestUnprintableKeys(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, env environment) {
		made := mustJSON[created](t, env, "create", "--name", "A")
		id, first := made.Organization.ID, made.Key.ID
		attempt := func(args ...string) string {
			var stderr bytes.Buffer
			code := run(t.Context(), args, env.get, openFull(t), &stderr)
			if code != exitFailed || strings.Count(stderr.String(), "no space left") != 1 || strings.Contains(stderr.String(), "sk_") ||
				strings.Contains(stderr.String(), "/dev/") {
				t.Errorf("orgs %q without room for its output = %d with %q on stderr, want %d and the reason once", args, code, &stderr, exitFailed)
			}
			return stderr.String()
		}
		keys := func(id string) map[string]string {
			status := map[string]string{}
			for _, k := range mustJSON[keyList](t, env, "keys", "list", id).Keys {
				status[k.ID] = k.Status
			}
			return status
		}

		said := attempt("keys", "rotate", id, first, "--overlap", "0")
		match(t, said, first+" is as it was", "nothing was changed")
		if got := keys(id); len(got) != 1 || got[first] != "active" {
			t.Errorf("after a rotation that could not be shown the keys are %v, want the one from before", got)
		}

		said = attempt("keys", "issue", id, "--permission", "read")
		issued := regexp.MustCompile(`key_\w+`).FindString(said)
		match(t, said, "was issued, but could not be shown", "nobody has "+issued, "keys revoke "+id+" "+issued, "keys issue "+id+" --permission read")
		if got := keys(id); len(got) != 2 || got[issued] != "active" {
			t.Errorf("the keys are %v, want %s too", got, issued)
		}

		said = attempt("create", "--name", "B")
		second := regexp.MustCompile(`org_\w+`).FindString(said)
		match(t, said, second+" was created", "nobody has key_", "keys issue "+second+" --permission admin")
		if got := keys(second); len(got) != 1 {
			t.Errorf("the keys of %s are %v, want one", second, got)
		}

		match(t, attempt("seed", "--yes", "--count", "2", "--seed", "1"), "2 organizations were created from the seed 1, but", "keys issue ORG")
		file := filepath.Join(t.TempDir(), "keys")
		match(t, attempt("seed", "--yes", "--count", "2", "--seed", "2", "--keys", file), "their keys are in "+file)
	})
}

// TestUnprintableChanges: if the result of a change cannot be printed, the failure says that the change was made, with
// --json too. Who believes that nothing happened would add credits twice.
func TestUnprintableChanges(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A", "--credits", "5")
	id, key := made.Organization.ID, made.Key.ID
	folder := t.TempDir()
	changes, backup := filepath.Join(folder, "changes"), filepath.Join(folder, "backup")
	if err := os.WriteFile(changes, []byte(`{"organization_id":"`+id+`","credit_count":"+1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ want, args string }{
		{id + " has version 1 now", "update ORG --credits +1"},
		{id + " has version 2 now", "update ORG --credits +1 --json"},
		{"1 of 1 lines changed something", "update --file CHANGES"},
		{key + " of " + id + " expires at ", "keys expires ORG KEY 1h"},
		{key + " of " + id + " is revoked since ", "keys revoke ORG KEY"},
		{id + " is deleted", "delete ORG"},
		{id + " is active", "undelete ORG"},
		{"backup has 1 organization", "backup BACKUP"},
		{"0 organizations were restored", "restore BACKUP"},
		{id + " is gone for good", "delete ORG --purge --yes"},
		{"1 organizations were restored", "restore BACKUP"},
	} {
		args := strings.Fields(strings.NewReplacer("ORG", id, "KEY", key, "CHANGES", changes, "BACKUP", backup).Replace(c.args))
		var stderr bytes.Buffer
		code := run(t.Context(), args, env.get, openFull(t), &stderr)
		if code != exitFailed {
			t.Errorf("orgs %q without room for its output = %d, want %d", args, code, exitFailed)
		}
		match(t, stderr.String(), c.want+".*, but this could not be shown: .*no space left")
	}
	if got := mustJSON[shown](t, env, "show", id).Organization.Credits; got != 8 {
		t.Errorf("%d credits, want the 5 from the beginning and 3 more", got)
	}
}

// TestUnprintableWelcome starts the first gateway of a store with an output that has no room for the welcome. The keys can
// be shown later, if there was a place to keep them.
func TestUnprintableWelcome(t *testing.T) {
	t.Parallel()
	for _, kept := range []bool{true, false} {
		env := newStore(t)
		if !kept { // something else is where the keys go
			if err := os.MkdirAll(strings.TrimPrefix(env[cli.StoreVariable], "sqlite:")+".demo-keys/x", 0o700); err != nil {
				t.Fatal(err)
			}
		}
		var stderr bytes.Buffer
		code := run(t.Context(), []string{"serve", "--addr", "127.0.0.1:0"}, env.get, openFull(t), &stderr)
		made := mustJSON[listed](t, env, "list").Organizations
		if code != exitFailed || len(made) != 1 {
			t.Fatalf("serve = %d with %q on stderr, and %d organizations, want %d and one", code, &stderr, len(made), exitFailed)
		}
		if kept {
			match(t, stderr.String(), "could not be shown: .*no space left on device; show them with: orgs serve keys")
			match(t, must(t, env, "serve", "keys"), `admin  sk_live_\w+`, `read   sk_live_\w+`)
			continue
		}
		id := made[0].ID
		match(t, stderr.String(), "keeping the demo keys: .*, so they are shown only now", "now has the organization "+id,
			"nobody has key_\\w+ and key_", "keys issue "+id+" --permission admin", "keys issue "+id+" --permission read", "no space left")
	}
}

// TestChangesForAReaderWhoIsGone prints results into a pipe that nobody reads any more. The signal SIGPIPE would end
// the command before it can say what it did.
func TestChangesForAReaderWhoIsGone(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	changes := `{"organization_id":"` + id + `","credit_count":"+1"}` + "\n{}\n"
	for _, c := range []struct {
		want string
		args []string
	}{
		{"was created, but its key could not be shown: .*broken pipe; nobody has key_", []string{"create", "--name", "A"}},
		{id + " has version 1 now, but this could not be shown: .*broken pipe", []string{"update", id, "--credits", "+1"}},
		{"1 of 2 lines changed something, but this could not be shown: .*broken pipe", []string{"update", "--file", "-"}},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], c.args...)
		command.Env = append(os.Environ(), asCommand+"=1", cli.StoreVariable+"="+env[cli.StoreVariable])
		var stderr bytes.Buffer
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(changes), writer, &stderr
		var exit *exec.ExitError
		if err := command.Run(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
			t.Errorf("orgs %q for a reader who is gone: %v, want exit code %d", c.args, err, exitFailed)
		}
		match(t, stderr.String(), c.want)
	}
}

// TestUnprintableOutput: if a part of the command cannot print, that is a failure, but not one about the arguments.
func TestUnprintableOutput(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	for _, args := range [][]string{
		{"--version"}, {"list"}, {"list", "--json"}, {"doctor"}, {"--help"}, {"help", "keys"}, {"keys", "issue", "--help"},
		{"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"completion", "powershell"},
	} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, env.get, openFull(t), &stderr)
		if code != exitFailed || !strings.Contains(stderr.String(), "no space left") || strings.Contains(stderr.String(), "See:") {
			t.Errorf("orgs %q without room for its output = %d with %q on stderr, want %d and the reason", args, code, &stderr, exitFailed)
		}
	}
	if got := failed(t, env, "completion", "bash", "too", "much"); got.Kind != term.Usage {
		t.Errorf("completion with wrong arguments = %+v, want kind %s", got, term.Usage)
	}
}
