package organization

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// diff lists the fields of the contract that a patch can change and in which two records differ.
func diff(before, after Organization) []Change {
	var changes []Change
	note := func(field string, same bool, text func(Organization) string) {
		if !same {
			changes = append(changes, Change{Field: field, Before: text(before), After: text(after)})
		}
	}
	note("organization_name", before.Name == after.Name, func(o Organization) string { return jsonText(o.Name) })
	note("logo_url", equal(before.LogoURL, after.LogoURL), func(o Organization) string { return jsonText(o.LogoURL) })
	note("metadata", before.Metadata.Text() == after.Metadata.Text(), func(o Organization) string { return o.Metadata.Text() })
	note("billing_email", equal(before.BillingEmail, after.BillingEmail),
		func(o Organization) string { return jsonText(o.BillingEmail) })
	note("notifications_email", equal(before.NotificationsEmail, after.NotificationsEmail),
		func(o Organization) string { return jsonText(o.NotificationsEmail) })
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

// overrideText returns an override as the caller would send it: null where nothing is overridden.
func overrideText(o Override) string {
	if o == (Override{}) {
		return "null"
	}
	limits := make(map[Category]int)
	for _, c := range Categories() {
		if n := *o.Of(c); n != 0 {
			limits[c] = n
		}
	}
	return jsonText(limits)
}

// maxFingerprints bounds the fingerprints of one object, in bytes. Names and values may be so short that theirs are many
// times the object; an entry of the audit trail, which has those before and after, must fit into an item of DynamoDB.
const maxFingerprints = 16 << 10

// fingerprints tells one credential from another without telling what it is. Where there are very many, it tells one object
// from another.
func fingerprints(credentials Object) string {
	var values map[string]string
	if err := json.Unmarshal([]byte(credentials.Text()), &values); err != nil {
		return jsonText(redacted) // not an object of strings; no store or caller makes one
	}
	for name, value := range values {
		values[name] = fingerprint(value)
	}
	if text := jsonText(values); len(text) <= maxFingerprints {
		return text
	}
	return jsonText(fingerprint(credentials.Text()))
}

// fingerprint has eight bytes of the SHA-256.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// jsonText encodes a value of which encoding/json can encode every instance.
func jsonText(v any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}
