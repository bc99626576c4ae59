package mutants

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"organizations-api/contracttests/checks"
	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// permissionMutants let keys do what they may not, or refuse in another way than is said.
func permissionMutants() []Mutant {
	unauthorized := onStatus(http.StatusUnauthorized)
	return []Mutant{
		{"read-key-may-update", GroupSecurity, "lets a key with the permission read make changes", promoting(http.MethodPatch, harness.KeyRead)},
		{"write-key-may-update", GroupSecurity, "lets a key with the permission write make changes", promoting(http.MethodPatch, harness.KeyWrite)},
		{"delete-key-may-update", GroupSecurity, "lets a key with the permission delete make changes", promoting(http.MethodPatch, harness.KeyDelete)},
		{"key-without-permission-may-read", GroupSecurity, "lets a key without any permission read", promoting(http.MethodGet, harness.KeyNone)},
		{"revoked-key-works", GroupSecurity, "takes a revoked key", promoting("", harness.KeyRevoked)},
		{"revoked-key-works-once", GroupSecurity, "takes a revoked key for one more request", remembering(revokedOnce)},
		{"expired-key-works", GroupSecurity, "takes an expired key", promoting("", harness.KeyExpired)},
		{"unknown-key-works", GroupSecurity, "takes a key that was never issued", promoting("", harness.KeyUnknown)},
		{"refuses-test-keys", GroupSecurity, "refuses keys of the test mode", refusingKeys(func(t harness.Tenant, kind harness.KeyKind) bool {
			return strings.HasPrefix(t.Keys[kind], "sk_test_")
		})},
		{"expiry-means-expired", GroupSecurity, "refuses a key whose expiry is still to come", refusingKeys(func(t harness.Tenant, kind harness.KeyKind) bool {
			return kind != harness.KeyExpired && slices.Contains(t.Expiring, kind)
		})},
		{"refused-update-done", GroupSecurity, "answers 403 and makes the change all the same", mutateAfter(http.StatusForbidden, asAdmin)},
		{"refused-update-of-revoked-key-done", GroupSecurity, "answers 401 to a revoked key and makes the change all the same", mutateAfter(http.StatusUnauthorized, asAdmin)},
		{"no-key-answered-403", GroupSecurity, "answers 403 where there is no key", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnauthorized && len(identity(r)) == 0 {
				setError(out, http.StatusForbidden, "ForbiddenError", "permission_required")
			}
		})},
		{"no-key-may-read", GroupSecurity, "lets read without a key", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			if t, ok := w.any(); ok && r.Method == http.MethodGet && len(identity(*r)) == 0 {
				setHeader(r.Header, "Authorization", "Bearer "+t.Keys[harness.KeyAdmin])
			}
		})},
		{"other-schemes-work", GroupSecurity, "takes a key under any authentication scheme", mutateRequest(func(_ context.Context, _ *World, r *judge.Request) {
			for _, value := range identity(*r)["Authorization"] {
				if scheme, token, ok := strings.Cut(value, " "); ok && !strings.EqualFold(scheme, "Bearer") {
					setHeader(r.Header, "Authorization", "Bearer "+token)
				}
			}
		})},
		{"key-with-more-behind-works", GroupSecurity, "takes a key that has more characters than were issued", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			if key, ok := w.prefixKey(token(*r)); ok {
				setHeader(r.Header, "Authorization", "Bearer "+key)
			}
		})},
		{"malformed-key-answered-400", GroupSecurity, "answers 400 to what is no key", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnauthorized && token(r) != "" && !strings.HasPrefix(token(r), "sk_") {
				setError(out, http.StatusBadRequest, "BadRequestError", "request_malformed")
			}
		})},
		{"forbidden-answered-401", GroupSecurity, "answers 401 to a key that lacks the permission", mutateAnswer(func(_ *World, _ judge.Request, out *judge.Response) {
			if out.Status == http.StatusForbidden {
				setError(out, http.StatusUnauthorized, "UnauthorizedError", "api_key_invalid")
				setHeader(out.Header, "WWW-Authenticate", "Bearer")
			}
		})},
		{"forbidden-answered-404", GroupSecurity, "answers 404 to a key that lacks the permission", mutateAnswer(func(_ *World, _ judge.Request, out *judge.Response) {
			if out.Status == http.StatusForbidden {
				setError(out, http.StatusNotFound, "NotFoundError", "organization_not_found")
			}
		})},
		{"revoked-key-called-expired", GroupSecurity, "gives a revoked key the code of an expired one", mutateBody(unauthorized, func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte("api_key_revoked"), []byte("api_key_expired"))
		})},
		{"missing-key-called-invalid", GroupSecurity, "gives a missing key the code of an invalid one", mutateBody(unauthorized, func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte("api_key_missing"), []byte("api_key_invalid"))
		})},
	}
}

// promoting serves keys of a kind as the organization's admin key, for a method or, where that is "", for all.
func promoting(method string, kind harness.KeyKind) mutation {
	return mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
		t, is, ok := w.caller(*r)
		if ok && is == kind && (method == "" || r.Method == method) {
			*r = as(t.Keys[harness.KeyAdmin], *r)
		}
	})
}

// refusingKeys serves some of the keys that were issued as ones that were not.
func refusingKeys(which func(t harness.Tenant, kind harness.KeyKind) bool) mutation {
	return mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
		if t, kind, ok := w.caller(*r); ok && which(t, kind) {
			*r = as(checks.Mistyped(t.Keys[kind]), *r)
		}
	})
}

func revokedOnce() mutantSend {
	var used mutantMemory[int]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		if t, kind, ok := w.caller(r); ok && kind == harness.KeyRevoked && adding(&used, token(r), 1) == 1 {
			r = as(t.Keys[harness.KeyAdmin], r)
		}
		return next.Send(ctx, r)
	}
}

// asAdmin makes the change that a known key was refused.
func asAdmin(ctx context.Context, w *World, r judge.Request) {
	if t, _, ok := w.caller(r); ok {
		allDone(ctx, w, as(t.Keys[harness.KeyAdmin], r))
	}
}

// any returns a tenant with an admin key that works.
func (w *World) any() (harness.Tenant, bool) { return w.other("") }

// other returns the newest tenant that is not the one of the id.
func (w *World) other(id string) (harness.Tenant, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range slices.Backward(w.tenants) {
		if t.ID != id && t.Keys[harness.KeyAdmin] != "" && !w.deleted[t.ID] {
			return t, true
		}
	}
	return harness.Tenant{}, false
}

// prefixKey returns the key that a longer text begins with.
func (w *World) prefixKey(text string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tenants {
		if key := t.Keys[harness.KeyAdmin]; key != "" && key != text && strings.HasPrefix(text, key) {
			return key, true
		}
	}
	return "", false
}
