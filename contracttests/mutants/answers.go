package mutants

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// This file breaks what answers look like: bodies as texts, members of organizations, and errors.

// bodyMutants spoil bodies as texts, their media types and their statuses.
func bodyMutants() []mutant {
	ok := onStatus(http.StatusOK)
	text := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	media := func(which answerTest, values ...string) mutation {
		return answerHeader(which, "Content-Type", values...)
	}
	return []mutant{
		{"body-empty", "answers 200 without a body", answerText(ok, text(""))},
		{"body-blank", "answers 200 with white space alone", answerText(ok, text(" \n"))},
		{"body-null", "answers 200 with null", answerText(ok, text("null"))},
		{"body-with-trailing-data", "sends a second value after the organization", answerText(ok, func(body []byte) []byte {
			return slices.Concat(body, []byte("{}"))
		})},
		{"body-with-byte-order-mark", "begins the body with a byte order mark", answerText(ok, func(body []byte) []byte {
			return slices.Concat([]byte("\ufeff"), body)
		})},
		{"error-body-plain", "answers errors with a sentence that is not JSON",
			answerText(onErrors, text("It failed."))},
		{"limit-twice", "gives a limit twice", recordNested("rate_limits",
			func(all *rawObject) { *all = append(*all, (*all)[0]) })},
		{"text-not-utf-8", "sends a byte in the name that is not UTF-8",
			recordField("organization_name", growing("\xff"))},
		{"text-half-a-surrogate", "sends half of a surrogate pair in the name",
			recordField("organization_name", growing(`\ud83d`))},
		{"not-a-number", "sends NaN for the credits", record(with("credit_count", "NaN"))},
		{"media-type-problem", "sends errors as application/problem+json", media(onErrors, "application/problem+json")},
		{"media-type-missing", "does not say what validation errors are", media(onStatus(422))},
		{"media-type-latin-1", "claims another charset than UTF-8", media(ok, "application/json; charset=iso-8859-1")},
		{"status-201", "answers a change with 201", answerStatus(onMethod(http.MethodPatch, ok), http.StatusCreated)},
		{"status-415", "answers 415 for another media type",
			answerStatus(onCode("media_type_unsupported"), http.StatusUnsupportedMediaType)},
		{"error-with-200", "answers validation errors with 200", answerStatus(onStatus(422), http.StatusOK)},
	}
}

// onCode is about errors with a code.
func onCode(code string) answerTest {
	return func(c *call, out *judge.Response) bool {
		return onErrors(c, out) && bytes.Contains(out.Body, []byte(code))
	}
}

// growing adds to the text of a JSON string.
func growing(text string) textChange {
	return func(raw string) (string, bool) { return strings.TrimSuffix(raw, `"`) + text + `"`, true }
}

// memberMutants spoil the members of organizations. TestMembersAreJudged spoils each member that the schema judges.
func memberMutants() []mutant {
	var all []mutant
	for _, name := range declared().members {
		if !slices.Contains(declared().required, name) {
			all = append(all, mutant{strings.ReplaceAll(name, "_", "-") + "-missing", "leaves " + name + " out",
				record(without(name))})
		}
	}
	value := func(name, value string) mutation { return recordField(name, becoming(value)) }
	notNull := func(name, value string) mutation { // where it has a value
		return recordField(name, func(raw string) (string, bool) { return value, raw != "null" })
	}
	limit := func(name, value string) mutation {
		return recordNested("rate_limits", func(all *rawObject) { all.change(name, becoming(value)) })
	}
	return append(all, []mutant{
		{"credits-text", "sends the credits in quotes", recordField("credit_count", func(raw string) (string, bool) { return `"` + raw + `"`, true })},
		{"credits-with-point", "writes the credits with a point", recordField("credit_count", ending(".0"))},
		{"credits-beyond-precision", "sends more credits than a float64 can tell apart",
			value("credit_count", "9007199254740993")},
		{"nsfw-fail-null", "sends null for a boolean that is off",
			recordField("nsfw_fail_closed", becoming("null", "false"))},
		{"metadata-list", "sends empty metadata as a list", recordField("metadata", becoming("[]", "{}"))},
		{"users-of-text", "sends users that are texts", notNull("users", `["Ada"]`)},
		{"credential-number", "sends a number among the credentials",
			recordNested("default_llm_credentials", func(all *rawObject) {
				if len(*all) > 0 {
					all.set((*all)[0].name, "1")
				}
			})},
		{"limit-zero", "sends a limit of zero", limit("compute", "0")},
		{"limit-undeclared", "adds a limit that nobody declared", recordNested("rate_limits", with("total", "1000"))},
		{"tier-unknown", "sends a tier that nobody declared", value("account_type", `"gold"`)},
		{"time-in-lower-case", "writes created_at with a small t", recordField("created_at", replacing("T", "t"))},
		{"time-with-offset", "writes updated_at with an offset for the Z",
			recordField("updated_at", replacing("Z", "+00:00"))},
		{"updated-before-created", "says that a record was updated before it was created",
			value("updated_at", `"2001-01-01T00:00:00.000000Z"`)},
		{"email-malformed", "sends a billing_email that is not an address", notNull("billing_email", `"nobody"`)},
		{"null-member", "adds a member that is null", record(with("deleted_at", "null"))},
	}...)
}

