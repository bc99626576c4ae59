package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
)

// backupOrganizations is how many organizations TestBackupBetweenEngines takes there and back.
var backupOrganizations = flag.Int("backup.organizations", 0,
	"how many organizations to back up and restore; 0: 800, or 150 with -short")

func backupSize() int {
	switch {
	case *backupOrganizations > 0:
		return *backupOrganizations
	case testing.Short():
		return 150
	default:
		return 800
	}
}

// The shapes of the answers.
type (
	backedUp struct {
		File                          string
		Organizations, Entries, Bytes int64
		SHA256                        string
		Begun                         time.Time `json:"begun_at"`
	}
	restored struct {
		File                                        string
		Organizations, Entries, Restored, Identical int64
		SHA256                                      string
		Different, Missing                          []string
	}
	sown struct {
		Created, Existing, Seed int64
		Seconds                 float64
		Keys                    []struct {
			ID  string `json:"organization_id"`
			Key string `json:"key"`
		}
	}
)

// process runs the command as a separate process.
func process(ctx context.Context, env environment, args ...string) (stdout, stderr *bytes.Buffer, command *exec.Cmd) {
	command = exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), asCommand+"=1")
	for name, value := range env {
		command.Env = append(command.Env, name+"="+value)
	}
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	command.Stdout, command.Stderr = stdout, stderr
	return stdout, stderr, command
}

// killed runs the command and kills it after a while, again and again, each time later. After some kills it lets the
// command end. Between two runs it calls again. It returns the output of the last run, and how many runs were killed.
func killed(t *testing.T, env environment, begin time.Duration, again func(), args ...string) (string, int) {
	t.Helper()
	const enough = 4
	for kills := 0; ; kills++ {
		ctx, cancel := context.WithCancel(t.Context())
		if kills < enough {
			ctx, cancel = context.WithTimeout(ctx, begin+rand.N(begin))
		}
		stdout, stderr, command := process(ctx, env, args...)
		err := command.Run()
		killed := ctx.Err() != nil
		cancel()
		if err == nil {
			return stdout.String(), kills
		}
		if !killed {
			t.Fatalf("orgs %q = %v with %q on stderr, want it to get through", args, err, stderr)
		}
		begin *= 2
		again()
	}
}

// TestBackupBetweenEngines takes organizations from SQLite to DynamoDB and back, and kills every command on the way. A
// backup then starts anew, a restore does the rest.
func TestBackupBetweenEngines(t *testing.T) {
	t.Parallel()
	n := backupSize()
	folder := t.TempDir()
	there, back := filepath.Join(folder, "there"), filepath.Join(folder, "back")
	first, tables, last := newStore(t), newTables(t), newStore(t)
	must(t, tables, "tables", "create")
	must(t, last, "list")

	begin := time.Now()
	if got := mustJSON[sown](t, first, "seed", "--yes", "--count", fmt.Sprint(n)); got.Created != int64(n) {
		t.Fatalf("seed = %+v, want %d created", got, n)
	}
	t.Logf("%d organizations seeded in %v", n, time.Since(begin))
	slice := max(time.Duration(n)*40*time.Microsecond, 150*time.Millisecond) // before a command is killed for the first time

	kills := move(t, first, tables, there, n, slice) + move(t, tables, last, back, n, slice)
	if kills == 0 {
		t.Error("no command was ever killed, so nothing was shown of kills")
	}

	// The first store is what the last backup says, and that has nothing else.
	got := mustJSON[restored](t, first, "restore", back, "--compare")
	if got.Identical != int64(n) || got.Restored != 0 || len(got.Different)+len(got.Missing) > 0 {
		t.Errorf("restore --compare of the first store with the last backup = %+v, want %d identical", got, n)
	}
	if a, b := content(t, there), content(t, back); len(a) != n || !cmp.Equal(a, b) {
		t.Errorf("the two backups have %d and %d organizations, which are not the same, byte for byte", len(a), len(b))
	}
}

// move takes n organizations from one store to another through a file, and returns how many commands it killed.
func move(t *testing.T, from, to environment, file string, n int, slice time.Duration) int {
	t.Helper()
	begin := time.Now()
	// A process that is killed once its backup is complete could not say so, and the next one would not replace the
	// file.
	unmade := func() {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
	}
	out, kills := killed(t, from, slice, unmade, "backup", file, "--json")
	made := decode[backedUp](t, out)
	t.Logf("backup: killed %d times, then %+v after %v", kills, made, time.Since(begin))
	if made.Organizations != int64(n) || made.Entries < int64(n) {
		t.Fatalf("backup = %+v, want %d organizations with an entry each at least", made, n)
	}

	begin = time.Now()
	out, more := killed(t, to, slice, func() {}, "restore", file, "--json")
	got := decode[restored](t, out)
	t.Logf("restore: killed %d times, then %+v after %v", more, got, time.Since(begin))
	want := restored{
		File: file, SHA256: made.SHA256, Different: []string{}, Missing: []string{},
		Organizations: made.Organizations, Entries: made.Entries, Identical: made.Organizations, Restored: got.Restored,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("restore (-want +got):\n%s", diff)
	}
	return kills + more
}

