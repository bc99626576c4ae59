package sqlite

import (
	"context"
	"database/sql"
	"time"

	"organizations-api/shared/organization"
)

const (
	countStatement = `INSERT INTO counters (organization, category, window_start, requests) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET requests = requests + excluded.requests RETURNING requests`
	forgetStatement = `DELETE FROM counters
		WHERE rowid IN (SELECT rowid FROM counters WHERE window_start < ? LIMIT 100)`
)

// remembered is the age after which windows are deleted. A window can be a day long, and must be kept for a day after
// its end.
const remembered = 48 * time.Hour

// Count implements store.Counters. The first count of a window also deletes up to a hundred old windows, so that they
// do not pile up. Other counts do not pay for that.
func (s *Store) Count(
	ctx context.Context, id organization.ID, category organization.Category, window time.Time, n int64,
) (int64, error) {
	var sum int64
	err := s.writeLightly(ctx, "counting requests of "+string(id), func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, countStatement, string(id), string(category), organization.FormatTime(window), n)
		if err := row.Scan(&sum); err != nil || sum > n {
			return err
		}
		_, err := tx.ExecContext(ctx, forgetStatement, organization.FormatTime(window.Add(-remembered)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return sum, nil
}
