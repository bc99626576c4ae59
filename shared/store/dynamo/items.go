package dynamo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// How things are stored: the keys of items, the names of attributes, and records and API keys as attributes. How an
// audit entry is stored is in audit.go.

// Parts of the keys of items.
const (
	partitionKey = "PK"
	sortKey      = "SK"

	organizationPrefix = "ORG#"
	recordSortKey      = "ORG"
	auditPrefix        = "AUDIT#"
	changePrefix       = "CHANGE#" // sorts before the record, as what belongs to it must; see addTrail
	ratePrefix         = "RATE#"
	usePrefix          = "USE#"
)

type item = map[string]types.AttributeValue

var sortKeyOfRecords = str(recordSortKey)

// recordKey returns the key of the item that holds an organization's record and keys.
func recordKey(id organization.ID) item {
	return item{partitionKey: str(organizationPrefix + string(id)), sortKey: sortKeyOfRecords}
}

// auditKey returns the key of an entry of the organization's audit trail.
func auditKey(id organization.ID, entryID string) item {
	return item{partitionKey: str(organizationPrefix + string(id)), sortKey: str(auditPrefix + entryID)}
}

// changeKey returns the key of the item that remembers that a change of the operator was made.
func changeKey(id organization.ID, changeID string) item {
	return item{partitionKey: str(organizationPrefix + string(id)), sortKey: str(changePrefix + changeID)}
}

// counterKey returns the key of the counter of an organization's requests in a window.
func counterKey(id organization.ID, c organization.Category, window time.Time) item {
	return item{
		partitionKey: str(ratePrefix + string(id) + "#" + string(c)),
		sortKey:      str(organization.FormatTime(window)),
	}
}

// useKey returns the key of the item that says when an API key was last used. keyID is the API key's public
// identifier.
func useKey(id organization.ID, keyID string) item {
	return item{partitionKey: str(usePrefix + string(id)), sortKey: str(keyID)}
}

// checkPartition returns store.ErrNotAsked if the item is not of the partition that was asked for.
func checkPartition(it item, asked types.AttributeValue) error {
	got, ok := it[partitionKey].(*types.AttributeValueMemberS)
	if want, known := asked.(*types.AttributeValueMemberS); !ok || !known || got.Value != want.Value {
		return store.ErrNotAsked
	}
	return nil
}

// isRecord tells an organization's own item from the others of its partition.
func isRecord(it item) bool {
	r := reader{item: it}
	return r.str(sortKey) == recordSortKey
}

// isEntry tells the items of the audit trail from the others of the partition.
func isEntry(it item) bool {
	r := reader{item: it}
	return strings.HasPrefix(r.str(sortKey), auditPrefix)
}

// beingPurged reports whether a purge of the organization has begun.
func beingPurged(it item) bool {
	r := reader{item: it}
	return r.has(attrPurgeBegan)
}

// organizationOf returns the organization that an item belongs to.
func organizationOf(it item) (organization.ID, error) {
	r := reader{item: it}
	id := strings.TrimPrefix(r.str(partitionKey), organizationPrefix)
	if r.err != nil {
		return "", r.err
	}
	return organization.ParseID(id)
}

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
	attrPurgeBegan         = "purge_began_at" // the item is deleted as well, and cannot be undeleted
	attrKeys               = "api_keys"       // a map of API keys by the key's SHA-256 in hexadecimal
)

// Attributes of the items in the table of counters.
const (
	attrRequests = "requests"
	attrUsedAt   = "used_at"
	// attrTTL is the attribute by which DynamoDB removes counters: Unix time in seconds. DynamoDB may be days late.
	// That is harmless, as the key of a counter has the window.
	attrTTL = "expires_at"
)

// recordProjection names every attribute of the item except its API keys.
const recordProjection = partitionKey + "," + attrInternalID + "," + attrName + "," + attrLogoURL + "," + attrTier + "," +
	attrCredits + "," + attrMetadata + "," + attrBillingEmail + "," + attrNotificationsEmail + "," + attrOverride + "," +
	attrAutoBilling + "," + attrBillingCycleStart + "," + attrCurrentMonthUsage + "," + attrCreatedAt + "," +
	attrUpdatedAt + "," + attrUsers + "," + attrAuthProviderOrgID + "," + attrCredentials + "," + attrAPIURL + "," +
	attrVersion + "," + attrDeletedAt

