package organization

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"organizations-api/shared/plainjson"
)

// Field is one field of a patch. It is absent, null or a value. The zero Field is absent.
type Field[T any] struct {
	state fieldState
	value T
}

type fieldState uint8

const (
	absent fieldState = iota
	null
	present
)

// Null returns a field that the caller sent as null.
func Null[T any]() Field[T] { return Field[T]{state: null} }

// Set returns a field that the caller sent with a value.
func Set[T any](value T) Field[T] { return Field[T]{state: present, value: value} }

// IsNull reports whether the field is null.
func (f Field[T]) IsNull() bool { return f.state == null }

// Value returns the field's value. ok is false if the field is absent or null.
func (f Field[T]) Value() (value T, ok bool) { return f.value, f.state == present }

// Patch is a change that a caller asks for. An absent field leaves the property as it is. The comment at each field
// says what null does. Values must be within the bounds of this package: those of the Check functions, MinLimit and
// MaxLimit.
type Patch struct {
	Name               Field[string]     // null leaves the name as it is
	LogoURL            Field[string]     // null clears it
	BillingEmail       Field[string]     // null clears it
	NotificationsEmail Field[string]     // null clears it
	Metadata           Field[Object]     // replaces the whole object; null leaves it as it is
	RateLimits         Field[RateLimits] // replaces the whole override; null removes it
	Credentials        Field[Object]     // replaces the whole object; null leaves it as it is
}

// Change says what an update did to one field, for the audit trail. It holds no secret: for credentials it has a
// fingerprint in place of each value. If that would be too long, it has one fingerprint of all credentials.
type Change struct {
	Field  string // the name in the contract
	Before string // JSON
	After  string // JSON
}

// Apply returns the record with the patch applied, and the changes in the order of the contract's fields. If nothing
// changes, it returns the record as it was. Otherwise the version is one higher and UpdatedAt is now. If the clock has
// not moved since the last update, UpdatedAt is a microsecond after that.
func (o Organization) Apply(p Patch, now time.Time) (Organization, []Change) {
	return o.succeededBy(o.patched(p), now)
}

// patched returns the record with the patch applied, but with the old version and time of update.
func (o Organization) patched(p Patch) Organization {
	next := o
	if name, ok := p.Name.Value(); ok {
		next.Name = name
	}
	next.LogoURL = optional(o.LogoURL, p.LogoURL)
	next.BillingEmail = optional(o.BillingEmail, p.BillingEmail)
	next.NotificationsEmail = optional(o.NotificationsEmail, p.NotificationsEmail)
	if metadata, ok := p.Metadata.Value(); ok {
		next.Metadata = metadata
	}
	if override, ok := p.RateLimits.Value(); ok || p.RateLimits.IsNull() {
		next.Override = override
	}
	if credentials, ok := p.Credentials.Value(); ok {
		next.Credentials = credentials
	}
	return next
}

// succeededBy returns next with a new version and time of update, and the changes from o to it. If nothing changes, it
// returns o.
func (o Organization) succeededBy(next Organization, now time.Time) (Organization, []Change) {
	changes := diff(o, next)
	if len(changes) == 0 {
		return o, nil
	}
	next.Version++
	next.UpdatedAt = Timestamp(now)
	if !next.UpdatedAt.After(o.UpdatedAt) {
		next.UpdatedAt = o.UpdatedAt.Add(time.Microsecond)
	}
	return next, changes
}

// optional returns the new value of a property that null clears.
func optional(current *string, f Field[string]) *string {
	if value, ok := f.Value(); ok {
		return &value
	}
	if f.IsNull() {
		return nil
	}
	return current
}

// The names in the contract that are used in more than one place.
const (
	fieldCredits = "credit_count"
	fieldUsage   = "current_month_usage"
)

