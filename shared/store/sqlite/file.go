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
	"time"
)

// slice is how long SQLite waits for another process before it asks us whether to wait on. While it waits it does not
// notice that a context is over, so this must be short.
const slice = 100 * time.Millisecond

// present is for a file that is there. Only ensureFile makes one.
const present = "mode=rw"

// writerDSN names the file for writing: every transaction takes the lock when it begins, so that none fails half-way,
// and is on disk when it is acknowledged. What is deleted is overwritten, as it may be a secret.
func writerDSN(path string) string {
	return dsn(path, present, "_txlock=immediate", busyTimeout(slice),
		"_pragma=foreign_keys(1)", "_pragma=synchronous(FULL)", "_pragma=secure_delete(1)")
}

// readerDSN names the file for reading. A read waits only while a crashed process's log is recovered.
func readerDSN(path string) string {
	return dsn(path, present, busyTimeout(defaultPatience), "_pragma=query_only(1)")
}

func busyTimeout(d time.Duration) string {
	return fmt.Sprintf("_pragma=busy_timeout(%d)", d.Milliseconds())
}

// dsn returns a SQLite URI, in which no character of the path has a meaning of its own. A text in double quotes that names
// no column is an error (_dqs), and errors do not quote messages of earlier ones (_error_rc).
func dsn(path string, parameters ...string) string {
	return "file:" + escape(path) + "?_dqs=0&_error_rc=1&" + strings.Join(parameters, "&")
}

// escape writes everything but letters, digits and a few marks as %XX. SQLite reads + as itself.
func escape(path string) string { return strings.ReplaceAll(url.QueryEscape(path), "+", "%20") }

// ensureFile makes the file and its folders where they are missing. SQLite itself has to make the file: closing a
// descriptor of a database would drop the locks that this process holds on it (POSIX has it so). Its modeof parameter
// copies the mode of another file.
func ensureFile(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the file: %w", err)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	model, err := os.CreateTemp(folder, ".mode-*") // 0600
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	defer os.Remove(model.Name()) // at worst an empty file stays
	if err := model.Close(); err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	db, err := sql.Open(driverName, dsn(path, "modeof="+escape(model.Name())))
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	made, err := db.Conn(ctx) // opens the file, which makes it, and reads nothing: others may be at work by now
	if err != nil {
		return errors.Join(fmt.Errorf("making the file: %w", err), db.Close())
	}
	return errors.Join(made.Close(), db.Close())
}
