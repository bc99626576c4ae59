package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/organization"
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

// TestExamineWrites: Examine needs room for the largest change, also in a database that has room in its pages, and
// leaves nothing behind.
func TestExamineWrites(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if found := levels(t, s.Examine(t.Context(), time.Now)); found["writing"] != store.OK {
		t.Errorf("Examine = %v, want writing to be possible", found)
	}
	var rows int
	if err := s.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM counters").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows are left, %v, want none", rows, err)
	}
	mustExec(t, s.writer, "VACUUM")
	mustExec(t, s.writer, "PRAGMA max_page_count = 50") // 200 KB
	for _, f := range s.Examine(t.Context(), time.Now) {
		if f.Check == "writing" && (f.Level != store.Fail || !strings.Contains(f.Detail, "the disk is full; make room")) {
			t.Errorf("on a full disk: %+v, want writing to fail and advice", f)
		}
	}
	if _, err := s.Count(t.Context(), "org_1", organization.Metadata, time.Now(), 1); err != nil {
		t.Errorf("Count = %v: there is room for that", err)
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
