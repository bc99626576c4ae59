package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

const (
	// reviseStatement sets every column that the operator can change. In contrast to updateStatement, it also sets
	// those that no patch can change.
	reviseStatement = `UPDATE organizations SET
		name = ?, logo_url = ?, tier = ?, credits = ?, metadata = ?, billing_email = ?, notifications_email = ?,
		limit_metadata = ?, limit_data = ?, limit_search = ?, limit_upload = ?, limit_compute = ?,
		auto_billing = ?, billing_cycle_start = ?, current_month_usage = ?, updated_at = ?, users = ?,
		auth_provider_org_id = ?, credentials = ?, api_url = ?, version = ?
		WHERE id = ? AND version = ? AND deleted_at IS NULL`
	hasChangeQuery = `SELECT organization, change_id FROM audit WHERE organization = ? AND change_id = ?`
)

// StoreRevision implements store.Revisions.
func (s *Store) StoreRevision(ctx context.Context, u store.Update) error {
	r := encodeOrganization(u.After)
	return s.write(ctx, "revising "+string(u.Before.ID), func(tx *sql.Tx) error {
		if err := refuseSecond(ctx, tx, u.Before.ID, u.Audit.ChangeID); err != nil {
			return err
		}
		changed, err := execute(ctx, tx, reviseStatement,
			r.name, r.logoURL, r.tier, r.credits, r.metadata, r.billingEmail, r.notificationsEmail,
			r.override.Metadata, r.override.Data, r.override.Search, r.override.Upload, r.override.Compute,
			r.autoBilling, r.billingCycleStart, r.currentMonthUsage, r.updatedAt, r.users,
			r.authProviderOrgID, r.credentials, r.apiURL, r.version, r.id, u.Before.Version)
		if err != nil {
			return err
		}
		if !changed {
			if err := exists(ctx, tx, existsQuery, r.id); err != nil {
				return err
			}
			return errConflict
		}
		return writeEntry(ctx, tx, u.Before.ID, u.Audit)
	})
}

// refuseSecond returns errApplied if the organization has an entry with the ChangeID. "" is no ChangeID.
func refuseSecond(ctx context.Context, tx *sql.Tx, id organization.ID, changeID string) error {
	if changeID == "" {
		return nil
	}
	applied, err := hasChange(ctx, tx, id, changeID)
	if err == nil && applied {
		err = errApplied
	}
	return err
}

// HasChange implements store.Revisions.
func (s *Store) HasChange(ctx context.Context, id organization.ID, changeID string) (bool, error) {
	applied, err := hasChange(ctx, s.reader, id, changeID)
	return applied, fail(ctx, "looking for a change of "+string(id), err)
}

func hasChange(ctx context.Context, db queryer, id organization.ID, changeID string) (bool, error) {
	var owner, found string
	err := db.QueryRowContext(ctx, hasChangeQuery, string(id), changeID).Scan(&owner, &found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case owner != string(id) || found != changeID:
		return false, store.ErrNotAsked
	default:
		return true, nil
	}
}
