package sqlite

import (
	"context"
	"database/sql"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Delete implements store.Lifecycle.
func (s *Store) Delete(ctx context.Context, id organization.ID, at time.Time, e store.Entry) error {
	const statement = `UPDATE organizations SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL`
	return s.mark(ctx, "deleting "+string(id), id, e, statement, organization.FormatTime(at), string(id))
}

// Undelete implements store.Lifecycle.
func (s *Store) Undelete(ctx context.Context, id organization.ID, e store.Entry) error {
	const statement = `UPDATE organizations SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL`
	return s.mark(ctx, "undeleting "+string(id), id, e, statement, string(id))
}

// mark runs a statement that changes nothing where the mark is as it should be, and writes the entry where it does.
func (s *Store) mark(
	ctx context.Context, op string, id organization.ID, e store.Entry, statement string, args ...any,
) error {
	return s.write(ctx, op, func(tx *sql.Tx) error {
		changed, err := execute(ctx, tx, statement, args...)
		if err != nil {
			return err
		}
		if !changed {
			return exists(ctx, tx, id)
		}
		return writeEntry(ctx, tx, id, e)
	})
}

// Purge implements store.Lifecycle. The schema has keys and entries go with their organization,
// and the file keeps no bytes of them once its log has been moved into it.
func (s *Store) Purge(ctx context.Context, id organization.ID) error {
	return s.write(ctx, "purging "+string(id), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM organizations WHERE id = ?`, string(id))
		return err
	})
}
