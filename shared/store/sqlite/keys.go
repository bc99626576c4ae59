package sqlite

import (
	"context"
	"database/sql"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	keysQuery = `SELECT organization, ` + keyColumns + ` FROM keys WHERE organization = ? ORDER BY issued_at, key_id`
	// countKeysQuery finds no row if the organization does not exist or is deleted.
	countKeysQuery = `SELECT (SELECT count(*) FROM keys WHERE organization = id)
		FROM organizations WHERE id = ? AND deleted_at IS NULL`
	changeKeyStatement = `UPDATE keys SET expires_at = ?, revoked_at = ?, replaced_by = ?
		WHERE organization = ? AND hash = ? AND expires_at IS ? AND revoked_at IS ? AND replaced_by IS ?`
	revokeStatement = `UPDATE keys SET revoked_at = ? WHERE organization = ? AND key_id = ? AND revoked_at IS NULL`
)

// AddKey implements store.Keys. It also returns Conflict if the organization has a key with that ID.
func (s *Store) AddKey(ctx context.Context, id organization.ID, key apikey.Record, e store.Entry) error {
	return s.write(ctx, "adding a key to "+string(id), func(tx *sql.Tx) error {
		if err := addKey(ctx, tx, id, key); err != nil {
			return err
		}
		return writeEntry(ctx, tx, id, e)
	})
}

func addKey(ctx context.Context, tx *sql.Tx, id organization.ID, key apikey.Record) error {
	n, err := countKeys(ctx, tx, id)
	if err != nil {
		return err
	}
	if n >= apikey.MaxPerOrganization {
		return errFull
	}
	added, err := writeKey(ctx, tx, id, key)
	if err != nil {
		return err
	}
	if !added {
		return errConflict
	}
	return expectUses(ctx, tx, id, key.ID)
}

// countKeys returns the number of keys. It returns sql.ErrNoRows if the organization does not exist or is deleted.
func countKeys(ctx context.Context, tx *sql.Tx, id organization.ID) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, countKeysQuery, string(id)).Scan(&n)
	return n, err
}

// RevokeKey implements store.Keys.
func (s *Store) RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e store.Entry) error {
	return s.write(ctx, "revoking "+keyID+" of "+string(id), func(tx *sql.Tx) error {
		revoked, err := execute(ctx, tx, revokeStatement, organization.FormatTime(at), string(id), keyID)
		if err != nil {
			return err
		}
		if !revoked {
			return exists(ctx, tx, `SELECT 1 FROM keys WHERE organization = ? AND key_id = ?`, string(id), keyID)
		}
		return writeEntry(ctx, tx, id, e)
	})
}

// ChangeKey implements store.Keys.
func (s *Store) ChangeKey(ctx context.Context, id organization.ID, c store.KeyChange, e store.Entry) error {
	before, after := encodeKey(c.Before), encodeKey(c.After)
	return s.write(ctx, "changing "+c.Before.ID+" of "+string(id), func(tx *sql.Tx) error {
		if _, err := countKeys(ctx, tx, id); err != nil { // the organization exists and is not deleted
			return err
		}
		changed, err := execute(ctx, tx, changeKeyStatement, after.expiresAt, after.revokedAt, after.replacedBy,
			string(id), before.hash, before.expiresAt, before.revokedAt, before.replacedBy)
		if err != nil {
			return err
		}
		if !changed {
			const query = `SELECT 1 FROM keys WHERE organization = ? AND hash = ?`
			if err := exists(ctx, tx, query, string(id), before.hash); err != nil {
				return err
			}
			return errConflict
		}
		if c.New != nil {
			if err := addKey(ctx, tx, id, *c.New); err != nil {
				return err
			}
		}
		return writeEntry(ctx, tx, id, e)
	})
}

const (
	expectUsesStatement = `INSERT INTO key_uses (organization, key_id) VALUES (?, ?) ON CONFLICT DO NOTHING`
	// noteUseStatement changes nothing if a later use is recorded, or if the organization does not exist.
	noteUseStatement = `INSERT INTO key_uses (organization, key_id, used_at)
		SELECT id, ?, ? FROM organizations WHERE id = ?
		ON CONFLICT DO UPDATE SET used_at = excluded.used_at WHERE used_at IS NULL OR used_at < excluded.used_at`
	keyUsesQuery = `SELECT organization, key_id, used_at FROM key_uses WHERE organization = ?`
)

// expectUses records that a new key was not used yet. For a restored key this is not known, so it gets no such record.
func expectUses(ctx context.Context, tx *sql.Tx, id organization.ID, keyID string) error {
	_, err := tx.ExecContext(ctx, expectUsesStatement, string(id), keyID)
	return err
}

