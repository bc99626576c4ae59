package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/sqlite"
)

// pageCounter counts the pages that are listed.
type pageCounter struct {
	backend.Engine
	pages int
}

func (c *pageCounter) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	c.pages++
	return c.Engine.List(ctx, cursor, limit)
}

// reader takes some lines, and then is gone, as head is.
type reader struct {
	lines   int
	counter *pageCounter
	text    bytes.Buffer
	pages   int // that were read when it had its lines
}

var errGone = errors.New("the reader is gone")

func (r *reader) Write(p []byte) (int, error) {
	if bytes.Count(r.text.Bytes(), []byte{'\n'}) >= r.lines {
		return 0, errGone
	}
	r.pages = r.counter.pages
	return r.text.Write(p)
}

// TestListIsStreamed lists many pages to a reader who wants one line. In every format, the reader must get the line
// after one page was read from the store. After the reader has left, at most one more page may be read. With --sort,
// all pages must be read first.
func TestListIsStreamed(t *testing.T) {
	t.Parallel()
	const pages = 12
	engine, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	var exports []store.Export
	for i := range pages * backend.PageSize {
		o := organization.New(fmt.Sprint("name ", i), organization.Free, nil, cli.New(nil, nil, nil).Now())
		key := apikey.NewRecord(apikey.New(o.ID, apikey.Live, apikey.NewSecret()), apikey.Read, o.CreatedAt, nil)
		exports = append(exports, store.Export{Organization: o, Keys: []apikey.Record{key}, Trail: store.Entries()})
	}
	if _, err := engine.Restore(t.Context(), exports); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args  []string
		lines int
		want  int // pages until the lines are there
	}{
		{[]string{"list"}, 1, 1},
		{[]string{"list", "--format", "csv"}, 1, 1},
		{[]string{"list", "--format", "ndjson"}, 1, 1},
		{[]string{"list", "--format", "json"}, 3, 1},
		{[]string{"list", "--limit", "50"}, 1000, 1},
		{[]string{"list", "--limit", "150"}, 1000, 2},
		{[]string{"list", "--match", "name"}, 102, 2},
		{[]string{"list", "--sort", "created_at"}, 1, pages},
	} {
		counter := &pageCounter{Engine: engine}
		out := &reader{lines: test.lines, counter: counter}
		a := cli.New(func(string) string { return "" }, out, &bytes.Buffer{})
		s := &backend.Store{Engine: counter}
		f := listFlagsOf(t, a, test.args)
		if err := list(t.Context(), a, s, f); err != nil && !errors.Is(err, errGone) {
			t.Errorf("%q = %v, want that the reader is gone", test.args, err)
		}
		if out.pages != test.want || counter.pages > test.want+1 {
			t.Errorf("%q reads %d pages until the lines are there, and %d in all, want %d and at most one more",
				test.args, out.pages, counter.pages, test.want)
		}
		if lines := strings.Count(out.text.String(), "\n"); test.lines < 1000 && lines < test.lines {
			t.Errorf("%q prints %d lines, want %d", test.args, lines, test.lines)
		}
	}
}

// listFlagsOf parses the arguments of list without running it.
func listFlagsOf(t *testing.T, a *cli.App, args []string) *listFlags {
	t.Helper()
	f := newListFlags()
	c := f.command(a)
	if err := c.ParseFlags(args[1:]); err != nil {
		t.Fatal(err)
	}
	if err := f.check(a); err != nil {
		t.Fatal(err)
	}
	return f
}
