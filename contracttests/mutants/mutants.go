package mutants

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// Mutant is one way in which a service can depart from the contract: a layer in front of a right service that makes it
// wrong in that one way, and passes everything else through as it is. A suite that lets a mutant pass has a hole.
type Mutant struct {
	Name  string
	Group string
	Does  string // the departure, as a sentence about the service without its subject
	// Wrap returns the target with the departure. What it keeps in mind it keeps for that target alone.
	Wrap func(world *World, target harness.Target) harness.Target
}

// The groups of mutants.
const (
	GroupSchema     = "schema"     // what answers look like
	GroupAcceptance = "acceptance" // which requests are taken and which are refused
	GroupBehaviour  = "behaviour"  // what requests do; every single answer is in order
	GroupHeaders    = "headers"
	GroupSecurity   = "security"
)

// All returns all mutants, group by group.
func All() []Mutant {
	return slices.Concat(
		bodyMutants(), valueMutants(), errorMutants(),
		laxMutants(), laxBodyMutants(), strictMutants(),
		writeMutants(), readMutants(), conditionMutants(), concurrencyMutants(),
		headerMutants(), rateLimitMutants(),
		permissionMutants(), leakMutants(), tenancyMutants(),
	)
}

// World is what a mutant knows and no client does. It is safe for concurrent use.
type World struct {
	// Direct is the service as it should be, on the same store. It neither counts requests nor refuses any for their number.
	Direct harness.Target

	mu      sync.Mutex
	tenants []harness.Tenant
	deleted map[string]bool // by the identifiers of tenants
}

// Add tells the world of a tenant that was made as the spec says.
func (w *World) Add(t harness.Tenant, spec harness.TenantSpec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tenants = append(w.tenants, t)
	if w.deleted == nil {
		w.deleted = map[string]bool{}
	}
	w.deleted[t.ID] = spec.Deleted
}

// caller returns the tenant whose key a request presents and of what kind the key is; false where it is nobody's.
func (w *World) caller(r judge.Request) (harness.Tenant, harness.KeyKind, bool) {
	token, ok := harness.BearerToken(judge.Canonical(r.Header).Get("Authorization"))
	if !ok {
		return harness.Tenant{}, "", false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tenants {
		for kind, key := range t.Keys {
			if key == token {
				return t, kind, true
			}
		}
	}
	return harness.Tenant{}, "", false
}

// secret returns the first of the caller's secrets that is what is looked for, "" where there is none.
func (w *World) secret(r judge.Request, is func(secret string) bool) string {
	t, _, _ := w.caller(r)
	for _, secret := range t.Secrets {
		if is(secret) {
			return secret
		}
	}
	return ""
}

// read returns the caller's record as it is now, and its tag.
func (w *World) read(ctx context.Context, r judge.Request) (rawObject, string, bool) {
	out, err := w.Direct.Send(ctx, judge.Request{Method: http.MethodGet, URL: "/v1/organizations", Header: identity(r)})
	if err != nil || out.Status != http.StatusOK {
		return nil, "", false
	}
	record, ok := readRawObject(out.Body)
	return record, judge.Canonical(out.Header).Get("ETag"), ok
}

// write changes the record of whoever sends r, behind the back of whoever counts or watches.
func (w *World) write(ctx context.Context, r judge.Request, body []byte) (judge.Response, error) {
	h := identity(r)
	h.Set("Content-Type", "application/json")
	return w.Direct.Send(ctx, judge.Request{Method: http.MethodPatch, URL: "/v1/organizations", Header: h, Body: body})
}

// touch makes two changes that cancel each other out, so that nothing but the version and its time are others.
func (w *World) touch(ctx context.Context, r judge.Request) {
	record, _, ok := w.read(ctx, r)
	if !ok {
		return
	}
	name, _ := record.get("organization_name")
	for _, value := range []string{`"touched"`, `"touched again"`, name} {
		_, _ = w.write(ctx, r, rawObject{{"organization_name", value}}.text())
	}
}

// valid reports whether the service would make the change that r asks for, whatever its conditions.
func (w *World) valid(ctx context.Context, r judge.Request) bool {
	probe := r
	probe.Header = r.Header.Clone()
	dropHeader(probe.Header, "If-None-Match")
	setHeader(probe.Header, "If-Match", impossibleTag)
	out, err := w.Direct.Send(ctx, probe)
	return err == nil && out.Status == http.StatusPreconditionFailed
}

// impossibleTag is the tag of no record. A body is judged before the conditions are, so a change under the condition
// that this is the tag tells whether the body is right and changes nothing.
const impossibleTag = `"never"`

// identity returns the header with which a request says who sends it.
func identity(r judge.Request) http.Header {
	h := http.Header{}
	if values := judge.Canonical(r.Header)["Authorization"]; len(values) > 0 {
		h["Authorization"] = slices.Clone(values)
	}
	return h
}

// as returns the request with another key.
func as(key string, r judge.Request) judge.Request {
	r.Header = r.Header.Clone()
	setHeader(r.Header, "Authorization", "Bearer "+key)
	return r
}

func setHeader(h http.Header, name string, values ...string) {
	dropHeader(h, name)
	h[http.CanonicalHeaderKey(name)] = values
}

// dropHeader removes a header however it is written.
func dropHeader(h http.Header, name string) {
	for key := range h {
		if strings.EqualFold(key, name) {
			delete(h, key)
		}
	}
}
