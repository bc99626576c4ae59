package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// write makes a change in one transaction. The change takes effect as a whole when it returns no error, and not at all
// otherwise.
func (s *Store) write(ctx context.Context, op string, change func(*sql.Tx) error) error {
	return fail(ctx, op, s.transact(ctx, s.writer, change))
}

// writeLightly is write for what need not outlast a loss of power: it does not wait for the disk. Other processes see the
// change at once all the same, and the next write makes it last.
func (s *Store) writeLightly(ctx context.Context, op string, change func(*sql.Tx) error) error {
	connection, err := s.writer.Conn(ctx)
	if err != nil {
		return fail(ctx, op, err)
	}
	defer connection.Close()
	return fail(ctx, op, s.transactLightly(ctx, connection, change))
}

// transactLightly leaves the connection waiting for the disk again, or of no more use.
func (s *Store) transactLightly(ctx context.Context, connection *sql.Conn, change func(*sql.Tx) error) error {
	_, err := connection.ExecContext(ctx, "PRAGMA synchronous = NORMAL")
	if err == nil {
		err = s.transact(ctx, connection, change)
	}
	// Also after an error: where the context ended meanwhile, the setting is changed although the driver reports that.
	if _, back := connection.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL"); back != nil {
		// Nothing may be written with this connection any more.
		_ = connection.Raw(func(any) error { return driver.ErrBadConn })
		err = errors.Join(err, back)
	}
	return err
}

// beginner is a pool or one connection of it.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

func (s *Store) transact(ctx context.Context, db beginner, change func(*sql.Tx) error) error {
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

// begin waits for the lock as long as the store's patience and the context last.
func (s *Store) begin(ctx context.Context, db beginner) (*sql.Tx, error) {
	for deadline := time.Now().Add(s.patience); ; {
		tx, err := db.BeginTx(ctx, nil) // takes the lock, or a slice of time
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
