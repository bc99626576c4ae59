package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"organizations-api/shared/store"
)

// The reasons for which a transaction makes no change. Another is sql.ErrNoRows, for what does not exist.
var (
	errConflict = errors.New("conflict")
	errFull     = errors.New("full")
	errApplied  = errors.New("applied")
)

// fail returns err as an *store.Error with the operation op. An *store.Error stays as it is. Any other error after the
// end of the context is Unreachable, as the end is its likely cause. An error without a kind is wrapped, not turned
// into an *store.Error. Of an error of the driver, fail keeps only the text, so that no caller depends on the driver.
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
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		err = errors.New(err.Error())
	}
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
