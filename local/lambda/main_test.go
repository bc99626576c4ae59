package lambda_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"organizations-api/local/lambda"
)

// patience is how long a test waits for something that must happen. It matters only if the test fails.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(envTests) != "" { // or the tests would run the tests, without end
		fmt.Fprintln(os.Stderr, "the environment of the tests leaked into a bootstrap")
		os.Exit(1)
	}
	if name := os.Getenv(envBootstrap); name != "" {
		runBootstrap(name)
	}
	if err := os.Setenv(envTests, "run"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := nothingLeft(); err != nil {
		fmt.Fprintln(os.Stderr, "after all tests:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// nothingLeft reports the processes and goroutines of the package that are left after all tests.
func nothingLeft() error {
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		return fmt.Errorf("there are children: Wait4() = %d, %v", pid, err)
	}
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		all := string(stacks[:runtime.Stack(stacks, true)])
		left := slices.DeleteFunc(strings.Split(all, "\n\n"), func(stack string) bool {
			return strings.Contains(stack, "nothingLeft") || !strings.Contains(stack, "lambda.") && !strings.Contains(stack, "net/http.(*conn)")
		})
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("there are goroutines:\n" + strings.Join(left, "\n\n"))
		}
	}
}

// settings are for this test binary as the bootstrap of that name.
func settings(t *testing.T, bootstrap string) lambda.Settings {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return lambda.Settings{
		Bootstrap:   path,
		Name:        "get-organization",
		Region:      "eu-central-1",
		Timeout:     patience,
		InitTimeout: patience,
		Variables:   map[string]string{envBootstrap: bootstrap},
	}
}

func start(t *testing.T, s lambda.Settings) *lambda.Sandbox {
	t.Helper()
	sandbox, err := lambda.Start(t.Context(), s)
	if err != nil {
		t.Fatalf("Start() = %v, want no error", err)
	}
	t.Cleanup(sandbox.Close)
	return sandbox
}

func newFunction(t *testing.T, s lambda.Settings, concurrency int) *lambda.Function {
	t.Helper()
	f, err := lambda.NewFunction(s, concurrency)
	if err != nil {
		t.Fatalf("NewFunction() = %v, want no error", err)
	}
	t.Cleanup(f.Close)
	return f
}

// await fails the test when nothing comes.
func await[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}

// lifeline accepts a connection from each process that a test wants to know the end of.
type lifeline struct {
	address string
	lives   chan life
}

// life is a process that connected. The connection ends when the process does, if nobody ended it before.
type life struct {
	net.Conn
	pid   int
	ended chan struct{}
}

func newLifeline(t *testing.T) lifeline {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := lifeline{listener.Addr().String(), make(chan life, 100)}
	go func() {
		for {
			line, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			go l.watch(line)
		}
	}()
	return l
}

func (l lifeline) watch(line net.Conn) {
	defer line.Close()
	in := bufio.NewReader(line)
	text, err := in.ReadString('\n')
	if err != nil {
		return // ended before it said who it is
	}
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		panic(err)
	}
	one := life{line, pid, make(chan struct{})}
	l.lives <- one
	_, _ = io.Copy(io.Discard, in)
	close(one.ended)
}

func (l lifeline) next(t *testing.T) life {
	t.Helper()
	return await(t, l.lives, "a process to connect")
}

// log tells when processes write a certain line.
type log struct {
	mu     sync.Mutex
	wanted map[string]chan struct{}
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.wanted[string(bytes.TrimSpace(p))]; c != nil {
		c <- struct{}{}
	}
	return len(p), nil
}

// tell returns a channel that gets a value for each such line from now on.
func (l *log) tell(line string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{}, 100)
	l.wanted = map[string]chan struct{}{line: c}
	return c
}
