package attacks

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/harness/local"
	"organizations-api/contracttests/harness/operator"
	"organizations-api/shared/apikey"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry/telemetrytest"
)

type (
	event    = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// world is both functions as Lambda runs them, on a store. It has no rate limits: no test may end because the requests
// of a minute are used up.
type world struct {
	store     local.Engine
	functions map[string]*lambdahttp.Adapter // by method
	logs      *telemetrytest.Log
}

func newWorld(t testing.TB, engine local.Engine) *world {
	t.Helper()
	logs := new(telemetrytest.Log)
	service := local.NewService(t, engine, local.Options{Unlimited: true, Log: logs})
	return &world{store: engine, functions: service.Functions(), logs: logs}
}

func onSQLite(t testing.TB) *world {
	t.Helper()
	return newWorld(t, local.SQLite(t))
}

// onBothStores runs a test in a world on each engine.
func onBothStores(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, onSQLite(t))
	})
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, local.DynamoDB(t)))
	})
}

// tenant is an organization with an admin key and a key that can only read. Every text of its record contains the
// public part of its identifier.
type tenant struct {
	organization.Organization
	admin, read apikey.Key
	adminID     string        // the identifier of the admin key
	store       apikey.Secret // with which its keys were made
}

func (w *world) tenant(t testing.TB) tenant {
	t.Helper()
	spec := harness.TenantSpec{Tier: "team", Full: true, Keys: []harness.KeyKind{harness.KeyRead}}
	provisioned, err := operator.New(w.store, nil).Provision(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	o, keys, err := w.store.Get(t.Context(), organization.ID(provisioned.ID))
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := w.store.KeySecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := tenant{Organization: o, store: secrets[0]}
	for kind, key := range map[harness.KeyKind]*apikey.Key{harness.KeyAdmin: &made.admin, harness.KeyRead: &made.read} {
		if *key, err = apikey.Parse(provisioned.Keys[kind]); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range keys {
		if key.Permission == apikey.Admin {
			made.adminID = key.ID
		}
	}
	return made
}

func entry(action store.Action) store.Entry {
	return store.Entry{ID: store.NewEntryID(time.Now()), Action: action, Actor: store.OperatorActor}
}

// in reports whether a text contains anything of the tenant.
func (made tenant) in(text string) bool {
	return strings.Contains(text, made.InternalID.Reveal()) || strings.Contains(text, made.ID.PublicPart())
}

// newEvent returns the event of an ordinary request with the key. The caller may change its maps.
func newEvent(method, key string) event {
	e := event{
		Version:  "2.0",
		RouteKey: method + " " + harness.Path,
		RawPath:  harness.Path,
		Headers:  map[string]string{"authorization": "Bearer " + key, "host": "api.example.com", "user-agent": "curl/8.5.0"},
	}
	e.RequestContext.RequestID = "JKJaXmPLvHcESHA="
	e.RequestContext.Stage = "$default"
	e.RequestContext.DomainName = "api.example.com"
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: method, Path: harness.Path, Protocol: "HTTP/1.1", SourceIP: "192.0.2.7", UserAgent: "curl/8.5.0",
	}
	if method == "PATCH" {
		e.Headers["content-type"] = "application/json"
		e.Body = "{}"
	}
	return e
}

// send has the function of the method answer the event. It ends the test if the function returns an error.
func (w *world) send(t testing.TB, method string, e event) response {
	t.Helper()
	r, err := w.functions[method].Handle(t.Context(), e)
	if err != nil {
		t.Fatalf("the function of %s failed: %v", method, err)
	}
	return r
}

// everything returns as text all of an answer that the caller gets.
func everything(r response) string {
	var all strings.Builder
	fmt.Fprintln(&all, r.StatusCode, r.Body, r.Cookies)
	for name, value := range r.Headers {
		fmt.Fprintln(&all, name, value)
	}
	for name, values := range r.MultiValueHeaders {
		fmt.Fprintln(&all, name, values)
	}
	return all.String()
}

// headers returns the headers of an answer, without the one that differs in every answer.
func headers(r response) map[string]string {
	all := maps.Clone(r.Headers)
	delete(all, "X-Request-Id")
	return all
}

// unchanged checks that the tenant's record and its audit trail are as they were made.
func (w *world) unchanged(t testing.TB, made tenant) {
	t.Helper()
	got, keys, err := w.store.Get(t.Context(), made.ID)
	if err != nil || got.Version != made.Version || got.Name != made.Name || len(keys) != 2 {
		t.Errorf("Get(%s) = version %d, %q, %d keys, %v, want it as it was made", made.ID, got.Version, got.Name, len(keys), err)
	}
	trail, _, err := w.store.Audit(t.Context(), made.ID, "", 10)
	if err != nil || len(trail) != 2 {
		t.Errorf("Audit(%s) = %d entries, %v, want 2", made.ID, len(trail), err)
	}
}
