package attacks

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/store/storetest"
	"organizations-api/shared/telemetry"
	"organizations-api/shared/telemetry/telemetrytest"
)

type (
	event    = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// world is both operations as Lambda runs them, on a store.
type world struct {
	store     storetest.Engine
	functions map[string]*lambdahttp.Adapter // by method
	logs      *telemetrytest.Log
}

// newWorld starts the service without rate limits: nothing here may end because a minute is used up.
func newWorld(t testing.TB, engine storetest.Engine) *world {
	t.Helper()
	w := &world{store: engine, functions: make(map[string]*lambdahttp.Adapter), logs: new(telemetrytest.Log)}
	log := slog.New(slog.NewJSONHandler(w.logs, nil))
	service, err := api.New(api.Options{Records: engine, Uses: engine, Now: time.Now, Observe: telemetry.Log(log, nil)})
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range service.Routes() {
		w.functions[route.Method] = lambdahttp.New(route.Handler, log)
	}
	return w
}

func openSQLite(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func onSQLite(t testing.TB) *world {
	t.Helper()
	return newWorld(t, openSQLite(t, filepath.Join(t.TempDir(), "orgs.db")))
}

var prefix = sync.OnceValue(dynamotest.Prefix)

func openDynamoDB(t testing.TB, settings dynamo.Settings) *dynamo.Store {
	t.Helper()
	s, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func onDynamoDB(t testing.TB) *world {
	t.Helper()
	return newWorld(t, openDynamoDB(t, dynamotest.Settings(t, prefix())))
}

// onBothStores runs a test in a world on each engine.
func onBothStores(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, onSQLite(t))
	})
	t.Run("DynamoDB", func(t *testing.T) {
		t.Parallel()
		test(t, onDynamoDB(t))
	})
}

// tenant is an organization with an admin key and a key that can only read. Every text of its record has a mark that
// occurs nowhere else.
type tenant struct {
	organization.Organization
	mark        string
	admin, read apikey.Key
	adminID     string
}

func (w *world) tenant(t testing.TB) tenant {
	t.Helper()
	now := time.Now()
	made := tenant{Organization: organization.New("", organization.Team, nil, now), mark: base62.Random(20)}
	made.Name = "name " + made.mark
	made.LogoURL = new("https://example.com/" + made.mark)
	made.BillingEmail = new(made.mark + "@billing.example")
	made.NotificationsEmail = new(made.mark + "@notes.example")
	made.Metadata = organization.Object(`{"mark":"` + made.mark + `"}`)
	made.Credentials = organization.Object(`{"openai":"` + made.mark + `"}`)
	made.admin, made.read = apikey.New(made.ID, apikey.Live), apikey.New(made.ID, apikey.Test)
	admin := apikey.NewRecord(made.admin, apikey.Admin, now, nil)
	made.adminID = admin.ID
	if err := w.store.Create(t.Context(), made.Organization, admin, entry(store.Created)); err != nil {
		t.Fatal(err)
	}
	read := apikey.NewRecord(made.read, apikey.Read, now, nil)
	if err := w.store.AddKey(t.Context(), made.ID, read, entry(store.KeyIssued)); err != nil {
		t.Fatal(err)
	}
	return made
}

func entry(action store.Action) store.Entry {
	return store.Entry{ID: store.NewEntryID(time.Now()), Action: action, Actor: store.OperatorActor}
}

// in reports whether a text has anything of the tenant's in it.
func (made tenant) in(text string) bool {
	return strings.Contains(text, made.mark) || strings.Contains(text, string(made.ID)) ||
		strings.Contains(text, made.InternalID.Reveal()) || strings.Contains(text, made.ID.PublicPart())
}

// newEvent returns the event of an ordinary request with the key. Its maps are its own.
func newEvent(method, key string) event {
	e := event{
		Version:  "2.0",
		RouteKey: method + " /v1/organizations",
		RawPath:  "/v1/organizations",
		Headers:  map[string]string{"authorization": "Bearer " + key, "host": "api.example.com", "user-agent": "curl/8.5.0"},
	}
	e.RequestContext.RequestID = "JKJaXmPLvHcESHA="
	e.RequestContext.Stage = "$default"
	e.RequestContext.DomainName = "api.example.com"
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: method, Path: "/v1/organizations", Protocol: "HTTP/1.1", SourceIP: "192.0.2.7", UserAgent: "curl/8.5.0",
	}
	if method == "PATCH" {
		e.Headers["content-type"] = "application/json"
		e.Body = "{}"
	}
	return e
}

// send has the function of the method answer the event. The function itself must not fail.
func (w *world) send(t testing.TB, method string, e event) response {
	t.Helper()
	r, err := w.functions[method].Handle(t.Context(), e)
	if err != nil {
		t.Fatalf("the function of %s failed: %v", method, err)
	}
	return r
}

// everything is all of an answer that the caller gets, as text.
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

// headers are an answer's, without what differs from one request to the next.
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
