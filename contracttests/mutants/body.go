package mutants

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/judge"
)

// bodyMutants spoil bodies as texts, before any schema has a say.
func bodyMutants() []Mutant {
	ok := onStatus(http.StatusOK)
	text := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	around := func(before, after string) func([]byte) []byte {
		return func(body []byte) []byte { return slices.Concat([]byte(before), body, []byte(after)) }
	}
	return []Mutant{
		{"body-empty", GroupSchema, "answers 200 without a body", mutateBody(ok, text(""))},
		{"body-blank", GroupSchema, "answers 200 with white space alone", mutateBody(ok, text(" \n"))},
		{"body-null", GroupSchema, "answers 200 with null", mutateBody(ok, text("null"))},
		{"body-list", GroupSchema, "answers 200 with a list of one organization", mutateBody(ok, around("[", "]"))},
		{"body-wrapped", GroupSchema, "wraps the organization in another object", mutateBody(ok, around(`{"data":`, "}"))},
		{"body-truncated", GroupSchema, "leaves the last byte out", mutateBody(ok, func(body []byte) []byte { return body[:len(body)-1] })},
		{"body-with-trailing-data", GroupSchema, "sends a second value after the organization", mutateBody(ok, around("", "{}"))},
		{"body-with-byte-order-mark", GroupSchema, "begins the body with a byte order mark", mutateBody(ok, around("\ufeff", ""))},
		{"error-body-empty", GroupSchema, "answers errors without a body", mutateBody(onErrors, text(""))},
		{"error-body-null", GroupSchema, "answers errors with null", mutateBody(onErrors, text("null"))},
		{"error-body-plain", GroupSchema, "answers errors with a sentence that is no JSON", mutateBody(onErrors, text("It failed."))},
		{"member-twice", GroupSchema, "gives organization_id twice", mutateMembers(ok, func(o *rawObject) { *o = append(*o, (*o)[0]) })},
		{"limit-twice", GroupSchema, "gives a limit twice", mutateMembers(ok, func(o *rawObject) {
			o.nested("rate_limits", func(limits *rawObject) { *limits = append(*limits, (*limits)[0]) })
		})},
		{"text-not-utf-8", GroupSchema, "sends a byte in the name that is not UTF-8", mutateMembers(ok, endingName("\xff"))},
		{"text-half-a-surrogate", GroupSchema, "sends half of a surrogate pair in the name", mutateMembers(ok, endingName(`\ud83d`))},
		{"not-a-number", GroupSchema, "sends NaN for the credits", mutateMembers(ok, func(o *rawObject) { o.set("credit_count", "NaN") })},
		{"media-type-text", GroupSchema, "sends organizations as text/plain", mutateContentType(ok, "text/plain")},
		{"media-type-problem", GroupSchema, "sends errors as application/problem+json", mutateContentType(onErrors, "application/problem+json")},
		{"media-type-missing", GroupSchema, "does not say what validation errors are", mutateHeaders(onStatus(422), func(h http.Header) { h.Del("Content-Type") })},
		{"media-type-latin-1", GroupSchema, "claims another charset than UTF-8", mutateContentType(ok, "application/json; charset=iso-8859-1")},
		{"media-type-twice", GroupSchema, "sends two Content-Types", mutateContentType(onErrors, "application/json", "application/json")},
		{"status-201", GroupSchema, "answers a change with 201", mutateStatus(onMethod(http.MethodPatch, ok), http.StatusCreated)},
		{"status-204", GroupSchema, "answers a change with 204 and no body", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if r.Method == http.MethodPatch && out.Status == http.StatusOK {
				out.Status, out.Body = http.StatusNoContent, nil
				dropHeader(out.Header, "Content-Length")
			}
		})},
		{"status-409", GroupSchema, "answers 409 where 412 is due", mutateStatus(onStatus(412), http.StatusConflict)},
		{"status-410", GroupSchema, "answers 410 for an organization that is gone", mutateStatus(onStatus(404), http.StatusGone)},
		{"status-415", GroupSchema, "answers 415 for another media type", mutateStatus(func(_ judge.Request, out judge.Response) bool {
			return out.Status == http.StatusBadRequest && bytes.Contains(out.Body, []byte("media_type_unsupported"))
		}, http.StatusUnsupportedMediaType)},
		{"error-with-200", GroupSchema, "answers validation errors with 200", mutateStatus(onStatus(422), http.StatusOK)},
	}
}

func mutateContentType(which answerTest, values ...string) mutation {
	return mutateHeaders(which, func(h http.Header) { setHeader(h, "Content-Type", values...) })
}

// mutateStatus changes the status, and the one in the body with it.
func mutateStatus(which answerTest, code int) mutation {
	return mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
		if which(r, *out) {
			setStatus(out, code)
		}
	})
}

// endingName adds to the name's text.
func endingName(text string) func(o *rawObject) {
	return func(o *rawObject) {
		o.change("organization_name", func(raw string) (string, bool) { return strings.TrimSuffix(raw, `"`) + text + `"`, true })
	}
}
