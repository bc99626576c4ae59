package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
)

// onTerminal runs the command with a terminal as its standard input and standard error, types the answer when the
// terminal shows the question, and returns what the person saw. It types nothing if the command asks nothing.
func onTerminal(t *testing.T, env environment, question, answer string, args ...string) (r result, seen string) {
	t.Helper()
	terminal, person := openTerminal(t, 200)
	var stdout bytes.Buffer
	a := cli.New(env.get, &stdout, terminal)
	a.Stdin = terminal
	code := make(chan int, 1)
	const end = "THE END"
	go func() {
		code <- execute(t.Context(), a, args)
		_, _ = terminal.WriteString(end) // a failure leaves the reader waiting, and the test fails
	}()
	var shown []byte
	for asked := false; !bytes.HasSuffix(shown, []byte(end)); {
		buffer := make([]byte, 4096)
		n, err := person.Read(buffer)
		if err != nil {
			t.Fatalf("reading the terminal: %v after %q", err, shown)
		}
		shown = append(shown, buffer[:n]...)
		if !asked && question != "" && bytes.HasSuffix(shown, []byte(question)) {
			asked = true
			if _, err := person.WriteString(answer + "\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return result{code: <-code, stdout: stdout.String()}, string(shown)
}

const question = "Go ahead? [y/N] "

func TestPurgeAsks(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "Northwind").Organization.ID
	for _, answer := range []string{"", "n", "no", "N", id, "yess"} {
		r, seen := onTerminal(t, env, question, answer, "delete", id, "--purge")
		if r.code != exitFailed || r.stdout != "" || !strings.Contains(seen, id+" (Northwind), ") || !strings.Contains(seen, "nothing was changed") {
			t.Errorf("delete --purge, answered %q, = %+v and shows %q, want nothing changed", answer, r, seen)
		}
	}
	must(t, env, "show", id)
	// A script has no terminal on either side, and --json is for scripts.
	if r := withInput(t, env, strings.NewReader("y\n"), "delete", id, "--purge"); r.code != exitUsage || !strings.Contains(r.stderr, "--yes") {
		t.Errorf("delete --purge with an answer from a pipe = %+v, want %d and --yes named", r, exitUsage)
	}
	if r, seen := onTerminal(t, env, "", "", "--json", "delete", id, "--purge"); r.code != exitUsage || !strings.Contains(seen, "--yes") {
		t.Errorf("delete --purge --json = %+v and shows %q, want %d and --yes named", r, seen, exitUsage)
	}
	must(t, env, "show", id)
	if r, seen := onTerminal(t, env, question, "Yes", "delete", id, "--purge"); r.code != exitOK || r.stdout != id+" is gone for good\n" {
		t.Errorf("delete --purge, answered with yes, = %+v and shows %q, want it gone", r, seen)
	}
	if r, seen := onTerminal(t, env, "", "", "delete", id, "--purge"); r.code != exitFailed || !strings.Contains(seen, "there is no organization") {
		t.Errorf("delete --purge of nothing = %+v and shows %q, want no question", r, seen)
	}
}

// TestPurgeInterrupted ends the command while it waits for the answer.
func TestPurgeInterrupted(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	terminal, person := openTerminal(t, 200)
	ctx, interrupt := context.WithCancel(t.Context())
	var stdout bytes.Buffer
	a := cli.New(env.get, &stdout, terminal)
	a.Stdin = terminal
	code := make(chan int, 1)
	go func() { code <- execute(ctx, a, []string{"delete", id, "--purge"}) }()
	readUntil(t, person, question)
	interrupt()
	if got := <-code; got != exitInterrupted || stdout.Len() > 0 {
		t.Errorf("delete --purge, interrupted, = %d and prints %q, want %d", got, &stdout, exitInterrupted)
	}
	must(t, env, "show", id)
}

// TestSeedAsks: only a SQLite store without organizations is filled without a question.
func TestSeedAsks(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	seed := []string{"seed", "--count", "2"}
	must(t, env, seed...)
	tables := newTables(t)
	must(t, tables, "tables", "create")
	for name, env := range map[string]environment{"a store with organizations": env, "empty tables": tables} {
		count := func() int { return len(mustJSON[listed](t, env, "list").Organizations) }
		before := count()
		if got := failed(t, env, seed...); got.Kind != term.Usage || !strings.Contains(got.Message, "--yes") {
			t.Errorf("seed of %s = %+v, want a failure of kind %s that names --yes", name, got, term.Usage)
		}
		if r, seen := onTerminal(t, env, question, "n", seed...); r.code != exitFailed || !strings.Contains(seen, "2 made-up organizations will be added to ") {
			t.Errorf("seed of %s, declined, = %+v and shows %q, want nothing changed", name, r, seen)
		}
		if n := count(); n != before {
			t.Errorf("%s has %d organizations after seeds that were not agreed to, want %d", name, n, before)
		}
		if r, seen := onTerminal(t, env, question, "y", seed...); r.code != exitOK {
			t.Errorf("seed of %s, agreed to, = %+v and shows %q, want %d", name, r, seen, exitOK)
		}
		must(t, env, append(slices.Clone(seed), "--yes")...)
		if n := count(); n != before+4 {
			t.Errorf("%s has %d organizations, want %d", name, n, before+4)
		}
	}
}

// TestFindHidesWhatIsTyped types a key on a terminal, which must not show it.
func TestFindHidesWhatIsTyped(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	made := mustJSON[created](t, env, "create", "--name", "A")
	r, seen := onTerminal(t, env, "Key: ", made.Key.Key, "--json", "find", "-")
	if got := decode[found](t, r.stdout).Found; r.code != exitOK || len(got) != 1 || got[0].Key.ID != made.Key.ID {
		t.Errorf("find - on a terminal = %+v, want the key found", r)
	}
	if strings.Contains(seen, "sk_") {
		t.Errorf("the terminal shows %q, want nothing of the key", seen)
	}
}

// TestInterruptedReading: the first signal ends a command that waits for the other end of a named pipe.
func TestInterruptedReading(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, env string }{
		"changes":           {"update --file PIPE", ""},
		"AWS configuration": {"list --store dynamodb:x", "AWS_CONFIG_FILE=PIPE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), os.Args[0], strings.Fields(strings.ReplaceAll(c.args, "PIPE", pipe))...)
			command.Env = append(os.Environ(), asCommand+"=1", cli.StoreVariable+"="+newStore(t)[cli.StoreVariable],
				strings.ReplaceAll(c.env, "PIPE", pipe))
			var stderr bytes.Buffer
			command.Stderr = &stderr
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until the command has opened the pipe
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if err := command.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
				t.Errorf("orgs %s, interrupted: %v, want exit code %d; it says %q", c.args, err, exitInterrupted, &stderr)
			}
			match(t, stderr.String(), "interrupted")
		})
	}
}

// TestPipesInPlaceOfFiles: a named pipe is refused at once where a short file is expected.
func TestPipesInPlaceOfFiles(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	id := mustJSON[created](t, env, "create", "--name", "A").Organization.ID
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := orgs(t, env, "update", id, "--metadata", "@"+pipe); r.code != exitUsage || !strings.Contains(r.stderr, "is not a regular file") {
		t.Errorf("update --metadata @PIPE = %+v, want it refused", r)
	}
	keys := strings.TrimPrefix(env[cli.StoreVariable], "sqlite:") + ".demo-keys"
	if err := os.Rename(pipe, keys); err != nil {
		t.Fatal(err)
	}
	if r := orgs(t, env, "serve", "keys"); r.code != exitFailed || !strings.Contains(r.stderr, "is not a regular file") {
		t.Errorf("serve keys with a pipe in their place = %+v, want it refused", r)
	}
}
