package mutants

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks what callers must not see: secrets, and other organizations.

// leakMutants show what nobody may see.
func leakMutants() []mutant {
	key := (*call).token
	return []mutant{
		{"key-in-problem", "repeats the caller's key in validation errors", leaking(onStatus(422), intoProblem, key)},
		{"key-in-header", "repeats the caller's key in X-Request-Id", leaking(onAll, setRequestID, key)},
		{"key-in-challenge", "repeats the caller's key in WWW-Authenticate", leaking(onStatus(401), intoChallenge, key)},
		{"hash-in-details", "names the hash of a key in the details of errors", leaking(onErrors, setDetails, keyHash)},
		{"hash-in-failure", "names the hash of a key where the service failed",
			leaking(onStatus(500, 503), setDetails, keyHash)},
		{"internal-id-in-failure", "names the internal identifier where the service failed",
			leaking(onStatus(500, 503), setDetails, internalID)},
		{"admin-key-in-details", "names the key that would do in the details of 403",
			leaking(onStatus(403), setDetails, adminKey)},
		{"internal-id-as-name", "shows the internal identifier for auth_provider_org_id",
			leaking(onStatus(200), func(out *judge.Response, secret string) {
				editBody(out, with("auth_provider_org_id", quoteRaw(secret)))
			}, internalID)},
		{"internal-id-in-tag", "makes tags of the internal identifier",
			retagging(func(c *call, _ rawObject, tag string) string {
				if id := internalID(c); id != "" {
					return `"` + id + "-" + strings.Trim(tag, `"`) + `"`
				}
				return tag
			})},
	}
}

// leaking puts a secret of the caller or of its organization into answers.
func leaking(which answerTest, put func(out *judge.Response, secret string), secret func(c *call) string) mutation {
	return answers(func(c *call, out *judge.Response) {
		if text := secret(c); text != "" && which(c, out) {
			put(out, text)
		}
	})
}

func adminKey(c *call) string {
	t, _, _ := c.caller()
	return t.Keys[harness.KeyAdmin]
}

func internalID(c *call) string { return secretOf(c, false) }

func keyHash(c *call) string { return secretOf(c, true) }

// secretOf returns the first secret of the caller that is a hash, or that is not. A hash is a SHA-256 in hexadecimal.
func secretOf(c *call, hash bool) string {
	t, _, _ := c.caller()
	for _, secret := range t.Secrets {
		if _, err := hex.DecodeString(secret); (err == nil && len(secret) == 64) == hash {
			return secret
		}
	}
	return ""
}

func intoProblem(out *judge.Response, secret string) {
	setBody(out, []byte(strings.Replace(string(out.Body), `"msg":"`, `"msg":"`+secret+" ", 1)))
}

func intoChallenge(out *judge.Response, secret string) {
	setHeader(out.Header, "WWW-Authenticate", `Bearer realm="`+secret+`"`)
}

func setRequestID(out *judge.Response, secret string) { setHeader(out.Header, "X-Request-Id", secret) }

func setDetails(out *judge.Response, secret string) {
	editBody(out, func(o *rawObject) { o.nested("error", with("details", `{"id":`+quoteRaw(secret)+`}`)) })
}

func setMessage(out *judge.Response, message string) {
	editBody(out, func(o *rawObject) { o.nested("error", with("message", quoteRaw(message))) })
}

// tenancyMutants let organizations see each other, or tell which ones exist.
func tenancyMutants() []mutant {
	unknown := refused(func(c *call) bool {
		_, kind, _ := c.caller()
		return kind == harness.KeyUnknown
	})
	return []mutant{
		{"unknown-key-answered-404", "answers 404 to a key that was never issued",
			answerError(unknown, 404, "organization_not_found")},
		{"unknown-organization-told-apart", "tells a key of no organization from an unknown key of one",
			answers(func(c *call, out *judge.Response) {
				if out.Status == http.StatusUnauthorized && c.stranger() {
					setMessage(out, "There is no such organization.")
				}
			})},
		{"deleted-answered-401", "answers 401 for an organization that is gone",
			answerError(onStatus(404), 401, "api_key_invalid")},
		{"read-of-other-organization", "shows keys that can only read another organization", requests(func(c *call) {
			t, kind, _ := c.caller()
			if other, ok := c.world.other(t.ID); ok && kind == harness.KeyRead && c.Method == http.MethodGet {
				*c = *c.as(other.Keys[harness.KeyAdmin])
			}
		})},
		{"update-of-other-organization-too", "makes changes in another organization too",
			afterUpdate(http.StatusOK, func(c *call) {
				t, _, ok := c.caller()
				if other, found := c.world.other(t.ID); ok && found {
					c.as(other.Keys[harness.KeyAdmin]).done()
				}
			})},
		{"organization-by-body", "makes changes in the organization that the body names", requests(func(c *call) {
			o, _ := readRawObject(c.Body)
			raw, _ := o.get("organization_id")
			if id, ok := unquoteRaw(raw); ok {
				c.redirect(id)
			}
		})},
		{"organization-by-query", "serves the organization that the query names", requests(func(c *call) {
			if u, err := url.Parse(c.URL); err == nil {
				c.redirect(u.Query().Get("organization_id"))
			}
		})},
		{"organization-by-header", "serves the organization that X-Organization-Id names", requests(func(c *call) {
			c.redirect(judge.Canonical(c.Header).Get("X-Organization-Id"))
		})},
	}
}

// redirect has a call of a known caller serve another organization.
func (c *call) redirect(id string) {
	_, _, known := c.caller()
	if t, ok := c.world.tenant(id); ok && known {
		*c = *c.as(t.Keys[harness.KeyAdmin])
	}
}
