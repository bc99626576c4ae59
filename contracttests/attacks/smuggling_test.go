package attacks

import (
	"encoding/base64"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// smuggled is an event whose fields contradict each other, or name another organization in a field that must be
// ignored.
type smuggled struct {
	name   string
	method string
	change func(e *event, mine, other tenant)
	status int
}

// TestSmuggling: only the Authorization header decides whose request it is, and not the rest of the event. An event
// that contradicts itself is answered by its route, or refused.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	mine, other := w.tenant(t), w.tenant(t)
	var cases []smuggled
	for _, some := range [][]smuggled{identities(), duplicates(), paths(), badBodies()} {
		cases = append(cases, some...)
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.name, func(t *testing.T) {
			key := mine.read
			if c.method == "PATCH" {
				key = mine.admin
			}
			e := newEvent(c.method, key.Reveal())
			c.change(&e, mine, other)
			r := w.send(t, c.method, e)
			all := everything(r)
			if r.StatusCode != c.status || other.in(all) || (c.status == 200) != mine.in(r.Body) {
				t.Errorf("the answer is %s\nwant %d, and nothing of the other organization", all, c.status)
			}
		})
	}
	w.unchanged(t, other)
}

// What claims to be another organization: an authorizer that the gateway would have asked, headers, and a query.

func claimAuthorizer(e *event, other tenant) {
	claims := map[string]string{"sub": string(other.ID), "organization_id": string(other.ID), "scope": "admin"}
	e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT:    &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims, Scopes: []string{"admin"}},
		Lambda: map[string]any{"organization_id": string(other.ID), "api_key": other.admin.Reveal(), "principalId": other.adminID},
		IAM:    &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserID: string(other.ID)},
	}
}

func claimHeaders(e *event, other tenant) {
	bearer, context := "Bearer "+other.admin.Reveal(), `{"authorizer":{"organization_id":"`+string(other.ID)+`"}}`
	for name, value := range map[string]string{
		"x-api-key": other.admin.Reveal(), "x-organization-id": string(other.ID), "x-forwarded-user": string(other.ID),
		"proxy-authorization": bearer, "x-authorization": bearer, "x-forwarded-authorization": bearer,
		"x-amzn-oidc-identity": string(other.ID), "x-golambdaproxy-apigw-context": context, "x-amzn-request-context": context,
		"cookie": "authorization=" + bearer,
	} {
		e.Headers[name] = value
	}
}

func claimQuery(e *event, other tenant) {
	key := other.admin.Reveal()
	e.RawQueryString = "access_token=" + key + "&api_key=" + key + "&authorization=Bearer%20" + key
	e.QueryStringParameters = map[string]string{"access_token": key}
}

// identities are events that claim to be of another organization, besides the Authorization header or instead of it.
func identities() []smuggled {
	withKey := func(claim func(e *event, other tenant)) func(*event, tenant, tenant) {
		return func(e *event, _, other tenant) { claim(e, other) }
	}
	withoutKey := func(claim func(e *event, other tenant)) func(*event, tenant, tenant) {
		return func(e *event, _, other tenant) {
			delete(e.Headers, "authorization")
			claim(e, other)
		}
	}
	return []smuggled{
		{"another's authorizer", "GET", withKey(claimAuthorizer), 200},
		{"another's authorizer, and no key", "GET", withoutKey(claimAuthorizer), 401},
		{"another's headers", "GET", withKey(claimHeaders), 200},
		{"another's headers, and no key", "GET", withoutKey(claimHeaders), 401},
		{"another's query", "GET", withKey(claimQuery), 200},
		{"another's query, and no key", "GET", withoutKey(claimQuery), 401},
		{"another's cookies, and no key", "GET", withoutKey(func(e *event, other tenant) {
			e.Cookies = []string{"authorization=Bearer " + other.admin.Reveal(), "session=" + other.admin.Reveal()}
		}), 401},
		{"another's parameters", "GET", func(e *event, _, other tenant) {
			e.PathParameters = map[string]string{"organization_id": string(other.ID), "proxy": string(other.ID)}
			e.StageVariables = map[string]string{"organization_id": string(other.ID)}
		}, 200},
		{"another's certificate", "GET", func(e *event, _, other tenant) {
			e.RequestContext.Authentication.ClientCert.SubjectDN = "CN=" + string(other.ID)
		}, 200},
		{"another's body", "GET", func(e *event, _, other tenant) { e.Body = `{"api_key":"` + other.admin.Reveal() + `"}` }, 200},
		{"another's members", "PATCH", func(e *event, _, other tenant) {
			e.Body = `{"organization_id":"` + string(other.ID) + `","internal_id":"int_x","account_type":"enterprise","credit_count":1,"version":99}`
		}, 200},
		{"form in the body, and no key", "PATCH", withoutKey(func(e *event, other tenant) {
			e.Headers["content-type"], e.Body = "application/x-www-form-urlencoded", "access_token="+other.admin.Reveal()
		}), 401},
	}
}