// NoteUse implements store.UseNotes.
func (s *Store) NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error {
	span := organization.FormatTime(at.UTC().Truncate(store.UseSpan))
	return s.writeLightly(ctx, "noting a use of "+keyID+" of "+string(id), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, noteUseStatement, keyID, span, string(id))
		return err
	})
}

// KeyUses implements store.KeyUses.
func (s *Store) KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error) {
	uses := make(map[string]time.Time)
	err := each(ctx, s.reader, func(row scanner) error {
		var owner, keyID string
		var usedAt *string
		if err := row.Scan(&owner, &keyID, &usedAt); err != nil {
			return err
		}
		if owner != string(id) {
			return store.ErrNotAsked
		}
		var d decoder
		uses[keyID] = time.Time{}
		if usedAt != nil {
			uses[keyID] = d.time("used_at", *usedAt)
		}
		return d.err("key_uses", keyID)
	}, keyUsesQuery, string(id))
	if err = s.inPlace(err); err != nil {
		return nil, fail(ctx, "reading when keys of "+string(id)+" were used", err)
	}
	return uses, nil
}

// keyRow is a row of the table keys. All values are nil if a join found no key.
type keyRow struct {
	hash, keyID, permission, mode, issuedAt *string
	expiresAt, revokedAt, replacedBy, label *string
}

const keyColumns = `hash, key_id, permission, mode, issued_at, expires_at, revoked_at, replaced_by, label`

// columns returns pointers to the values in the order of keyColumns. They serve to read a row and to write one.
func (r *keyRow) columns() []any {
	return []any{
		&r.hash, &r.keyID, &r.permission, &r.mode, &r.issuedAt, &r.expiresAt, &r.revokedAt, &r.replacedBy, &r.label,
	}
}

func encodeKey(k apikey.Record) *keyRow {
	return &keyRow{
		hash:       new(k.Hash.Hex()),
		keyID:      new(k.ID),
		permission: new(k.Permission.String()),
		mode:       new(string(k.Mode)),
		issuedAt:   new(organization.FormatTime(k.CreatedAt)),
		expiresAt:  optionalText(k.ExpiresAt),
		revokedAt:  optionalText(k.RevokedAt),
		replacedBy: optionalName(k.ReplacedBy),
		label:      optionalName(k.Label),
	}
}

// optionalName returns a name for storage. "" is stored as NULL.
func optionalName(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

// decode returns the key of a row that exists. By the schema, only its last four columns can be nil.
func (r *keyRow) decode() (apikey.Record, error) {
	var d decoder
	hash, err := apikey.ParseHash(*r.hash)
	d.check("hash", err)
	mode, err := apikey.ParseMode(*r.mode)
	d.check("mode", err)
	permission, err := apikey.ParsePermission(*r.permission)
	if err != nil {
		permission = apikey.None // this version does not know the permission of a later version
	}
	k := apikey.Record{
		ID:         *r.keyID,
		Hash:       hash,
		Permission: permission,
		Mode:       mode,
		CreatedAt:  d.time("issued_at", *r.issuedAt),
		ExpiresAt:  d.optionalTime("expires_at", r.expiresAt),
		RevokedAt:  d.optionalTime("revoked_at", r.revokedAt),
	}
	if r.replacedBy != nil {
		k.ReplacedBy = *r.replacedBy
	}
	if r.label != nil {
		k.Label = *r.label
	}
	if err := d.err("keys", *r.keyID); err != nil {
		return apikey.Record{}, err
	}
	return k, nil
}

// readKey reads a row of the organization that a key belongs to, and keyColumns.
func readKey(row scanner) (organization.ID, apikey.Record, error) {
	var owner organization.ID
	var r keyRow
	if err := row.Scan(append([]any{(*string)(&owner)}, r.columns()...)...); err != nil {
		return "", apikey.Record{}, err
	}
	key, err := r.decode()
	return owner, key, err
}

// writeKey stores a key. It returns false, and changes nothing, if the organization has a key with its hash or ID.
func writeKey(ctx context.Context, tx *sql.Tx, id organization.ID, key apikey.Record) (bool, error) {
	values := append([]any{string(id)}, encodeKey(key).columns()...)
	statement := `INSERT INTO keys (organization, ` + keyColumns + `) VALUES (` + placeholders(len(values)) + `)
		ON CONFLICT DO NOTHING`
	return execute(ctx, tx, statement, values...)
}
