package checks

import (
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// unauthorizedCases get 401, from both operations.
func unauthorizedCases() []statusCase {
	const missing, invalid = "api_key_missing", "api_key_invalid"
	as := func(values ...string) func(string) []string {
		return func(key string) []string {
			out := make([]string, len(values))
			for i, value := range values {
				out[i] = strings.ReplaceAll(value, "KEY", key)
			}
			return out
		}
	}
	admin := func(name, code string, change func(string) []string) statusCase {
		return statusCase{name: name, status: 401, code: code, key: harness.KeyAdmin, edit: authorization(change)}
	}
	return []statusCase{
		{name: "no-key", status: 401, code: missing},
		admin("blank-authorization", missing, as("")),
		admin("no-scheme", invalid, as("KEY")),
		admin("another-scheme", invalid, as("Basic KEY")),
		admin("scheme-alone", invalid, as("Bearer")),
		admin("two-keys", invalid, as("Bearer KEY", "Bearer KEY")),
		admin("key-cut-short", invalid, func(key string) []string { return []string{"Bearer " + key[:len(key)-1]} }),
		admin("key-with-more", invalid, as("Bearer KEY0")),
		admin("key-mistyped", invalid, func(key string) []string {
			return []string{"Bearer " +
				harness.Mistyped(key)}
		}),
		admin("key-in-other-case", invalid, func(key string) []string {
			return []string{"Bearer " +
				strings.ToUpper(key)}
		}),
		admin("no-key-at-all", invalid, as("Bearer sk_live_abc123def456")),
		{name: "key-unknown", status: 401, code: invalid, key: harness.KeyUnknown, needs: harness.NeedProvision},
		{name: "key-revoked", status: 401, code: "api_key_revoked", key: harness.KeyRevoked,
			needs: harness.NeedProvision},
		{name: "key-expired", status: 401, code: "api_key_expired", key: harness.KeyExpired,
			needs: harness.NeedProvision},
	}
}

// unreadableCases have a query or header that cannot be read, for both operations.
func unreadableCases() []statusCase {
	query := func(name, query string) statusCase {
		return statusCase{
			name: name, status: 400, code: "request_malformed", key: harness.KeyAdmin,
			edit: func(r *judge.Request, _ string) { r.URL += "?" + query },
		}
	}
	tag := func(name, header, value string) statusCase {
		loc := []string{"header", strings.ToLower(header)}
		return statusCase{name: name, status: 422, code: "validation_failed", loc: loc, key: harness.KeyAdmin,
			header: []string{header, value}}
	}
	return []statusCase{
		query("query-not-hexadecimal", "a=%zz"),
		query("query-cut-short", "a=%2"),
		tag("if-none-match-no-tag", "If-None-Match", "x"),
		tag("if-match-no-tag", "If-Match", "x"),
		tag("if-match-open-quote", "If-Match", `"x`),
		tag("if-match-space-in-tag", "If-Match", `"x y"`),
		tag("if-match-weak-in-lower-case", "If-Match", `w/"x"`),
		tag("if-match-star-in-list", "If-Match", `*, "x"`),
		tag("if-none-match-star-in-list", "If-None-Match", `"x", *`),
		tag("if-match-too-long", "If-Match", longTag(maxCondition+1)),
		tag("if-none-match-too-long", "If-None-Match", longTag(maxCondition+1)),
	}
}

// maxCondition is the longest If-Match and If-None-Match that the document allows.
const maxCondition = 4096

// longTag returns an entity tag of so many characters.
func longTag(length int) string { return `"` + strings.Repeat("x", length-2) + `"` }

// conditionCases have conditions for which both operations answer with the same status.
func conditionCases() []statusCase {
	const mismatch = "version_mismatch"
	return []statusCase{
		{name: "if-match-other", status: 412, code: mismatch, key: harness.KeyAdmin,
			header: []string{"If-Match", `"x"`}},
		{name: "if-match-empty-tag", status: 412, code: mismatch, key: harness.KeyAdmin,
			header: []string{"If-Match", `""`}},
		{name: "if-match-weak", status: 412, code: mismatch, key: harness.KeyAdmin,
			edit: withTag("If-Match", `W/ETAG`)},
		{name: "if-match-current", status: 200, key: harness.KeyAdmin, edit: withTag("If-Match", `ETAG`)},
		{name: "if-match-list", status: 200, key: harness.KeyAdmin, edit: withTag("If-Match", `"x", W/"y" , ETAG`)},
		{name: "if-match-tabs", status: 200, key: harness.KeyAdmin, edit: withTag("If-Match", "\"x\"\t,\tETAG")},
		{name: "if-match-empty-elements", status: 200, key: harness.KeyAdmin,
			edit: withTag("If-Match", `,"x", ,,ETAG,`)},
		{name: "if-match-other-characters", status: 200, key: harness.KeyAdmin, edit: withTag("If-Match", `"é", ETAG`)},
		{name: "if-match-no-element", status: 412, code: mismatch, key: harness.KeyAdmin,
			header: []string{"If-Match", ","}},
		{name: "if-match-two-lines", status: 200, key: harness.KeyAdmin, edit: func(r *judge.Request, etag string) {
			r.Header["If-Match"] = []string{`"x"`, etag}
		}},
		{name: "if-match-any", status: 200, key: harness.KeyAdmin, header: []string{"If-Match", "*"}},
		{name: "if-match-longest", status: 200, key: harness.KeyAdmin, edit: func(r *judge.Request, etag string) {
			r.Header.Set("If-Match", etag+", "+longTag(maxCondition-len(etag)-len(", ")))
		}},
		{name: "if-none-match-longest", status: 200, key: harness.KeyAdmin,
			header: []string{"If-None-Match", longTag(maxCondition)}},
		{name: "if-none-match-other", status: 200, key: harness.KeyAdmin,
			header: []string{"If-None-Match", `"x", W/"y"`}},
		{name: "query-ignored", status: 200, key: harness.KeyAdmin,
			edit: func(r *judge.Request, _ string) { r.URL += "?organization_id=x&a=%20" }},
	}
}

// stateCases need an organization or a key in a state that only the operator can make, for both operations.
func stateCases() []statusCase {
	return []statusCase{
		{name: "key-without-permission", status: 403, code: "permission_required", key: harness.KeyNone,
			needs: harness.NeedProvision},
		{
			name: "organization-deleted", status: 404, code: "organization_not_found", key: harness.KeyAdmin,
			spec: harness.TenantSpec{Deleted: true}, needs: harness.NeedProvision,
		},
		{name: "over-the-limit", status: 429, code: "rate_limited", key: harness.KeyAdmin,
			spec: harness.TenantSpec{Limit: 1}, needs: harness.NeedProvision},
	}
}

// faultCases need a store that fails, for both operations.
func faultCases() []statusCase {
	return []statusCase{
		{name: "store-broken", status: 500, code: "internal", key: harness.KeyAdmin, fault: harness.FaultBroken,
			needs: harness.NeedFaults},
		{name: "store-unavailable", status: 503, code: "store_unavailable", key: harness.KeyAdmin,
			fault: harness.FaultUnavailable, needs: harness.NeedFaults},
	}
}

// readCases are only for GET.
func readCases() []statusCase {
	get := func(c statusCase) statusCase { c.method = "GET"; return c }
	return []statusCase{
		get(statusCase{name: "admin-key", status: 200, key: harness.KeyAdmin}),
		get(statusCase{name: "delete-key", status: 200, key: harness.KeyDelete, needs: harness.NeedProvision}),
		get(statusCase{name: "write-key", status: 200, key: harness.KeyWrite, needs: harness.NeedProvision}),
		get(statusCase{name: "read-key", status: 200, key: harness.KeyRead, needs: harness.NeedRead}),
		get(statusCase{
			name: "scheme-in-lower-case", status: 200, key: harness.KeyAdmin,
			edit: authorization(func(key string) []string { return []string{"bearer " + key} }),
		}),
		get(statusCase{name: "if-none-match-current", status: 304, key: harness.KeyAdmin,
			edit: withTag("If-None-Match", `ETAG`)}),
		get(statusCase{name: "if-none-match-weak", status: 304, key: harness.KeyAdmin,
			edit: withTag("If-None-Match", `W/ETAG`)}),
		get(statusCase{name: "if-none-match-list", status: 304, key: harness.KeyAdmin,
			edit: withTag("If-None-Match", `"x",W/"y",  ETAG`)}),
		get(statusCase{name: "if-none-match-any", status: 304, key: harness.KeyAdmin,
			header: []string{"If-None-Match", "*"}}),
		get(statusCase{
			name: "if-match-before-if-none-match", status: 412, code: "version_mismatch", key: harness.KeyAdmin,
			header: []string{"If-Match", `"x"`}, edit: withTag("If-None-Match", `ETAG`),
		}),
	}
}

// changeCases are only for PATCH, with a body that fits the schema.
func changeCases() []statusCase {
	patch := func(c statusCase) statusCase { c.method = "PATCH"; return c }
	forbidden := func(name string, key harness.KeyKind, needs harness.Need) statusCase {
		return patch(statusCase{name: name, status: 403, code: "permission_required", key: key, needs: needs})
	}
	conflict := func(name, header, value string) statusCase {
		return patch(statusCase{name: name, status: 412, code: "version_mismatch", key: harness.KeyAdmin,
			edit: withTag(header, value)})
	}
	return []statusCase{
		patch(statusCase{name: "admin-key", status: 200, key: harness.KeyAdmin}),
		patch(statusCase{name: "nothing", status: 200, key: harness.KeyAdmin, body: `{}`}),
		patch(statusCase{name: "charset-utf-8", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Type", `application/json; charset="UTF-8"`}}),
		patch(statusCase{name: "charset-utf8", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Type", `application/json;charset=UTF8`}}),
		patch(statusCase{name: "media-type-with-parameter", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Type", `application/json; ; a="b;c"`}}),
		patch(statusCase{name: "encoding-identity", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Encoding", "identity"}}),
		patch(statusCase{name: "media-type-in-upper-case", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Type", "Application/JSON"}}),
		patch(statusCase{name: "merge-patch", status: 200, key: harness.KeyAdmin, header: mergePatch()}),
		patch(statusCase{name: "merge-patch-in-upper-case", status: 200, key: harness.KeyAdmin,
			header: []string{"Content-Type", "Application/Merge-Patch+JSON; charset=utf-8"}}),
		patch(statusCase{name: "white-space-around", status: 200, key: harness.KeyAdmin, body: " \r\n\t{ } \n"}),
		patch(statusCase{name: "largest-body", status: 200, key: harness.KeyAdmin, body: `{"x":"` +
			strings.Repeat("x", harness.MaxBodyBytes-8) + `"}`}),
		forbidden("read-key", harness.KeyRead, harness.NeedRead),
		forbidden("write-key", harness.KeyWrite, harness.NeedProvision),
		forbidden("delete-key", harness.KeyDelete, harness.NeedProvision),
		conflict("if-none-match-current", "If-None-Match", `ETAG`),
		conflict("if-none-match-weak", "If-None-Match", `W/ETAG`),
		conflict("if-none-match-any", "If-None-Match", `*`),
		patch(statusCase{
			name: "change-not-taken", status: 503, code: "store_unavailable", key: harness.KeyAdmin,
			fault: harness.FaultWrites, needs: harness.NeedFaults,
		}),
	}
}

// malformedCases are bodies that cannot be read.
func malformedCases() []statusCase {
	body := func(name, body string) statusCase {
		return statusCase{name: name, method: "PATCH", status: 400, code: "body_malformed", key: harness.KeyAdmin,
			body: body}
	}
	media := func(name, header, value string) statusCase {
		return statusCase{
			name: name, method: "PATCH", status: 400, code: "media_type_unsupported", key: harness.KeyAdmin,
			header: []string{header, value},
		}
	}
	empty := body("body-empty", "")
	empty.edit = func(r *judge.Request, _ string) { r.Body = []byte{} }
	untyped := media("media-type-missing", "X-None", "")
	untyped.edit = func(r *judge.Request, _ string) { r.Header.Del("Content-Type") }
	return []statusCase{
		empty, untyped,
		body("body-blank", " \n"),
		body("body-cut-short", `{"organization_name":`),
		body("body-with-more", `{} {}`),
		body("body-with-comma", `{"organization_name":"x",}`),
		body("member-twice", `{"organization_name":"x","organization_name":"x"}`),
		body("member-twice-deep", `{"metadata":{"a":[{"b":1,"b":1}]}}`),
		body("member-twice-escaped", `{"metadata":{"a":1,"\u0061":2}}`),
		body("not-utf-8", "{\"organization_name\":\"\xff\"}"),
		body("half-a-pair", `{"organization_name":"\ud83d"}`),
		body("byte-order-mark", "\ufeff{}"),
		{
			name: "body-too-large", method: "PATCH", status: 400, code: "body_too_large", key: harness.KeyAdmin,
			body: `{"x":"` + strings.Repeat("x", harness.MaxBodyBytes-7) + `"}`,
		},
		media("media-type-text", "Content-Type", "text/plain"),
		media("media-type-json-patch", "Content-Type", "application/json-patch+json"),
		media("media-type-of-json-kind", "Content-Type", "application/vnd.api+json"),
		media("merge-patch-latin-1", "Content-Type", "application/merge-patch+json; charset=iso-8859-1"),
		media("charset-latin-1", "Content-Type", "application/json; charset=iso-8859-1"),
		media("compressed", "Content-Encoding", "gzip"),
		media("compressed-at-last", "Content-Encoding", "identity, gzip"),
	}
}

// invalidCases are bodies that are JSON and do not fit the schema: one of each kind. Package bodies generates the rest.
func invalidCases() []statusCase {
	const (
		notModel = "model_attributes_type"
		notText  = "string_type"
		notDict  = "dict_type"
		notFlag  = "bool_type"
		notInt   = "int_type"
		notValue = "value_error"
		tooShort = "string_too_short"
		tooLong  = "string_too_long"
		tooSmall = "greater_than_equal"
		tooGreat = "less_than_equal"
	)
	body := func(name, problem, body string, loc ...string) statusCase {
		return statusCase{
			name: name, method: "PATCH", status: 422, code: "validation_failed", loc: append([]string{"body"}, loc...),
			problem: problem, key: harness.KeyAdmin, body: body,
		}
	}
	merge := func(name, problem, text string, loc ...string) statusCase {
		c := body(name, problem, text, loc...)
		c.header = mergePatch()
		return c
	}
	deep := strings.Repeat(`{"a":`, harness.MaxObjectDepth) + "{}" + strings.Repeat("}", harness.MaxObjectDepth)
	return []statusCase{
		body("body-null", notModel, `null`),
		body("body-array", notModel, `[{}]`),
		body("name-number", notText, `{"organization_name":1}`, "organization_name"),
		body("name-empty", tooShort, `{"organization_name":""}`, "organization_name"),
		body("name-too-long", tooLong, `{"organization_name":"`+strings.Repeat("é", 101)+`"}`, "organization_name"),
		body("logo-empty", tooShort, `{"logo_url":""}`, "logo_url"),
		body("billing-email", notValue, `{"billing_email":"nobody"}`, "billing_email"),
		body("notifications-email", notValue, `{"notifications_email":"a b@c.example"}`, "notifications_email"),
		body("metadata-array", notDict, `{"metadata":[]}`, "metadata"),
		body("metadata-too-deep", notValue, `{"metadata":`+deep+`}`, "metadata"),
		body("metadata-too-large", notValue, `{"metadata":{"a":"`+strings.Repeat("x", harness.MaxObjectBytes-7)+`"}}`,
			"metadata"),
		body("limit-zero", tooSmall, `{"rate_limits":{"search":0}}`, "rate_limits", "search"),
		body("metadata-number-too-large", notValue, `{"metadata":{"a":[{"b":1e400}]}}`, "metadata", "a", "0", "b"),
		body("mail-host-reserved", notValue, `{"billing_email":"ops@corp.local"}`, "billing_email"),
		body("mail-label-reserved", notValue, `{"notifications_email":"a@ab--c.example"}`, "notifications_email"),
		body("nsfw-check-text", notFlag, `{"nsfw_check_enabled":"true"}`, "nsfw_check_enabled"),
		body("nsfw-fail-number", notFlag, `{"nsfw_fail_closed":1}`, "nsfw_fail_closed"),
		body("limits-of-two-values", notValue, `{"rate_limits":{"data":1},"rate_limit_overrides":{"data":2}}`,
			"rate_limit_overrides"),
		body("limit-override-zero", tooSmall, `{"rate_limit_overrides":{"data":0}}`, "rate_limit_overrides", "data"),
		merge("merge-of-null", notModel, `null`),
		merge("merge-takes-name", notText, `{"organization_name":null}`, "organization_name"),
		merge("merge-metadata-list", notDict, `{"metadata":[]}`, "metadata"),
		merge("merge-metadata-too-deep", notValue, `{"metadata":`+deep+`}`, "metadata"),
		merge("merge-limit-zero", tooSmall, `{"rate_limits":{"data":0,"search":null}}`, "rate_limits", "data"),
		merge("merge-credential-number", notText, `{"default_llm_credentials":{"openai":1,"mistral":null}}`,
			"default_llm_credentials", "openai"),
		body("limit-too-great", tooGreat, `{"rate_limits":{"compute":1000000001}}`, "rate_limits", "compute"),
		body("limit-null", notInt, `{"rate_limits":{"data":null}}`, "rate_limits", "data"),
		body("limit-fraction", notInt, `{"rate_limits":{"upload":1.5}}`, "rate_limits", "upload"),
		body("credential-number", notText, `{"default_llm_credentials":{"openai":1}}`, "default_llm_credentials",
			"openai"),
	}
}
