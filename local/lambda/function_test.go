package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"organizations-api/local/lambda"
)

// untilNotThrottled calls f until the invocation before it has ended.
func untilNotThrottled(t *testing.T, f func() error) error {
	t.Helper()
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		if err := f(); !errors.Is(err, lambda.ErrThrottled) || time.Now().After(deadline) {
			return err
		}
	}
}

// held is an invocation that goes on until it is released.
type held struct {
	line life
	done chan error
	pid  string // of the process, once done
}

// holdOne invokes the function and returns when the process has the event.
func holdOne(t *testing.T, ctx context.Context, f *lambda.Function, l lifeline) *held {
	t.Helper()
	h := &held{done: make(chan error, 1)}
	go func() {
		got, err := f.Invoke(ctx, fmt.Appendf(nil, `{"do":"hold","address":%q}`, l.address))
		h.pid = string(got)
		h.done <- err
	}()
	h.line = l.next(t)
	return h
}

func (h *held) release(t *testing.T) {
	t.Helper()
	_ = h.line.Close()
	if err := await(t, h.done, "the end of an invocation"); err != nil || h.pid != strconv.Itoa(h.line.pid) {
		t.Fatalf("Invoke(hold) = %q, %v, want the process id %d", h.pid, err, h.line.pid)
	}
}

// usedNow returns the process that gets the next invocation.
func usedNow(t *testing.T, f *lambda.Function, l lifeline) string {
	t.Helper()
	h := holdOne(t, t.Context(), f, l)
	h.release(t)
	return h.pid
}

func TestProcessesAreReused(t *testing.T) {
	t.Parallel()
	f, l := newFunction(t, settings(t, "function"), 2), newLifeline(t)
	a, b := holdOne(t, t.Context(), f, l), holdOne(t, t.Context(), f, l)
	a.release(t)
	b.release(t)
	if a.pid == b.pid {
		t.Fatalf("two invocations at a time had the process %s", a.pid)
	}
	for range 3 {
		if got := usedNow(t, f, l); got != b.pid {
			t.Errorf("Invoke() used the process %s, want %s, which was used last", got, b.pid)
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	f, l := newFunction(t, settings(t, "function"), 1), newLifeline(t)
	ctx, cancel := context.WithCancel(t.Context())
	h := holdOne(t, ctx, f, l)
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrThrottled) {
		t.Errorf("Invoke() beyond the concurrency = %v, want %v", err, lambda.ErrThrottled)
	}
	cancel()
	if err := await(t, h.done, "Invoke to give up"); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke(canceled) = %v, want %v", err, context.Canceled)
	}
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrThrottled) {
		t.Errorf("Invoke() beside an abandoned one = %v, want %v", err, lambda.ErrThrottled)
	}
	_ = h.line.Close()
	if err := untilNotThrottled(t, func() error { _, err := f.Invoke(t.Context(), []byte(`{}`)); return err }); err != nil {
		t.Errorf("Invoke() after an abandoned one = %v, want no error", err)
	}
	if _, err := f.Invoke(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke(done) = %v, want %v", err, context.Canceled)
	}
}

// TestCredentialsAreRenewed: a process gets the credentials of the moment at which it starts, and no event that these
// may not outlast.
func TestCredentialsAreRenewed(t *testing.T) {
	t.Parallel()
	s := settings(t, "function")
	renewals := 0
	s.Renew = func(context.Context) (lambda.Credentials, error) {
		renewals++
		switch renewals {
		case 1:
			return lambda.Credentials{AccessKeyID: "first", Expires: time.Now().Add(s.Timeout - time.Second)}, nil
		case 2:
			return lambda.Credentials{}, errors.New("signed out")
		case 3:
			return lambda.Credentials{AccessKeyID: "second", Expires: time.Now().Add(time.Hour)}, nil
		default:
			return lambda.Credentials{}, errors.New("asked again, for a process that has credentials")
		}
	}
	f := newFunction(t, s, 1)
	for n, want := range []string{"first", "", "second", "second"} {
		got, err := f.Invoke(t.Context(), []byte(`{"do":"look"}`))
		if want == "" {
			if reason := (*lambda.InitError)(nil); !errors.As(err, &reason) || !strings.Contains(err.Error(), "signed out") {
				t.Errorf("Invoke() number %d = %s, %v, want an InitError with the reason", n, got, err)
			}
			continue
		}
		if err != nil || !strings.Contains(string(got), "AWS_ACCESS_KEY_ID="+want+`"`) {
			t.Errorf("Invoke() number %d = %s, %v, want the %s credentials", n, got, err, want)
		}
	}
}

// TestReplacement: after each kind of end the next invocation succeeds, in a new process.
func TestReplacement(t *testing.T) {
	t.Parallel()
	as := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	for _, test := range []struct {
		name, event string
		want        func(error) bool
	}{
		{"exited", `{"do":"exit"}`, as(new(*lambda.ExitError))},
		{"timed out", `{"do":"hang"}`, as(new(*lambda.TimeoutError))},
		{"panicked", `{"do":"panic"}`, as(new(*lambda.FunctionError))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := settings(t, "function")
			set.Timeout = 3 * time.Second
			f, l := newFunction(t, set, 1), newLifeline(t)
			before := usedNow(t, f, l)
			if _, err := f.Invoke(t.Context(), []byte(test.event)); !test.want(err) {
				t.Errorf("Invoke(%s) = %#v", test.event, err)
			}
			if after := usedNow(t, f, l); after == before {
				t.Errorf("Invoke() after %s used the process %s again", test.event, after)
			}
		})
	}
}

