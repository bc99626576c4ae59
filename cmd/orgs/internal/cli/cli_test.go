package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	going := t.Context()
	broken := errors.New("writing the keys: disk full")
	conflict := term.Fail(term.Conflict, "it is deleted")
	unreachable := &store.Error{Kind: store.Unreachable, Op: "reading", Err: context.Canceled}
	for _, test := range []struct {
		name string
		ctx  context.Context
		err  error
		want term.Failure
	}{
		{"a failure", going, conflict, term.Failure{Kind: term.Conflict, Message: "it is deleted"}},
		{"joined with nothing", going, errors.Join(conflict, nil), term.Failure{Kind: term.Conflict, Message: "it is deleted"}},
		{"joined with others", going, errors.Join(broken, term.Fail(term.Conflict, "differs"), term.Fail(term.Full, "full")),
			term.Failure{Kind: term.Conflict, Message: "writing the keys: disk full\ndiffers\nfull"}},
		{"of no kind", going, broken, term.Failure{Kind: term.Failed, Message: broken.Error()}},
		{"interrupted", over, unreachable, term.Failure{Kind: term.Interrupted, Message: "interrupted; " + unreachable.Error()}},
		{"interrupted, and says so", over, term.Fail(term.Unavailable, "interrupted; run it again"),
			term.Failure{Kind: term.Interrupted, Message: "interrupted; run it again"}},
		{"interrupted, but not the reason", over, conflict, term.Failure{Kind: term.Conflict, Message: "it is deleted"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := New(func(string) string { return "" }, nil, nil)
			a.running = true
			if got := a.Failure(test.ctx, test.err); *got != test.want {
				t.Errorf("Failure(%v) = %+v, want %+v", test.err, *got, test.want)
			}
		})
	}
}

// TestNoTables: the command creates tables on this machine only, so only there it says how.
func TestNoTables(t *testing.T) {
	t.Parallel()
	const elsewhere = "the tables are missing; check the prefix in --store and the region; in AWS the stack creates them"
	for _, test := range []struct {
		local bool
		want  string
	}{
		{true, "the tables are missing; create them with: orgs tables create --store dynamodb:p"},
		{false, elsewhere},
	} {
		a := New(func(string) string { return "" }, nil, nil)
		s := &backend.Store{Choice: "dynamodb:p", Local: test.local, Close: func() error { return nil }}
		open := func(context.Context, backend.Choice, func(string) string) (*backend.Store, error) { return s, nil }
		err := a.With(t.Context(), open, func(*backend.Store) error { return fmt.Errorf("reading: %w", dynamo.ErrNoTable) })
		if got := a.Failure(t.Context(), err); *got != (term.Failure{Kind: term.NoTables, Message: test.want}) {
			t.Errorf("without tables, local %t: %+v, want %q", test.local, got, test.want)
		}
	}
}

// refusing is a writer that fails.
type refusing struct{}

func (refusing) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// TestSecretThatCannotBePrinted: the failure says what was done, what to do and why. It does not contain the name of
// the output.
func TestSecretThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	a := New(func(string) string { return "" }, refusing{}, &stderr)
	err := a.PrintSecret(nil, "sk_live_1", "key_1 was issued, but could not be shown", "revoke it")
	want := "key_1 was issued, but could not be shown: the output cannot be written: no space left on device; revoke it"
	if err == nil || err.Error() != want {
		t.Errorf("PrintSecret = %v, want %s", err, want)
	}
}

// TestSecretInAFile: a key that is printed into a file is for the owner of the file alone.
func TestSecretInAFile(t *testing.T) {
	t.Parallel()
	for mode, warns := range map[os.FileMode]bool{0o644: true, 0o640: true, 0o600: false} {
		path := filepath.Join(t.TempDir(), "out")
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, mode)
		if err == nil {
			err = file.Chmod(mode) // whatever the umask is
		}
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		a := New(func(string) string { return "" }, file, &stderr)
		if err := a.PrintSecret(nil, "sk_live_1", "", ""); err != nil {
			t.Errorf("PrintSecret into a file = %v, want no error", err)
		}
		info, err := file.Stat()
		if err != nil || info.Mode().Perm() != 0o600 || (stderr.Len() > 0) != warns {
			t.Errorf("a file of mode %v has %v, %v afterwards, with %q on stderr, want 0600 and a warning: %t",
				mode, info.Mode().Perm(), err, &stderr, warns)
		}
		if text, err := os.ReadFile(path); string(text) != "sk_live_1\n" || err != nil {
			t.Errorf("the file has %q, %v", text, err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}
