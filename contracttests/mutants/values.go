package mutants

import (
	"net/http"
	"strings"
)

// valueMutants spoil the members of organizations.
func valueMutants() []Mutant {
	return []Mutant{
		{"organization-id-missing", GroupSchema, "leaves organization_id out", mutateRecord(rawWithout("organization_id"))},
		{"account-type-missing", GroupSchema, "leaves account_type out", mutateRecord(rawWithout("account_type"))},
		{"rate-limits-missing", GroupSchema, "leaves rate_limits out", mutateRecord(rawWithout("rate_limits"))},
		{"updated-at-missing", GroupSchema, "leaves updated_at out", mutateRecord(rawWithout("updated_at"))},
		{"name-null", GroupSchema, "sends null for the name", mutateValue("organization_name", "null")},
		{"metadata-null", GroupSchema, "sends null for the metadata", mutateValue("metadata", "null")},
		{"auto-billing-null", GroupSchema, "sends null for a boolean", mutateValue("auto_billing_enabled", "null")},
		{"name-number", GroupSchema, "sends a number for the name", mutateValue("organization_name", "7")},
		{"credits-text", GroupSchema, "sends the credits in quotes", mutateRaw("credit_count", rawQuoted)},
		{"credits-with-point", GroupSchema, "writes the credits with a point", mutateRaw("credit_count", rawEnding(".0"))},
		{"credits-beyond-precision", GroupSchema, "sends more credits than a float64 can tell apart", mutateValue("credit_count", "9007199254740993")},
		{"usage-fraction", GroupSchema, "sends a fraction for the usage", mutateRaw("current_month_usage", rawEnding(".5"))},
		{"auto-billing-text", GroupSchema, "sends a boolean in quotes", mutateRaw("auto_billing_enabled", rawQuoted)},
		{"billing-day-boolean", GroupSchema, "sends a boolean for an integer", mutateValue("billing_cycle_start", "true")},
		{"metadata-list", GroupSchema, "sends empty metadata as a list", mutateRaw("metadata", replaceText("[]", "{}"))},
		{"metadata-text", GroupSchema, "sends the metadata as a text of JSON", mutateRaw("metadata", func(raw string) (string, bool) {
			return quoteRaw(raw), true
		})},
		{"users-object", GroupSchema, "sends an object for the list of users", mutateSet("users", "{}")},
		{"users-of-text", GroupSchema, "sends users that are texts", mutateSet("users", `["Ada"]`)},
		{"logo-boolean", GroupSchema, "sends a boolean for the logo", mutateSet("logo_url", "true")},
		{"credential-number", GroupSchema, "sends a number among the credentials", mutateRecord(func(o *rawObject) {
			o.nested("default_llm_credentials", func(all *rawObject) {
				if len(*all) > 0 {
					all.set((*all)[0].name, "1")
				}
			})
		})},
		{"limit-text", GroupSchema, "sends a limit in quotes", mutateLimit("search", rawQuoted)},
		{"limit-null", GroupSchema, "sends null for a limit", mutateLimit("data", rawConstant("null"))},
		{"limit-zero", GroupSchema, "sends a limit of zero", mutateLimit("compute", rawConstant("0"))},
		{"limit-too-high", GroupSchema, "sends a limit above the maximum", mutateLimit("upload", rawConstant("1000001"))},
		{"limit-undeclared", GroupSchema, "adds a limit that nobody declared", mutateRecord(func(o *rawObject) {
			o.nested("rate_limits", func(limits *rawObject) { limits.set("total", "1000") })
		})},
		{"tier-in-upper-case", GroupSchema, "sends the tier with a capital letter", mutateRaw("account_type", func(raw string) (string, bool) {
			return strings.ToUpper(raw[:2]) + raw[2:], true
		})},
		{"tier-unknown", GroupSchema, "sends a tier that nobody declared", mutateValue("account_type", `"gold"`)},
		{"time-without-zone", GroupSchema, "leaves the zone of created_at out", mutateRaw("created_at", rawReplacing("Z", ""))},
		{"time-in-lower-case", GroupSchema, "writes created_at with a small t", mutateRaw("created_at", rawReplacing("T", "t"))},
		{"time-with-blank", GroupSchema, "writes created_at with a blank for the T", mutateRaw("created_at", rawReplacing("T", " "))},
		{"time-with-offset", GroupSchema, "writes updated_at with an offset for the Z", mutateRaw("updated_at", rawReplacing("Z", "+00:00"))},
		{"time-date-only", GroupSchema, "sends a date alone for updated_at", mutateRaw("updated_at", func(raw string) (string, bool) {
			date, _, ok := strings.Cut(raw, "T")
			return date + `"`, ok
		})},
		{"time-number", GroupSchema, "sends seconds for created_at", mutateValue("created_at", "1767605415")},
		{"updated-before-created", GroupSchema, "says that a record was updated before it was created", mutateValue("updated_at", `"2001-01-01T00:00:00.000000Z"`)},
		{"email-malformed", GroupSchema, "sends a billing_email that is none", mutateSet("billing_email", `"nobody"`)},
		{"internal-id-member", GroupSchema, "adds internal_id to organizations", mutateRecord(func(o *rawObject) { o.set("internal_id", `"7"`) })},
		{"null-member", GroupSchema, "adds a member that is null", mutateRecord(func(o *rawObject) { o.set("deleted_at", "null") })},
		{"member-in-camel-case", GroupSchema, "renames api_url to apiUrl", mutateRecord(func(o *rawObject) {
			if raw, ok := o.get("api_url"); ok {
				o.drop("api_url")
				o.set("apiUrl", raw)
			}
		})},
	}
}

// mutateRecord changes the members of organizations.
func mutateRecord(edit func(o *rawObject)) mutation {
	return mutateMembers(onStatus(http.StatusOK), edit)
}

// mutateRaw changes the text of one member.
func mutateRaw(name string, change func(raw string) (string, bool)) mutation {
	return mutateRecord(func(o *rawObject) { o.change(name, change) })
}

// mutateValue replaces the value of one member.
func mutateValue(name, value string) mutation { return mutateRaw(name, rawConstant(value)) }

// mutateSet replaces the value of one member where it has one.
func mutateSet(name, value string) mutation {
	return mutateRaw(name, func(raw string) (string, bool) { return value, raw != "null" })
}

// mutateLimit changes the text of one of the limits in force.
func mutateLimit(name string, change func(raw string) (string, bool)) mutation {
	return mutateRecord(func(o *rawObject) {
		o.nested("rate_limits", func(limits *rawObject) { limits.change(name, change) })
	})
}

func rawWithout(name string) func(o *rawObject) { return func(o *rawObject) { o.drop(name) } }

func rawConstant(value string) func(string) (string, bool) {
	return func(string) (string, bool) { return value, true }
}

func rawQuoted(raw string) (string, bool) { return `"` + raw + `"`, true }

func rawEnding(text string) func(string) (string, bool) {
	return func(raw string) (string, bool) { return raw + text, true }
}

func rawReplacing(old, text string) func(string) (string, bool) {
	return func(raw string) (string, bool) { return strings.Replace(raw, old, text, 1), true }
}
