package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
)

func TestSeed(t *testing.T) {
	t.Parallel()
	env, other := newStore(t), newStore(t)
	file := filepath.Join(t.TempDir(), "keys")
	got := mustJSON[sown](t, env, "seed", "--count", "450", "--seed", "7", "--keys", file)
	if got.Created != 450 || got.Existing != 0 || got.Seed != 7 || len(got.Keys) != 3 {
		t.Fatalf("seed = %+v, want 450 created from 7, and some keys", got)
	}
	keys, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := keyPattern.FindAllString(string(keys), -1)
	slices.Sort(all)
	if len(slices.Compact(all)) != 450 {
		t.Errorf("the file of keys has %d of them, want 450", len(all))
	}

	// A larger count of the same seed completes what is there.
	again := mustJSON[sown](t, env, "seed", "--yes", "--count", "500", "--seed", "7", "--workers", "2")
	if again.Created != 50 || again.Existing != 450 {
		t.Errorf("seed again = %+v, want 50 created and 450 existing", again)
	}
	mustJSON[sown](t, other, "seed", "--count", "500", "--seed", "7")
	one, two := mustJSON[listed](t, env, "list").Organizations, mustJSON[listed](t, other, "list").Organizations
	if diff := cmp.Diff(one, two); diff != "" || len(one) != 500 {
		t.Errorf("two stores from one seed have %d organizations, and differ (-one +two):\n%s", len(one), diff)
	}
	random := mustJSON[sown](t, env, "seed", "--yes", "--count", "10")
	if random.Created != 10 {
		t.Errorf("seed without a seed = %+v, want 10 created", random)
	}

	text := must(t, env, "seed", "--yes", "--count", "1")
	if !strings.HasPrefix(text, "Created 1 organizations in ") || len(keyPattern.FindAllString(text, -1)) != 1 {
		t.Errorf("seed = %q, want what it did and a key", text)
	}
	if r := orgs(t, env, "seed", "--yes", "--count", "1", "--keys", file); r.code != exitFailed || !strings.Contains(r.stderr, "exists") {
		t.Errorf("seed into a file of keys that is there = %+v, want it refused", r)
	}

	s := startServer(t, env)
	if a := ask(t, newClient(t), "GET", s.url+organizations, all[17], ""); a.status != 200 {
		t.Errorf("GET with a key of the file = %d %s, want 200", a.status, a.body)
	}
	id := got.Keys[0].ID
	if got := actions(mustJSON[trail](t, env, "audit", id)); got[len(got)-1] != "organization.created" {
		t.Errorf("the trail of %s begins with %q, want its creation", id, got)
	}
}

// TestSeedKeysBeforeResults checks that the keys are in their file before anything is printed.
func TestSeedKeysBeforeResults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	var found []string
	stdout := writerFunc(func(p []byte) (int, error) {
		keys, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		found = keyPattern.FindAllString(string(keys), -1)
		return 0, errors.New("nobody reads")
	})
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"seed", "--count", "5", "--keys", file}, newStore(t).get, stdout, &stderr)
	if code != exitFailed || len(found) != 5 || !strings.Contains(stderr.String(), "nobody reads") {
		t.Errorf("seed = %d, %q, with %d keys in the file when it printed, want %d and 5", code, &stderr, len(found), exitFailed)
	}
}

// TestSeedFails seeds tables that do not exist. No file of keys may be left.
func TestSeedFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	if got := failed(t, newTables(t), "seed", "--count", "10", "--keys", file); got.Kind != term.NoTables {
		t.Errorf("seed without tables = %+v, want a failure of kind %s", got, term.NoTables)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file of keys: %v, want none", err)
	}
}

// TestSeedInterrupted ends a run as Ctrl-C does, and then completes it.
func TestSeedInterrupted(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	const count = "100000"
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr bytes.Buffer
	a := cli.New(env.get, &stdout, &stderr)
	// On a terminal the progress is drawn often. The first time interrupts the command.
	a.Stderr = &term.Screen{Terminal: true, Cursor: true, Writer: writerFunc(func(p []byte) (int, error) {
		interrupt()
		return stderr.Write(p)
	})}
	root := newRoot(a)
	root.SetArgs([]string{"seed", "--count", count, "--seed", "3"})
	err := root.ExecuteContext(ctx)
	if err == nil || err.Error() != "interrupted; to create the rest, run it again with --seed 3 --yes" {
		t.Fatalf("seed, interrupted = %v, want it to say how to go on", err)
	}
	said := regexp.MustCompile(`^Created ([0-9,]+) organizations`).FindStringSubmatch(stdout.String())
	n := len(mustJSON[listed](t, env, "list").Organizations)
	if said == nil || said[1] != term.Grouped(int64(n)) || n == 0 {
		t.Errorf("seed, interrupted, says %q, and the store has %d organizations", &stdout, n)
	}
	again := mustJSON[sown](t, env, "seed", "--yes", "--count", fmt.Sprint(n+10), "--seed", "3")
	if again.Created+again.Existing != int64(n+10) || again.Existing == 0 {
		t.Errorf("seed again = %+v, want the rest of %d created", again, n+10)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
