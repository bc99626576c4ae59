package sqlite

import (
	"context"
	"database/sql"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Create implements store.Directory.
func (s *Store) Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error {
	op := "creating " + string(o.ID)
	return s.write(ctx, op, func(tx *sql.Tx) error {
		created, err := writeOrganization(ctx, tx, o)
		if err != nil {
			return err
		}
		if !created {
			return &store.Error{Kind: store.Conflict, Op: op}
		}
		if _, err := writeKey(ctx, tx, o.ID, key); err != nil {
			return err
		}
		if err := expectUses(ctx, tx, o.ID, key.ID); err != nil {
			return err
		}
		return writeEntry(ctx, tx, o.ID, e)
	})
}

// Get implements store.Directory.
func (s *Store) Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error) {
	o, keys, err := s.get(ctx, id)
	return o, keys, fail(ctx, "getting "+string(id), err)
}

// get reads both in one transaction, so that they are of one moment.
func (s *Store) get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error) {
	var o organization.Organization
	var keys []apikey.Record
	err := s.snapshot(ctx, func(tx *sql.Tx) (err error) {
		o, keys, err = getIn(ctx, tx, id)
		return err
	})
	return o, keys, err
}

func getIn(ctx context.Context, tx *sql.Tx, id organization.ID) (organization.Organization, []apikey.Record, error) {
	row := tx.QueryRowContext(ctx, `SELECT `+organizationColumns+` FROM organizations WHERE id = ?`, string(id))
	o, err := readOrganization(row)
	if err != nil {
		return organization.Organization{}, nil, err
	}
	keys, err := readKeys(ctx, tx, id)
	if err != nil {
		return organization.Organization{}, nil, err
	}
	return o, keys, nil
}

const listQuery = `SELECT ` + organizationColumns + ` FROM organizations WHERE id > ? ORDER BY id LIMIT ?`

// List implements store.Directory. The order is that of the identifiers, and the cursor is the last one seen.
func (s *Store) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	const op = "listing organizations"
	if err := checkLimit(limit); err != nil {
		return nil, "", fail(ctx, op, err)
	}
	found, next, err := listIn(ctx, s.reader, cursor, limit)
	return found, next, fail(ctx, op, err)
}

func listIn(ctx context.Context, db queryer, cursor string, limit int) ([]organization.Organization, string, error) {
	rows, err := db.QueryContext(ctx, listQuery, cursor, int64(limit)+1)
	found, err := all(rows, err, readOrganization)
	if err != nil {
		return nil, "", err
	}
	found, next := page(found, limit, func(o organization.Organization) string { return string(o.ID) })
	return found, next, nil
}
