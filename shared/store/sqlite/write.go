package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// write makes a change in one transaction. The change takes effect as a whole when it returns no error, and not at all
// otherwise.
func (s *Store) write(ctx context.Context, op string, change func(*sql.Tx) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return fail(ctx, op, err)
	}
	defer tx.Rollback() // does nothing after Commit
	if err := change(tx); err != nil {
		return fail(ctx, op, err)
	}
	return fail(ctx, op, tx.Commit())
}

// begin waits for the lock as long as the store's patience and the context last.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	for deadline := time.Now().Add(s.patience); ; {
		tx, err := s.writer.BeginTx(ctx, nil) // takes the lock, or a slice of time
		if !busy(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return tx, err
		}
	}
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
