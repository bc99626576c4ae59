package sqlite

import (
	"context"
	"database/sql"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// keyRow is a row of the table keys, or all nil where a join found none.
type keyRow struct {
	hash, keyID, permission, mode, issuedAt *string
	expiresAt, revokedAt, replacedBy        *string
}

const keyColumns = `hash, key_id, permission, mode, issued_at, expires_at, revoked_at, replaced_by`

// columns returns pointers to the values in the order of keyColumns, for reading a row and for writing one.
func (r *keyRow) columns() []any {
	return []any{&r.hash, &r.keyID, &r.permission, &r.mode, &r.issuedAt, &r.expiresAt, &r.revokedAt, &r.replacedBy}
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
	}
}

// optionalName is how a name that may be "" is stored.
func optionalName(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

// decode reads a row that is there: the schema has it that only the last three columns can be nil.
func (r *keyRow) decode() (apikey.Record, error) {
	var d decoder
	hash, err := apikey.ParseHash(*r.hash)
	d.check("hash", err)
	mode, err := apikey.ParseMode(*r.mode)
	d.check("mode", err)
	permission, err := apikey.ParsePermission(*r.permission)
	if err != nil {
		permission = apikey.None // a permission of a later version permits nothing in this one
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
	if err := d.err("keys", *r.keyID); err != nil {
		return apikey.Record{}, err
	}
	return k, nil
}

func readKey(row scanner) (apikey.Record, error) {
	var r keyRow
	if err := row.Scan(r.columns()...); err != nil {
		return apikey.Record{}, err
	}
	return r.decode()
}

// readKeys returns all keys of the organization, the oldest first.
func readKeys(ctx context.Context, tx *sql.Tx, id organization.ID) ([]apikey.Record, error) {
	const query = `SELECT ` + keyColumns + ` FROM keys WHERE organization = ? ORDER BY issued_at, key_id`
	rows, err := tx.QueryContext(ctx, query, string(id))
	return all(rows, err, readKey)
}

// writeKey reports whether the key was new.
func writeKey(ctx context.Context, tx *sql.Tx, id organization.ID, key apikey.Record) (bool, error) {
	values := append([]any{string(id)}, encodeKey(key).columns()...)
	statement := `INSERT INTO keys (organization, ` + keyColumns + `) VALUES (` + placeholders(len(values)) + `)
		ON CONFLICT DO NOTHING`
	return execute(ctx, tx, statement, values...)
}

// AddKey implements store.Keys. The error is a Conflict where the organization has the key's hash or identifier already.
func (s *Store) AddKey(ctx context.Context, id organization.ID, key apikey.Record, e store.Entry) error {
	op := "adding a key to " + string(id)
	return s.write(ctx, op, func(tx *sql.Tx) error {
		if err := addKey(ctx, tx, op, id, key); err != nil {
			return err
		}
		return writeEntry(ctx, tx, id, e)
	})
}

// addKey adds a key where there is room for it.
func addKey(ctx context.Context, tx *sql.Tx, op string, id organization.ID, key apikey.Record) error {
	n, err := countKeys(ctx, tx, id)
	if err != nil {
		return err
	}
	if n >= apikey.MaxPerOrganization {
		return &store.Error{Kind: store.Full, Op: op}
	}
	added, err := writeKey(ctx, tx, id, key)
	if err != nil {
		return err
	}
	if !added {
		return &store.Error{Kind: store.Conflict, Op: op}
	}
	return expectUses(ctx, tx, id, key.ID)
}

// countKeys returns how many keys the organization has, and sql.ErrNoRows where it does not exist or is deleted.
func countKeys(ctx context.Context, tx *sql.Tx, id organization.ID) (int, error) {
	const query = `SELECT (SELECT count(*) FROM keys WHERE organization = id)
		FROM organizations WHERE id = ? AND deleted_at IS NULL`
	var n int
	err := tx.QueryRowContext(ctx, query, string(id)).Scan(&n)
	return n, err
}

// RevokeKey implements store.Keys.
func (s *Store) RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e store.Entry) error {
	const (
		revoke = `UPDATE keys SET revoked_at = ? WHERE organization = ? AND key_id = ? AND revoked_at IS NULL`
		look   = `SELECT 1 FROM keys WHERE organization = ? AND key_id = ?`
	)
	return s.write(ctx, "revoking "+keyID+" of "+string(id), func(tx *sql.Tx) error {
		revoked, err := execute(ctx, tx, revoke, organization.FormatTime(at), string(id), keyID)
		if err != nil {
			return err
		}
		if !revoked {
			var one int
			return tx.QueryRowContext(ctx, look, string(id), keyID).Scan(&one)
		}
		return writeEntry(ctx, tx, id, e)
	})
}
