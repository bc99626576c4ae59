package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Examine checks the file, its schema, whether a write is possible now, and all pages. It changes no stored data: it
// writes a row of its own, and removes it. It ignores the clock. If ctx ends during a check, the finding is Doubtful
// and not Broken.
func (s *Store) Examine(ctx context.Context, _ func() time.Time) []store.Finding {
	// The pages come last, as they may take all the time that is left.
	return []store.Finding{s.examineFile(ctx), s.examineSchema(ctx), s.examineWriting(ctx), s.examinePages(ctx)}
}

// broken returns the finding of a check that failed. If the end of ctx is the reason, the finding is Doubtful.
func broken(ctx context.Context, check string, err error, advice string) store.Finding {
	if over := ctx.Err(); over != nil {
		return store.Doubtful(check, "not looked at to the end: "+over.Error(), "try again")
	}
	return store.Broken(check, explained(err).Error(), advice)
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
	if err := checkFiles(path); err != nil {
		return broken(ctx, check, err, "")
	}
	return store.Healthy(check, path+", "+size(info.Size()))
}

// size returns the size of a file for people.
func size(bytes int64) string {
	const million = 1_000_000
	if bytes < million {
		return fmt.Sprintf("%d kB", (bytes+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/million)
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
	case err == nil, damaged(err):
		return store.Broken(check, "not every page can be read", advice)
	case ctx.Err() != nil:
		return store.Doubtful(check, "the file was not read to the end: "+ctx.Err().Error(),
			"have SQLite read it at leisure: PRAGMA quick_check")
	default:
		return store.Broken(check, explained(err).Error(), "the file could not be read; try again")
	}
}

// The row that examineWriting makes is a count of requests of nobody: no organization has that identifier. Should this
// process be killed before the row is removed, it goes away as old counts do.
const (
	probeOrganization = "doctor"
	// probeSize is the size of a row that needs as much space as the largest change of an organization: new metadata
	// and credentials of 64 KiB each, which replace old ones, and metadata twice in the audit trail. The row is stored
	// twice, in the table and in its index, and overwritten when it is removed. If the disk has no room for that, it is
	// full.
	probeSize = 96 << 10
)

// examineWriting writes a row, waits until it is on disk, and removes it. It writes nothing to an empty file, which has
// no table to write to.
func (s *Store) examineWriting(ctx context.Context) store.Finding {
	const check = "writing"
	begun := time.Now()
	version, err := schemaVersion(ctx, s.writer)
	switch {
	case err != nil:
	case version == 0:
		var tx *sql.Tx
		if tx, err = s.begin(ctx, s.writer); err == nil {
			err = tx.Rollback()
		}
	default:
		err = s.probe(ctx, begun)
	}
	if err != nil {
		return broken(ctx, check, fail(ctx, "writing a row and removing it", err), "")
	}
	return store.Healthy(check, fmt.Sprintf("possible after %d ms", time.Since(begun).Milliseconds()))
}

func (s *Store) probe(ctx context.Context, now time.Time) error {
	run := func(ctx context.Context, statement string, args ...any) error {
		return s.transact(ctx, s.writer, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement, args...)
			return err
		})
	}
	err := run(ctx, "INSERT OR REPLACE INTO counters (organization, category, window_start, requests) VALUES (?, ?, ?, 0)",
		probeOrganization, strings.Repeat("x", probeSize), organization.FormatTime(now))
	// Also after an error: the row may be there all the same.
	removal := run(context.WithoutCancel(ctx), "DELETE FROM counters WHERE organization = ?", probeOrganization)
	return cmp.Or(err, removal)
}