// duplicates are events that have a header twice: under several spellings, or with several values.
func duplicates() []smuggled {
	twice := func(second func(other tenant) string) func(*event, tenant, tenant) {
		return func(e *event, _, other tenant) { e.Headers["Authorization"] = second(other) }
	}
	return []smuggled{
		{"another's key under another spelling", "GET", twice(func(other tenant) string { return "Bearer " + other.admin.Reveal() }), 401},
		{"an empty key under another spelling", "GET", twice(func(tenant) string { return "" }), 401},
		{"key under three spellings", "GET", func(e *event, _, other tenant) {
			e.Headers["AUTHORIZATION"], e.Headers["Authorization"] = "Bearer "+other.admin.Reveal(), "Bearer "+other.read.Reveal()
		}, 401},
		{"two keys joined", "GET", func(e *event, mine, other tenant) {
			e.Headers["authorization"] = "Bearer " + mine.read.Reveal() + ",Bearer " + other.admin.Reveal()
		}, 401},
		{"two keys of one scheme", "GET", func(e *event, mine, other tenant) {
			e.Headers["authorization"] = "Bearer " + mine.read.Reveal() + " " + other.admin.Reveal()
		}, 401},
		{"two media types", "PATCH", func(e *event, _, _ tenant) { e.Headers["Content-Type"] = "text/plain" }, 400},
		{"two encodings", "PATCH", func(e *event, _, _ tenant) { e.Headers["content-encoding"] = "identity,gzip" }, 400},
		{"two conditions", "PATCH", func(e *event, _, _ tenant) { e.Headers["if-match"], e.Headers["If-Match"] = `"a"`, `"b"` }, 412},
		{"header with a line break in its name", "GET", func(e *event, _, other tenant) {
			e.Headers["x-a\r\nauthorization"] = "Bearer " + other.admin.Reveal()
		}, 200},
		{"header with a line break in its value", "GET", func(e *event, _, other tenant) {
			e.Headers["x-a"] = "b\r\nAuthorization: Bearer " + other.admin.Reveal()
		}, 200},
	}
}

