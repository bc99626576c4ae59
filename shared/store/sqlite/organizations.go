package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	existsQuery = `SELECT 1 FROM organizations WHERE id = ?`
	getQuery    = `SELECT ` + organizationColumns + ` FROM organizations WHERE id = ?`
	listQuery   = `SELECT ` + organizationColumns + ` FROM organizations WHERE id > ? ORDER BY id LIMIT ?`
	findQuery   = `SELECT ` + organizationColumns + `, ` + keyColumns + `
		FROM organizations LEFT JOIN keys ON organization = id AND hash = ? WHERE id = ?`
	// updateStatement sets the columns that a patch can change, and no others.
	updateStatement = `UPDATE organizations SET
		name = ?, logo_url = ?, metadata = ?, billing_email = ?, notifications_email = ?,
		limit_metadata = ?, limit_data = ?, limit_search = ?, limit_upload = ?, limit_compute = ?,
		credentials = ?, nsfw_check = ?, nsfw_fail_closed = ?, updated_at = ?, version = ?
		WHERE id = ? AND version = ? AND deleted_at IS NULL`
	authorityQuery = `SELECT 1 FROM keys
		WHERE organization = ? AND hash = ? AND permission = ? AND expires_at IS ? AND revoked_at IS ?`
)

// Find implements store.Records.
func (s *Store) Find(ctx context.Context, id organization.ID, hash apikey.Hash) (store.Found, error) {
	found, err := readFound(s.reader.QueryRowContext(ctx, findQuery, hash.Hex(), string(id)), id, hash)
	return found, fail(ctx, "finding "+string(id), s.inPlace(err))
}

// readFound reads a row of findQuery. It returns store.ErrNotAsked if the row has another organization or key.
func readFound(row scanner, id organization.ID, hash apikey.Hash) (store.Found, error) {
	var o organizationRow
	var k keyRow
	if err := row.Scan(append(o.columns(), k.columns()...)...); err != nil {
		return store.Found{}, err
	}
	record, err := o.decode()
	if err != nil {
		return store.Found{}, err
	}
	if record.ID != id {
		return store.Found{}, store.ErrNotAsked
	}
	if k.hash == nil {
		return store.Found{Organization: record}, nil
	}
	key, err := k.decode()
	if err != nil {
		return store.Found{}, err
	}
	if key.Hash != hash {
		return store.Found{}, store.ErrNotAsked
	}
	return store.Found{Organization: record, Key: &key}, nil
}

// Update implements store.Records.
func (s *Store) Update(ctx context.Context, u store.Update) error {
	row := encodeOrganization(u.After)
	return s.write(ctx, "updating "+string(u.Before.ID), func(tx *sql.Tx) error {
		changed, err := execute(ctx, tx, updateStatement,
			row.name, row.logoURL, row.metadata, row.billingEmail, row.notificationsEmail,
			row.override.Metadata, row.override.Data, row.override.Search, row.override.Upload, row.override.Compute,
			row.credentials, row.nsfwCheck, row.nsfwFailClosed, row.updatedAt, row.version, row.id, u.Before.Version)
		if err != nil {
			return err
		}
		if !changed {
			if err := exists(ctx, tx, existsQuery, row.id); err != nil {
				return err
			}
			return errConflict
		}
		if err := holds(ctx, tx, u.Before.ID, u.Authority); err != nil {
			return err
		}
		return writeEntry(ctx, tx, u.Before.ID, u.Audit)
	})
}

// holds returns errConflict if the authority no longer holds. The transaction has the lock, so the authority holds
// until the commit.
func holds(ctx context.Context, tx *sql.Tx, id organization.ID, a *store.Authority) error {
	if a == nil {
		return nil
	}
	if !a.Valid() {
		return errConflict
	}
	key := encodeKey(a.Key)
	err := exists(ctx, tx, authorityQuery, string(id), key.hash, key.permission, key.expiresAt, key.revokedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return errConflict
	}
	return err
}

