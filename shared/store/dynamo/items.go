package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// Attributes of an organization's item. An attribute that is not set is absent, never NULL.
const (
	attrInternalID         = "internal_id"
	attrName               = "organization_name"
	attrLogoURL            = "logo_url"
	attrTier               = "account_type"
	attrCredits            = "credit_count"
	attrMetadata           = "metadata"
	attrBillingEmail       = "billing_email"
	attrNotificationsEmail = "notifications_email"
	attrOverride           = "rate_limits"
	attrAutoBilling        = "auto_billing_enabled"
	attrBillingCycleStart  = "billing_cycle_start"
	attrCurrentMonthUsage  = "current_month_usage"
	attrCreatedAt          = "created_at"
	attrUpdatedAt          = "updated_at"
	attrUsers              = "user_list" // USERS is a reserved word of expressions
	attrAuthProviderOrgID  = "auth_provider_org_id"
	attrCredentials        = "default_llm_credentials"
	attrAPIURL             = "api_url"
	attrVersion            = "record_version"
	attrDeletedAt          = "deleted_at"
	attrKeys               = "api_keys" // a map of key records by the key's SHA-256 in hexadecimal
)

// recordProjection names everything of the item but its keys.
const recordProjection = partitionKey + "," + attrInternalID + "," + attrName + "," + attrLogoURL + "," + attrTier + "," +
	attrCredits + "," + attrMetadata + "," + attrBillingEmail + "," + attrNotificationsEmail + "," + attrOverride + "," +
	attrAutoBilling + "," + attrBillingCycleStart + "," + attrCurrentMonthUsage + "," + attrCreatedAt + "," +
	attrUpdatedAt + "," + attrUsers + "," + attrAuthProviderOrgID + "," + attrCredentials + "," + attrAPIURL + "," +
	attrVersion + "," + attrDeletedAt

// encodeRecord returns the item's attributes without its key and its keys.
func encodeRecord(o organization.Organization) item {
	it := item{
		attrInternalID:        str(o.InternalID.Reveal()),
		attrName:              str(o.Name),
		attrTier:              str(string(o.Tier)),
		attrCredits:           num(o.Credits),
		attrMetadata:          str(o.Metadata.Text()),
		attrAutoBilling:       boolean(o.AutoBilling),
		attrBillingCycleStart: num(int64(o.BillingCycleStart)),
		attrCurrentMonthUsage: num(o.CurrentMonthUsage),
		attrCreatedAt:         timestamp(o.CreatedAt),
		attrUpdatedAt:         timestamp(o.UpdatedAt),
		attrCredentials:       str(o.Credentials.Text()),
		attrVersion:           num(o.Version),
	}
	for name, value := range map[string]*string{
		attrLogoURL:            o.LogoURL,
		attrBillingEmail:       o.BillingEmail,
		attrNotificationsEmail: o.NotificationsEmail,
		attrUsers:              o.Users,
		attrAuthProviderOrgID:  o.AuthProviderOrgID,
		attrAPIURL:             o.APIURL,
	} {
		if value != nil {
			it[name] = str(*value)
		}
	}
	if o.Override != (organization.RateLimits{}) {
		it[attrOverride] = encodeOverride(o.Override)
	}
	if o.DeletedAt != nil {
		it[attrDeletedAt] = timestamp(*o.DeletedAt)
	}
	return it
}

func encodeOverride(o organization.RateLimits) types.AttributeValue {
	limits := item{}
	for _, c := range organization.Categories() {
		if n := *o.Of(c); n != 0 {
			limits[string(c)] = num(int64(n))
		}
	}
	return &types.AttributeValueMemberM{Value: limits}
}

