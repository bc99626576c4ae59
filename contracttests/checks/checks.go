// Package checks holds the checks of the organizations API, one file for each feature. All lists each check once.
//
// The checks reach the service only through package harness, so that they run against any service with this contract.
// They must not import the service's code or package testing.
package checks

import (
	"encoding/json"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
)

// All returns the whole suite. Each check has its own name.
func All() []harness.Check {
	return slices.Concat(statusChecks(), laws(), tierLaws(), []harness.Check{StateMachine(DefaultMachine())})
}

// laws returns the checks for rules that no schema states.
func laws() []harness.Check {
	const own = harness.NeedProvision
	return []harness.Check{
		// patch.go: what a PATCH does to each field, and what shows that the record changed
		law("patch-persists", 0, patchPersists),
		law("patch-of-everything-persists", 0, patchOfEverythingPersists),
		law("absent-fields-stay", 0, absentFieldsStay),
		law("metadata-replaces", 0, metadataReplaces),
		law("credentials-replace", 0, credentialsReplace),
		law("null-leaves", 0, nullLeaves),
		law("nine-fields-seven-null", 0, nineFieldsSevenNull),
		law("undeclared-fields-change-nothing", 0, undeclaredFields),
		law("no-change-leaves-no-trace", 0, noChange),
		law("updated-at-advances", 0, updatedAtAdvances),
		law("updated-at-is-the-time-of-the-change", 0, updatedAtIsNow),
		law("etag-follows-the-record", 0, etagFollows),
		law("identity-stays", 0, identityStays),
		law("failed-patch-changes-nothing", 0, failedPatch),
		law("fault-changes-nothing", harness.NeedFaults|own, faultChangesNothing),
		law("problem-among-changes-changes-nothing", 0, problemAmongChanges),

		// merge.go: what a JSON Merge Patch does
		law("merge-patch-persists", 0, mergePatchPersists),
		law("merge-patch-null-clears", 0, mergeNullClears),
		law("merge-patch-of-metadata-merges", 0, mergeOfMetadata),
		law("merge-patch-of-credentials-merges", 0, mergeOfCredentials),
		law("merge-patch-of-limits-merges", own, mergeOfLimits),
		law("merge-patch-is-bounded-by-its-result", 0, mergeBounded),

		// values.go: values come back as they were sent
		law("metadata-value-for-value", 0, metadataComesBack),
		law("text-value-for-value", 0, nameComesBack),
		law("logo-value-for-value", 0, logoComesBack),
		law("email-value-for-value", 0, emailComesBack),
		law("credentials-value-for-value", 0, credentialsComeBack),
		law("everything-has-a-value", own, everythingHasValue),
		law("nothing-is-left-out", own, nothingLeftOut),

		// conditions.go: ETag, If-Match and If-None-Match, and changes at the same time
		law("if-match-guards", 0, ifMatchGuards),
		law("if-none-match-spares-the-body", 0, ifNoneMatchSpares),
		law("if-none-match-guards", 0, ifNoneMatchGuards),
		law("if-match-admits-one", 0, ifMatchAdmitsOne),
		law("concurrent-changes-all-persist", 0, concurrentChanges),

		// auth.go: what keys may do
		law("read-key-cannot-patch", harness.NeedRead, readKeyCannotPatch),
		law("write-key-cannot-patch", own, writeKeyCannotPatch),
		law("delete-key-cannot-patch", own, deleteKeyCannotPatch),
		law("revoked-key-stops", harness.NeedRevoke|own, revokedKeyStops),
		law("unknown-keys-look-alike", own, unknownKeys),

		// limits.go: the limits that a record shows
		law("rate-limits-replace", own, rateLimitsReplace),
		law("rate-limits-null-leaves", own, rateLimitsNull),
		law("rate-limits-empty-takes-back", own, rateLimitsEmpty),
		law("undeclared-limits-change-nothing", own, undeclaredLimits),
		law("two-names-of-rate-limits", own, twoNamesOfLimits),

		// ratelimit.go: requests are counted
		law("rate-limit-counts-down", own, countsDown),
		law("rate-limit-is-exact", own, limitIsExact),
		law("rate-limit-is-each-tenant's-own", own, limitsApart),
		law("rate-limit-is-that-of-the-record", own, limitOfRecord),
		law("limited-change-changes-nothing", own, limitedChange),
		law("rate-limit-window-is-a-minute", own|harness.NeedLater, windowIsMinute),

		// tenants.go: organizations see nothing of each other, and nobody sees a secret
		law("tenants-apart", harness.NeedOther, tenantsApart),
		law("tenants-apart-at-the-same-time", harness.NeedOther, tenantsApartConcurrently),
		law("tenants-apart-whatever-is-asked-for", harness.NeedOther, tenantsApartAsked),
		law("etags-of-tenants-differ", harness.NeedOther, etagsApart),
		law("secrets-stay-secret", 0, secretsStaySecret),

		// reads.go: reading changes nothing
		law("get-is-safe-and-repeatable", 0, getIsSafe),
		law("get-stays-get", 0, getStaysGet),
		law("request-ids-differ", 0, requestIDs),
	}
}