func TestKilledProcessIsReplaced(t *testing.T) {
	t.Parallel()
	f, l := newFunction(t, settings(t, "function"), 1), newLifeline(t)
	h := holdOne(t, t.Context(), f, l)
	if err := syscall.Kill(h.line.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *lambda.ExitError
	if err := await(t, h.done, "the error"); !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
		t.Errorf("Invoke() of a killed process = %v, want an ExitError with signal 9", err)
	}
	if got, err := f.Invoke(t.Context(), []byte(`{"n":1}`)); err != nil || string(got) != `{"n":1}` {
		t.Errorf("Invoke() after a kill = %q, %v, want the event back", got, err)
	}
}

func TestInitOfFunctionFails(t *testing.T) {
	t.Parallel()
	f := newFunction(t, settings(t, "exits"), 1)
	for range 2 {
		if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.As(err, new(*lambda.InitError)) {
			t.Errorf("Invoke() = %v, want an InitError", err)
		}
	}
}

// TestAbandonedInit: a start goes on when nobody waits for it, and the process is there for the next invocation.
func TestAbandonedInit(t *testing.T) {
	t.Parallel()
	set, gate := settings(t, "starts"), newLifeline(t)
	set.Variables[envGate] = gate.address
	f := newFunction(t, set, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := f.Invoke(ctx, []byte(`{}`))
		done <- err
	}()
	starting := gate.next(t)
	cancel()
	if err := await(t, done, "Invoke to give up"); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke(canceled) = %v, want %v", err, context.Canceled)
	}
	_ = starting.Close()
	err := untilNotThrottled(t, func() error {
		result, err := f.Run(t.Context(), []byte(`{}`))
		if err == nil && result.Timing.Cold {
			t.Error("Run() used a new process, want the one that was started")
		}
		return err
	})
	if err != nil {
		t.Errorf("Run() after an abandoned start = %v, want no error", err)
	}
}

func TestManyInvocations(t *testing.T) {
	t.Parallel()
	const callers, each, concurrency = 8, 25, 3
	f := newFunction(t, settings(t, "function"), concurrency)
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			for n := range each {
				event := fmt.Sprintf(`{"n":"%d of %d"}`, n, caller)
				var got []byte
				err := untilNotThrottled(t, func() (err error) {
					got, err = f.Invoke(t.Context(), []byte(event))
					return err
				})
				if err != nil || string(got) != event {
					t.Errorf("Invoke(%s) = %q, %v, want the event back", event, got, err)
				}
			}
		})
	}
	calling.Wait()
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	set, processes := settings(t, "function"), newLifeline(t)
	set.Variables[envLifeline] = processes.address
	f, l := newFunction(t, set, 3), newLifeline(t)
	idle := holdOne(t, t.Context(), f, l)
	busy := holdOne(t, t.Context(), f, l)
	idle.release(t)
	f.Close()
	for range 2 {
		await(t, processes.next(t).ended, "the end of a process")
	}
	if err := await(t, busy.done, "the end of an invocation"); !errors.Is(err, lambda.ErrClosed) || !errors.As(err, new(*lambda.ExitError)) {
		t.Errorf("Invoke() while Close() = %v, want %v and how the process ended", err, lambda.ErrClosed)
	}
	f.Close()
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("Invoke() after Close() = %v, want %v", err, lambda.ErrClosed)
	}
}

func TestCloseEndsInit(t *testing.T) {
	t.Parallel()
	set, processes := settings(t, "never asks"), newLifeline(t)
	set.Variables[envLifeline] = processes.address
	f := newFunction(t, set, 1)
	done := make(chan error, 1)
	go func() {
		_, err := f.Invoke(t.Context(), []byte(`{}`))
		done <- err
	}()
	starting := processes.next(t)
	f.Close()
	await(t, starting.ended, "the end of the process")
	if err := await(t, done, "Invoke to return"); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("Invoke() while Close() = %v, want %v", err, lambda.ErrClosed)
	}
}

// supervise is a program that uses this package, and does what its order says until somebody ends it.
func supervise() {
	f, err := lambda.NewFunction(lambda.Settings{
		Bootstrap: os.Args[0],
		Name:      "supervised",
		Region:    "eu-central-1",
		Timeout:   patience,
		Variables: map[string]string{envBootstrap: "function", envLifeline: os.Getenv("CHILD_LIFELINE")},
		Output:    os.Stdout,
	}, 1)
	if err != nil {
		panic(err)
	}
	if _, err := f.Invoke(context.Background(), []byte(os.Getenv("ORDER"))); err != nil {
		panic(err)
	}
	fmt.Println("idle")
	rest()
}

// killParent starts a program that starts a process with the order. It kills the program when the line is written, and
// waits for the end of the process.
func killParent(t *testing.T, order, line string) {
	t.Helper()
	children := newLifeline(t)
	parent := exec.Command(settings(t, "").Bootstrap)
	parent.Env = []string{envBootstrap + "=supervisor", "ORDER=" + order, "CHILD_LIFELINE=" + children.address}
	out := new(log)
	written := out.tell(line)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	parent.Stdout = writer
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	go func() { _, _ = io.Copy(out, reader) }()
	child := children.next(t)
	await(t, written, strings.ToUpper(line))
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	await(t, child.ended, "the end of the process whose parent was killed")
}

func TestIdleProcessEndsWithItsParent(t *testing.T) {
	t.Parallel()
	killParent(t, `{}`, "idle")
}
