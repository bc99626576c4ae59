package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"organizations-api/shared/organization"
)

// scanner is a row of a result.
type scanner interface{ Scan(into ...any) error }

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// snapshot runs reads that are of one moment.
func (s *Store) snapshot(ctx context.Context, read func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // there is nothing to commit
	return read(tx)
}

// all reads every row of a result.
func all[T any](rows *sql.Rows, err error, read func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() // has nothing to add to Err
	var items []T
	for rows.Next() {
		item, err := read(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// page cuts a page from items, of which one more was read than fits, and returns the cursor behind it.
func page[T any](items []T, limit int, cursor func(T) string) ([]T, string) {
	if len(items) <= limit {
		return items, ""
	}
	return items[:limit], cursor(items[limit-1])
}

func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("a page of %d is asked for, and has at least 1", limit)
	}
	return nil
}

// placeholders returns n of them, for the values of a row.
func placeholders(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// decoder turns columns into values, and collects what is wrong with them. Its errors name columns but quote nothing: a
// damaged row may hold a secret in the wrong place.
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

// err names the row and all its bad columns.
func (d *decoder) err(table, row string) error {
	if len(d.problems) == 0 {
		return nil
	}
	return fmt.Errorf("the row %q of the table %s is damaged in: %w", row, table, errors.Join(d.problems...))
}

// optionalText is how a time that may be missing is stored.
func optionalText(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(organization.FormatTime(*t))
}
