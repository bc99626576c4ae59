package sqlite

import (
	"context"
	"database/sql"

	"organizations-api/shared/organization"
)

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
	override           organization.RateLimits // a column for each category
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
}

const organizationColumns = `id, internal_id, name, logo_url, tier, credits, metadata, billing_email, notifications_email,
	limit_metadata, limit_data, limit_search, limit_upload, limit_compute, auto_billing, billing_cycle_start,
	current_month_usage, created_at, updated_at, users, auth_provider_org_id, credentials, api_url, version, deleted_at`

// columns returns pointers to the values in the order of organizationColumns, for reading a row and for writing one.
func (r *organizationRow) columns() []any {
	return []any{&r.id, &r.internalID, &r.name, &r.logoURL, &r.tier, &r.credits, &r.metadata, &r.billingEmail,
		&r.notificationsEmail, &r.override.Metadata, &r.override.Data, &r.override.Search, &r.override.Upload,
		&r.override.Compute, &r.autoBilling, &r.billingCycleStart, &r.currentMonthUsage, &r.createdAt, &r.updatedAt,
		&r.users, &r.authProviderOrgID, &r.credentials, &r.apiURL, &r.version, &r.deletedAt}
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

// writeOrganization reports whether the organization was new.
func writeOrganization(ctx context.Context, tx *sql.Tx, o organization.Organization) (bool, error) {
	values := encodeOrganization(o).columns()
	statement := `INSERT INTO organizations (` + organizationColumns + `) VALUES (` + placeholders(len(values)) + `)
		ON CONFLICT DO NOTHING`
	return execute(ctx, tx, statement, values...)
}
