package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/local/lambda"
)

func TestEnvironmentAndHeaders(t *testing.T) {
	t.Parallel()
	set := settings(t, "function")
	set.Memory = 512
	set.Credentials = lambda.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}
	set.Variables["TABLE"] = "a=b"
	set.Variables["TZ"] = "Europe/Berlin"
	s := start(t, set)
	before := time.Now()
	result, err := s.Invoke(t.Context(), []byte(`{"do":"look"}`))
	if err != nil {
		t.Fatalf("Invoke() = %v, want no error", err)
	}
	var got saw
	if err := json.Unmarshal(result.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if early, late := before.Add(patience-time.Millisecond), time.Now().Add(patience); got.Deadline.Before(early) || got.Deadline.After(late) {
		t.Errorf("deadline = %v, want from %v to %v", got.Deadline, early, late)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if id := got.Context.AwsRequestID; id != result.RequestID || !uuid.MatchString(id) {
		t.Errorf("request id = %q, want the UUID %q", id, result.RequestID)
	}
	if got, want := got.Context.InvokedFunctionArn, "arn:aws:lambda:eu-central-1:123456789012:function:get-organization"; got != want {
		t.Errorf("ARN = %q, want %q", got, want)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(got.Trace) {
		t.Errorf("trace id = %q", got.Trace)
	}
	checkEnvironment(t, got.Environment, filepath.Dir(set.Bootstrap))
	if want := filepath.Dir(set.Bootstrap); got.Folder != want {
		t.Errorf("folder = %q, want %q", got.Folder, want)
	}
}

func checkEnvironment(t *testing.T, got []string, folder string) {
	t.Helper()
	slices.Sort(got)
	for i, line := range got { // what differs from run to run
		line = regexp.MustCompile(`^(AWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:)\d+/[0-9a-f]{32}$`).ReplaceAllString(line, "${1}PORT/SECRET")
		got[i] = regexp.MustCompile(`=\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).ReplaceAllString(line, "=STREAM")
	}
	want := []string{
		"AWS_ACCESS_KEY_ID=id",
		"AWS_DEFAULT_REGION=eu-central-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_FUNCTION_NAME=get-organization",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/get-organization",
		"AWS_LAMBDA_LOG_STREAM_NAME=STREAM",
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:PORT/SECRET",
		"AWS_REGION=eu-central-1",
		"AWS_SECRET_ACCESS_KEY=secret",
		"BOOTSTRAP=function",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=" + folder,
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TABLE=a=b",
		"TZ=Europe/Berlin",
		"_HANDLER=bootstrap",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestInvokeTwice(t *testing.T) {
	t.Parallel()
	before := time.Now()
	s := start(t, settings(t, "function"))
	for n := range 2 {
		event := fmt.Sprintf(`{"n":%d}`, n)
		got, err := s.Invoke(t.Context(), []byte(event))
		if err != nil || string(got.Payload) != event {
			t.Fatalf("Invoke(%s) = %q, %v, want the event back", event, got.Payload, err)
		}
		order := []time.Time{before, got.Timing.Spawned, got.Timing.Ready, got.Timing.Delivered, got.Timing.Responded, time.Now()}
		if !slices.IsSortedFunc(order, time.Time.Compare) || got.Timing.Cold != (n == 0) {
			t.Errorf("timing of invocation %d = %+v, want times in order, and the first to be cold", n, got.Timing)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event, wantType, wantMessage string
		wantGone                           bool // the process ends
	}{
		{"error", `{"do":"error"}`, "errorString", "out of luck", false},
		{"error while sending", `{"do":"break"}`, "errorString", "broken", false},
		{"panic", `{"do":"panic"}`, "string", "no hope", true},
		{
			"too large a response", `{"do":"return","size":6291557}`, "Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes).", true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings(t, "function"))
			_, err := s.Invoke(t.Context(), []byte(test.event))
			var failed *lambda.FunctionError
			if !errors.As(err, &failed) || failed.Type != test.wantType || failed.Message != test.wantMessage {
				t.Fatalf("Invoke(%s) = %#v, want %s: %s", test.event, err, test.wantType, test.wantMessage)
			}
			if !json.Valid(failed.Payload) {
				t.Errorf("report = %q, want JSON", failed.Payload)
			}
			_, err = s.Invoke(t.Context(), []byte(`{}`))
			if gone := errors.As(err, new(*lambda.ExitError)); gone != test.wantGone || !gone && err != nil {
				t.Errorf("Invoke() after %s = %v, want an ExitError: %v", test.event, err, test.wantGone)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	s := start(t, settings(t, "function"))
	got, err := s.Invoke(t.Context(), []byte(`{"do":"return","size":6291556}`))
	if err != nil || len(got.Payload) != 6291556 {
		t.Errorf("Invoke() = %d bytes, %v, want the largest response", len(got.Payload), err)
	}
	event := []byte(`"` + strings.Repeat("x", 6<<20-2) + `"`)
	if got, err := s.Invoke(t.Context(), event); !errors.As(err, new(*lambda.FunctionError)) {
		t.Errorf("Invoke(6 MB) = %d bytes, %v, want the function to refuse what is no object", len(got.Payload), err)
	}
	if _, err := s.Invoke(t.Context(), append(event, ' ')); !errors.Is(err, lambda.ErrTooLarge) {
		t.Errorf("Invoke(more than 6 MB) = %v, want %v", err, lambda.ErrTooLarge)
	}
}

// TestCrash: the error has all that the process wrote, however late that is read.
func TestCrash(t *testing.T) {
	t.Parallel()
	set, lives, out := settings(t, "function"), newLifeline(t), make(stuck)
	set.Variables[envLifeline], set.Output = lives.address, out
	s := start(t, set)
	process := lives.next(t)
	go func() {
		for syscall.Kill(process.pid, 0) == nil { // until it is not even a zombie
			runtime.Gosched()
		}
		close(out)
	}()
	if _, err := s.Invoke(t.Context(), []byte(`{"do":"write","size":1}`)); err != nil { // reading gets stuck here
		t.Fatalf("Invoke(write) = %v, want no error", err)
	}
	_, err := s.Invoke(t.Context(), []byte(`{"do":"exit"}`))
	var got *lambda.ExitError
	if !errors.As(err, &got) {
		t.Fatalf("Invoke(exit) = %v, want an ExitError", err)
	}
	if got.Status != 3 || got.Signal != 0 || !strings.Contains(got.Output, "last words") {
		t.Errorf("Invoke(exit) = %#v, want status 3 and the last words", got)
	}
	if !strings.Contains(err.Error(), "status 3") || !strings.Contains(err.Error(), "last words") {
		t.Errorf("error = %q, want the status and the last words", err)
	}
}

// TestKilled: the error comes at once although the invocation had a minute.
func TestKilled(t *testing.T) {
	t.Parallel()
	set, out, lives := settings(t, "function"), new(log), newLifeline(t)
	set.Output, set.Variables[envLifeline] = out, lives.address
	hanging := out.tell("hanging")
	s := start(t, set)
	failed := make(chan error, 1)
	go func() {
		_, err := s.Invoke(t.Context(), []byte(`{"do":"hang"}`))
		failed <- err
	}()
	await(t, hanging, "the invocation to begin")
	if err := syscall.Kill(lives.next(t).pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *lambda.ExitError
	if err := await(t, failed, "the error"); !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
		t.Errorf("Invoke() of a killed process = %v, want an ExitError with signal 9", err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	set, out := settings(t, "function"), new(log)
	const enough = 5 * time.Second // for a busy machine to write the line
	set.Output, set.Timeout = out, enough
	s := start(t, set)
	began := time.Now()
	_, err := s.Invoke(t.Context(), []byte(`{"do":"hang"}`))
	want := &lambda.TimeoutError{After: enough, Output: "hanging"}
	var got *lambda.TimeoutError
	if !errors.As(err, &got) || !cmp.Equal(want, got) {
		t.Errorf("Invoke(hang) = %#v, want %#v", err, want)
	}
	if took := time.Since(began); took < enough {
		t.Errorf("Invoke(hang) took %v, want %v at least", took, enough)
	}
	await(t, s.Exited(), "the end of the process")
}

func TestInitFails(t *testing.T) {
	t.Parallel()
	var exit *lambda.ExitError
	_, err := lambda.Start(t.Context(), settings(t, "exits"))
	if !errors.As(err, new(*lambda.InitError)) || !errors.As(err, &exit) || exit.Status != 4 || !strings.HasPrefix(exit.Output, "no configuration") {
		t.Errorf("Start(exits) = %v, want an InitError with status 4 and what it wrote", err)
	}

	lives := newLifeline(t)
	hangs := settings(t, "never asks")
	hangs.Variables[envLifeline] = lives.address
	canceled, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	go func() {
		first := <-lives.lives
		cancel(why)
		<-first.ended
	}()
	if _, err := lambda.Start(canceled, hangs); !errors.As(err, new(*lambda.InitError)) || !errors.Is(err, why) {
		t.Errorf("Start(canceled) = %v, want an InitError for %v", err, why)
	}
	hangs.InitTimeout = time.Second
	if _, err := lambda.Start(t.Context(), hangs); !errors.As(err, new(*lambda.InitError)) || !errors.As(err, new(*lambda.TimeoutError)) {
		t.Errorf("Start(never asks) = %v, want an InitError for a TimeoutError", err)
	}

	script := settings(t, "")
	script.Bootstrap = "testdata/bootstrap"
	if _, err := lambda.Start(t.Context(), script); !errors.As(err, new(*lambda.InitError)) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("Start(no interpreter) = %v, want an InitError for %v", err, syscall.ENOENT)
	}
}

// TestDescendants: when a process ends in any way, the processes that it started end too.
func TestDescendants(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(*testing.T, *lambda.Sandbox)
	}{
		{"closed", func(_ *testing.T, s *lambda.Sandbox) { s.Close() }},
		{"crashed", func(t *testing.T, s *lambda.Sandbox) { _, _ = s.Invoke(t.Context(), []byte(`{"do":"exit"}`)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set, lives := settings(t, "function"), newLifeline(t)
			set.Variables[envLifeline] = lives.address
			s := start(t, set)
			parent := lives.next(t)
			if _, err := s.Invoke(t.Context(), []byte(`{"do":"breed"}`)); err != nil {
				t.Fatalf("Invoke(breed) = %v, want no error", err)
			}
			child := lives.next(t)
			test.end(t, s)
			await(t, parent.ended, "the end of the process")
			await(t, child.ended, "the end of what it started")
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		bootstrap string
		want      syscall.Signal
	}{
		{"function", syscall.SIGTERM},
		{"stubborn", syscall.SIGKILL},
	} {
		t.Run(test.bootstrap, func(t *testing.T) {
			t.Parallel()
			s := start(t, settings(t, test.bootstrap))
			s.Close()
			s.Close()
			_, err := s.Invoke(t.Context(), []byte(`{}`))
			var exit *lambda.ExitError
			if !errors.As(err, &exit) || exit.Signal != test.want {
				t.Errorf("Invoke() after Close() = %v, want an ExitError with the signal %v", err, test.want)
			}
		})
	}
}

func TestOneInvocationAtATime(t *testing.T) {
	t.Parallel()
	s, held := start(t, settings(t, "function")), newLifeline(t)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := s.Invoke(ctx, fmt.Appendf(nil, `{"do":"hold","address":%q}`, held.address))
		done <- err
	}()
	line := held.next(t)
	cancel()
	if err := await(t, done, "Invoke to give up"); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke(canceled) = %v, want %v", err, context.Canceled)
	}
	if _, err := s.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrThrottled) {
		t.Errorf("Invoke() during another = %v, want %v", err, lambda.ErrThrottled)
	}
	_ = line.Close()
	if err := untilNotThrottled(t, func() error { _, err := s.Invoke(t.Context(), []byte(`{}`)); return err }); err != nil {
		t.Errorf("Invoke() after another = %v, want no error", err)
	}
}

// TestTrace: an invocation belongs to the trace of the request that it is for, through a Sandbox and through a
// Function.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := start(t, settings(t, "function"))
	f, err := lambda.NewFunction(settings(t, "function"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	const root = "1-5e9f0c65-1de4d666d4dd26aced652b6c"
	for header, belongs := range map[string]bool{
		"Root=" + root:                         true,
		"Self=1-x;Root=" + root + ";Sampled=1": true,
		"":                                     false,
		"Root=" + root[:10]:                    false,
		"Root=" + strings.Replace(root, "5", "g", 1): false,
	} {
		for kind, run := range map[string]func(context.Context, []byte) (lambda.Result, error){"Sandbox": s.Invoke, "Function": f.Run} {
			result, err := run(lambda.WithTraceID(t.Context(), header), []byte(`{"do":"look"}`))
			if err != nil {
				t.Fatalf("Invoke() = %v, want no error", err)
			}
			var got saw
			if err := json.Unmarshal(result.Payload, &got); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(got.Trace, "Root="+root+";Parent=") != belongs || !strings.HasPrefix(got.Trace, "Root=1-") {
				t.Errorf("%s: the trace for %q is %q, belongs to its root: want %v", kind, header, got.Trace, belongs)
			}
		}
	}
}
