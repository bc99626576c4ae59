package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/storetest"
)

// childVariable names a database. If it is set, the test binary runs no tests, but uses that database as another
// process.
const childVariable = "SQLITE_TEST_CHILD"

// operatorVariable names an organization and one of its keys. If it is set as well, the child is an operator's command:
// it revokes the key and prints what Examine finds of the file.
const operatorVariable = "SQLITE_TEST_OPERATOR"

const countsPerChild = 20

// shared is the organization whose requests all children count.
const shared = organization.ID("org_0000000000000")

func TestMain(m *testing.M) {
	path, isChild := os.LookupEnv(childVariable)
	if !isChild {
		os.Exit(m.Run())
	}
	run := child
	if _, isOperator := os.LookupEnv(operatorVariable); isOperator {
		run = operator
	}
	if err := run(context.Background(), path, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child prints that it is ready and waits for the end of its input. Then it creates an organization, prints its
// identifier, counts requests of the shared organization, and prints each sum.
func child(ctx context.Context, path string, in io.Reader, out io.Writer) error {
	fmt.Fprintln(out, "ready")
	if _, err := io.ReadAll(in); err != nil {
		return err
	}
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	o := storetest.Full(time.Now())
	key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Admin, time.Now(), nil)
	if err := s.Create(ctx, o, key, store.Entry{ID: store.NewEntryID(o.CreatedAt), Action: store.Created}); err != nil {
		return err
	}
	fmt.Fprintln(out, o.ID)
	for range countsPerChild {
		sum, err := s.Count(ctx, shared, organization.Data, time.Unix(0, 0), 1)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, sum)
	}
	return s.Close()
}

func operator(ctx context.Context, path string, _ io.Reader, out io.Writer) error {
	id, keyID, _ := strings.Cut(os.Getenv(operatorVariable), " ")
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	e := store.Entry{ID: store.NewEntryID(time.Now()), Action: store.KeyRevoked, Actor: store.OperatorActor}
	if err := s.RevokeKey(ctx, organization.ID(id), keyID, time.Now(), e); err != nil {
		return err
	}
	fmt.Fprintln(out, s.examineFile(ctx))
	return s.Close()
}

// revokeElsewhere lets another process revoke the key. It returns that process's view of the file.
func revokeElsewhere(t *testing.T, path string, id organization.ID, keyID string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), executable)
	command.Env = append(os.Environ(), childVariable+"="+path, operatorVariable+"="+string(id)+" "+keyID)
	command.Stderr = new(bytes.Buffer)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("the operator's process: %v: %s", err, command.Stderr)
	}
	return string(out)
}

// TestProcesses starts several processes that open a file, which does not exist yet, at the same time and write to it.
func TestProcesses(t *testing.T) {
	t.Parallel()
	const rounds, children = 3, 4
	for round := range rounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "new", "organizations.db")
			ids, sums := runChildren(t, path, children)
			slices.Sort(sums)
			for i, sum := range sums {
				if sum != i+1 {
					t.Fatalf("sums of all processes = %v, want 1 to %d", sums, children*countsPerChild)
				}
			}
			found, next, err := mustOpen(t, path).List(t.Context(), "", 2*children)
			if err != nil || next != "" {
				t.Fatalf("List = %q, %v, want all and no error", next, err)
			}
			var got []string
			for _, o := range found {
				got = append(got, string(o.ID))
			}
			slices.Sort(ids)
			if !slices.Equal(got, ids) {
				t.Errorf("List = %v, want what the processes created: %v", got, ids)
			}
		})
	}
}

// runChildren starts n processes, lets them continue at the same moment, and returns what they printed.
func runChildren(t *testing.T, path string, n int) (ids []string, sums []int) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gate, open, err := os.Pipe() // when it is closed, the input of all children ends
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	var commands []*exec.Cmd
	var outputs []*bufio.Reader
	for range n {
		command := exec.CommandContext(t.Context(), executable)
		command.Env = append(os.Environ(), childVariable+"="+path)
		command.Stdin, command.Stderr = gate, new(bytes.Buffer)
		pipe, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		commands, outputs = append(commands, command), append(outputs, bufio.NewReader(pipe))
	}
	for _, output := range outputs {
		if line, err := output.ReadString('\n'); err != nil || line != "ready\n" {
			t.Errorf("a process begins with %q, %v, want ready", line, err)
		}
	}
	open.Close()
	for i, command := range commands {
		printed, err := io.ReadAll(outputs[i])
		if waitErr := command.Wait(); err != nil || waitErr != nil {
			t.Fatalf("process %d: %v, %v: %s", i, err, waitErr, command.Stderr)
		}
		lines := strings.Fields(string(printed))
		ids = append(ids, lines[0])
		for _, line := range lines[1:] {
			sum, err := strconv.Atoi(line)
			if err != nil {
				t.Errorf("process %d prints %q, want a sum", i, line)
			}
			sums = append(sums, sum)
		}
	}
	return ids, sums
}
