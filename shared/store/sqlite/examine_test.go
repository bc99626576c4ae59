package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/store"
)

// levels returns the level of each check. It fails the test if a finding calls the file, which is good, damaged.
func levels(t *testing.T, findings []store.Finding) map[string]store.Level {
	t.Helper()
	found := make(map[string]store.Level)
	for _, f := range findings {
		found[f.Check] = f.Level
		if strings.Contains(f.Advice, "damaged") {
			t.Errorf("a good file is called damaged: %+v", f)
		}
	}
	return found
}

// TestExamineInTime examines a good file with more and more time, until the time is enough for all of it. No check may
// fail, also if it begins after the end of the time.
func TestExamineInTime(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	mustExec(t, s.writer, `CREATE TABLE ballast AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4096)
		SELECT i, randomblob(1024) AS bytes FROM n`)
	cutShort := false
	for limit := time.Duration(0); ; limit = max(2*limit, 100*time.Microsecond) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		found := levels(t, s.Examine(ctx, time.Now))
		cancel()
		for check, level := range found {
			if level == store.Fail {
				t.Errorf("within %v, %q fails, want a doubt at most", limit, check)
			}
		}
		cutShort = cutShort || found["contents"] == store.Warn
		if found["contents"] == store.OK {
			break
		}
	}
	if !cutShort {
		t.Error("no look was cut short, want those without time to be")
	}
}

// TestExamineInterrupted examines a file after the operator has cancelled the command.
func TestExamineInterrupted(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := map[string]store.Level{"file": store.Warn, "schema": store.Warn, "writing": store.Warn, "contents": store.Warn}
	if diff := cmp.Diff(want, levels(t, s.Examine(ctx, time.Now))); diff != "" {
		t.Errorf("Examine, interrupted (-want +got):\n%s", diff)
	}
}

// TestExamineUnreadable cannot read, which does not mean that the file is damaged.
func TestExamineUnreadable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if err := s.reader.Close(); err != nil {
		t.Fatal(err)
	}
	if found := levels(t, s.Examine(t.Context(), time.Now)); found["contents"] != store.Fail || found["writing"] != store.OK {
		t.Errorf("Examine without reads = %v, want the contents to fail, and writing not to", found)
	}
}