// tierLaws returns the checks of limits.go that are made once for each tier.
func tierLaws() []harness.Check {
	var all []harness.Check
	for _, tier := range tiers() {
		all = append(all,
			law("limits-of-tier-"+tier, harness.NeedProvision, func(s *harness.Session) { limitsOfTier(s, tier) }),
			law("limits-overlaid-"+tier, harness.NeedProvision, func(s *harness.Session) { limitsOverlaid(s, tier) }),
		)
	}
	return all
}

func law(name string, needs harness.Need, run func(s *harness.Session)) harness.Check {
	return harness.Check{Name: "laws/" + name, Needs: needs, Run: run}
}

// adminOnly is the spec of an organization of the tier pro, with nothing set. It has only the admin key.
func adminOnly() harness.TenantSpec { return harness.TenantSpec{Keys: []harness.KeyKind{}} }

// full is the spec of an organization with a value for everything. It has only the admin key.
func full() harness.TenantSpec { return harness.TenantSpec{Full: true, Keys: []harness.KeyKind{}} }

// member is a member of a JSON object: its name, and its value as JSON text.
type member struct{ name, value string }

// object returns the text of a JSON object.
func object(fields ...member) string {
	members := make([]string, len(fields))
	for i, m := range fields {
		members[i] = quote(m.name) + ":" + m.value
	}
	return "{" + strings.Join(members, ",") + "}"
}

// quote returns a text as a JSON string.
func quote(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(encoded)
}

// newName returns the body of a PATCH with a name that the organization does not have.
func newName(c harness.Caller) string {
	return object(member{"organization_name", quote(c.Fresh("Name"))})
}

// newValues returns a new value for each field of a PATCH that can be put back afterwards.
func newValues(c harness.Caller) []member {
	return []member{
		{"organization_name", quote(c.Fresh("Name"))},
		{"logo_url", quote("https://logo.example/" + c.Fresh("logo"))},
		{"billing_email", quote(c.Fresh("billing") + "@example.com")},
		{"notifications_email", quote(c.Fresh("news") + "@example.com")},
		{"metadata", object(member{"mark", quote(c.Fresh("metadata"))})},
		{"default_llm_credentials", object(member{"openai", quote(c.Fresh("credential"))})},
		{"nsfw_check_enabled", otherThan(c, "nsfw_check_enabled")},
		{"nsfw_fail_closed", otherThan(c, "nsfw_fail_closed")},
	}
}

// otherThan returns the opposite of the boolean in the record.
func otherThan(c harness.Caller, name string) string {
	if string(c.Read().Members[name]) == "true" {
		return "false"
	}
	return "true"
}

// wantRecord reports a record that does not have the fields that were sent, or that has changed in another one.
// updated_at may change.
func wantRecord(s *harness.Session, before, now harness.Snapshot, sent ...member) {
	except := []string{"updated_at"}
	for _, m := range sent {
		except = append(except, m.name)
		if !harness.SameJSON(now.Members[m.name], []byte(m.value)) {
			s.FailExchange(now.Exchange, "%s is not what was sent", m.name)
		}
	}
	for _, name := range before.Differences(now, except...) {
		s.FailExchange(now.Exchange, "%s has changed and was not sent", name)
	}
}
