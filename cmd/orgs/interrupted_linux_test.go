package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/cli"
)

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
