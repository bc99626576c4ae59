package boot

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// row is a request with the answer that it must get.
type row struct {
	name   string
	send   request
	status int
	kind   string // error.type; "" if the answer is not an ErrorResponse
	code   string
}

func (r row) check(t *testing.T, got events.APIGatewayV2HTTPResponse) {
	t.Helper()
	if got.StatusCode != r.status {
		t.Fatalf("status = %d %s, want %d", got.StatusCode, got.Body, r.status)
	}
	if got.Headers["X-Request-Id"] != "JKJaXmPLvHcESHA=" || got.Headers["Cache-Control"] != "no-store" || got.Headers["X-Content-Type-Options"] != "nosniff" {
		t.Errorf("headers = %v, want the gateway's request id, no-store and nosniff", got.Headers)
	}
	for name, statuses := range map[string]string{
		"Www-Authenticate": "401", "Retry-After": "429 503", "Etag": "200 304 412",
	} {
		if wanted := strings.Contains(statuses, strconv.Itoa(r.status)); wanted != (got.Headers[name] != "") {
			t.Errorf("header %s = %q in a %d", name, got.Headers[name], r.status)
		}
	}
	if r.status == http.StatusNotModified {
		if got.Body != "" || got.Headers["Content-Type"] != "" {
			t.Errorf("304 has the body %q of type %q, want none", got.Body, got.Headers["Content-Type"])
		}
		return
	}
	if got.Headers["Content-Type"] != "application/json" {
		t.Errorf("content type = %q", got.Headers["Content-Type"])
	}
	if r.kind != "" {
		r.checkError(t, got.Body)
	}
}

func (r row) checkError(t *testing.T, body string) {
	t.Helper()
	var envelope struct {
		Success *bool
		Status  int
		Error   struct{ Message, Type, Code string }
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	e := envelope.Error
	if envelope.Success == nil || *envelope.Success || envelope.Status != r.status || e.Type != r.kind || e.Code != r.code || e.Message == "" {
		t.Errorf("body = %s, want status %d, type %s, code %s", body, r.status, r.kind, r.code)
	}
}

// TestStatuses produces every answer of the contract that needs no fault.
func TestStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.newTenant(t, nil)
	deleted := w.newTenant(t, nil)
	if err := w.store.Delete(t.Context(), deleted.ID, time.Now(), entry()); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	expired, _ := w.addKey(t, made.ID, apikey.Admin, &past)
	revoked, revokedID := w.addKey(t, made.ID, apikey.Admin, nil)
	if err := w.store.RevokeKey(t.Context(), made.ID, revokedID, time.Now(), entry()); err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{
		"admin": made.keys[apikey.Admin].Reveal(), "read": made.keys[apikey.Read].Reveal(),
		"write": made.keys[apikey.Write].Reveal(), "delete": made.keys[apikey.Delete].Reveal(),
		"none": made.keys[apikey.None].Reveal(), "expired": expired.Reveal(), "revoked": revoked.Reveal(),
		"deleted": deleted.keys[apikey.Admin].Reveal(),
		"unknown": w.unissued(t, made.ID), "nobody": w.unissued(t, organization.NewID()),
	}
	etag := w.send(t, request{method: "GET", key: keys["read"]}).Headers["Etag"]
	for _, r := range append(readRows(keys, etag), updateRows(keys)...) {
		t.Run(r.send.method+" "+r.name, func(t *testing.T) { r.check(t, w.send(t, r.send)) })
	}
	logged := w.checkLogs(t, append(secretsOf(made, expired, revoked), secretsOf(deleted)...)...)
	for _, status := range []int{200, 304, 400, 401, 403, 404, 412, 422} {
		if !logged[status] {
			t.Errorf("no line of a %d", status)
		}
	}
}

