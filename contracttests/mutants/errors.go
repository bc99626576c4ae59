package mutants

import (
	"net/http"
	"strconv"

	"organizations-api/contracttests/judge"
)

// errorMutants spoil errors.
func errorMutants() []Mutant {
	invalid := onStatus(http.StatusUnprocessableEntity)
	member := func(name, value string) func(o *rawObject) { return func(o *rawObject) { o.set(name, value) } }
	return []Mutant{
		{"error-status-differs", GroupSchema, "gives another status in the body of 401 than in the status line", mutateMembers(onStatus(401), member("status", "403"))},
		{"error-status-text", GroupSchema, "sends the status of errors in quotes", mutateMembers(onErrors, func(o *rawObject) { o.change("status", rawQuoted) })},
		{"error-status-missing", GroupSchema, "leaves the status out of errors", mutateMembers(onErrors, rawWithout("status"))},
		{"success-true", GroupSchema, "says success in errors", mutateMembers(onErrors, member("success", "true"))},
		{"error-type-missing", GroupSchema, "leaves the type of errors out", mutateErrorDetail(rawWithout("type"))},
		{"error-type-of-another", GroupSchema, "gives 403 the type of a 401", mutateMembers(onStatus(403), func(o *rawObject) {
			o.nested("error", member("type", `"UnauthorizedError"`))
		})},
		{"error-code-undeclared", GroupSchema, "gives errors a code that is not declared", mutateErrorDetail(member("code", `"oops"`))},
		{"error-message-empty", GroupSchema, "gives errors an empty message", mutateErrorDetail(member("message", `""`))},
		{"error-message-list", GroupSchema, "gives errors a list of messages", mutateErrorDetail(member("message", `["It failed."]`))},
		{"error-details-list", GroupSchema, "gives errors a list of details", mutateErrorDetail(member("details", "[]"))},
		{"error-member-undeclared", GroupSchema, "adds a trace to errors", mutateMembers(onErrors, member("trace", "null"))},
		{"error-cause-undeclared", GroupSchema, "adds a cause inside errors", mutateErrorDetail(member("cause", `"store"`))},
		{"error-in-wrong-shape", GroupSchema, "answers 401 in the shape of a validation error", mutateBody(onStatus(401), func([]byte) []byte {
			return []byte(`{"detail":[{"loc":["header","authorization"],"msg":"It is missing.","type":"missing"}]}`)
		})},
		{"invalid-in-wrong-shape", GroupSchema, "answers 422 in the shape of other errors", mutateBody(invalid, func([]byte) []byte {
			return errorText(422, "BadRequestError", "request_malformed")
		})},
		{"detail-missing", GroupSchema, "answers 422 with an empty object", mutateMembers(invalid, rawWithout("detail"))},
		{"detail-empty", GroupSchema, "answers 422 without naming a problem", mutateMembers(invalid, member("detail", "[]"))},
		{"detail-text", GroupSchema, "answers 422 with a text for the problems", mutateMembers(invalid, member("detail", `"It is wrong."`))},
		{"problem-undeclared-member", GroupSchema, "adds the input to problems", mutateProblems(member("input", "null"))},
		{"problem-type-missing", GroupSchema, "leaves the type of problems out", mutateProblems(rawWithout("type"))},
		{"problem-message-empty", GroupSchema, "gives problems an empty message", mutateProblems(member("msg", `""`))},
		{"problem-location-text", GroupSchema, "writes the place of problems as a text", mutateProblems(member("loc", `"body"`))},
		{"problem-location-of-query", GroupSchema, "says that problems of the body are in the query", mutateProblems(func(o *rawObject) {
			o.change("loc", rawReplacing(`"body"`, `"query"`))
		})},
		{"problem-location-coarse", GroupSchema, "says no more of problems than that they are in the body", mutateProblems(member("loc", `["body"]`))},
		{"problem-location-elsewhere", GroupSchema, "says that every problem is in the name", mutateProblems(member("loc", `["body","organization_name"]`))},
	}
}

// mutateErrorDetail changes the inner part of errors.
func mutateErrorDetail(edit func(o *rawObject)) mutation {
	return mutateMembers(onErrors, func(o *rawObject) { o.nested("error", edit) })
}

// mutateProblems changes each problem of validation errors.
func mutateProblems(edit func(o *rawObject)) mutation {
	return mutateMembers(onStatus(http.StatusUnprocessableEntity), func(o *rawObject) {
		o.change("detail", func(raw string) (string, bool) {
			items, ok := readRawList(raw)
			for i := range items {
				items[i] = string(editRaw([]byte(items[i]), edit))
			}
			return rawList(items), ok
		})
	})
}

// errorText returns an ErrorResponse.
func errorText(code int, typ, name string) []byte {
	return []byte(`{"success":false,"status":` + strconv.Itoa(code) + `,"error":{"message":"The request was refused.","type":"` +
		typ + `","code":"` + name + `","details":null}}`)
}

// setError turns an answer into an error with headers that every error may have. 401 and 429 need further ones.
func setError(r *judge.Response, code int, typ, name string) {
	for _, one := range []string{"ETag", "WWW-Authenticate", "Retry-After"} {
		dropHeader(r.Header, one)
	}
	r.Status = code
	setHeader(r.Header, "Content-Type", "application/json")
	setBody(r, errorText(code, typ, name))
}

// setStatus changes the status, and the one inside an ErrorResponse with it.
func setStatus(r *judge.Response, code int) {
	r.Status = code
	setBody(r, editRaw(r.Body, func(o *rawObject) { o.change("status", rawConstant(strconv.Itoa(code))) }))
}