// record changes the members of organizations.
func record(edit func(o *rawObject)) mutation { return answerMembers(onStatus(http.StatusOK), edit) }

// recordField changes the text of one member of organizations.
func recordField(name string, change textChange) mutation {
	return record(func(o *rawObject) { o.change(name, change) })
}

// recordNested changes the members of an object in organizations.
func recordNested(name string, edit func(o *rawObject)) mutation {
	return record(func(o *rawObject) { o.nested(name, edit) })
}

// errorMutants spoil errors.
func errorMutants() []mutant {
	invalid := onStatus(http.StatusUnprocessableEntity)
	return []mutant{
		{"error-status-differs", "gives another status in the body of 401 than in the status line",
			answerMembers(onStatus(401), with("status", "403"))},
		{"success-true", "says success in errors", answerMembers(onErrors, with("success", "true"))},
		{"error-type-of-another", "gives 403 the type of a 401", answerMembers(onStatus(403), func(o *rawObject) {
			o.nested("error", with("type", `"UnauthorizedError"`))
		})},
		{"error-code-undeclared", "gives errors a code that is not declared", errorDetail(with("code", `"oops"`))},
		{"error-message-empty", "gives errors an empty message", errorDetail(with("message", `""`))},
		{"error-cause-undeclared", "adds a cause inside errors", errorDetail(with("cause", `"store"`))},
		{"invalid-code-of-another", "gives a 422 the code of a 400", envelope(with("code", `"body_malformed"`))},
		{"validation-errors-cut", "lists fewer problems in the envelope", envelope(func(o *rawObject) {
			o.nested("details", func(details *rawObject) {
				details.change("validation_errors", func(raw string) (string, bool) {
					items, ok := readRawList(raw)
					return rawList(items[1:]), ok && len(items) > 0
				})
			})
		})},
		{"retry-after-differs", "states other seconds in the details of a 429 than in Retry-After",
			detailsOf429(with("retry_after", "61"))},
		{"window-in-seconds", "states the window in the details of a 429 in seconds",
			detailsOf429(with("window", "60"))},
		{"detail-empty", "answers 422 without naming a problem", answerMembers(invalid, with("detail", "[]"))},
		{"problem-message-empty", "gives problems an empty message", problems(with("msg", `""`))},
		{"problem-message-of-another", "gives problems a message that does not go with their type",
			problems(with("msg", `"Input should be a valid list"`))},
		{"problem-type-coarse", "says no more of problems than that the value is wrong", problems(func(o *rawObject) {
			with("type", `"value_error"`)(o)
			with("msg", `"Value error, it is wrong"`)(o)
		})},
		{"problem-location-of-query", "says that problems of the body are in the query", problems(func(o *rawObject) {
			o.change("loc", replacing(`"body"`, `"query"`))
		})},
		{"problem-location-coarse", "says no more of problems than that they are in the body",
			problems(with("loc", `["body"]`))},
		{"problem-location-elsewhere", "says that every problem is in the name",
			problems(with("loc", `["body","organization_name"]`))},
	}
}

// errorDetail changes the inner part of errors.
func errorDetail(edit func(o *rawObject)) mutation {
	return answerMembers(onErrors, func(o *rawObject) { o.nested("error", edit) })
}

// envelope changes the inner part of validation errors.
func envelope(edit func(o *rawObject)) mutation {
	return answerMembers(onStatus(http.StatusUnprocessableEntity), func(o *rawObject) { o.nested("error", edit) })
}

// detailsOf429 changes the details of what is refused for the number of requests.
func detailsOf429(edit func(o *rawObject)) mutation {
	return answerMembers(onStatus(http.StatusTooManyRequests), func(o *rawObject) {
		o.nested("error", func(detail *rawObject) { detail.nested("details", edit) })
	})
}

// problems changes each problem of validation errors, in both lists.
func problems(edit func(o *rawObject)) mutation {
	return problemLists(func(items []string) []string {
		for i := range items {
			items[i] = string(editRaw([]byte(items[i]), edit))
		}
		return items
	})
}

// problemLists changes the list of problems of validation errors, and makes the list in the envelope the same.
func problemLists(change func(items []string) []string) mutation {
	return answerMembers(onStatus(http.StatusUnprocessableEntity), func(o *rawObject) {
		o.change("detail", func(raw string) (string, bool) {
			items, ok := readRawList(raw)
			return rawList(change(items)), ok
		})
		list, _ := o.get("detail")
		renamed := strings.NewReplacer(`"loc":`, `"location":`, `"msg":`, `"message":`).Replace(list)
		o.nested("error", func(detail *rawObject) {
			detail.nested("details", with("validation_errors", renamed))
		})
	})
}
