package organization

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"organizations-api/shared/plainjson"
)

// diff returns the changes from before to after, of the fields that a patch can change, by their names in the contract.
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
	note("metadata", before.Metadata.Text() == after.Metadata.Text(),
		func(o Organization) string { return o.Metadata.Text() })
	note("billing_email", equal(before.BillingEmail, after.BillingEmail),
		func(o Organization) string { return plainjson.Text(o.BillingEmail) })
	note("notifications_email", equal(before.NotificationsEmail, after.NotificationsEmail),
		func(o Organization) string { return plainjson.Text(o.NotificationsEmail) })
	note("rate_limits", before.Override == after.Override, func(o Organization) string { return overrideText(o.Override) })
	note("default_llm_credentials", before.Credentials.Text() == after.Credentials.Text(),
		func(o Organization) string { return fingerprints(o.Credentials) })
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

// fingerprint returns eight bytes of the secret's SHA-256.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:8])
}
