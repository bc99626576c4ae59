package mutants

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks what keys may do, and how requests without the right key are refused.

// permissionMutants let keys do what they may not do, or refuse what they may do.
func permissionMutants() []mutant {
	var all []mutant
	for _, kind := range []harness.KeyKind{harness.KeyRead, harness.KeyWrite, harness.KeyDelete} {
		all = append(all, mutant{string(kind) + "-key-may-update", "lets a key that may only " + string(kind) +
			" make changes", promoting(http.MethodPatch, kind)})
	}
	return append(all, []mutant{
		{"key-without-permission-may-read", "lets a key without any permission read",
			promoting(http.MethodGet, harness.KeyNone)},
		{"revoked-key-works-once", "takes a revoked key for one more request", remembering(revokedOnce)},
		{"expired-key-works", "takes an expired key", promoting("", harness.KeyExpired)},
		{"unknown-key-works", "takes a key that was never issued", promoting("", harness.KeyUnknown)},
		{"refuses-test-keys", "refuses keys of the test mode",
			refusingKeys(func(t harness.Tenant, kind harness.KeyKind) bool {
				return strings.HasPrefix(t.Keys[kind], "sk_test_")
			})},
		{"expiry-means-expired", "refuses a key whose expiry is still to come",
			refusingKeys(func(t harness.Tenant, kind harness.KeyKind) bool {
				return kind != harness.KeyExpired && slices.Contains(t.Expiring, kind)
			})},
		{"refused-update-done", "answers 403 and makes the change all the same",
			afterUpdate(http.StatusForbidden, doneAsAdmin)},
		{"refused-update-of-revoked-key-done", "answers 401 to a revoked key and makes the change all the same",
			afterUpdate(http.StatusUnauthorized, doneAsAdmin)},
		{"no-key-may-read", "lets read without a key", requests(func(c *call) {
			if t, ok := c.world.other(""); ok && c.Method == http.MethodGet && c.anonymous() {
				*c = *c.as(t.Keys[harness.KeyAdmin])
			}
		})},
		{"other-schemes-work", "takes a key under any authentication scheme", requests(func(c *call) {
			for _, value := range judge.Canonical(c.Header)["Authorization"] {
				if scheme, key, ok := strings.Cut(value, " "); ok && !strings.EqualFold(scheme, "Bearer") {
					*c = *c.as(key)
				}
			}
		})},
		{"key-with-more-behind-works", "takes a key that has more characters than were issued", requests(func(c *call) {
			text := c.token()
			t, ok := c.world.find(func(t harness.Tenant) bool {
				key := t.Keys[harness.KeyAdmin]
				return key != "" && key != text && strings.HasPrefix(text, key)
			})
			if ok {
				*c = *c.as(t.Keys[harness.KeyAdmin])
			}
		})},
	}...)
}

// promoting serves keys of a kind as the organization's admin key, for one method or, with "", for all.
func promoting(method string, kind harness.KeyKind) mutation {
	return requests(func(c *call) {
		t, is, ok := c.caller()
		if ok && is == kind && (method == "" || c.Method == method) {
			*c = *c.as(t.Keys[harness.KeyAdmin])
		}
	})
}

// refusingKeys serves some of the issued keys as mistyped ones.
func refusingKeys(which func(t harness.Tenant, kind harness.KeyKind) bool) mutation {
	return requests(func(c *call) {
		if t, kind, ok := c.caller(); ok && which(t, kind) {
			*c = *c.as(harness.Mistyped(t.Keys[kind]))
		}
	})
}

func revokedOnce() mutation {
	var used memory[int]
	return requests(func(c *call) {
		if t, kind, ok := c.caller(); ok && kind == harness.KeyRevoked && adding(&used, c.token(), 1) == 1 {
			*c = *c.as(t.Keys[harness.KeyAdmin])
		}
	})
}

// doneAsAdmin makes the change that a known key was refused.
func doneAsAdmin(c *call) {
	if t, _, ok := c.caller(); ok {
		c.as(t.Keys[harness.KeyAdmin]).done()
	}
}

// anonymous reports whether the call has no Authorization header.
func (c *call) anonymous() bool { return len(judge.Canonical(c.Header)["Authorization"]) == 0 }

// refused is about the answers with 401 to calls of a kind.
func refused(which func(c *call) bool) answerTest {
	return func(c *call, out *judge.Response) bool { return out.Status == http.StatusUnauthorized && which(c) }
}

// keyMutants refuse requests in another way than the document says.
func keyMutants() []mutant {
	renamed := func(old, code string) mutation {
		return answerText(onStatus(http.StatusUnauthorized), func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte(old), []byte(code))
		})
	}
	return []mutant{
		{"no-key-answered-403", "answers 403 where there is no key",
			answerError(refused((*call).anonymous), 403, "permission_required")},
		{"malformed-key-answered-400", "answers 400 to what is not a key", answerError(refused(func(c *call) bool {
			return c.token() != "" && !strings.HasPrefix(c.token(), "sk_")
		}), 400, "request_malformed")},
		{"forbidden-answered-401", "answers 401 to a key that lacks the permission",
			answerError(onStatus(403), 401, "api_key_invalid")},
		{"revoked-key-called-expired", "gives a revoked key the code of an expired one",
			renamed("api_key_revoked", "api_key_expired")},
		{"missing-key-called-invalid", "gives a missing key the code of an invalid one",
			renamed("api_key_missing", "api_key_invalid")},
	}
}
