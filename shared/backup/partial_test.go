package backup_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/backup"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// TestBusy begins a second backup to the path in the midst of the first one.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := filled(t, 100)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	o := options()
	o.Added = func(int) {
		if _, err := backup.Write(t.Context(), s, path, options()); !errors.Is(err, backup.ErrBusy) {
			t.Errorf("Write while another writes = %v, want ErrBusy", err)
		}
	}
	summary, err := backup.Write(t.Context(), s, path, o)
	if err != nil || summary.Organizations != 100 {
		t.Fatalf("Write = %+v, %v, want 100 organizations", summary, err)
	}
	wantIdentical(t, path, s, 100)
}

// TestAtOnce has several backups to one path begin at once, time and again: some open the unfinished file of the one that
// gets through, just before that is finished.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	const rounds, writers = 20, 8
	s := filled(t, 3)
	for range rounds {
		path := filepath.Join(t.TempDir(), "orgs.backup")
		summaries, failures := make([]backup.Summary, writers), make([]error, writers)
		var writing sync.WaitGroup
		for i := range writers {
			writing.Go(func() {
				for busy := true; busy; { // until there is an answer that is final
					summaries[i], failures[i] = backup.Write(t.Context(), s, path, options())
					busy = errors.Is(failures[i], backup.ErrBusy)
				}
			})
		}
		writing.Wait()
		var written []backup.Summary
		for i, err := range failures {
			if err == nil {
				written = append(written, summaries[i])
			} else if !errors.Is(err, backup.ErrExists) {
				t.Errorf("Write = %v, want ErrExists where another was faster", err)
			}
		}
		found, err := backup.Check(path)
		if diff := cmp.Diff([]backup.Summary{found}, written); err != nil || diff != "" {
			t.Errorf("Check = %v (-found +written):\n%s", err, diff)
		}
		if _, err := os.Stat(backup.Partial(path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the unfinished file: %v, want it gone", err)
		}
		if t.Failed() {
			return
		}
	}
}

// TestLeftover has an unfinished file beside a finished one.
func TestLeftover(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	tests := []struct {
		name string
		make func(path string) error
		stay bool
	}{
		{"nothing", func(string) error { return nil }, false},
		{"the same file", func(path string) error { return os.Link(path, backup.Partial(path)) }, false},
		{"another file", func(path string) error { return os.WriteFile(backup.Partial(path), []byte("my diary\n"), 0o600) }, true},
	}
	for _, test := range tests {
		path, _ := write(t, s)
		if err := test.make(path); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Write(t.Context(), s, path, options()); !errors.Is(err, backup.ErrExists) {
			t.Errorf("%s: Write = %v, want ErrExists", test.name, err)
		}
		if _, err := os.Stat(backup.Partial(path)); (err == nil) != test.stay {
			t.Errorf("%s: the unfinished file: %v; should it stay? %t", test.name, err, test.stay)
		}
		wantIdentical(t, path, s, 3)
	}
}

func TestNotResumed(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	for name, text := range map[string]string{
		"another file":  "my diary\n",
		"another store": `{"orgs_backup":{"format":1,"from":"there","created_at":""}}` + "\n",
		"newer version": `{"orgs_backup":{"format":2,"from":"here","created_at":""}}` + "\n",
		"no time":       `{"orgs_backup":{"format":1,"from":"here","created_at":""}}` + "\n",
	} {
		if err := os.WriteFile(backup.Partial(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Write(t.Context(), s, path, options()); !errors.Is(err, backup.ErrNotResumable) {
			t.Errorf("Write where there is %s = %v, want ErrNotResumable", name, err)
		}
		if got, err := os.ReadFile(backup.Partial(path)); err != nil || string(got) != text {
			t.Errorf("%s was changed to %q, %v", name, got, err)
		}
		if info, err := os.Stat(backup.Partial(path)); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s has the mode %v, %v, want it as it was", name, info.Mode(), err)
		}
	}
}

func TestNotOpened(t *testing.T) {
	t.Parallel()
	s := filled(t, 3)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	if err := os.Mkdir(backup.Partial(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Write(t.Context(), s, path, options()); !errors.Is(err, backup.ErrNotResumable) {
		t.Errorf("Write where there is a folder = %v, want ErrNotResumable", err)
	}
	path = filepath.Join(filepath.Dir(path), "missing", "orgs.backup")
	_, err := backup.Write(t.Context(), s, path, options())
	if !errors.Is(err, os.ErrNotExist) || errors.Is(err, backup.ErrNotResumable) {
		t.Errorf("Write into a folder that is missing = %v, want it to say so", err)
	}
}

// TestGoingOn goes on, a day later, from an unfinished file that others can read.
func TestGoingOn(t *testing.T) {
	t.Parallel()
	s := filled(t, 200)
	path := filepath.Join(t.TempDir(), "orgs.backup")
	first := organization.Timestamp(time.Now().Add(-24 * time.Hour))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o, left := options(), 100
	o.Now = func() time.Time { return first }
	o.Resumed = func(n int64, begun time.Time) {
		if n != 0 || !begun.Equal(first) {
			t.Errorf("Resumed(%d, %v), want none and %v", n, begun, first)
		}
	}
	o.Added = func(n int) {
		if left -= n; left == 0 {
			cancel()
		}
	}
	if _, err := backup.Write(ctx, s, path, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("Write, interrupted = %v, want it to end", err)
	}
	if err := os.Chmod(backup.Partial(path), 0o644); err != nil {
		t.Fatal(err)
	}

	o = options()
	o.Resumed = func(n int64, begun time.Time) {
		if n == 0 || !begun.Equal(first) {
			t.Errorf("Resumed(%d, %v), want some and %v", n, begun, first)
		}
		if info, err := os.Stat(backup.Partial(path)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the unfinished file is %v, %v, want it for its owner alone", info.Mode(), err)
		}
	}
	if _, err := backup.Write(t.Context(), s, path, o); err != nil {
		t.Error(err)
	}
}

// broken is a source whose trails break off.
type broken struct{ backup.Source }

var errBroken = errors.New("the trail breaks off")

func (b broken) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	page, next, err := b.Source.ExportPage(ctx, cursor, limit)
	for i, d := range page {
		page[i].Trail = iter.Seq2[store.Entry, error](func(yield func(store.Entry, error) bool) {
			for e, err := range d.Trail {
				if !yield(e, err) {
					return
				}
			}
			yield(store.Entry{}, errBroken)
		})
	}
	return page, next, err
}

// TestBreaksOff reads part of a trail, so long that no buffer keeps its line from the file.
func TestBreaksOff(t *testing.T) {
	t.Parallel()
	s := open(t)
	d := full(400)
	var entries []store.Entry
	for e := range d.Trail {
		e.Changes[0].Before = strings.Repeat(`"`, 2000) // two bytes each, as JSON has it
		entries = append(entries, e)
	}
	d.Trail = store.Entries(entries...)
	if _, err := s.Restore(t.Context(), []store.Export{d}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "orgs.backup")
	if _, err := backup.Write(t.Context(), broken{s}, path, options()); !errors.Is(err, errBroken) {
		t.Errorf("Write = %v, want the error of the trail", err)
	}
	text, err := os.ReadFile(backup.Partial(path))
	if err != nil || strings.Contains(string(text), `{"organization":`) {
		t.Errorf("the unfinished file has %d bytes, %v, with an organization that was not read to its end", len(text), err)
	}
}