// recordItem returns the whole item of an organization.
func recordItem(o organization.Organization, keys []apikey.Record) item {
	it := encodeRecord(o)
	maps.Copy(it, recordKey(o.ID))
	records := make(item, len(keys))
	for _, key := range keys {
		records[key.Hash.Hex()] = object(encodeKey(key))
	}
	it[attrKeys] = object(records)
	return it
}

// encodeRecord returns the attributes of a record, without the item's key and without API keys.
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
		it[attrOverride] = object(encodeOverride(o.Override))
	}
	if o.DeletedAt != nil {
		it[attrDeletedAt] = timestamp(*o.DeletedAt)
	}
	return it
}

func encodeOverride(o organization.RateLimits) item {
	limits := item{}
	for _, c := range organization.Categories() {
		if n := *o.Of(c); n != 0 {
			limits[string(c)] = num(int64(n))
		}
	}
	return limits
}

// decodeOrganization returns the record and the API keys in an organization's item, the oldest key first.
func decodeOrganization(it item) (organization.Organization, []apikey.Record, error) {
	record, err := decodeRecord(it)
	if err != nil {
		return organization.Organization{}, nil, err
	}
	keys, err := decodeKeys(it)
	if err != nil {
		return organization.Organization{}, nil, err
	}
	return record, keys, nil
}

// decodeRecord is the inverse of encodeRecord, and takes the organization's identifier from the item's key.
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

// Attributes of an API key.
const (
	keyID        = "key_id"
	keyAllows    = "permission"
	keyMode      = "mode"
	keyCreatedAt = "created_at"
	keyExpiresAt = "expires_at"
	keyRevokedAt = "revoked_at"
	keySuccessor = "replaced_by"
	keyLabel     = "label"
)

func encodeKey(k apikey.Record) item {
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
	if k.Label != "" {
		it[keyLabel] = str(k.Label)
	}
	return it
}

// compareAge puts the older of two keys first.
func compareAge(a, b apikey.Record) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// decodeKeys returns the API keys in the item's map of keys, the oldest first.
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
		i, _ := slices.BinarySearchFunc(records, record, compareAge) // sorting at the end links much more code
		records = slices.Insert(records, i, record)
	}
	return records, r.err
}

// decodeKey returns a key that permits nothing if this version does not know its permission or its mode.
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
	if label := r.optional(keyLabel); label != nil {
		record.Label = *label
	}
	if r.err != nil {
		return apikey.Record{}, fmt.Errorf("decoding key %s: %w", record.ID, r.err)
	}
	return record, nil
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func boolean(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func object(it item) types.AttributeValue { return &types.AttributeValueMemberM{Value: it} }

func timestamp(t time.Time) types.AttributeValue { return str(organization.FormatTime(t)) }

// reader takes attributes out of an item. It keeps the first error and returns zero values for attributes that are
// not as they should be. So a caller decodes a whole item and then looks at err once.
type reader struct {
	item item
	err  error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("attribute %s is not %s", name, want)
	}
}

func (r *reader) has(name string) bool {
	_, ok := r.item[name]
	return ok
}

func (r *reader) str(name string) string {
	v, ok := r.item[name].(*types.AttributeValueMemberS)
	if !ok {
		r.fail(name, "a string")
		return ""
	}
	return v.Value
}

func (r *reader) optional(name string) *string {
	if !r.has(name) {
		return nil
	}
	s := r.str(name)
	return &s
}

func (r *reader) num(name string) int64 {
	v, ok := r.item[name].(*types.AttributeValueMemberN)
	if !ok {
		r.fail(name, "a number")
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		r.fail(name, "a 64-bit integer")
	}
	return n
}

func (r *reader) boolean(name string) bool {
	v, ok := r.item[name].(*types.AttributeValueMemberBOOL)
	if !ok {
		r.fail(name, "a boolean")
		return false
	}
	return v.Value
}

func (r *reader) time(name string) time.Time {
	t, err := organization.ParseTime(r.str(name))
	if err != nil {
		r.fail(name, "a time")
	}
	return t
}

func (r *reader) optionalTime(name string) *time.Time {
	if !r.has(name) {
		return nil
	}
	t := r.time(name)
	return &t
}

// object returns the attributes of a map; nil if the map is absent.
func (r *reader) object(name string) item {
	if !r.has(name) {
		return nil
	}
	v, ok := r.item[name].(*types.AttributeValueMemberM)
	if !ok {
		r.fail(name, "a map")
		return nil
	}
	return v.Value
}
