package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"organizations-api/shared/store"
)

// Examine checks the file, its schema, whether a write is possible now, and all its pages. It changes nothing, and
// needs no clock. If ctx ends during a check, the finding is Doubtful and not Broken.
func (s *Store) Examine(ctx context.Context, _ func() time.Time) []store.Finding {
	// The pages come last, as they may take all the time that is left.
	return []store.Finding{s.examineFile(ctx), s.examineSchema(ctx), s.examineLock(ctx), s.examinePages(ctx)}
}

// broken returns the finding of a check that failed. If the end of ctx is the reason, the finding is Doubtful.
func broken(ctx context.Context, check string, err error, advice string) store.Finding {
	if over := ctx.Err(); over != nil {
		return store.Doubtful(check, "not looked at to the end: "+over.Error(), "try again")
	}
	return store.Broken(check, err.Error(), advice)
}

func (s *Store) examineFile(ctx context.Context) store.Finding {
	const check = "file"
	if err := s.files.check(); err != nil {
		return store.Broken(check, err.Error(), "")
	}
	if strays := s.files.strays(); len(strays) > 0 {
		return store.Broken(check, "files that were removed or replaced are still in use, by "+strings.Join(strays, ", "),
			"end these processes and start them again; what they have answered since then is lost")
	}
	var path string
	err := s.reader.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	}
	if err != nil {
		return broken(ctx, check, err, "see whether the file is still there")
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
		return broken(ctx, check, err, "use the version of this command that wrote it")
	}
	var engine string
	if err := s.reader.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&engine); err != nil {
		return broken(ctx, check, err, "try again")
	}
	detail := fmt.Sprintf("version %d of %d, SQLite %s", version, len(migrations()), engine)
	switch {
	case version == 0:
		return store.Doubtful(check, "the file is empty", "the first command that uses it sets it up")
	case version < len(migrations()):
		return store.Doubtful(check, detail,
			"the next command that uses the store brings it up to date; older versions of this command cannot open it then")
	}
	return store.Healthy(check, detail)
}

// examinePages makes SQLite read the whole file. An operator may throw a damaged file away, so the finding calls it
// damaged only if SQLite does.
func (s *Store) examinePages(ctx context.Context) store.Finding {
	const check = "contents"
	var result string
	err := s.reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result)
	const advice = "the file is damaged; go back to a copy of it"
	switch {
	case err == nil && result == "ok":
		return store.Healthy(check, "every page can be read")
	case err == nil:
		return store.Broken(check, result, advice)
	case damaged(err):
		return store.Broken(check, err.Error(), advice)
	case ctx.Err() != nil:
		return store.Doubtful(check, "the file was not read to the end: "+ctx.Err().Error(),
			"have SQLite read it at leisure: PRAGMA quick_check")
	default:
		return store.Broken(check, err.Error(), "the file could not be read; try again")
	}
}

// examineLock begins a transaction that writes, and rolls it back.
func (s *Store) examineLock(ctx context.Context) store.Finding {
	const check = "writing"
	begun := time.Now()
	tx, err := s.begin(ctx, s.writer)
	if err == nil {
		err = tx.Rollback()
	}
	if err != nil {
		return broken(ctx, check, fail(ctx, "beginning to write", err),
			"end the process that holds the file, or make the file and its folder writable")
	}
	return store.Healthy(check, fmt.Sprintf("possible after %d ms", time.Since(begun).Milliseconds()))
}
