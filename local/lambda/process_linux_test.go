package lambda_test

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"organizations-api/local/lambda"
)

func TestBusyProcessEndsWithItsParent(t *testing.T) {
	t.Parallel()
	killParent(t, `{"do":"hang"}`, "hanging")
}

// TestProcessOutlivesThread: the kernel kills a process when the thread that started it ends, so that must not be the
// caller's thread.
func TestProcessOutlivesThread(t *testing.T) {
	t.Parallel()
	type started struct {
		sandbox *lambda.Sandbox
		err     error
		thread  int
	}
	done := make(chan started, 1)
	set := settings(t, "function")
	go func() {
		runtime.LockOSThread() // and never unlock it: the thread ends with the goroutine
		s, err := lambda.Start(t.Context(), set)
		done <- started{s, err, syscall.Gettid()}
	}()
	got := await(t, done, "the start")
	if got.err != nil {
		t.Fatalf("Start() = %v, want no error", got.err)
	}
	t.Cleanup(got.sandbox.Close)
	for deadline := time.Now().Add(patience); got.thread != os.Getpid(); runtime.Gosched() { // the first thread never ends
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", got.thread)); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the thread does not end")
		}
	}
	if _, err := got.sandbox.Invoke(t.Context(), []byte(`{}`)); err != nil {
		t.Errorf("Invoke() after the end of the thread = %v, want no error", err)
	}
}
