package sqlite

import (
	"context"
	"database/sql"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const findQuery = `SELECT ` + organizationColumns + `, ` + keyColumns + `
	FROM organizations LEFT JOIN keys ON organization = id AND hash = ? WHERE id = ?`

// Find implements store.Records.
func (s *Store) Find(ctx context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	found, err := readFound(s.reader.QueryRowContext(ctx, findQuery, hash.Hex(), string(id)))
	return found, fail(ctx, "finding "+string(id), err)
}

func readFound(row scanner) (store.Found, error) {
	var o organizationRow
	var k keyRow
	if err := row.Scan(append(o.columns(), k.columns()...)...); err != nil {
		return store.Found{}, err
	}
	record, err := o.decode()
	if err != nil {
		return store.Found{}, err
	}
	if k.hash == nil {
		return store.Found{Organization: record}, nil
	}
	key, err := k.decode()
	if err != nil {
		return store.Found{}, err
	}
	return store.Found{Organization: record, Key: &key}, nil
}

// A patch changes these columns and no others.
const updateStatement = `UPDATE organizations SET
	name = ?, logo_url = ?, metadata = ?, billing_email = ?, notifications_email = ?,
	limit_metadata = ?, limit_data = ?, limit_search = ?, limit_upload = ?, limit_compute = ?,
	credentials = ?, updated_at = ?, version = ?
	WHERE id = ? AND version = ? AND deleted_at IS NULL`

// Update implements store.Records.
func (s *Store) Update(ctx context.Context, u store.Update) error {
	op := "updating " + string(u.Before.ID)
	row := encodeOrganization(u.After)
	return s.write(ctx, op, func(tx *sql.Tx) error {
		changed, err := execute(ctx, tx, updateStatement,
			row.name, row.logoURL, row.metadata, row.billingEmail, row.notificationsEmail,
			row.override.Metadata, row.override.Data, row.override.Search, row.override.Upload, row.override.Compute,
			row.credentials, row.updatedAt, row.version, row.id, u.Before.Version)
		if err != nil {
			return err
		}
		if !changed {
			if err := exists(ctx, tx, u.Before.ID); err != nil {
				return err
			}
			return &store.Error{Kind: store.Conflict, Op: op}
		}
		return writeEntry(ctx, tx, u.Before.ID, u.Audit)
	})
}

// exists returns sql.ErrNoRows where there is no such organization.
func exists(ctx context.Context, tx *sql.Tx, id organization.ID) error {
	var one int
	return tx.QueryRowContext(ctx, `SELECT 1 FROM organizations WHERE id = ?`, string(id)).Scan(&one)
}
