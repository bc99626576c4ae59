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

// fail turns an error into one of package store's, with what was being done. What has a kind already keeps it; a missing
// row means that what was asked for does not exist. A context that is over explains whatever went wrong meanwhile.
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
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind = store.Unreachable
	default:
		kind = kindOf(err)
	}
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		err = errors.New(err.Error()) // the text is for the log, the type for nobody
	}
	if kind == store.Unknown {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &store.Error{Kind: kind, Op: op, Err: err}
}

// kindOf returns the kind of an error of the driver's.
func kindOf(err error) store.Kind {
	switch code(err) {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_PROTOCOL: // the last: too many processes opened it at once
		return store.Throttled
	case codes.SQLITE_INTERRUPT, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN, codes.SQLITE_FULL:
		return store.Unreachable
	default:
		return store.Unknown
	}
}

// damaged reports whether SQLite found that the file is not what it wrote.
func damaged(err error) bool {
	c := code(err)
	return c == codes.SQLITE_CORRUPT || c == codes.SQLITE_NOTADB
}

func busy(err error) bool { return kindOf(err) == store.Throttled }

// code returns the primary result code of an error of the driver's, and 0 for any other error.
func code(err error) int {
	const primary = 0xff // the rest of an extended code says more about the same
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & primary
	}
	return 0
}