// Create implements store.Directory.
func (s *Store) Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error {
	return s.write(ctx, "creating "+string(o.ID), func(tx *sql.Tx) error {
		created, err := writeOrganization(ctx, tx, o)
		if err != nil {
			return err
		}
		if !created {
			return errConflict
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

// Get implements store.Directory. It reads the record and the keys in one transaction, so they fit together.
func (s *Store) Get(
	ctx context.Context, id organization.ID,
) (o organization.Organization, keys []apikey.Record, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		o, keys, err = get(ctx, tx, id)
		return err
	})
	return o, keys, fail(ctx, "getting "+string(id), err)
}

func get(ctx context.Context, tx *sql.Tx, id organization.ID) (organization.Organization, []apikey.Record, error) {
	o, err := readOrganization(tx.QueryRowContext(ctx, getQuery, string(id)))
	if err != nil {
		return organization.Organization{}, nil, err
	}
	if o.ID != id {
		return organization.Organization{}, nil, store.ErrNotAsked
	}
	keys, err := all(ctx, tx, of(id, readKey), keysQuery, string(id))
	if err != nil {
		return organization.Organization{}, nil, err
	}
	return o, keys, nil
}

// List implements store.Directory. It sorts by the identifier. The cursor is the last identifier of a page.
func (s *Store) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	found, next, err := list(ctx, s.reader, cursor, limit)
	return found, next, fail(ctx, "listing organizations", s.inPlace(err))
}

func list(ctx context.Context, db queryer, cursor string, limit int) ([]organization.Organization, string, error) {
	if err := checkLimit(limit); err != nil {
		return nil, "", err
	}
	found, err := all(ctx, db, readOrganization, listQuery, cursor, int64(limit)+1)
	if err != nil {
		return nil, "", err
	}
	found, next := page(found, limit, func(o organization.Organization) string { return string(o.ID) })
	return found, next, nil
}

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

// mark runs a statement that sets or clears the deletion mark. It writes the entry if the statement changed the mark.
func (s *Store) mark(
	ctx context.Context, op string, id organization.ID, e store.Entry, statement string, args ...any,
) error {
	return s.write(ctx, op, func(tx *sql.Tx) error {
		changed, err := execute(ctx, tx, statement, args...)
		if err != nil {
			return err
		}
		if !changed {
			return exists(ctx, tx, existsQuery, string(id))
		}
		return writeEntry(ctx, tx, id, e)
	})
}

// Purge implements store.Lifecycle. By the schema, the keys and entries are deleted with their organization. SQLite
// overwrites them in the file. Then Purge empties the log, so that no file contains any of these data. If a reader
// prevents that, Purge returns Throttled. The organization is gone then, and another Purge empties the log.
func (s *Store) Purge(ctx context.Context, id organization.ID) error {
	op := "purging " + string(id)
	err := s.write(ctx, op, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`DELETE FROM organizations WHERE id = ?`, `DELETE FROM counters WHERE organization = ?`,
		} {
			if _, err := tx.ExecContext(ctx, statement, string(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return fail(ctx, op, s.inPlace(s.emptyLog(ctx, op)))
}

// emptyLog moves the log into the file and cuts it to nothing. It waits for readers until the store's patience or the
// context ends.
func (s *Store) emptyLog(ctx context.Context, op string) error {
	const pause = 5 * time.Millisecond
	for deadline := time.Now().Add(s.patience); ; {
		var waits, pages, moved int
		err := s.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&waits, &pages, &moved)
		if err == nil && waits == 0 || err != nil && !busy(err) {
			return err
		}
		if time.Now().After(deadline) {
			return &store.Error{Kind: store.Throttled, Op: op, Err: errors.New("the organization is gone, but its data are " +
				"still in the log, which cannot be emptied while others read from it; purge it once more")}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// organizationRow is a row of the table organizations.
type organizationRow struct {
	id                 string
	internalID         string
	name               string
	logoURL            *string
	tier               string
	credits            int64
	metadata           string
	billingEmail       *string
	notificationsEmail *string
	override           organization.RateLimits // one column for each category
	autoBilling        bool
	billingCycleStart  int
	currentMonthUsage  int64
	createdAt          string
	updatedAt          string
	users              *string
	authProviderOrgID  *string
	credentials        string
	apiURL             *string
	version            int64
	deletedAt          *string
	nsfwCheck          bool
	nsfwFailClosed     bool
}

const organizationColumns = `id, internal_id, name, logo_url, tier, credits, metadata, billing_email, notifications_email,
	limit_metadata, limit_data, limit_search, limit_upload, limit_compute, auto_billing, billing_cycle_start,
	current_month_usage, created_at, updated_at, users, auth_provider_org_id, credentials, api_url, version, deleted_at,
	nsfw_check, nsfw_fail_closed`

// columns returns pointers to the values in the order of organizationColumns. They serve to read a row and to write
// one.
func (r *organizationRow) columns() []any {
	return []any{&r.id, &r.internalID, &r.name, &r.logoURL, &r.tier, &r.credits, &r.metadata, &r.billingEmail,
		&r.notificationsEmail, &r.override.Metadata, &r.override.Data, &r.override.Search, &r.override.Upload,
		&r.override.Compute, &r.autoBilling, &r.billingCycleStart, &r.currentMonthUsage, &r.createdAt, &r.updatedAt,
		&r.users, &r.authProviderOrgID, &r.credentials, &r.apiURL, &r.version, &r.deletedAt,
		&r.nsfwCheck, &r.nsfwFailClosed}
}

func encodeOrganization(o organization.Organization) *organizationRow {
	return &organizationRow{
		id:                 string(o.ID),
		internalID:         o.InternalID.Reveal(),
		name:               o.Name,
		logoURL:            o.LogoURL,
		tier:               string(o.Tier),
		credits:            o.Credits,
		metadata:           string(o.Metadata),
		billingEmail:       o.BillingEmail,
		notificationsEmail: o.NotificationsEmail,
		override:           o.Override,
		autoBilling:        o.AutoBilling,
		billingCycleStart:  o.BillingCycleStart,
		currentMonthUsage:  o.CurrentMonthUsage,
		createdAt:          organization.FormatTime(o.CreatedAt),
		updatedAt:          organization.FormatTime(o.UpdatedAt),
		users:              o.Users,
		authProviderOrgID:  o.AuthProviderOrgID,
		credentials:        string(o.Credentials),
		apiURL:             o.APIURL,
		version:            o.Version,
		deletedAt:          optionalText(o.DeletedAt),
		nsfwCheck:          o.NSFWCheck,
		nsfwFailClosed:     o.NSFWFailClosed,
	}
}

func (r *organizationRow) decode() (organization.Organization, error) {
	var d decoder
	id, err := organization.ParseID(r.id)
	d.check("id", err)
	tier, err := organization.ParseTier(r.tier)
	d.check("tier", err)
	o := organization.Organization{
		ID:                 id,
		InternalID:         organization.StoredInternalID(r.internalID),
		Name:               r.name,
		LogoURL:            r.logoURL,
		Tier:               tier,
		Credits:            r.credits,
		Metadata:           organization.Object(r.metadata),
		BillingEmail:       r.billingEmail,
		NotificationsEmail: r.notificationsEmail,
		Override:           r.override,
		AutoBilling:        r.autoBilling,
		BillingCycleStart:  r.billingCycleStart,
		CurrentMonthUsage:  r.currentMonthUsage,
		CreatedAt:          d.time("created_at", r.createdAt),
		UpdatedAt:          d.time("updated_at", r.updatedAt),
		Users:              r.users,
		AuthProviderOrgID:  r.authProviderOrgID,
		Credentials:        organization.Object(r.credentials),
		APIURL:             r.apiURL,
		Version:            r.version,
		DeletedAt:          d.optionalTime("deleted_at", r.deletedAt),
		NSFWCheck:          r.nsfwCheck,
		NSFWFailClosed:     r.nsfwFailClosed,
	}
	if err := d.err("organizations", r.id); err != nil {
		return organization.Organization{}, err
	}
	return o, nil
}

// readOrganization reads a row of organizationColumns.
func readOrganization(row scanner) (organization.Organization, error) {
	var r organizationRow
	if err := row.Scan(r.columns()...); err != nil {
		return organization.Organization{}, err
	}
	return r.decode()
}

// writeOrganization stores an organization. It returns false, and changes nothing, if there is one with that ID.
func writeOrganization(ctx context.Context, tx *sql.Tx, o organization.Organization) (bool, error) {
	values := encodeOrganization(o).columns()
	statement := `INSERT INTO organizations (` + organizationColumns + `) VALUES (` + placeholders(len(values)) + `)
		ON CONFLICT DO NOTHING`
	return execute(ctx, tx, statement, values...)
}
