package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"organizations-api/shared/store"
)

// Examine looks at the file, its schema and its pages, and whether it can be written to now. It changes nothing. There is
// no other clock to compare now with.
func (s *Store) Examine(ctx context.Context, _ func() time.Time) []store.Finding {
	return []store.Finding{s.examineFile(ctx), s.examineSchema(ctx), s.examinePages(ctx), s.examineLock(ctx)}
}

func (s *Store) examineFile(ctx context.Context) store.Finding {
	const check = "file"
	var path string
	err := s.reader.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	}
	if err != nil {
		return store.Broken(check, err.Error(), "see whether the file is still there")
	}
	detail := fmt.Sprintf("%s, %.1f MB", path, float64(info.Size())/1e6)
	if others := info.Mode().Perm() & 0o077; others != 0 {
		return store.Doubtful(check, fmt.Sprintf("%s; others may use it (%v)", detail, info.Mode().Perm()),
			"it holds secrets; take the rights away with chmod 600")
	}
	return store.Healthy(check, detail)
}

func (s *Store) examineSchema(ctx context.Context) store.Finding {
	const check = "schema"
	version, err := schemaVersion(ctx, s.reader)
	if err != nil {
		return store.Broken(check, err.Error(), "use the version of this command that wrote it")
	}
	var engine string
	if err := s.reader.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&engine); err != nil {
		return store.Broken(check, err.Error(), "try again")
	}
	return store.Healthy(check, fmt.Sprintf("version %d of %d, SQLite %s", version, len(migrations()), engine))
}

// examinePages has SQLite read the whole file.
func (s *Store) examinePages(ctx context.Context) store.Finding {
	const check = "contents"
	var result string
	err := s.reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return store.Doubtful(check, "not all of the file could be read in time", "have SQLite read it at leisure: PRAGMA quick_check")
	case err != nil:
		result = err.Error()
	case result == "ok":
		return store.Healthy(check, "every page can be read")
	}
	return store.Broken(check, result, "the file is damaged; go back to a copy of it")
}

// examineLock begins to write and thinks better of it.
func (s *Store) examineLock(ctx context.Context) store.Finding {
	const check = "writing"
	begun := time.Now()
	tx, err := s.begin(ctx, s.writer)
	if err == nil {
		err = tx.Rollback()
	}
	if err != nil {
		return store.Broken(check, fail(ctx, "beginning to write", err).Error(),
			"end the process that holds the file, or make the file and its folder writable")
	}
	return store.Healthy(check, fmt.Sprintf("possible after %d ms", time.Since(begun).Milliseconds()))
}
