package mutants

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// leakMutants show what nobody may see.
func leakMutants() []Mutant {
	ok := onStatus(http.StatusOK)
	return []Mutant{
		{"key-in-error", GroupSecurity, "repeats the caller's key in the message of errors", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if key := token(r); key != "" && onErrors(r, *out) {
				editBody(out, func(o *rawObject) {
					o.nested("error", func(detail *rawObject) { detail.set("message", quoteRaw("The key "+key+" was refused.")) })
				})
			}
		})},
		{"key-in-problem", GroupSecurity, "repeats the caller's key in validation errors", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnprocessableEntity {
				setBody(out, []byte(strings.Replace(string(out.Body), `"msg":"`, `"msg":"`+token(r)+" ", 1)))
			}
		})},
		{"key-in-header", GroupSecurity, "repeats the caller's key in X-Request-Id", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if key := token(r); key != "" {
				setHeader(out.Header, "X-Request-Id", key)
			}
		})},
		{"key-in-challenge", GroupSecurity, "repeats the caller's key in WWW-Authenticate", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if key := token(r); key != "" && out.Status == http.StatusUnauthorized {
				setHeader(out.Header, "WWW-Authenticate", `Bearer realm="`+key+`"`)
			}
		})},
		{"admin-key-in-details", GroupSecurity, "names the key that would do in the details of 403", mutateAnswer(func(w *World, r judge.Request, out *judge.Response) {
			if t, _, found := w.caller(r); found && out.Status == http.StatusForbidden {
				setDetails(out, t.Keys[harness.KeyAdmin])
			}
		})},
		{"admin-key-in-metadata", GroupSecurity, "shows the admin key to all who read", leaking(ok, intoMetadata, func(w *World, r judge.Request) string {
			t, _, _ := w.caller(r)
			return t.Keys[harness.KeyAdmin]
		})},
		{"internal-id-in-metadata", GroupSecurity, "adds the internal identifier to the metadata", leaking(ok, intoMetadata, internalID)},
		{"internal-id-as-name", GroupSecurity, "shows the internal identifier for auth_provider_org_id", leaking(ok, func(out *judge.Response, secret string) {
			editBody(out, func(o *rawObject) { o.set("auth_provider_org_id", quoteRaw(secret)) })
		}, internalID)},
		{"internal-id-in-header", GroupSecurity, "makes X-Request-Id of the internal identifier", leaking(onAll, intoRequestID, internalID)},
		{"internal-id-in-details", GroupSecurity, "adds the internal identifier to the details of errors", leaking(onErrors, setDetails, internalID)},
		{"internal-id-in-failure", GroupSecurity, "names the internal identifier where the service failed", leaking(onStatus(500, 503), setDetails, internalID)},
		{"internal-id-in-tag", GroupSecurity, "makes tags of the internal identifier", retagging(func(w *World, r judge.Request, _ rawObject, etag string) string {
			if id := internalID(w, r); id != "" {
				return `"` + id + "-" + strings.Trim(etag, `"`) + `"`
			}
			return etag
		})},
		{"hash-in-header", GroupSecurity, "makes X-Request-Id of the hash of a key", leaking(onAll, intoRequestID, keyHash)},
		{"hash-in-details", GroupSecurity, "adds the hash of a key to the details of errors", leaking(onErrors, setDetails, keyHash)},
		{"hash-in-metadata", GroupSecurity, "adds the hash of a key to the metadata", leaking(ok, intoMetadata, keyHash)},
	}
}

// leaking puts a secret of the caller's organization into answers.
func leaking(which answerTest, put func(out *judge.Response, secret string), secret func(w *World, r judge.Request) string) mutation {
	return mutateAnswer(func(w *World, r judge.Request, out *judge.Response) {
		if text := secret(w, r); text != "" && which(r, *out) {
			put(out, text)
		}
	})
}

func internalID(w *World, r judge.Request) string {
	return w.secret(r, func(secret string) bool { return !isHash(secret) })
}

func keyHash(w *World, r judge.Request) string { return w.secret(r, isHash) }

// isHash tells a SHA-256 in hexadecimal digits from other secrets.
func isHash(secret string) bool {
	_, err := hex.DecodeString(secret)
	return err == nil && len(secret) == 64
}

