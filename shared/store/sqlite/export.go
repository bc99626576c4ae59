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

const (
	keysOfPageQuery = `SELECT organization, ` + keyColumns + ` FROM keys
		WHERE organization BETWEEN ? AND ? ORDER BY organization, issued_at, key_id`
	trailQuery = `SELECT organization, ` + entryColumns + ` FROM audit WHERE organization = ? ORDER BY entry_id`
)

// ExportPage implements store.Archive. Its order and its cursor are those of List.
func (s *Store) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	var page []store.Export
	var next string
	err := s.snapshot(ctx, func(tx *sql.Tx) error {
		found, after, err := list(ctx, tx, cursor, limit)
		if err != nil || len(found) == 0 {
			return err
		}
		keys, err := keysBetween(ctx, tx, found[0].ID, found[len(found)-1].ID)
		if err != nil {
			return err
		}
		for _, o := range found {
			page = append(page, s.withTrail(ctx, store.Export{Organization: o, Keys: keys[o.ID]}))
		}
		next = after
		return nil
	})
	if err != nil {
		return nil, "", fail(ctx, "listing whole organizations", err)
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

// keysBetween returns the keys of the organizations from first to last. The keys of each are sorted, the oldest first.
func keysBetween(
	ctx context.Context, tx *sql.Tx, first, last organization.ID,
) (map[organization.ID][]apikey.Record, error) {
	keys := make(map[organization.ID][]apikey.Record)
	err := each(ctx, tx, func(row scanner) error {
		owner, key, err := readKey(row)
		keys[owner] = append(keys[owner], key)
		return err
	}, keysOfPageQuery, string(first), string(last))
	return keys, err
}

// errLeft ends the reading of a trail when the caller leaves its range loop.
var errLeft = errors.New("the range was left")

// withTrail returns the export with its trail. The trail reads the record again, in one transaction with the entries,
// and returns Conflict if they do not fit the export. It reads row by row, as a trail may be larger than the memory.
func (s *Store) withTrail(ctx context.Context, e store.Export) store.Export {
	id := e.Organization.ID
	e.Trail = func(yield func(store.Entry, error) bool) {
		err := s.snapshot(ctx, func(tx *sql.Tx) error {
			o, keys, err := get(ctx, tx, id)
			if errors.Is(err, sql.ErrNoRows) || err == nil && !store.Unchanged(e, store.Export{Organization: o, Keys: keys}) {
				return errConflict
			}
			if err != nil {
				return err
			}
			read := of(id, readEntry)
			return each(ctx, tx, func(row scanner) error {
				entry, err := read(row)
				if err == nil && !entry.After(e.Organization.Version) && !yield(entry, nil) {
					return errLeft
				}
				return err
			}, trailQuery, string(id))
		})
		if err != nil && !errors.Is(err, errLeft) {
			yield(store.Entry{}, fail(ctx, "reading the whole trail of "+string(id), err))
		}
	}
	return e
}

// Restore implements store.Archive. It restores all organizations in one transaction.
func (s *Store) Restore(ctx context.Context, exports []store.Export) ([]bool, error) {
	created := make([]bool, len(exports))
	err := s.write(ctx, "restoring organizations", func(tx *sql.Tx) (err error) {
		for i, e := range exports {
			if created[i], err = writeExport(ctx, tx, e); err != nil {
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

// writeExport stores a whole organization. It returns false, and changes nothing, if there is one with that ID.
func writeExport(ctx context.Context, tx *sql.Tx, e store.Export) (bool, error) {
	id := e.Organization.ID
	created, err := writeOrganization(ctx, tx, e.Organization)
	if err != nil || !created {
		return false, err
	}
	for _, key := range e.Keys {
		added, err := writeKey(ctx, tx, id, key)
		if err != nil {
			return false, err
		}
		if !added {
			return false, fmt.Errorf("%s has the key %s twice", id, key.ID)
		}
	}
	for entry, err := range e.Trail {
		if err != nil {
			return false, err
		}
		if err := writeEntry(ctx, tx, id, entry); err != nil {
			return false, err
		}
	}
	return true, nil
}
