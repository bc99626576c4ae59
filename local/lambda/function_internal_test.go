package lambda

import (
	"io"
	"os"
	"testing"
	"time"
)

func newTestFunction(t *testing.T, output io.Writer) *Function {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFunction(Settings{
		Bootstrap: path,
		Name:      "f",
		Region:    "eu-central-1",
		Timeout:   time.Minute,
		Variables: map[string]string{"BOOTSTRAP": "function"},
		Output:    output,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// TestProcessThatEndedIdle: an invocation that finds only processes that ended gets a new one.
func TestProcessThatEndedIdle(t *testing.T) {
	t.Parallel()
	f := newTestFunction(t, nil)
	for n := range 3 {
		result, err := f.Run(t.Context(), []byte(`{}`))
		if err != nil || !result.Timing.Cold {
			t.Fatalf("Run() number %d = %+v, %v, want a new process", n, result, err)
		}
		if len(f.idle) != 1 || len(f.all) != 1 {
			t.Fatalf("after Run() number %d there are %d processes, %d of them idle, want 1", n, len(f.all), len(f.idle))
		}
		f.idle[0].process.kill()
	}
}

// told is a writer that reports each line.
type told chan string

func (c told) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

// TestCloseWaitsForInvocations: afterwards nothing of the function goes on.
func TestCloseWaitsForInvocations(t *testing.T) {
	t.Parallel()
	lines := make(told, 10)
	f := newTestFunction(t, lines)
	go func() { _, _ = f.Run(t.Context(), []byte(`{"do":"hang"}`)) }()
	<-lines
	f.Close()
	if f.running != 0 || len(f.all) != 0 {
		t.Errorf("after Close() there are %d invocations and %d processes, want none", f.running, len(f.all))
	}
}
