// Package sqlite is the engine of package store on a SQLite file: for a laptop, for tests, and for a gateway that needs no
// more than one machine. The file is in WAL mode, so that several processes can use it at once: an operator's command
// works while gateways serve.
//
// It is the only package that may import a SQLite driver, and no error type of that driver leaves it. It must not import
// api, nor another engine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"organizations-api/shared/store"
)

var (
	_ store.Records  = (*Store)(nil)
	_ store.Counters = (*Store)(nil)
	_ store.UseNotes = (*Store)(nil)
	_ store.Operator = (*Store)(nil)
)

const (
	driverName = "sqlite"
	// readers is how many reads run at once in this process. They wait for nobody; the bound is on memory.
	readers = 8
	// defaultPatience is how long a write waits for those of other processes.
	defaultPatience = 5 * time.Second
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	reader *sql.DB
	// writer has one connection: SQLite has one writer at a time, and in the pool's queue nobody is overtaken, while
	// SQLite's own waiting is a matter of luck.
	writer   *sql.DB
	patience time.Duration
}

// Open opens the database in the file, and makes it with its folders where it is missing: the file for its owner's eyes
// only, as it holds secrets. Several processes can do so at once. A database of a newer version of this package, or of
// another application, is refused and left as it is.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, func(s *Store, path string) error {
		if err := ensureFile(ctx, path); err != nil {
			return err
		}
		return s.prepare(ctx)
	})
}

// OpenAsItIs opens a database that is there for a look that leaves it as it is: an older schema stays the older one, and an
// empty file stays empty. Nothing may be written to what it returns. Reading is an error where the schema lacks what is
// read. What Open refuses, it refuses too, and so it does a file that is missing.
func OpenAsItIs(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, func(s *Store, _ string) error {
		_, err := schemaVersion(ctx, s.reader)
		return err
	})
}

// open makes a store, of which prepare is the first to use the file, whose absolute path it gets.
func open(ctx context.Context, path string, prepare func(s *Store, path string) error) (*Store, error) {
	s, err := connect(path, prepare)
	if err != nil {
		return nil, fail(ctx, fmt.Sprintf("opening the database %q", path), err)
	}
	return s, nil
}

func connect(path string, prepare func(s *Store, path string) error) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the folder: %w", err)
	}
	reader, err := sql.Open(driverName, readerDSN(path))
	if err != nil {
		return nil, fmt.Errorf("configuring reads: %w", err)
	}
	writer, err := sql.Open(driverName, writerDSN(path))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("configuring writes: %w", err), reader.Close())
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	writer.SetMaxOpenConns(1)
	s := &Store{reader: reader, writer: writer, patience: defaultPatience}
	if err := prepare(s, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the database. What was acknowledged is on disk already.
func (s *Store) Close() error {
	// The writer goes last: the last connection moves the log into the file, which readers may not.
	return errors.Join(s.reader.Close(), s.writer.Close())
}
