package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/store"
)

// levels returns what was found, by check, and wants no good file to be called damaged.
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

// TestExamineInTime gives a good file more and more time, until all of it can be looked at: none of these looks may
// find anything broken, also not in the checks that come after the time is over.
func TestExamineInTime(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
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

// TestExamineInterrupted is stopped by the operator.
func TestExamineInterrupted(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := map[string]store.Level{"file": store.Warn, "schema": store.Warn, "writing": store.Warn, "contents": store.Warn}
	if diff := cmp.Diff(want, levels(t, s.Examine(ctx, time.Now))); diff != "" {
		t.Errorf("Examine, interrupted (-want +got):\n%s", diff)
	}
}

// TestExamineUnreadable cannot read, which says nothing of the file.
func TestExamineUnreadable(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	if err := s.reader.Close(); err != nil {
		t.Fatal(err)
	}
	if found := levels(t, s.Examine(t.Context(), time.Now)); found["contents"] != store.Fail || found["writing"] != store.OK {
		t.Errorf("Examine without reads = %v, want the contents to fail, and writing not to", found)
	}
}

// TestOpenAsItIs looks at files that Open would change.
func TestOpenAsItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		setUp []string
		want  string // of the schema
	}{
		{"an older schema", []string{schema1, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID)},
			"version 1 of 2, SQLite"},
		{"an empty file", nil, "the file is empty"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "organizations.db")
			mustWrite(t, path, "")
			before := raw(t, path)
			for _, statement := range test.setUp {
				mustExec(t, before, statement)
			}
			if err := before.Close(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := OpenAsItIs(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			findings := s.Examine(t.Context(), time.Now)
			want := map[string]store.Level{"file": store.OK, "schema": store.Warn, "writing": store.OK, "contents": store.OK}
			if diff := cmp.Diff(want, levels(t, findings)); diff != "" || !strings.Contains(findings[1].Detail, test.want) {
				t.Errorf("Examine = %+v, want %q of the schema (-want +got):\n%s", findings, test.want, diff)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
				t.Errorf("OpenAsItIs and Examine change the file (%v)", err)
			}
		})
	}
}

func TestOpenAsItIsRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	missing, foreign := filepath.Join(folder, "missing.db"), filepath.Join(folder, "songs.db")
	mustExec(t, raw(t, foreign), "CREATE TABLE songs (title)")
	for path, want := range map[string]store.Kind{missing: store.Unreachable, foreign: store.Unknown} {
		s, err := OpenAsItIs(t.Context(), path)
		if err == nil {
			s.Close()
			t.Fatalf("OpenAsItIs(%s) = no error, want one", path)
		}
		if store.KindOf(err) != want {
			t.Errorf("OpenAsItIs(%s) = %v, want an error of the kind %q", path, err, want)
		}
		checkHidden(t, err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenAsItIs makes the file: %v", err)
	}
}

// TestLightWriteCutShort has the context end before the statement that makes writes light: the driver reports that, and
// yet has run the statement. The connection must wait for the disk again.
func TestLightWriteCutShort(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "organizations.db"))
	connection, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.transactLightly(ctx, connection, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("transactLightly after the end = %v, want %v", err, context.Canceled)
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	const full = 2
	var got int
	if err := s.writer.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got); err != nil || got != full {
		t.Errorf("PRAGMA synchronous = %d, %v, want %d", got, err, full)
	}
}
