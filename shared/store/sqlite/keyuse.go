package sqlite

import (
	"context"
	"database/sql"
	"time"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	expectStatement = `INSERT INTO key_uses (organization, key_id) VALUES (?, ?) ON CONFLICT DO NOTHING`
	// useStatement leaves a later time alone, and organizations that are gone.
	useStatement = `INSERT INTO key_uses (organization, key_id, used_at)
		SELECT id, ?, ? FROM organizations WHERE id = ?
		ON CONFLICT DO UPDATE SET used_at = excluded.used_at WHERE used_at IS NULL OR used_at < excluded.used_at`
	usesQuery = `SELECT key_id, used_at FROM key_uses WHERE organization = ?`
)

// expectUses makes the row of a new key. One that is restored gets none: of its uses nothing is known.
func expectUses(ctx context.Context, tx *sql.Tx, id organization.ID, keyID string) error {
	_, err := tx.ExecContext(ctx, expectStatement, string(id), keyID)
	return err
}

// NoteUse implements store.UseNotes.
func (s *Store) NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error {
	span := organization.FormatTime(at.UTC().Truncate(store.UseSpan))
	return s.writeLightly(ctx, "noting a use of "+keyID+" of "+string(id), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, useStatement, keyID, span, string(id))
		return err
	})
}

// use is when a key was used; nil: never.
type use struct {
	keyID  string
	usedAt *time.Time
}

func readUse(row scanner) (use, error) {
	var u use
	var usedAt *string
	if err := row.Scan(&u.keyID, &usedAt); err != nil {
		return use{}, err
	}
	var d decoder
	u.usedAt = d.optionalTime("used_at", usedAt)
	return u, d.err("key_uses", u.keyID)
}

// KeyUses implements store.KeyUses.
func (s *Store) KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error) {
	rows, err := s.reader.QueryContext(ctx, usesQuery, string(id))
	found, err := all(rows, err, readUse)
	if err != nil {
		return nil, fail(ctx, "reading when keys of "+string(id)+" were used", err)
	}
	uses := make(map[string]time.Time, len(found))
	for _, u := range found {
		uses[u.keyID] = time.Time{}
		if u.usedAt != nil {
			uses[u.keyID] = *u.usedAt
		}
	}
	return uses, nil
}
