package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// write makes a change in one transaction. If it returns an error, nothing was changed in the files at the path.
func (s *Store) write(ctx context.Context, op string, change func(*sql.Tx) error) error {
	return fail(ctx, op, s.transact(ctx, s.writer, change))
}

// writeLightly is like write, but does not wait for the disk, so a loss of power may undo the change. Other processes
// see the change at once, and the next write makes it durable.
func (s *Store) writeLightly(ctx context.Context, op string, change func(*sql.Tx) error) error {
	connection, err := s.writer.Conn(ctx)
	if err != nil {
		return fail(ctx, op, err)
	}
	defer connection.Close()
	return fail(ctx, op, s.transactLightly(ctx, connection, change))
}

// transactLightly sets the connection back to waiting for the disk. If it cannot, it makes the connection unusable.
func (s *Store) transactLightly(ctx context.Context, connection *sql.Conn, change func(*sql.Tx) error) error {
	_, err := connection.ExecContext(ctx, "PRAGMA synchronous = NORMAL")
	if err == nil {
		err = s.transact(ctx, connection, change)
	}
	// Also after an error: if the context ended, the driver reports an error although the setting has changed.
	if _, back := connection.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL"); back != nil {
		_ = connection.Raw(func(any) error { return driver.ErrBadConn }) // the pool does not use it again
		err = errors.Join(err, back)
	}
	return err
}

// beginner is a database or one of its connections.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

// transact makes the change in one transaction. It returns errReplaced if the files were removed or replaced before the
// end of it: then the change may be in a file that nobody can open again.
func (s *Store) transact(ctx context.Context, db beginner, change func(*sql.Tx) error) error {
	return s.inPlace(s.commit(ctx, db, change))
}

func (s *Store) commit(ctx context.Context, db beginner, change func(*sql.Tx) error) error {
	tx, err := s.begin(ctx, db)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := change(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// begin begins a transaction that writes. It waits for the lock until the store's patience or the context ends.
func (s *Store) begin(ctx context.Context, db beginner) (*sql.Tx, error) {
	for deadline := time.Now().Add(s.patience); ; {
		tx, err := db.BeginTx(ctx, nil) // waits for up to a slice
		if !busy(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return tx, err
		}
	}
}

// snapshot calls read with a transaction in which all reads see the same state.
func (s *Store) snapshot(ctx context.Context, read func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.inPlace(err)
	}
	defer tx.Rollback() // there is nothing to commit
	return s.inPlace(read(tx))
}

// execute runs a statement and reports whether it changed anything.
func execute(ctx context.Context, tx *sql.Tx, statement string, args ...any) (changed bool, err error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("counting what changed: %w", err)
	}
	return rows > 0, nil
}

// exists returns sql.ErrNoRows if the query, which selects 1, finds no row.
func exists(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	var one int
	return tx.QueryRowContext(ctx, query, args...).Scan(&one)
}

// scanner is one row of a result.
type scanner interface{ Scan(into ...any) error }

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls read with every row that the query finds. If read returns an error, each stops and returns that error.
func each(ctx context.Context, db queryer, read func(scanner) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() // Err has its error
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// all returns what read returns for every row that the query finds.
func all[T any](
	ctx context.Context, db queryer, read func(scanner) (T, error), query string, args ...any,
) ([]T, error) {
	var items []T
	err := each(ctx, db, func(row scanner) error {
		item, err := read(row)
		items = append(items, item)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// of returns a reader of rows that belong to the organization. For a row of another one it returns store.ErrNotAsked.
// SQLite would only find one if the file were damaged, or its schema changed.
func of[T any](
	id organization.ID, read func(scanner) (organization.ID, T, error),
) func(scanner) (T, error) {
	return func(row scanner) (T, error) {
		owner, item, err := read(row)
		if err == nil && owner != id {
			err = store.ErrNotAsked
		}
		return item, err
	}
}

// page returns the first limit items, and the cursor of the next page. The caller has read one item more than limit, if
// there is one.
func page[T any](items []T, limit int, cursor func(T) string) ([]T, string) {
	if len(items) <= limit {
		return items, ""
	}
	return items[:limit], cursor(items[limit-1])
}

func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("the limit of a page is %d, and must be at least 1", limit)
	}
	return nil
}

// placeholders returns the placeholders for n values.
func placeholders(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// decoder turns columns into values and collects the names of bad columns. Its error does not quote a value, as a
// damaged row may have a secret in the wrong column.
type decoder struct{ problems []error }

func (d *decoder) check(column string, err error) {
	if err != nil {
		d.problems = append(d.problems, errors.New(column))
	}
}

func (d *decoder) time(column, text string) time.Time {
	t, err := organization.ParseTime(text)
	d.check(column, err)
	return t
}

func (d *decoder) optionalTime(column string, text *string) *time.Time {
	if text == nil {
		return nil
	}
	return new(d.time(column, *text))
}

// err returns an error with the row and all its bad columns, or nil if there are none.
func (d *decoder) err(table, row string) error {
	if len(d.problems) == 0 {
		return nil
	}
	return fmt.Errorf("the row %q of the table %s is damaged in: %w", row, table, errors.Join(d.problems...))
}

// optionalText returns how an optional time is stored.
func optionalText(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(organization.FormatTime(*t))
}