func readRows(keys map[string]string, etag string) []row {
	get := func(key string, header map[string]string) request {
		return request{method: "GET", key: keys[key], header: header}
	}
	admin := keys["admin"]
	return []row{
		{"as reader", get("read", nil), 200, "", ""},
		{"as admin", get("admin", nil), 200, "", ""},
		{"lower-case scheme", get("", map[string]string{"authorization": "bearer " + admin}), 200, "", ""},
		{"current version", get("read", map[string]string{"if-none-match": `"x", W/` + etag}), 304, "", ""},
		{"any version", get("read", map[string]string{"if-none-match": "*"}), 304, "", ""},
		{"other version", get("read", map[string]string{"if-none-match": `"x"`}), 200, "", ""},
		{"bad query", request{method: "GET", key: admin, query: "a=%zz"}, 400, "BadRequestError", "request_malformed"},
		{"no key", get("", map[string]string{"authorization": ""}), 401, "UnauthorizedError", "api_key_missing"},
		{"blank header", get("", map[string]string{"authorization": " "}), 401, "UnauthorizedError", "api_key_missing"},
		{"no Bearer", get("", map[string]string{"authorization": admin}), 401, "UnauthorizedError", "api_key_invalid"},
		{"Basic", get("", map[string]string{"authorization": "Basic " + admin}), 401, "UnauthorizedError", "api_key_invalid"},
		{"two keys", get("", map[string]string{"authorization": "Bearer " + admin + ",Bearer " + admin}), 401, "UnauthorizedError", "api_key_invalid"},
		{"malformed key", request{method: "GET", key: "sk_live_abc123def456"}, 401, "UnauthorizedError", "api_key_invalid"},
		{"bad checksum", request{method: "GET", key: swapLast(admin)}, 401, "UnauthorizedError", "api_key_invalid"},
		{"unknown key", get("unknown", nil), 401, "UnauthorizedError", "api_key_invalid"},
		{"key of no organization", get("nobody", nil), 401, "UnauthorizedError", "api_key_invalid"},
		{"revoked key", get("revoked", nil), 401, "UnauthorizedError", "api_key_revoked"},
		{"expired key", get("expired", nil), 401, "UnauthorizedError", "api_key_expired"},
		{"key without permission", get("none", nil), 403, "ForbiddenError", "permission_required"},
		{"deleted organization", get("deleted", nil), 404, "NotFoundError", "organization_not_found"},
		{"If-Match names another", get("read", map[string]string{"if-match": `"x"`}), 412, "PreconditionFailedError", "version_mismatch"},
		{"If-Match is weak", get("read", map[string]string{"if-match": "W/" + etag}), 412, "PreconditionFailedError", "version_mismatch"},
		{"If-Match names it", get("read", map[string]string{"if-match": etag}), 200, "", ""},
		{"If-None-Match cannot be read", get("read", map[string]string{"if-none-match": "x"}), 422, "", ""},
	}
}