// decodeRecord is the inverse of encodeRecord, with the organization's identifier from the item's key.
func decodeRecord(it item) (organization.Organization, error) {
	id, err := organizationOf(it)
	if err != nil {
		return organization.Organization{}, fmt.Errorf("decoding an organization's key: %w", err)
	}
	r := reader{item: it}
	o := organization.Organization{
		ID:                 id,
		InternalID:         organization.StoredInternalID(r.str(attrInternalID)),
		Name:               r.str(attrName),
		LogoURL:            r.optional(attrLogoURL),
		Credits:            r.num(attrCredits),
		Metadata:           organization.NewObject(r.str(attrMetadata)),
		BillingEmail:       r.optional(attrBillingEmail),
		NotificationsEmail: r.optional(attrNotificationsEmail),
		Override:           decodeOverride(&r),
		AutoBilling:        r.boolean(attrAutoBilling),
		BillingCycleStart:  int(r.num(attrBillingCycleStart)),
		CurrentMonthUsage:  r.num(attrCurrentMonthUsage),
		CreatedAt:          r.time(attrCreatedAt),
		UpdatedAt:          r.time(attrUpdatedAt),
		Users:              r.optional(attrUsers),
		AuthProviderOrgID:  r.optional(attrAuthProviderOrgID),
		Credentials:        organization.NewObject(r.str(attrCredentials)),
		APIURL:             r.optional(attrAPIURL),
		Version:            r.num(attrVersion),
		DeletedAt:          r.optionalTime(attrDeletedAt),
	}
	if o.Tier, err = organization.ParseTier(r.str(attrTier)); err != nil {
		r.fail(attrTier, "a tier")
	}
	if r.err != nil {
		return organization.Organization{}, fmt.Errorf("decoding %s: %w", id, r.err)
	}
	return o, nil
}

func decodeOverride(r *reader) organization.RateLimits {
	var o organization.RateLimits
	limits := reader{item: r.object(attrOverride)}
	for _, c := range organization.Categories() {
		if limits.has(string(c)) {
			*o.Of(c) = int(limits.num(string(c)))
		}
	}
	if limits.err != nil {
		r.fail(attrOverride, "a map of integers")
	}
	return o
}

// Attributes of a key's record.
const (
	keyID        = "key_id"
	keyAllows    = "permission"
	keyMode      = "mode"
	keyCreatedAt = "created_at"
	keyExpiresAt = "expires_at"
	keyRevokedAt = "revoked_at"
	keySuccessor = "replaced_by"
)

func encodeKey(k apikey.Record) types.AttributeValue {
	it := item{
		keyID:        str(k.ID),
		keyAllows:    str(k.Permission.String()),
		keyMode:      str(string(k.Mode)),
		keyCreatedAt: timestamp(k.CreatedAt),
	}
	if k.ExpiresAt != nil {
		it[keyExpiresAt] = timestamp(*k.ExpiresAt)
	}
	if k.RevokedAt != nil {
		it[keyRevokedAt] = timestamp(*k.RevokedAt)
	}
	if k.ReplacedBy != "" {
		it[keySuccessor] = str(k.ReplacedBy)
	}
	return &types.AttributeValueMemberM{Value: it}
}

// decodeKeys returns the records in the item's map of keys, in no particular order.
func decodeKeys(it item) ([]apikey.Record, error) {
	r := reader{item: it}
	keys := r.object(attrKeys)
	records := make([]apikey.Record, 0, len(keys))
	for hash, value := range keys {
		m, ok := value.(*types.AttributeValueMemberM)
		if !ok {
			return nil, fmt.Errorf("decoding a key: it is not a map")
		}
		record, err := decodeKey(hash, m.Value)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, r.err
}

// decodeKey reads a permission or mode that this version does not know as none; it then permits nothing.
func decodeKey(hash string, it item) (apikey.Record, error) {
	h, err := apikey.ParseHash(hash)
	if err != nil {
		return apikey.Record{}, fmt.Errorf("decoding a key: %w", err)
	}
	r := reader{item: it}
	permission, _ := apikey.ParsePermission(r.str(keyAllows))
	mode, _ := apikey.ParseMode(r.str(keyMode))
	record := apikey.Record{
		ID:         r.str(keyID),
		Hash:       h,
		Permission: permission,
		Mode:       mode,
		CreatedAt:  r.time(keyCreatedAt),
		ExpiresAt:  r.optionalTime(keyExpiresAt),
		RevokedAt:  r.optionalTime(keyRevokedAt),
	}
	if successor := r.optional(keySuccessor); successor != nil {
		record.ReplacedBy = *successor
	}
	if r.err != nil {
		return apikey.Record{}, fmt.Errorf("decoding key %s: %w", record.ID, r.err)
	}
	return record, nil
}
