package mutants

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// strictMutants refuse what the document allows. They turn it into something at the same place that the service itself
// refuses, so that the refusal is in order but for there being one.
func strictMutants() []Mutant {
	clearable := []string{"logo_url", "billing_email", "notifications_email"}
	kept := []string{"organization_name", "metadata", "default_llm_credentials"}
	emails := clearable[1:]
	return []Mutant{
		{"refuses-integer-with-point", GroupAcceptance, "refuses 20.0 for a limit", mutateLimits(rawMatching(`^[1-9][0-9]*\.0+$`, rawBecoming("null")))},
		{"refuses-integer-with-exponent", GroupAcceptance, "refuses 2e1 for a limit", mutateLimits(rawMatching(`^[0-9.]+[eE]`, rawBecoming("null")))},
		{"refuses-lowest-limit", GroupAcceptance, "refuses 1 for a limit", mutateLimits(replaceText("0", "1"))},
		{"refuses-highest-limit", GroupAcceptance, "refuses 1000000 for a limit", mutateLimits(replaceText("1000001", "1000000"))},
		{"refuses-astral-characters", GroupAcceptance, "counts 100 characters of a name as UTF-16", mutateField("organization_name", rawText(func(text string) (string, bool) {
			return strings.Repeat("x", 101), utf8.RuneCountInString(text) <= 100 && len(utf16.Encode([]rune(text))) > 100
		}))},
		{"refuses-longest-name", GroupAcceptance, "refuses a name of 100 characters", mutateField("organization_name", lengthening(100))},
		{"refuses-shortest-name", GroupAcceptance, "refuses a name of one character", mutateField("organization_name", rawText(func(text string) (string, bool) {
			return "", utf8.RuneCountInString(text) == 1
		}))},
		{"refuses-longest-logo", GroupAcceptance, "refuses a logo_url of 2048 characters", mutateField("logo_url", lengthening(2048))},
		{"refuses-empty-metadata", GroupAcceptance, "refuses empty metadata", mutateField("metadata", replaceText("[]", "{}"))},
		{"refuses-empty-limits", GroupAcceptance, "refuses limits that name no category", mutateField("rate_limits", replaceText("[]", "{}"))},
		{"refuses-empty-credentials", GroupAcceptance, "refuses empty credentials", mutateField("default_llm_credentials", replaceText("[]", "{}"))},
		{"refuses-empty-object", GroupAcceptance, "refuses an update that changes nothing", mutateEntity(bodyBecoming("[]", "{}"))},
		{"refuses-null-to-clear", GroupAcceptance, "refuses null for what it clears", mutateFields(clearable, replaceText("1", "null"))},
		{"refuses-null-to-keep", GroupAcceptance, "refuses null for what it leaves alone", mutateFields(kept, replaceText("1", "null"))},
		{"refuses-null-limits", GroupAcceptance, "refuses null for the limits", mutateField("rate_limits", replaceText("1", "null"))},
		{"refuses-undeclared-field", GroupAcceptance, "refuses fields that the document does not declare", mutateUpdate(refuseUndeclared)},
		{"refuses-undeclared-limit", GroupAcceptance, "refuses limits that the document does not declare", mutateField("rate_limits", func(raw string) (string, bool) {
			o, ok := readRawObject([]byte(raw))
			return "[]", ok && slices.ContainsFunc(o, func(m rawMember) bool { return !slices.Contains(limitNames, m.name) })
		})},
		{"refuses-email-with-plus", GroupAcceptance, "refuses an email with a plus", mutateFields(emails, rawText(func(text string) (string, bool) {
			return strings.ReplaceAll(text, "@", ""), strings.Contains(text, "+")
		}))},
		{"refuses-deepest-metadata", GroupAcceptance, "refuses metadata of 32 levels", mutateField("metadata", func(raw string) (string, bool) {
			return "[]", rawDepth(raw) == harness.MaxObjectDepth
		})},
		{"refuses-longest-metadata", GroupAcceptance, "refuses metadata of 65,536 bytes", mutateField("metadata", func(raw string) (string, bool) {
			return "[]", rawSize(raw) == harness.MaxObjectBytes
		})},
		{"refuses-spacious-metadata", GroupAcceptance, "counts the white space in metadata", mutateField("metadata", func(raw string) (string, bool) {
			return "[]", rawSize(raw) <= harness.MaxObjectBytes && len(raw) > harness.MaxObjectBytes
		})},
		{"refuses-charset", GroupAcceptance, "refuses application/json with a charset", mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
			values := judge.Canonical(r.Header)["Content-Type"]
			if r.Method == http.MethodPatch && len(values) > 0 && isJSONType(values) && strings.Contains(values[0], ";") {
				setHeader(r.Header, "Content-Type", "text/plain")
			}
		})},
		{"refuses-tag-list", GroupAcceptance, "refuses conditions that name several tags", mutateCondition("If-Match", func(_ *judge.Request, values []string) []string {
			if c, ok := wellFormed(values); ok && len(c.Tags) > 1 {
				return []string{"malformed"}
			}
			return values
		})},
	}
}

// lengthening returns a change that makes strings of n characters too long.
func lengthening(n int) func(string) (string, bool) {
	return rawText(func(text string) (string, bool) { return text + "x", utf8.RuneCountInString(text) == n })
}

var updateFields = []string{
	"organization_name", "billing_email", "metadata", "rate_limits", "logo_url", "notifications_email", "default_llm_credentials",
}

func refuseUndeclared(o *rawObject) {
	if slices.ContainsFunc(*o, func(m rawMember) bool { return !slices.Contains(updateFields, m.name) }) {
		o.set("organization_name", "1")
	}
}
