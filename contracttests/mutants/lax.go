package mutants

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// laxMutants take values that the document refuses, and make of them the nearest that it allows.
func laxMutants() []Mutant {
	emails := []string{"billing_email", "notifications_email"}
	return []Mutant{
		{"takes-limit-in-quotes", GroupAcceptance, `takes "20" for a limit`, mutateLimits(rawMatching(`^"[0-9]+"$`, func(raw string) string {
			return strings.TrimLeft(strings.Trim(raw, `"`), "0")
		}))},
		{"takes-limit-true", GroupAcceptance, "takes true for a limit", mutateLimits(replaceText("1", "true"))},
		{"takes-limit-null", GroupAcceptance, "takes null for a limit", mutateLimits(replaceText("1", "null"))},
		{"takes-limit-fraction", GroupAcceptance, "takes 1.5 for a limit", mutateLimits(rawMatching(`^[1-9][0-9]{0,5}\.[0-9]*[1-9][0-9]*$`, func(raw string) string {
			return raw[:strings.IndexByte(raw, '.')]
		}))},
		{"takes-limit-zero", GroupAcceptance, "takes 0 for a limit", mutateLimits(replaceText("1", "0", "-0"))},
		{"takes-limit-negative", GroupAcceptance, "takes -1 for a limit", mutateLimits(rawMatching(`^-[1-9][0-9]*$`, rawBecoming("1")))},
		{"takes-limit-too-high", GroupAcceptance, "takes 1000001 for a limit", mutateLimits(replaceText("1000000", "1000001"))},
		{"takes-limits-list", GroupAcceptance, "takes an empty list for the limits", mutateField("rate_limits", replaceText("{}", "[]"))},
		{"takes-email-without-at", GroupAcceptance, "takes an email without an @", mutateFields(emails, rawText(func(text string) (string, bool) {
			return "a@b.example", text != "" && !strings.Contains(text, "@")
		}))},
		{"takes-email-empty", GroupAcceptance, "takes an empty email", mutateFields(emails, replaceText("null", `""`))},
		{"takes-email-with-display-name", GroupAcceptance, "takes an email with a display name", mutateFields(emails, rawText(func(text string) (string, bool) {
			name, address, ok := strings.Cut(strings.TrimSuffix(text, ">"), "<")
			return address, ok && name != "" && strings.HasSuffix(text, ">")
		}))},
		{"takes-email-with-long-local-part", GroupAcceptance, "takes an email with 65 characters before the @", mutateFields(emails, rawText(func(text string) (string, bool) {
			local, domain, ok := strings.Cut(text, "@")
			return local[:min(len(local), 64)] + "@" + domain, ok && len(local) == 65
		}))},
		{"takes-email-of-one-label", GroupAcceptance, "takes an email at a host without a dot", mutateFields(emails, rawText(func(text string) (string, bool) {
			_, domain, ok := strings.Cut(text, "@")
			return text + ".example", ok && domain != "" && !strings.Contains(domain, ".")
		}))},
		{"takes-email-at-number", GroupAcceptance, "takes an email at a host that ends in a digit", mutateFields(emails, rawText(func(text string) (string, bool) {
			_, domain, ok := strings.Cut(text, "@")
			return text + "a", ok && strings.Contains(domain, ".") && strings.ContainsAny(domain[len(domain)-1:], "0123456789")
		}))},
		{"takes-email-number", GroupAcceptance, "takes a number for an email", mutateFields(emails, rawMatching(`^[0-9]`, rawBecoming("null")))},
		{"takes-name-empty", GroupAcceptance, "takes an empty name", mutateField("organization_name", replaceText("null", `""`))},
		{"takes-name-of-101-characters", GroupAcceptance, "takes a name of 101 characters", mutateField("organization_name", cutTo(100))},
		{"takes-name-number", GroupAcceptance, "takes a number for the name", mutateField("organization_name", rawMatching(`^[0-9]+$`, func(raw string) string { return `"` + raw + `"` }))},
		{"takes-name-boolean", GroupAcceptance, "takes a boolean for the name", mutateField("organization_name", replaceText("null", "true", "false"))},
		{"takes-logo-empty", GroupAcceptance, "takes an empty logo_url", mutateField("logo_url", replaceText("null", `""`))},
		{"takes-logo-of-2049-characters", GroupAcceptance, "takes a logo_url of 2049 characters", mutateField("logo_url", cutTo(2048))},
		{"takes-credential-null", GroupAcceptance, "takes null among the credentials", mutateCredentials(replaceText(`""`, "null"))},
		{"takes-credential-number", GroupAcceptance, "takes a number among the credentials", mutateCredentials(rawMatching(`^[0-9]+$`, func(raw string) string { return `"` + raw + `"` }))},
		{"takes-credential-object", GroupAcceptance, "takes an object among the credentials", mutateCredentials(rawMatching(`^\{`, rawBecoming(`""`)))},
		{"takes-metadata-list", GroupAcceptance, "takes a list for the metadata", mutateField("metadata", rawMatching(`^\[`, rawBecoming("{}")))},
		{"takes-metadata-text", GroupAcceptance, "takes a text for the metadata", mutateField("metadata", rawMatching(`^"`, rawBecoming("{}")))},
		{"takes-metadata-too-deep", GroupAcceptance, "takes metadata of 33 levels", mutateField("metadata", func(raw string) (string, bool) {
			return "{}", rawDepth(raw) == harness.MaxObjectDepth+1
		})},
		{"takes-metadata-too-long", GroupAcceptance, "takes metadata of more bytes than are allowed", mutateField("metadata", rawTooLong)},
		{"takes-credentials-too-long", GroupAcceptance, "takes credentials of more bytes than are allowed", mutateField("default_llm_credentials", rawTooLong)},
	}
}

