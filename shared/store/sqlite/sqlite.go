// Package sqlite is the engine of package store on a SQLite file: for a laptop, for tests, and for a gateway that runs
// on one machine. The file is in WAL mode, so several processes can use it at the same time. An operator's command
// works while a gateway serves requests.
//
// It is the only package that may import a SQLite driver, and it returns no error type of that driver. It must not
// import api or another engine.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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
	// readers is how many reads can run at once in this process. It limits the memory that they use.
	readers = 8
	// defaultPatience is how long a write waits for the writes of other processes.
	defaultPatience = 5 * time.Second
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	reader *sql.DB
	// writer has one connection, as SQLite allows one writer at a time. Writes of this process wait in the pool's
	// queue, which is fair. SQLite's own waiting is not.
	writer   *sql.DB
	patience time.Duration

	// anchor is a connection that has read and is never used again. As long as it is open, no process finds itself
	// alone with the database, so SQLite does not remove the log and its index.
	anchor *sql.Conn
	files  *files
}

// Open opens the database in the file. If the file is missing, Open makes it and its folders. Only the owner can read
// the file, as it contains secrets. Several processes can open and make the file at the same time. Open returns an
// error for a database of another application, or of a newer version of this package, and does not change it. It also
// returns an error if the file, or one of those that SQLite keeps beside it, is a link, belongs to another user, or can
// be used by others: somebody may have put it there to read what is written.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, func(s *Store, path string) error {
		if err := ensureFile(ctx, path); err != nil {
			return err
		}
		return s.prepare(ctx)
	})
}

// OpenAsItIs opens an existing database without changing it: an old schema stays old, and an empty file stays empty.
// The caller must only read. A read returns an error if the old schema lacks what it reads. OpenAsItIs returns an error
// where Open does, and for a file that is missing.
func OpenAsItIs(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, func(s *Store, _ string) error {
		_, err := schemaVersion(ctx, s.reader)
		return err
	})
}

// open returns a store after a call of prepare, which gets the absolute path and is the first to use the file.
func open(ctx context.Context, path string, prepare func(s *Store, path string) error) (*Store, error) {
	s, err := connect(ctx, path, prepare)
	if err != nil {
		return nil, fail(ctx, fmt.Sprintf("opening the database %q", path), err)
	}
	return s, nil
}

func connect(ctx context.Context, path string, prepare func(s *Store, path string) error) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the folder: %w", err)
	}
	if err := checkFiles(path); err != nil {
		return nil, err
	}
	reader, err := sql.Open(driverName, readerDSN(path))
	if err != nil {
		return nil, fmt.Errorf("configuring reads: %w", err)
	}
	writer, err := sql.Open(driverName, writerDSN(path))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("configuring writes: %w", err), reader.Close())
	}
	reader.SetMaxOpenConns(readers + 1) // and the anchor
	reader.SetMaxIdleConns(readers)
	writer.SetMaxOpenConns(1)
	s := &Store{reader: reader, writer: writer, patience: defaultPatience}
	err = prepare(s, path)
	if err == nil {
		// SQLite made some of the files only now, or found one that somebody put there meanwhile.
		err = errors.Join(checkFiles(path), s.dropAnchor(ctx, path))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// dropAnchor makes the anchor, and looks at the files that the database uses from now on.
func (s *Store) dropAnchor(ctx context.Context, path string) (err error) {
	if s.anchor, err = s.reader.Conn(ctx); err != nil {
		return err
	}
	if _, err = schemaVersion(ctx, s.anchor); err != nil {
		return err
	}
	s.files, err = lookAtFiles(path)
	return err
}

// Close closes the database. Acknowledged writes are on disk already. If the database's files were removed or replaced,
// Close returns an error and leaves them to the end of the process: SQLite would move its log into the file, and remove
// the log, although both may be another process's by now.
func (s *Store) Close() error {
	if err := s.files.check(); err != nil {
		return fail(context.Background(), "closing the database", err)
	}
	var anchor error
	if s.anchor != nil {
		anchor = s.anchor.Close()
	}
	// The writer is closed last: the last connection moves the log into the file, and readers must not write.
	return errors.Join(anchor, s.reader.Close(), s.writer.Close())
}

// slice is how long SQLite waits for another process before it returns to us. While it waits it does not notice the end
// of a context, so slice must be short. begin decides whether to wait for another slice.
const slice = 100 * time.Millisecond

// existing is the mode for a file that exists. Only ensureFile makes one.
const existing = "mode=rw"

// writerDSN returns the DSN for writes. A transaction takes the lock when it begins, so it cannot fail half-way. It is
// on disk when it is acknowledged. SQLite overwrites deleted content, as it may be secret.
func writerDSN(path string) string {
	return dsn(path, existing, "_txlock=immediate", busyTimeout(slice),
		"_pragma=foreign_keys(1)", "_pragma=synchronous(FULL)", "_pragma=secure_delete(1)")
}

// readerDSN returns the DSN for reads. A read waits only while SQLite recovers the log of a process that crashed.
func readerDSN(path string) string {
	return dsn(path, existing, busyTimeout(defaultPatience), "_pragma=query_only(1)")
}

func busyTimeout(d time.Duration) string {
	return fmt.Sprintf("_pragma=busy_timeout(%d)", d.Milliseconds())
}

// dsn returns a SQLite URI for the path. With _dqs=0, an unknown name in double quotes is an error, not a string. With
// _error_rc=1, errors do not quote the messages of earlier errors.
func dsn(path string, parameters ...string) string {
	return "file:" + escape(path) + "?_dqs=0&_error_rc=1&" + strings.Join(parameters, "&")
}

// escape writes all characters as %XX, except letters, digits and a few marks. SQLite does not read + as a space.
func escape(path string) string { return strings.ReplaceAll(url.QueryEscape(path), "+", "%20") }

// ensureFile makes the file and its folders if they are missing. SQLite itself must make the file: if this process
// opened and closed it, POSIX would drop the locks that the process holds on the database. SQLite's parameter modeof
// gives the new file the mode of another file.
func ensureFile(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the file: %w", err)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return cannotMake("the folder", err)
	}
	model, err := os.CreateTemp(folder, ".mode-*") // has the mode 0600
	if err != nil {
		return cannotMake("a file in the folder", err)
	}
	defer os.Remove(model.Name()) // if that fails, an empty file stays
	if err := model.Close(); err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	db, err := sql.Open(driverName, dsn(path, "modeof="+escape(model.Name())))
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	made, err := db.Conn(ctx) // makes the file and reads nothing, as other processes may use it already
	if err != nil {
		return errors.Join(fmt.Errorf("making the file: %w", err), db.Close())
	}
	return errors.Join(made.Close(), db.Close())
}

// cannotMake adds advice to the error of making a file or a folder.
func cannotMake(what string, err error) error {
	var path *fs.PathError
	cause := err
	if errors.As(err, &path) {
		cause = path.Err
	}
	advice := ""
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		advice = "; choose a place where you may write"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		advice = "; make room"
	}
	return fmt.Errorf("making %s: %w%s", what, cause, advice)
}
