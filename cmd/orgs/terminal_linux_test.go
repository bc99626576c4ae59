package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"organizations-api/cmd/orgs/internal/cli"
)

// openTerminal returns both ends of a pseudo terminal with so many columns. The command writes to the first, and the
// person reads the second.
func openTerminal(t *testing.T, columns uint16) (terminal, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal, person
}

// TestOnATerminal checks what a person sees, also with NO_COLOR and on a dumb terminal.
func TestOnATerminal(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	must(t, store, "create", "--name", strings.Repeat("long ", 19))
	const escape = "\x1b["
	tests := []struct {
		name        string
		env         environment
		args        []string
		columns     uint16
		wantColours bool
		wantDots    bool
	}{
		{"colours", environment{"TERM": "xterm"}, []string{"list"}, 100, true, true},
		{"NO_COLOR", environment{"TERM": "xterm", "NO_COLOR": "1"}, []string{"list"}, 100, false, true},
		{"NO_COLOR is empty", environment{"TERM": "xterm", "NO_COLOR": ""}, []string{"list"}, 100, true, true},
		{"dumb", environment{"TERM": "dumb"}, []string{"list"}, 100, false, true},
		{"no TERM", environment{}, []string{"list"}, 100, false, true},
		{"wide", environment{"TERM": "xterm"}, []string{"list"}, 250, true, false},
		{"JSON", environment{"TERM": "xterm"}, []string{"list", "--json"}, 40, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			terminal, person := openTerminal(t, test.columns)
			env := maps.Clone(test.env)
			env[cli.StoreVariable] = store[cli.StoreVariable]
			var stderr bytes.Buffer
			if code := run(t.Context(), test.args, env.get, terminal, &stderr); code != exitOK {
				t.Fatalf("orgs %q = %d: %s", test.args, code, &stderr)
			}
			if _, err := terminal.WriteString("END"); err != nil {
				t.Fatal(err)
			}
			seen := readUntil(t, person, "END")
			if got := strings.Contains(seen, escape); got != test.wantColours {
				t.Errorf("the terminal shows %q: colours %v, want %v", seen, got, test.wantColours)
			}
			if got := strings.Contains(seen, "…"); got != test.wantDots {
				t.Errorf("the terminal shows %q: something cut %v, want %v", seen, got, test.wantDots)
			}
		})
	}
}

func readUntil(t *testing.T, r io.Reader, end string) string {
	t.Helper()
	var seen []byte
	buffer := make([]byte, 4096)
	for !bytes.HasSuffix(seen, []byte(end)) {
		n, err := r.Read(buffer)
		if err != nil {
			t.Fatalf("reading the terminal: %v after %q", err, seen)
		}
		seen = append(seen, buffer[:n]...)
	}
	return string(seen)
}

// TestProgressOnATerminal: a terminal that cannot move its cursor gets no escape sequence and no carriage return.
// NO_COLOR only turns colours off.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	must(t, store, "seed", "--count", "300")
	for _, test := range []struct {
		env   environment
		moves bool
	}{
		{environment{"TERM": "xterm"}, true},
		{environment{"TERM": "xterm", "NO_COLOR": "1"}, true},
		{environment{"TERM": "dumb"}, false},
		{environment{}, false},
	} {
		terminal, person := openTerminal(t, 100)
		test.env[cli.StoreVariable] = store[cli.StoreVariable]
		var stdout bytes.Buffer
		if code := run(t.Context(), []string{"backup", filepath.Join(t.TempDir(), "b")}, test.env.get, &stdout, terminal); code != exitOK {
			t.Fatalf("backup = %d: %s", code, &stdout)
		}
		if _, err := terminal.WriteString("END"); err != nil {
			t.Fatal(err)
		}
		if seen := readUntil(t, person, "END"); strings.ContainsAny(strings.ReplaceAll(seen, "\r\n", "\n"), "\x1b\r") != test.moves {
			t.Errorf("with %v a person is sent %q, want the cursor moved: %t", test.env, seen, test.moves)
		}
	}
}