func intoMetadata(out *judge.Response, secret string) {
	editBody(out, func(o *rawObject) {
		o.nested("metadata", func(all *rawObject) { all.set("_id", quoteRaw(secret)) })
	})
}

func intoRequestID(out *judge.Response, secret string) { setHeader(out.Header, "X-Request-Id", secret) }

func setDetails(out *judge.Response, secret string) {
	editBody(out, func(o *rawObject) {
		o.nested("error", func(detail *rawObject) { detail.set("details", `{"id":`+quoteRaw(secret)+`}`) })
	})
}

// tenancyMutants let organizations see each other, or see who else there is.
func tenancyMutants() []Mutant {
	return []Mutant{
		{"unknown-key-answered-404", GroupSecurity, "answers 404 to a key that was never issued", mutateAnswer(func(w *World, r judge.Request, out *judge.Response) {
			if _, kind, _ := w.caller(r); kind == harness.KeyUnknown && out.Status == http.StatusUnauthorized {
				setError(out, http.StatusNotFound, "NotFoundError", "organization_not_found")
			}
		})},
		{"unknown-organization-answered-404", GroupSecurity, "answers 404 to a key of an organization that does not exist", mutateAnswer(func(w *World, r judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnauthorized && w.stranger(r) {
				setError(out, http.StatusNotFound, "NotFoundError", "organization_not_found")
			}
		})},
		{"unknown-organization-told-apart", GroupSecurity, "tells a key of no organization from an unknown key of one", mutateAnswer(func(w *World, r judge.Request, out *judge.Response) {
			if out.Status == http.StatusUnauthorized && w.stranger(r) {
				editBody(out, func(o *rawObject) {
					o.nested("error", func(detail *rawObject) { detail.set("message", `"There is no such organization."`) })
				})
			}
		})},
		{"deleted-answered-401", GroupSecurity, "answers 401 for an organization that is gone", mutateAnswer(func(_ *World, _ judge.Request, out *judge.Response) {
			if out.Status == http.StatusNotFound {
				setError(out, http.StatusUnauthorized, "UnauthorizedError", "api_key_invalid")
				setHeader(out.Header, "WWW-Authenticate", "Bearer")
			}
		})},
		{"read-of-other-organization", GroupSecurity, "shows keys that can only read another organization", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			t, kind, _ := w.caller(*r)
			if other, ok := w.other(t.ID); ok && kind == harness.KeyRead && r.Method == http.MethodGet {
				*r = as(other.Keys[harness.KeyAdmin], *r)
			}
		})},
		{"update-of-other-organization-too", GroupSecurity, "makes changes in another organization too", mutateAfter(http.StatusOK, func(ctx context.Context, w *World, r judge.Request) {
			t, _, ok := w.caller(r)
			if other, found := w.other(t.ID); ok && found {
				_, _ = w.write(ctx, as(other.Keys[harness.KeyAdmin], r), r.Body)
			}
		})},
		{"organization-by-body", GroupSecurity, "makes changes in the organization that the body names", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			o, _ := readRawObject(r.Body)
			raw, _ := o.get("organization_id")
			if id, ok := unquoteRaw(raw); ok {
				w.redirect(r, id)
			}
		})},
		{"organization-by-query", GroupSecurity, "serves the organization that the query names", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			if u, err := url.Parse(r.URL); err == nil {
				w.redirect(r, u.Query().Get("organization_id"))
			}
		})},
		{"organization-by-header", GroupSecurity, "serves the organization that X-Organization-Id names", mutateRequest(func(_ context.Context, w *World, r *judge.Request) {
			w.redirect(r, judge.Canonical(r.Header).Get("X-Organization-Id"))
		})},
	}
}

// stranger reports whether a request presents what looks like a key and is of no known organization.
func (w *World) stranger(r judge.Request) bool {
	parts := strings.Split(token(r), "_")
	if len(parts) != 4 || parts[0] != "sk" {
		return false
	}
	_, known := w.tenant("org_" + parts[2])
	return !known
}

func (w *World) tenant(id string) (harness.Tenant, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tenants {
		if t.ID == id {
			return t, true
		}
	}
	return harness.Tenant{}, false
}

// redirect has a request of a known caller serve another organization.
func (w *World) redirect(r *judge.Request, id string) {
	_, _, known := w.caller(*r)
	if t, ok := w.tenant(id); ok && known {
		*r = as(t.Keys[harness.KeyAdmin], *r)
	}
}
