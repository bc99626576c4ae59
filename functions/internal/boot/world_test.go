package boot

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/telemetry/telemetrytest"
)

// world is both functions, started as Lambda starts them, on a DynamoDB.
type world struct {
	store  *dynamo.Store
	get    *lambdahttp.Adapter
	update *lambdahttp.Adapter
	logs   *telemetrytest.Log
}

var prefix = sync.OnceValue(dynamotest.Prefix)

// newWorld starts the functions on DynamoDB Local.
func newWorld(t *testing.T) *world {
	t.Helper()
	settings := dynamotest.Settings(t, prefix())
	s, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := worldAt(t, settings.Endpoint)
	w.store = s
	return w
}

// worldAt starts the functions on the DynamoDB at the endpoint.
func worldAt(t *testing.T, endpoint string) *world {
	t.Helper()
	return worldWith(t, endpoint, nil)
}

// worldWith is worldAt with changes to the environment.
func worldWith(t *testing.T, endpoint string, changes map[string]string) *world {
	t.Helper()
	tables := dynamo.TablesWithPrefix(prefix())
	environment := map[string]string{
		envOrganizationsTable: tables.Organizations, envCountersTable: tables.Counters,
		envRegion: "us-east-1", envEndpoint: endpoint, envAccessKeyID: "local", envSecretAccessKey: "local",
		envFunction: "test", envVersion: "1",
	}
	maps.Copy(environment, changes)
	w := &world{logs: new(telemetrytest.Log)}
	start := func(operation func(*api.Service) api.Route) *lambdahttp.Adapter {
		adapter, err := newHandler(func(name string) string { return environment[name] }, w.logs, operation)
		if err != nil {
			t.Fatal(err)
		}
		return adapter
	}
	w.get, w.update = start((*api.Service).GetOrganization), start((*api.Service).UpdateOrganization)
	return w
}

// tenant is an organization with its keys, by permission.
type tenant struct {
	organization.Organization
	keys map[apikey.Permission]apikey.Key
}

// newTenant creates an organization with a key of each permission.
func (w *world) newTenant(t *testing.T, change func(*organization.Organization)) tenant {
	t.Helper()
	made := w.newSmallTenant(t, change)
	for _, p := range []apikey.Permission{apikey.None, apikey.Read, apikey.Write, apikey.Delete} {
		made.keys[p], _ = w.addKey(t, made.ID, p, nil)
	}
	return made
}

// newSmallTenant creates an organization with an admin key.
func (w *world) newSmallTenant(t *testing.T, change func(*organization.Organization)) tenant {
	t.Helper()
	made := tenant{organization.New("Northwind Video", organization.Pro, nil, time.Now()), map[apikey.Permission]apikey.Key{}}
	if change != nil {
		change(&made.Organization)
	}
	admin, record := newKey(made.ID, apikey.Admin, nil)
	if err := w.store.Create(t.Context(), made.Organization, record, entry()); err != nil {
		t.Fatal(err)
	}
	made.keys[apikey.Admin] = admin
	return made
}

func (w *world) addKey(t *testing.T, id organization.ID, p apikey.Permission, expires *time.Time) (apikey.Key, string) {
	t.Helper()
	key, record := newKey(id, p, expires)
	if err := w.store.AddKey(t.Context(), id, record, entry()); err != nil {
		t.Fatal(err)
	}
	return key, record.ID
}

func newKey(id organization.ID, p apikey.Permission, expires *time.Time) (apikey.Key, apikey.Record) {
	key := apikey.New(id, apikey.Live)
	return key, apikey.NewRecord(key, p, time.Now(), expires)
}

func entry() store.Entry {
	return store.Entry{ID: store.NewEntryID(time.Now()), Action: store.KeyIssued, Actor: store.OperatorActor}
}

// request is how an event differs from the recorded one.
type request struct {
	method string // GET or PATCH
	key    string
	header map[string]string // in lower case; "" removes
	query  string
	body   string // of a PATCH
	base64 bool
}

func (r request) event(t *testing.T) events.APIGatewayV2HTTPRequest {
	t.Helper()
	name := map[string]string{"GET": "get.json", "PATCH": "update.json"}[r.method]
	text, err := os.ReadFile("../../../events/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	e.Headers["authorization"] = "Bearer " + r.key
	for name, value := range r.header {
		e.Headers[name] = value
		if value == "" {
			delete(e.Headers, name)
		}
	}
	e.Body, e.IsBase64Encoded, e.RawQueryString = r.body, r.base64, r.query
	return e
}

// functionTimeout is the timeout in template.yaml. TestTimeBudget checks that.
const functionTimeout = 10 * time.Second

// send invokes the function with the request, with the deadline that Lambda would set.
func (w *world) send(t *testing.T, r request) events.APIGatewayV2HTTPResponse {
	t.Helper()
	adapter := w.get
	if r.method == http.MethodPatch {
		adapter = w.update
	}
	ctx, cancel := context.WithTimeout(t.Context(), functionTimeout)
	defer cancel()
	in, err := json.Marshal(r.event(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := adapter.Invoke(ctx, in)
	if err != nil {
		t.Fatalf("the function = %v, want an answer", err)
	}
	var out events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("the function = %s, want an answer: %v", text, err)
	}
	return out
}

// traced is a context with a trace, like those that aws-lambda-go makes.
type traced struct {
	context.Context
	trace string
}

func (c traced) Value(key any) any {
	if key == traceKey {
		return c.trace
	}
	return c.Context.Value(key)
}

// awaitRoomInHour waits for the next hour if little is left of this one. A test that counts notes must run within one
// hour, because each hour has notes of its own.
func awaitRoomInHour(t *testing.T) {
	t.Helper()
	const room = 2 * time.Minute
	now := time.Now()
	if left := now.Truncate(store.UseSpan).Add(store.UseSpan).Sub(now); left < room {
		time.Sleep(left)
	}
}