// rawMatching returns a change of the texts that match.
func rawMatching(pattern string, change func(raw string) string) func(string) (string, bool) {
	re := regexp.MustCompile(pattern)
	return func(raw string) (string, bool) {
		if !re.MatchString(raw) {
			return "", false
		}
		return change(raw), true
	}
}

func rawBecoming(text string) func(string) string { return func(string) string { return text } }

// rawText returns a change of strings by their values.
func rawText(change func(text string) (string, bool)) func(string) (string, bool) {
	return func(raw string) (string, bool) {
		text, ok := unquoteRaw(raw)
		if !ok {
			return "", false
		}
		text, ok = change(text)
		return quoteRaw(text), ok
	}
}

// cutTo returns a change of strings that are longer by one character.
func cutTo(n int) func(string) (string, bool) {
	return rawText(func(text string) (string, bool) {
		if utf8.RuneCountInString(text) != n+1 {
			return "", false
		}
		return string([]rune(text)[:n]), true
	})
}

// rawDepth returns the nesting of an object, 0 of anything else.
func rawDepth(raw string) int {
	value, _, ok := judge.ReadJSON([]byte(raw))
	if _, isObject := value.(map[string]any); !ok || !isObject {
		return 0
	}
	return harness.DepthOf(value)
}

// rawSize returns the bytes of an object without insignificant white space, 0 of anything else.
func rawSize(raw string) int {
	var compact bytes.Buffer
	if !strings.HasPrefix(raw, "{") || json.Compact(&compact, []byte(raw)) != nil {
		return 0
	}
	return compact.Len()
}

func rawTooLong(raw string) (string, bool) { return "{}", rawSize(raw) > harness.MaxObjectBytes }

// mutateCredentials changes the texts of the credentials that updates ask for.
func mutateCredentials(change func(raw string) (string, bool)) mutation {
	return mutateUpdate(func(o *rawObject) {
		o.nested("default_llm_credentials", func(all *rawObject) {
			for _, m := range slices.Clone(*all) {
				all.change(m.name, change)
			}
		})
	})
}
