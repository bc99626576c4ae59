package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// laxBodyMutants take requests that the document refuses as a whole, or say it in the wrong way.
func laxBodyMutants() []Mutant {
	return []Mutant{
		{"takes-empty-body", GroupAcceptance, "takes no body for an empty object", mutateEntity(func(body []byte) []byte {
			if len(body) == 0 {
				return []byte("{}")
			}
			return body
		})},
		{"takes-null-body", GroupAcceptance, "takes null for an empty object", mutateEntity(bodyBecoming("{}", "null"))},
		{"takes-list-body", GroupAcceptance, "takes an empty list for an empty object", mutateEntity(bodyBecoming("{}", "[]"))},
		{"takes-trailing-data", GroupAcceptance, "takes a body with something after the object", mutateEntity(forgiving(judge.RuleJSONTrailingData))},
		{"takes-member-twice", GroupAcceptance, "takes the last of members of one name", mutateEntity(forgiving(judge.RuleJSONDuplicateMember))},
		{"takes-invalid-utf-8", GroupAcceptance, "takes bytes that are not UTF-8", mutateEntity(forgiving(judge.RuleJSONInvalidUTF8))},
		{"takes-half-a-surrogate", GroupAcceptance, "takes half of a surrogate pair", mutateEntity(forgiving(judge.RuleJSONLoneSurrogate))},
		{"takes-body-too-large", GroupAcceptance, "takes a body of more bytes than are allowed", mutateEntity(func(body []byte) []byte {
			if len(body) > harness.MaxBodyBytes {
				return []byte("{}")
			}
			return body
		})},
		{"takes-other-media-type", GroupAcceptance, "takes any media type for JSON", mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
			values := judge.Canonical(r.Header)["Content-Type"]
			if r.Method == http.MethodPatch && len(values) > 0 && !isJSONType(values) {
				setHeader(r.Header, "Content-Type", "application/json")
			}
		})},
		{"takes-no-media-type", GroupAcceptance, "takes a body that does not say what it is", mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
			if r.Method == http.MethodPatch && len(judge.Canonical(r.Header)["Content-Type"]) == 0 {
				setHeader(r.Header, "Content-Type", "application/json")
			}
		})},
		{"takes-malformed-if-match", GroupAcceptance, "ignores an If-Match that is malformed", mutateCondition("If-Match", ignoreMalformed)},
		{"takes-malformed-if-none-match", GroupAcceptance, "ignores an If-None-Match that is malformed", mutateCondition("If-None-Match", ignoreMalformed)},
		{"invalid-answered-400", GroupAcceptance, "answers what is invalid with 400", mutateAnswer(func(_ *World, _ judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnprocessableEntity {
				setError(out, http.StatusBadRequest, "BadRequestError", "request_malformed")
			}
		})},
		{"malformed-answered-422", GroupAcceptance, "answers a body that is no JSON with 422", mutateAnswer(func(_ *World, _ judge.Request, out *judge.Response) {
			if out.Status == http.StatusBadRequest && bytes.Contains(out.Body, []byte("body_malformed")) {
				out.Status = http.StatusUnprocessableEntity
				setBody(out, []byte(`{"detail":[{"loc":["body"],"msg":"It is no JSON.","type":"json_invalid"}]}`))
			}
		})},
		{"first-problem-alone", GroupAcceptance, "names one problem of several", mutateMembers(onStatus(422), func(o *rawObject) {
			o.change("detail", func(raw string) (string, bool) {
				items, ok := readRawList(raw)
				return rawList(items[:min(len(items), 1)]), ok
			})
		})},
	}
}

// mutateEntity changes the bodies of updates as texts.
func mutateEntity(change func(body []byte) []byte) mutation {
	return mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
		if r.Method == http.MethodPatch {
			r.Body = change(r.Body)
		}
	})
}

func bodyBecoming(text, from string) func([]byte) []byte {
	return func(body []byte) []byte {
		if string(bytes.TrimSpace(body)) == from {
			return []byte(text)
		}
		return body
	}
}

// forgiving returns a change that repairs bodies in which nothing but the one rule is broken.
func forgiving(rule judge.Rule) func([]byte) []byte {
	return func(body []byte) []byte {
		_, faults, ok := judge.ReadJSON(body)
		if !ok || len(faults) == 0 || slices.ContainsFunc(faults, func(f judge.Fault) bool { return f.Rule != rule }) {
			return body
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			return body
		}
		repaired, err := json.Marshal(value)
		if err != nil {
			return body
		}
		return repaired
	}
}

func isJSONType(values []string) bool {
	name, _, err := mime.ParseMediaType(values[0])
	return len(values) == 1 && err == nil && name == "application/json"
}

// mutateCondition changes the values of If-Match or If-None-Match; those that become none are left out.
func mutateCondition(name string, change func(r *judge.Request, values []string) []string) mutation {
	return mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
		values := judge.Canonical(r.Header)[name]
		if len(values) == 0 {
			return
		}
		if changed := change(r, values); len(changed) > 0 {
			setHeader(r.Header, name, changed...)
			return
		}
		dropHeader(r.Header, name)
	})
}

func ignoreMalformed(_ *judge.Request, values []string) []string {
	if _, ok := wellFormed(values); ok {
		return values
	}
	return nil
}

// wellFormed reads a condition that the service takes.
func wellFormed(values []string) (harness.Condition, bool) {
	c, ok := harness.ReadCondition(values)
	return c, ok && len(strings.Join(values, ", ")) <= 4096
}
