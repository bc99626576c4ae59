package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"organizations-api/shared/store"
)

// A transaction makes no change for one of these reasons. Another reason is sql.ErrNoRows, if something does not exist.
var (
	errConflict = errors.New("conflict")
	errFull     = errors.New("full")
	errApplied  = errors.New("applied")
)

// fail returns err as an *store.Error with the operation op. An *store.Error stays as it is. Any other error after the
// end of the context is Unreachable, as the end is its likely cause. An error without a kind is wrapped, not turned
// into an *store.Error. Of an error of the driver, fail keeps nothing, so that no caller depends on the driver.
func fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*store.Error](err); ok {
		return known
	}
	kind := store.Unknown
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &store.Error{Kind: store.NotFound, Op: op}
	case errors.Is(err, errConflict):
		return &store.Error{Kind: store.Conflict, Op: op}
	case errors.Is(err, errFull):
		return &store.Error{Kind: store.Full, Op: op}
	case errors.Is(err, errApplied):
		return &store.Error{Kind: store.Applied, Op: op}
	case errors.Is(err, errReplaced), ctx.Err() != nil, errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded):
		kind = store.Unreachable
	default:
		kind = kindOf(err)
	}
	err = explained(err)
	if kind == store.Unknown {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &store.Error{Kind: kind, Op: op, Err: err}
}

// kindOf returns the kind of an error of the driver.
func kindOf(err error) store.Kind {
	switch code(err) {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_PROTOCOL: // PROTOCOL: too many processes opened it at once
		return store.Throttled
	case codes.SQLITE_INTERRUPT, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN, codes.SQLITE_FULL:
		return store.Unreachable
	default:
		return store.Unknown
	}
}

// explained returns err with a text for the operator instead of the driver's text, and without the driver's error in
// its chain.
func explained(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	text := fmt.Sprintf("%s (SQLite code %d)", explanation(e.Code()), e.Code())
	return errors.New(strings.Replace(err.Error(), e.Error(), text, 1))
}

// explanation says what a result code of SQLite means here, and what the operator can do ("Result and Error Codes" in
// SQLite's documentation).
func explanation(code int) string {
	const primary = 0xff
	switch code & primary {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_PROTOCOL:
		return "another process holds the database; try again, or end that process"
	case codes.SQLITE_READONLY:
		return "the file or its folder is read-only, and SQLite needs files beside the database even to read it; " +
			"make both writable, or copy the file and its -wal to a folder of your own"
	case codes.SQLITE_CANTOPEN:
		return "the file, or one that SQLite keeps beside it, cannot be opened; make the file and its folder readable and " +
			"writable, or copy the file and its -wal to a folder of your own"
	case codes.SQLITE_FULL:
		return "the disk is full; make room"
	case codes.SQLITE_IOERR:
		return "the disk cannot be read or written; see whether it is full, and whether the system reports errors of it"
	case codes.SQLITE_CORRUPT:
		return "the file is damaged; go back to a copy of it"
	case codes.SQLITE_NOTADB:
		return "the file is not a database of SQLite; choose another file"
	case codes.SQLITE_INTERRUPT:
		return "interrupted"
	case codes.SQLITE_NOMEM:
		return "there is not enough memory"
	case codes.SQLITE_CONSTRAINT:
		return "what is to be stored breaks a rule of the schema"
	case codes.SQLITE_ERROR, codes.SQLITE_SCHEMA:
		return "the schema is not what this version needs; if it is older, the next command that writes brings it up to date"
	default:
		return "SQLite fails"
	}
}

// damaged reports whether SQLite says that the file is damaged.
func damaged(err error) bool {
	c := code(err)
	return c == codes.SQLITE_CORRUPT || c == codes.SQLITE_NOTADB
}

// busy reports whether another process has the lock.
func busy(err error) bool { return kindOf(err) == store.Throttled }

// code returns SQLite's primary result code. It returns 0 for an error that is not from the driver.
func code(err error) int {
	const primary = 0xff // the other bits of an extended code give details
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & primary
	}
	return 0
}