// paths are events that contradict themselves about method, path or host.
func paths() []smuggled {
	at := func(path string) func(*event, tenant, tenant) {
		return func(e *event, _, _ tenant) { e.RawPath = path }
	}
	return []smuggled{
		{"path of the context is another", "GET", func(e *event, _, other tenant) {
			e.RequestContext.HTTP.Path = "/v1/organizations/" + string(other.ID)
			e.RouteKey, e.RequestContext.RouteKey = "DELETE /admin", "DELETE /admin"
		}, 200},
		{"path names another", "GET", func(e *event, _, other tenant) { e.RawPath = "/v1/organizations/" + string(other.ID) }, 404},
		{"path goes up", "GET", at("/v1/organizations/../organizations/.."), 404},
		{"path is encoded", "GET", at("/v1%2Forganizations"), 404},
		{"path has a query", "GET", at("/v1/organizations?x=1"), 404},
		{"path has a NUL", "GET", at("/v1/organizations\x00"), 404},
		{"path is of another case", "GET", at("/v1/Organizations"), 404},
		{"path is empty", "GET", at(""), 404},
		{"path is a URL", "GET", at("https://evil.example/v1/organizations"), 200}, // as under a base path: whose it is, the key says
		{"method of the context is another", "GET", func(e *event, _, _ tenant) { e.RequestContext.HTTP.Method = "PATCH" }, 404},
		{"method is overridden", "GET", func(e *event, _, _ tenant) {
			e.Headers["x-http-method-override"], e.Headers["x-method-override"], e.Headers["x-original-method"] = "PATCH", "PATCH", "PATCH"
			e.Headers["content-type"], e.Body = "application/json", `{"organization_name":"overridden"}`
		}, 200},
		{"path is overridden", "GET", func(e *event, _, _ tenant) {
			e.Headers["x-original-url"], e.Headers["x-rewrite-url"], e.Headers["x-forwarded-prefix"] = "/admin", "/admin", "/admin"
		}, 200},
		{"host is another", "GET", func(e *event, _, _ tenant) {
			e.Headers["host"], e.Headers["x-forwarded-host"], e.Headers["forwarded"] = "evil.example", "evil.example", "host=evil.example"
			e.RequestContext.DomainName = "evil.example"
		}, 200},
		{"stage named as the path begins", "GET", func(e *event, _, _ tenant) { e.RequestContext.Stage = "v1" }, 200},
		{"event of format 1.0", "GET", func(e *event, _, _ tenant) { e.Version = "1.0" }, 200},
	}
}

// badBodies are events that are wrong about the length or the encoding of the body.
func badBodies() []smuggled {
	const named = `{"metadata":{"smuggled":true}}`
	header := func(name, value string) func(*event, tenant, tenant) {
		return func(e *event, _, _ tenant) { e.Headers[name], e.Body = value, named }
	}
	return []smuggled{
		{"length too short", "PATCH", header("content-length", "2"), 200},
		{"length too long", "PATCH", header("content-length", "99999999"), 200},
		{"length is no number", "PATCH", header("content-length", "-1, 5"), 200},
		{"chunked", "PATCH", header("transfer-encoding", "chunked"), 200},
		{"chunks in the body", "PATCH", func(e *event, _, _ tenant) {
			e.Headers["transfer-encoding"], e.Body = "chunked", "2\r\n{}\r\n0\r\n\r\n"
		}, 400},
		{"another request in the body", "PATCH", func(e *event, _, other tenant) {
			e.Body = "{}\r\n\r\nGET /v1/organizations HTTP/1.1\r\nAuthorization: Bearer " + other.admin.Reveal() + "\r\n\r\n"
		}, 400},
		{"Base64 that is not said to be", "PATCH", func(e *event, _, _ tenant) { e.Body = base64.StdEncoding.EncodeToString([]byte(named)) }, 400},
		{"said to be Base64", "PATCH", func(e *event, _, _ tenant) { e.Body, e.IsBase64Encoded = named, true }, 400},
		{"Base64 of Base64", "PATCH", func(e *event, _, _ tenant) {
			once := base64.StdEncoding.EncodeToString([]byte(named))
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(once)), true
		}, 400},
		{"Base64 for URLs", "PATCH", func(e *event, _, _ tenant) {
			e.Body, e.IsBase64Encoded = base64.URLEncoding.EncodeToString([]byte(`{"metadata":{"a":"????>>>>"}}`)), true
		}, 400},
		{"expectation", "PATCH", header("expect", "100-continue"), 200},
		{"upgrade", "GET", header("upgrade", "h2c"), 200},
		{"compressed", "PATCH", header("content-encoding", "gzip"), 400},
	}
}