func updateRows(keys map[string]string) []row {
	patch := func(key, body string, header map[string]string) request {
		return request{method: "PATCH", key: keys[key], body: body, header: header}
	}
	const invalid, unauthorized, forbidden = "BadRequestError", "UnauthorizedError", "ForbiddenError"
	return []row{
		{"nothing", patch("admin", `{}`, nil), 200, "", ""},
		{"a name", patch("admin", `{"organization_name":"Northwind"}`, nil), 200, "", ""},
		{"in Base64", request{method: "PATCH", key: keys["admin"], body: "e30=", base64: true}, 200, "", ""},
		{"with charset", patch("admin", `{}`, map[string]string{"content-type": `application/json; charset="UTF-8"`}), 200, "", ""},
		{"not JSON", patch("admin", `{"organization_name":`, nil), 400, invalid, "body_malformed"},
		{"no body", patch("admin", ``, nil), 400, invalid, "body_malformed"},
		{"member twice", patch("admin", `{"metadata":{"a":1,"a":2}}`, nil), 400, invalid, "body_malformed"},
		{"bad Base64", request{method: "PATCH", key: keys["admin"], body: "%%", base64: true}, 400, invalid, "body_malformed"},
		{"not UTF-8", request{method: "PATCH", key: keys["admin"], body: "eyJhIjoi/yJ9", base64: true}, 400, invalid, "body_malformed"},
		{"at the size", patch("admin", `{"x":"`+strings.Repeat("x", 256<<10-8)+`"}`, nil), 200, "", ""},
		{"over the size", patch("admin", `{"x":"`+strings.Repeat("x", 256<<10-7)+`"}`, nil), 400, invalid, "body_too_large"},
		{"wrong media type", patch("admin", `{}`, map[string]string{"content-type": "text/plain"}), 400, invalid, "media_type_unsupported"},
		{"no media type", patch("admin", `{}`, map[string]string{"content-type": ""}), 400, invalid, "media_type_unsupported"},
		{"other charset", patch("admin", `{}`, map[string]string{"content-type": "application/json; charset=latin1"}), 400, invalid, "media_type_unsupported"},
		{"compressed", patch("admin", `{}`, map[string]string{"content-encoding": "gzip"}), 400, invalid, "media_type_unsupported"},
		{"bad query", request{method: "PATCH", key: keys["admin"], body: `{}`, query: "%"}, 400, invalid, "request_malformed"},
		{"no key", patch("", `{}`, map[string]string{"authorization": ""}), 401, unauthorized, "api_key_missing"},
		{"unknown key", patch("unknown", `{}`, nil), 401, unauthorized, "api_key_invalid"},
		{"revoked key", patch("revoked", `{}`, nil), 401, unauthorized, "api_key_revoked"},
		{"expired key", patch("expired", `{}`, nil), 401, unauthorized, "api_key_expired"},
		{"read key", patch("read", `{}`, nil), 403, forbidden, "permission_required"},
		{"write key", patch("write", `{}`, nil), 403, forbidden, "permission_required"},
		{"delete key", patch("delete", `{}`, nil), 403, forbidden, "permission_required"},
		{"deleted organization", patch("deleted", `{}`, nil), 404, "NotFoundError", "organization_not_found"},
		{"If-Match names another", patch("admin", `{}`, map[string]string{"if-match": `"x"`}), 412, "PreconditionFailedError", "version_mismatch"},
		{"If-None-Match names any", patch("admin", `{}`, map[string]string{"if-none-match": `*`}), 412, "PreconditionFailedError", "version_mismatch"},
		{"If-Match names any", patch("admin", `{}`, map[string]string{"if-match": `*`}), 200, "", ""},
		{"does not fit", patch("admin", `{"organization_name":1}`, nil), 422, "", ""},
		{"If-Match cannot be read", patch("admin", `{}`, map[string]string{"if-match": `x`}), 422, "", ""},
	}
}

// swapLast changes a key's last character.
func swapLast(key string) string {
	last := byte('a')
	if key[len(key)-1] == last {
		last = 'b'
	}
	return key[:len(key)-1] + string(last)
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.newTenant(t, func(o *organization.Organization) { o.Override.Metadata = 1 })
	for _, r := range []row{
		{"GET", request{method: "GET", key: made.keys[apikey.Read].Reveal()}, 429, "TooManyRequestsError", "rate_limited"},
		{"PATCH", request{method: "PATCH", key: made.keys[apikey.Admin].Reveal(), body: `{}`}, 429, "TooManyRequestsError", "rate_limited"},
	} {
		// A new minute may begin between two requests, and its first request passes.
		got := w.send(t, r.send)
		for tries := 1; tries < 3 && got.StatusCode != http.StatusTooManyRequests; tries++ {
			got = w.send(t, r.send)
		}
		r.check(t, got)
		if got.Headers["X-Ratelimit-Limit"] != "1" || got.Headers["X-Ratelimit-Remaining"] != "0" || got.Headers["X-Ratelimit-Reset"] == "" {
			t.Errorf("headers of a 429 = %v", got.Headers)
		}
	}
	if logged := w.checkLogs(t, secretsOf(made)...); !logged[http.StatusTooManyRequests] {
		t.Error("no line of a 429")
	}
}
