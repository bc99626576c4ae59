package sqlite

import (
	"context"
	"database/sql"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	changeKeyStatement = `UPDATE keys SET expires_at = ?, revoked_at = ?, replaced_by = ?
		WHERE organization = ? AND hash = ? AND expires_at IS ? AND revoked_at IS ? AND replaced_by IS ?`
	keyQuery = `SELECT 1 FROM keys WHERE organization = ? AND hash = ?`
)

// ChangeKey implements store.Keys.
func (s *Store) ChangeKey(ctx context.Context, id organization.ID, c store.KeyChange, e store.Entry) error {
	op := "changing " + c.Before.ID + " of " + string(id)
	before, after := encodeKey(c.Before), encodeKey(c.After)
	return s.write(ctx, op, func(tx *sql.Tx) error {
		if _, err := countKeys(ctx, tx, id); err != nil { // it is there and not deleted
			return err
		}
		changed, err := execute(ctx, tx, changeKeyStatement, after.expiresAt, after.revokedAt, after.replacedBy,
			string(id), before.hash, before.expiresAt, before.revokedAt, before.replacedBy)
		if err != nil {
			return err
		}
		if !changed {
			var one int
			if err := tx.QueryRowContext(ctx, keyQuery, string(id), before.hash).Scan(&one); err != nil {
				return err
			}
			return &store.Error{Kind: store.Conflict, Op: op}
		}
		if c.New != nil {
			if err := addKey(ctx, tx, op, id, *c.New); err != nil {
				return err
			}
		}
		return writeEntry(ctx, tx, id, e)
	})
}
