// Package backend opens the store that a command works on: a SQLite file, or DynamoDB tables here or in AWS. No other
// package of the command opens an engine of the store.
//
// It must import no package of the command but term, and nothing of local.
package backend

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/sqlite"
)

// Store is an open store.
type Store struct {
	Engine
	Choice   Choice
	Local    bool             // it is on this machine
	Place    string           // tells it from other stores, wherever the command runs
	DynamoDB *dynamo.Settings // nil for a SQLite file

	CreateTables func(context.Context) error // where they are missing; nil for a SQLite file
	Close        func() error
}

// Engine is all that an engine of the store offers.
type Engine interface {
	store.Records
	store.Counters
	store.UseNotes
	store.Operator

	// Examine looks at the engine without changing anything. now is the clock that is compared with others'.
	Examine(ctx context.Context, now func() time.Time) []store.Finding
}

// Open opens the store. It makes the SQLite file and its folders if they are missing.
func Open(ctx context.Context, c Choice, getenv func(string) string) (*Store, error) {
	return open(ctx, c, getenv, sqlite.Open)
}

// OpenExisting opens the store. If a SQLite file is missing, it returns a NoStore failure and makes no file, because
// the path is probably mistyped.
func OpenExisting(ctx context.Context, c Choice, getenv func(string) string) (*Store, error) {
	if err := c.needsFile(); err != nil {
		return nil, err
	}
	return open(ctx, c, getenv, sqlite.Open)
}

// OpenAsItIs is OpenExisting for a command that only reads. It does not bring the schema of a SQLite file up to date.
func OpenAsItIs(ctx context.Context, c Choice, getenv func(string) string) (*Store, error) {
	if err := c.needsFile(); err != nil {
		return nil, err
	}
	return open(ctx, c, getenv, sqlite.OpenAsItIs)
}

// sqliteOpener is sqlite.Open or sqlite.OpenAsItIs.
type sqliteOpener func(ctx context.Context, path string) (*sqlite.Store, error)

func open(ctx context.Context, c Choice, getenv func(string) string, openFile sqliteOpener) (*Store, error) {
	engine, rest, err := c.parse()
	if err != nil {
		return nil, err
	}
	if engine == engineDynamoDB {
		return openDynamoDB(ctx, c, rest, getenv)
	}
	s, err := openFile(ctx, rest)
	if err != nil {
		return nil, err
	}
	place, err := filepath.Abs(rest)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Store{Engine: s, Choice: c, Local: true, Place: engineSQLite + ":" + place, Close: s.Close}, nil
}

// needsFile refuses a SQLite file that does not exist.
func (c Choice) needsFile() error {
	engine, path, err := c.parse()
	if err != nil || engine != engineSQLite {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return term.Fail(term.NoStore, "there is no file %s; name another with --store, or make this one with: %s",
			term.Printable(path), c.CommandLine("create --name NAME"))
	}
	return nil
}

// PageSize is how many organizations are read at once.
const PageSize = 100

// Organizations reads all organizations of the store, page by page. It ends with the first error.
func (s *Store) Organizations(ctx context.Context) iter.Seq2[organization.Organization, error] {
	return s.OrganizationsAfter(ctx, "")
}

// OrganizationsAfter reads the organizations that come after the identifier in the order of the store, like
// Organizations. It reads a page when the caller has taken all organizations before it.
func (s *Store) OrganizationsAfter(
	ctx context.Context, id organization.ID,
) iter.Seq2[organization.Organization, error] {
	return pages(func(cursor string) ([]organization.Organization, string, error) {
		return s.List(ctx, cursor, PageSize)
	}, string(id))
}

// Exports reads all organizations with their keys, like Organizations. It does not read audit trails.
func (s *Store) Exports(ctx context.Context) iter.Seq2[store.Export, error] {
	return pages(func(cursor string) ([]store.Export, string, error) { return s.ExportPage(ctx, cursor, PageSize) }, "")
}

// pages yields the items of all pages from the cursor on. It ends with the first error.
func pages[T any](read func(cursor string) ([]T, string, error), cursor string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, next, err := read(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}

// KindOf returns the kind of failure for an error of the store.
func KindOf(err error) term.Kind {
	if errors.Is(err, dynamo.ErrNoTable) {
		return term.NoTables
	}
	switch store.KindOf(err) {
	case store.NotFound:
		return term.NotFound
	case store.Conflict:
		return term.Conflict
	case store.Full:
		return term.Full
	case store.Throttled, store.Unreachable:
		return term.Unavailable
	default:
		return term.Failed
	}
}
