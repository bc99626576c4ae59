package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// ExportPage implements store.Archive. Order and cursor are those of List.
func (s *Store) ExportPage(ctx context.Context, cursor string, limit int) (page []store.Export, next string, err error) {
	const op = "listing whole organizations"
	if err := checkLimit(limit); err != nil {
		return nil, "", fail(ctx, op, err)
	}
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		var found []organization.Organization
		if found, next, err = listIn(ctx, tx, cursor, limit); err != nil || len(found) == 0 {
			return err
		}
		keys, err := keysBetween(ctx, tx, found[0].ID, found[len(found)-1].ID)
		if err != nil {
			return err
		}
		for _, o := range found {
			page = append(page, s.withTrail(ctx, store.Export{Organization: o, Keys: keys[o.ID]}))
		}
		return nil
	})
	if err != nil {
		return nil, "", fail(ctx, op, err)
	}
	return page, next, nil
}

// Export implements store.Archive.
func (s *Store) Export(ctx context.Context, id organization.ID) (store.Export, error) {
	o, keys, err := s.Get(ctx, id)
	if err != nil {
		return store.Export{}, err
	}
	return s.withTrail(ctx, store.Export{Organization: o, Keys: keys}), nil
}

// keysBetween returns the keys of the organizations from first to last, each one's oldest first.
func keysBetween(ctx context.Context, tx *sql.Tx, first, last organization.ID) (map[organization.ID][]apikey.Record, error) {
	const query = `SELECT organization, ` + keyColumns + ` FROM keys
		WHERE organization BETWEEN ? AND ? ORDER BY organization, issued_at, key_id`
	type owned struct {
		owner organization.ID
		key   apikey.Record
	}
	rows, err := tx.QueryContext(ctx, query, string(first), string(last))
	found, err := all(rows, err, func(row scanner) (o owned, err error) {
		var r keyRow
		if err := row.Scan(append([]any{(*string)(&o.owner)}, r.columns()...)...); err != nil {
			return o, err
		}
		o.key, err = r.decode()
		return o, err
	})
	keys := make(map[organization.ID][]apikey.Record)
	for _, o := range found {
		keys[o.owner] = append(keys[o.owner], o.key)
	}
	return keys, err
}

const trailQuery = `SELECT ` + entryColumns + ` FROM audit WHERE organization = ? ORDER BY entry_id`

// errEnough ends a range over a trail that nobody wants more of.
var errEnough = errors.New("the range was left")

// withTrail adds the trail. Its entries and the second reading of the record are of one moment.
func (s *Store) withTrail(ctx context.Context, d store.Export) store.Export {
	id := d.Organization.ID
	op := "reading the whole trail of " + string(id)
	d.Trail = func(yield func(store.Entry, error) bool) {
		err := s.snapshot(ctx, func(tx *sql.Tx) error {
			o, keys, err := getIn(ctx, tx, id)
			if errors.Is(err, sql.ErrNoRows) || err == nil && !store.Unchanged(d, store.Export{Organization: o, Keys: keys}) {
				return &store.Error{Kind: store.Conflict, Op: op}
			}
			if err != nil {
				return err
			}
			return eachEntry(ctx, tx, id, func(e store.Entry) bool {
				return e.After(d.Organization.Version) || yield(e, nil)
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(store.Entry{}, fail(ctx, op, err))
		}
	}
	return d
}

// eachEntry reads the trail row by row: it may be longer than memory. It returns errEnough where f returns false.
func eachEntry(ctx context.Context, tx *sql.Tx, id organization.ID, f func(store.Entry) bool) error {
	rows, err := tx.QueryContext(ctx, trailQuery, string(id))
	if err != nil {
		return err
	}
	defer rows.Close() // has nothing to add to Err
	for rows.Next() {
		e, err := readEntry(rows)
		if err != nil {
			return err
		}
		if !f(e) {
			return errEnough
		}
	}
	return rows.Err()
}

// Restore implements store.Archive, in one transaction.
func (s *Store) Restore(ctx context.Context, exports []store.Export) ([]bool, error) {
	created := make([]bool, len(exports))
	err := s.write(ctx, "restoring organizations", func(tx *sql.Tx) (err error) {
		for i, d := range exports {
			if created[i], err = writeExport(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// writeExport reports whether the organization was new. One that was not is left alone.
func writeExport(ctx context.Context, tx *sql.Tx, d store.Export) (bool, error) {
	created, err := writeOrganization(ctx, tx, d.Organization)
	if err != nil || !created {
		return false, err
	}
	for _, key := range d.Keys {
		added, err := writeKey(ctx, tx, d.Organization.ID, key)
		if err != nil {
			return false, err
		}
		if !added {
			return false, fmt.Errorf("%s has the key %s twice", d.Organization.ID, key.ID)
		}
	}
	for e, err := range d.Trail {
		if err != nil {
			return false, err
		}
		if err := writeEntry(ctx, tx, d.Organization.ID, e); err != nil {
			return false, err
		}
	}
	return true, nil
}
