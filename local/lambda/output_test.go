package lambda_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"organizations-api/local/lambda"
)

// writes is a writer that only one may use at a time.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

// TestOutput: lines stay whole however they were written, and an error has the last of them.
func TestOutput(t *testing.T) {
	t.Parallel()
	set, out := settings(t, "function"), new(writes)
	set.Output = out
	s := start(t, set)
	const lines = 5000
	if _, err := s.Invoke(t.Context(), fmt.Appendf(nil, `{"do":"write","size":%d}`, lines)); err != nil {
		t.Fatalf("Invoke(write) = %v, want no error", err)
	}
	s.Close()
	next := map[string]int{}
	for _, line := range *out {
		var n int
		var name, dots string
		if _, err := fmt.Sscanf(strings.Replace(line, "...", " ...", 1), "%s %d %s\n", &name, &n, &dots); err != nil || len(dots) != 100 || n != next[name] {
			t.Fatalf("a write is %q, want line %d of %q", line, next[name], name)
		}
		next[name]++
	}
	if diff := cmp.Diff(map[string]int{"out": lines, "err": lines}, next); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// stuck is a writer that waits until it is closed.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

// TestStuckOutput: a crash is noticed even if nobody reads the log.
func TestStuckOutput(t *testing.T) {
	t.Parallel()
	set, out := settings(t, "function"), make(stuck)
	t.Cleanup(func() { close(out) })
	set.Output = out
	s := start(t, set)
	_, err := s.Invoke(t.Context(), []byte(`{"do":"exit"}`))
	var exit *lambda.ExitError
	if !errors.As(err, &exit) || exit.Status != 3 {
		t.Errorf("Invoke(exit) = %v, want an ExitError with status 3", err)
	}
}

// TestLastLines: an error has the last lines, and not all of a long one. The output has.
func TestLastLines(t *testing.T) {
	t.Parallel()
	set, out := settings(t, "function"), new(writes)
	set.Output = out
	s := start(t, set)
	for _, event := range []string{`{"do":"write","size":50}`, `{"do":"write long"}`} {
		if _, err := s.Invoke(t.Context(), []byte(event)); err != nil {
			t.Fatalf("Invoke(%s) = %v, want no error", event, err)
		}
	}
	s.Close()
	var exit *lambda.ExitError
	if _, err := s.Invoke(t.Context(), []byte(`{}`)); !errors.As(err, &exit) {
		t.Fatalf("Invoke() after Close() = %v, want an ExitError", err)
	}
	lines := strings.Split(exit.Output, "\n")
	if last := lines[len(lines)-1]; len(lines) != 20 || last != strings.Repeat("x", 1<<10) {
		t.Errorf("output = %d lines, the last of %d bytes, want 20 and 1024", len(lines), len(last))
	}
	if got := strings.Count(strings.Join(*out, ""), "x"); got != 300<<10 {
		t.Errorf("output has %d bytes of the long line, want %d", got, 300<<10)
	}
}