// diff returns the changes from before to after, by their names in the contract and in its order.
func diff(before, after Organization) []Change {
	var changes []Change
	note := func(field string, same bool, text func(Organization) string) {
		if !same {
			changes = append(changes, Change{Field: field, Before: text(before), After: text(after)})
		}
	}
	note("organization_name", before.Name == after.Name, func(o Organization) string { return plainjson.Text(o.Name) })
	note("logo_url", equal(before.LogoURL, after.LogoURL),
		func(o Organization) string { return plainjson.Text(o.LogoURL) })
	note("account_type", before.Tier == after.Tier, func(o Organization) string { return plainjson.Text(o.Tier) })
	note(fieldCredits, before.Credits == after.Credits, func(o Organization) string { return plainjson.Text(o.Credits) })
	note("metadata", before.Metadata.Text() == after.Metadata.Text(),
		func(o Organization) string { return o.Metadata.Text() })
	note("billing_email", equal(before.BillingEmail, after.BillingEmail),
		func(o Organization) string { return plainjson.Text(o.BillingEmail) })
	note("notifications_email", equal(before.NotificationsEmail, after.NotificationsEmail),
		func(o Organization) string { return plainjson.Text(o.NotificationsEmail) })
	note("rate_limits", before.Override == after.Override, func(o Organization) string { return overrideText(o.Override) })
	note("auto_billing_enabled", before.AutoBilling == after.AutoBilling,
		func(o Organization) string { return plainjson.Text(o.AutoBilling) })
	note("billing_cycle_start", before.BillingCycleStart == after.BillingCycleStart,
		func(o Organization) string { return plainjson.Text(o.BillingCycleStart) })
	note(fieldUsage, before.CurrentMonthUsage == after.CurrentMonthUsage,
		func(o Organization) string { return plainjson.Text(o.CurrentMonthUsage) })
	note("users", equal(before.Users, after.Users), func(o Organization) string { return usersText(o.Users) })
	note("auth_provider_org_id", equal(before.AuthProviderOrgID, after.AuthProviderOrgID),
		func(o Organization) string { return plainjson.Text(o.AuthProviderOrgID) })
	note("default_llm_credentials", before.Credentials.Text() == after.Credentials.Text(),
		func(o Organization) string { return fingerprints(o.Credentials) })
	note("api_url", equal(before.APIURL, after.APIURL), func(o Organization) string { return plainjson.Text(o.APIURL) })
	return changes
}

func equal(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// overrideText returns an override as a caller sends it. An empty override is null.
func overrideText(override RateLimits) string {
	if override == (RateLimits{}) {
		return "null"
	}
	limits := make(map[Category]int)
	for _, c := range Categories() {
		if n := *override.Of(c); n != 0 {
			limits[c] = n
		}
	}
	return plainjson.Text(limits)
}

// maxAuditedUsers is the longest list of users that an audit entry holds, in bytes. An entry must fit into an item of
// DynamoDB.
const maxAuditedUsers = 2 << 10

// usersText returns the list of users, or its fingerprint if it is longer than maxAuditedUsers.
func usersText(users *string) string {
	switch {
	case users == nil:
		return "null"
	case len(*users) > maxAuditedUsers:
		return plainjson.Text(fingerprint(*users))
	default:
		return *users
	}
}

// maxFingerprints is the most that fingerprints returns, in bytes. For short credentials the fingerprints are many
// times longer than the object. An audit entry has those before and after the change, and must fit into an item of
// DynamoDB.
const maxFingerprints = 16 << 10

// fingerprints returns the credentials with a fingerprint in place of each secret, as JSON. They show which credential
// changed, but not what it is. If the text would be longer than maxFingerprints, it returns one fingerprint of the
// object.
func fingerprints(credentials Object) string {
	var values map[string]string
	if err := json.Unmarshal([]byte(credentials.Text()), &values); err != nil {
		return plainjson.Text(redacted) // not an object of strings; no caller and no store makes this
	}
	for name, value := range values {
		values[name] = fingerprint(value)
	}
	if text := plainjson.Text(values); len(text) <= maxFingerprints {
		return text
	}
	return plainjson.Text(fingerprint(credentials.Text()))
}

// fingerprint returns eight bytes of the text's SHA-256.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:8])
}