// content returns the organizations of a backup, each with its entries, as they are in the file. Their order says
// nothing.
func content(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body, _, found := strings.Cut(string(text), `{"key_secrets":`) // each store has its own, and what was restored to it
	if !found {
		t.Errorf("the backup %s has no secrets for keys", file)
	}
	organizations := make(map[string]bool)
	for _, o := range strings.Split(body, `{"organization":`)[1:] { // the header comes before the first
		organizations[o] = true
	}
	return organizations
}

func TestBackupText(t *testing.T) {
	t.Parallel()
	env, other := newStore(t), newStore(t)
	file := filepath.Join(t.TempDir(), "orgs.backup")
	made := mustJSON[created](t, env, "create", "--name", "A")
	if got := must(t, env, "backup", file); !strings.Contains(got, "has 1 organization with 1 audit entry, ") {
		t.Errorf("backup = %q, want it to say what the file has", got)
	}
	r := orgs(t, env, "backup", file, "--json")
	if got := decode[struct{ Error term.Failure }](t, r.stderr).Error; r.code != exitFailed || got.Kind != term.Conflict {
		t.Errorf("backup to a file that is there = %+v, want %d and %s", r, exitFailed, term.Conflict)
	}
	for range 2 {
		if got := must(t, other, "restore", file); !strings.Contains(got, "1 identical, 0 different, 0 missing") {
			t.Errorf("restore = %q, want one identical", got)
		}
	}
	if got := mustJSON[shown](t, other, "show", made.Organization.ID); !cmp.Equal(got.Organization, made.Organization) {
		t.Errorf("show = %+v, want %+v", got.Organization, made.Organization)
	}

	must(t, other, "delete", made.Organization.ID)
	for _, args := range [][]string{{"restore", file}, {"restore", file, "--compare"}} {
		r = orgs(t, other, args...)
		if r.code != exitFailed || !strings.Contains(r.stdout, "1 different") || !strings.Contains(r.stderr, made.Organization.ID) {
			t.Errorf("orgs %q of what was changed = %+v, want %d and its name", args, r, exitFailed)
		}
	}
	r = orgs(t, newStore(t), "restore", file, "--compare")
	if r.code != exitFailed || !strings.Contains(r.stdout, "1 missing") {
		t.Errorf("restore --compare with an empty store = %+v, want one missing", r)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	env, other := newStore(t), newStore(t)
	mustJSON[sown](t, env, "seed", "--yes", "--count", "300")
	file := filepath.Join(t.TempDir(), "orgs.backup")
	must(t, env, "backup", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-len(text)/10] ^= 1
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := orgs(t, other, "restore", file)
	if r.code != exitFailed || !strings.Contains(r.stderr, "not a complete backup as it was written: line ") {
		t.Errorf("restore of a damaged file = %+v, want it refused", r)
	}
	if got := mustJSON[listed](t, other, "list").Organizations; len(got) != 0 {
		t.Errorf("restore of a damaged file left %d organizations, want none", len(got))
	}
	if r := orgs(t, other, "restore", file+".not"); r.code != exitFailed || !strings.Contains(r.stderr, "no such file") {
		t.Errorf("restore of a missing file = %+v, want it to say so", r)
	}
}

const startsAnew = "; no backup was written, and the same command starts anew"

// TestBackupDiskFull gives the command less room than it needs, and then enough.
func TestBackupDiskFull(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	mustJSON[sown](t, env, "seed", "--yes", "--count", "1000")
	file := filepath.Join(t.TempDir(), "orgs.backup")
	const blocks = "2800" // of 512 bytes, as sh has it
	command := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f `+blocks+` && exec "$0" "$@"`, os.Args[0], "backup", file)
	command.Env = append(os.Environ(), asCommand+"=1", cli.StoreVariable+"="+env[cli.StoreVariable])
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(string(out), "file too large"+startsAnew) {
		t.Fatalf("backup without room = %v, %s, want it to say so", err, out)
	}
	wantNothingIn(t, filepath.Dir(file))
	if got := mustJSON[backedUp](t, env, "backup", file); got.Organizations != 1000 {
		t.Errorf("backup with room = %+v, want 1000 organizations", got)
	}
	if got := mustJSON[restored](t, env, "restore", file); got.Identical != 1000 {
		t.Errorf("restore = %+v, want 1000 identical", got)
	}
}

func wantNothingIn(t *testing.T, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("the folder has %v, %v, want nothing", left, err)
	}
}

// interrupted runs the command as a process, and interrupts it when due returns true. It returns the text on stderr, or
// "" if the command ended before that.
func interrupted(t *testing.T, env environment, due func() bool, args ...string) string {
	t.Helper()
	_, stderr, command := process(t.Context(), env, args...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for signalled := false; ; {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitInterrupted) {
				t.Fatalf("orgs %q, interrupted = %v with %q on stderr, want the exit code %d", args, err, stderr, exitInterrupted)
			}
			return stderr.String()
		case <-time.After(time.Millisecond):
		}
		if !signalled && due() {
			signalled = true
			_ = command.Process.Signal(os.Interrupt) // fails when it has ended meanwhile
		}
	}
}

// TestInterrupted ends a backup and a restore as Ctrl-C does. They must say what is left to do. Running the same
// command again must do it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	const organizations, attempts = 1000, 5
	env := newStore(t)
	mustJSON[sown](t, env, "seed", "--yes", "--count", fmt.Sprint(organizations))
	var said string
	for range attempts {
		file := filepath.Join(t.TempDir(), "orgs.backup")
		begun := func() bool {
			found, err := filepath.Glob(file + ".*.partial")
			return err == nil && len(found) > 0
		}
		if said = interrupted(t, env, begun, "backup", file); said != "" {
			wantNothingIn(t, filepath.Dir(file))
			break
		}
	}
	if want := "orgs backup: interrupted" + startsAnew + "\n"; said != want {
		t.Errorf("backup, interrupted, said %q, want %q", said, want)
	}

	file := filepath.Join(t.TempDir(), "orgs.backup")
	must(t, env, "backup", file)
	var other environment
	for range attempts {
		database := filepath.Join(t.TempDir(), "orgs.db")
		other = environment{cli.StoreVariable: "sqlite:" + database}
		begun := func() bool {
			log, err := os.Stat(database + "-wal")
			return err == nil && log.Size() > 256<<10 // more than the schema takes
		}
		if said = interrupted(t, other, begun, "restore", file); said != "" {
			break
		}
	}
	n, rest, _ := strings.Cut(strings.TrimPrefix(said, "orgs restore: interrupted; "), " ")
	if want := "organizations are restored, and the same command does the rest\n"; rest != want {
		t.Errorf("restore, interrupted, said %q, want the number of organizations and %q", said, want)
	}
	counted, err := strconv.ParseInt(strings.ReplaceAll(n, ",", ""), 10, 64)
	if err != nil {
		t.Error(err)
	}
	// A batch can be there although the interrupt hid its success.
	got := mustJSON[restored](t, other, "restore", file)
	if there := organizations - got.Restored; got.Identical != organizations || there < counted {
		t.Errorf("restore = %+v after an interrupt at %d organizations, want all identical and no more than the rest restored", got, counted)
	}
}

// TestInterruptedAtOnce ends a backup and a restore before they have begun.
func TestInterruptedAtOnce(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "orgs.backup")
	must(t, env, "backup", file)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"backup", file + "2"}, {"restore", file}, {"restore", file, "--compare"}} {
		var stdout, stderr bytes.Buffer
		code := run(ctx, args, env.get, &stdout, &stderr)
		if code != exitInterrupted || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("orgs %q, interrupted = %d, %q, %q, want %d and nothing on stdout", args, code, &stdout, &stderr, exitInterrupted)
		}
	}
}

// TestRestoreMakesNoStore names a store that is not there, with files that will not do.
func TestRestoreMakesNoStore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	damaged := filepath.Join(folder, "damaged")
	if err := os.WriteFile(damaged, []byte("my diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(folder, "new", "orgs.db")
	for _, file := range []string{damaged, folder, filepath.Join(folder, "nosuch")} {
		r := orgs(t, environment{cli.StoreVariable: "sqlite:" + database}, "restore", file)
		if r.code != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, file) {
			t.Errorf("restore %s = %+v, want it refused", file, r)
		}
		if _, err := os.Stat(filepath.Dir(database)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after restore %s, the store: %v, want none", file, err)
		}
	}
}

// TestRestoredKeysWork: a key that was issued by one store is accepted by a gateway on the store that it was restored
// to, as well as the keys of that store.
func TestRestoredKeysWork(t *testing.T) {
	t.Parallel()
	one, other := newStore(t), newStore(t)
	theirs := mustJSON[created](t, one, "create", "--name", "A").Key.Key
	mine := mustJSON[created](t, other, "create", "--name", "B").Key.Key
	file := filepath.Join(t.TempDir(), "orgs.backup")
	must(t, one, "backup", file)
	must(t, other, "restore", file)
	s := startServer(t, other)
	client := newClient(t)
	for whose, key := range map[string]string{"a restored key": theirs, "a key of the store": mine} {
		if got := ask(t, client, "GET", s.url+organizations, key, ""); got.status != 200 {
			t.Errorf("GET with %s = %d %s, want 200", whose, got.status, got.body)
		}
	}
}
