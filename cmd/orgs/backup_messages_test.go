package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/backup"
)

// TestBackupInterrupted ends a backup as Ctrl-C does.
func TestBackupInterrupted(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	mustJSON[sown](t, env, "seed", "--count", "100")
	file := filepath.Join(t.TempDir(), "orgs.backup")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"backup", file}, env.get, &stdout, &stderr)
	if code != exitFailed || stdout.Len() > 0 {
		t.Errorf("backup, interrupted = %d, %q, %q, want %d and nothing on stdout", code, &stdout, &stderr, exitFailed)
	}
}

// TestBackupResumed goes on from what an earlier run left.
func TestBackupResumed(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	mustJSON[sown](t, env, "seed", "--count", "3")
	folder := t.TempDir()
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	whole := filepath.Join(folder, "whole")
	s, err := backend.Open(t.Context(), backend.Choice(env[cli.StoreVariable]), env.get)
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Write(t.Context(), s, whole, backup.Options{From: s.Place, Now: func() time.Time { return begun }, Page: 1})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	const two = 5 // lines: the header, and two organizations, each with a checkpoint
	unfinished := strings.Join(strings.SplitAfter(string(text), "\n")[:two], "")
	for _, name := range []string{"text", "json"} {
		if err := os.WriteFile(backup.Partial(filepath.Join(folder, name)), []byte(unfinished), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := "2 of them were read by an earlier run, begun at 2026-01-02 03:04:05Z.\n"
	if got := must(t, env, "backup", filepath.Join(folder, "text")); !strings.Contains(got, want) {
		t.Errorf("backup, resumed = %q, want it to say %q", got, want)
	}
	got := mustJSON[backedUp](t, env, "backup", filepath.Join(folder, "json"))
	if got.Organizations != 3 || got.Resumed != 2 || !got.Begun.Equal(begun) {
		t.Errorf("backup, resumed = %+v, want 2 of 3 organizations from %v", got, begun)
	}
	if got := must(t, env, "backup", filepath.Join(folder, "fresh")); strings.Contains(got, "earlier") {
		t.Errorf("backup = %q, want no word of an earlier run", got)
	}
}

// TestBackupNotResumed has an unfinished file that the same command cannot go on from.
func TestBackupNotResumed(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	for text, why := range map[string]string{
		"my diary": "it is not an unfinished backup",
		`{"orgs_backup":{"format":1,"from":"there","created_at":""}}`: "it is a backup of another store, there",
		`{"orgs_backup":{"format":2,"from":"there","created_at":""}}`: "the backup has the format 2; this version reads 1",
	} {
		file := filepath.Join(t.TempDir(), "orgs.backup")
		partial := backup.Partial(file)
		if err := os.WriteFile(partial, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := orgs(t, env, "backup", file, "--json")
		got := decode[struct{ Error term.Failure }](t, r.stderr).Error
		want := term.Failure{Kind: term.Conflict, Message: fmt.Sprintf("backing up to %s: %s cannot be resumed: %s; remove %[2]s or choose another name",
			file, partial, why)}
		if got != want {
			t.Errorf("backup = %+v, want %+v", got, want)
		}
	}
}

// TestBackupAtOnce begins a backup while another one writes the file.
func TestBackupAtOnce(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	must(t, env, "create", "--name", "A")
	file := filepath.Join(t.TempDir(), "orgs.backup")
	s, err := backend.Open(t.Context(), backend.Choice(env[cli.StoreVariable]), env.get)
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Write(t.Context(), s, file, backup.Options{From: s.Place, Now: time.Now, Added: func(int) {
		r := orgs(t, env, "backup", file, "--json")
		got := decode[struct{ Error term.Failure }](t, r.stderr).Error
		if got.Kind != term.Conflict || !strings.HasSuffix(got.Message, "another backup is writing it") {
			t.Errorf("backup while another writes = %+v, want it refused", got)
		}
	}})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Errorf("the first backup = %v, want no error", err)
	}
}

// TestRestoreMakesNoStore names a store that is not there, with a file that will not do.
func TestRestoreMakesNoStore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	damaged := filepath.Join(folder, "damaged")
	if err := os.WriteFile(damaged, []byte("my diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(folder, "new", "orgs.db")
	for _, file := range []string{damaged, filepath.Join(folder, "nosuch")} {
		r := orgs(t, environment{cli.StoreVariable: "sqlite:" + database}, "restore", file)
		if r.code != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, file) {
			t.Errorf("restore %s = %+v, want it refused", file, r)
		}
		if _, err := os.Stat(filepath.Dir(database)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after restore %s, the store: %v, want none", file, err)
		}
	}
}

// TestRestoreInterrupted ends a restore, and a comparison, as Ctrl-C does.
func TestRestoreInterrupted(t *testing.T) {
	t.Parallel()
	env := newStore(t)
	must(t, env, "create", "--name", "A")
	file := filepath.Join(t.TempDir(), "orgs.backup")
	must(t, env, "backup", file)
	s, err := backend.Open(t.Context(), backend.Choice(env[cli.StoreVariable]), env.get)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		compareOnly bool
		want        string
	}{
		{false, "interrupted; 0 organizations are restored, and the same command does the rest"},
		{true, "interrupted"},
	} {
		var stdout, stderr bytes.Buffer
		o := restoring{file: file, workers: 1, compareOnly: test.compareOnly}
		err := restoreChecked(ctx, cli.New(env.get, &stdout, &stderr), s, o, backup.Summary{})
		if err == nil || err.Error() != test.want {
			t.Errorf("restore, interrupted, of %+v = %v, want %q", o, err, test.want)
		}
	}
}
