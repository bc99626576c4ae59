// Package subjects puts the service together in the ways in which the contract suite meets it: over net/http, behind the
// gateway and the adapter that it has in Lambda, and as the processes that are deployed, on either engine of the store.
//
// It is for tests only, and the one place of the suite that knows the service's own code: package contracttests must not
// import it but in tests.
package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/local/apigateway"
	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/openapi"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/sqlite"
	"organizations-api/shared/telemetry"
)

// Engine is an engine of the store.
type Engine interface {
	store.Records
	store.Counters
	store.Operator
}

// SQLite returns a new database, which ends with the test.
func SQLite(t testing.TB) Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orgs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// DynamoDB returns new tables on DynamoDB Local.
func DynamoDB(t testing.TB) Engine {
	t.Helper()
	engine, _ := newTables(t)
	return engine
}

func newTables(t testing.TB) (*dynamo.Store, dynamo.Settings) {
	t.Helper()
	settings := dynamotest.Settings(t, dynamotest.Prefix())
	engine, err := dynamo.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	return engine, settings
}

// Validator returns the judge of the service. It is made once.
var Validator = sync.OnceValues(func() (*judge.Validator, error) {
	v, err := judge.New(openapi.YAML)
	if err != nil {
		return nil, err
	}
	return v.With(harness.OrganizationRules()...).WithRequest(harness.OrganizationRequestRules()...), nil
})

// GatewayValidator returns the judge of the service behind an HTTP API, which has a header of its own.
func GatewayValidator() (*judge.Validator, error) {
	v, err := Validator()
	if err != nil {
		return nil, err
	}
	return v.AllowHeaders("Apigw-Requestid"), nil
}

// Wiring puts the service together on a store.
type Wiring func(store.Records, store.Counters) (http.Handler, error)

func newService(records store.Records, counters store.Counters) (*api.Service, error) {
	return api.New(api.Options{Records: records, Counters: counters, Now: time.Now, Observe: ignore})
}

// ignore keeps nothing of what the service tells of a request.
func ignore(context.Context, telemetry.Request) {}

// quiet drops what gateway and adapter log: the suite makes them log errors by the dozen.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// OverHTTP is the service as an http.Handler.
func OverHTTP(records store.Records, counters store.Counters) (http.Handler, error) {
	service, err := newService(records, counters)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range service.Routes() {
		mux.Handle(r.Method+" "+r.Path, r.Handler)
	}
	return mux, nil
}

// ThroughEvents is the service behind the gateway: each request becomes the event that the Lambda function gets, and what
// it returns becomes the response.
func ThroughEvents(records store.Records, counters store.Counters) (http.Handler, error) {
	service, err := newService(records, counters)
	if err != nil {
		return nil, err
	}
	var routes []apigateway.Route
	for _, r := range service.Routes() {
		routes = append(routes, apigateway.Route{Method: r.Method, Path: r.Path, Function: lambdahttp.New(r.Handler, quiet()).Handle})
	}
	return apigateway.New(apigateway.Options{Routes: routes, Now: time.Now, Logger: quiet()})
}

// InProcess returns the service as an http.Handler on SQLite, the quickest of the subjects.
func InProcess(t testing.TB) *harness.Subject {
	t.Helper()
	return New(t, inProcess, SQLite(t), OverHTTP, Validator)
}

// EventsSQLite returns the service through the Lambda event path on SQLite.
func EventsSQLite(t testing.TB) *harness.Subject {
	t.Helper()
	return New(t, eventsSQLite, SQLite(t), ThroughEvents, GatewayValidator)
}

// EventsDynamoDB returns the service through the Lambda event path on DynamoDB Local.
func EventsDynamoDB(t testing.TB) *harness.Subject {
	t.Helper()
	return New(t, eventsDynamoDB, DynamoDB(t), ThroughEvents, GatewayValidator)
}

// Local returns what starts each subject that this machine can run, by the subjects' names.
func Local() map[string]func(testing.TB) *harness.Subject {
	all := map[string]func(testing.TB) *harness.Subject{
		inProcess: InProcess, eventsSQLite: EventsSQLite, eventsDynamoDB: EventsDynamoDB,
	}
	if runtime.GOOS == "linux" { // what Lambda runs, and what the bootstraps are built for
		all[onBootstraps] = Bootstraps
	}
	return all
}

// The names of the subjects.
const (
	inProcess      = "in-process-sqlite"
	eventsSQLite   = "lambda-events-sqlite"
	eventsDynamoDB = "lambda-events-dynamodb"
	onBootstraps   = "bootstraps-dynamodb"
)

// New returns a subject of the engine and the wiring.
func New(
	t testing.TB, name string, engine Engine, wire Wiring, judge func() (*judge.Validator, error),
) *harness.Subject {
	t.Helper()
	handler, err := wire(engine, engine)
	validator, errJudge := judge()
	if err := errors.Join(err, errJudge); err != nil {
		t.Fatal(err)
	}
	faulty := map[harness.Fault]harness.Target{}
	for _, fault := range faults() {
		handler, err := wire(faultyRecords{engine, fault}, engine)
		if err != nil {
			t.Fatal(err)
		}
		faulty[fault] = harness.HandlerTarget(handler)
	}
	operator := &operator{engine: engine, keys: map[string]string{}}
	return &harness.Subject{
		Name:      name,
		Target:    harness.HandlerTarget(handler),
		Validator: validator,
		Provision: operator.provision,
		Revoke:    operator.revoke,
		Faulty:    func(f harness.Fault) harness.Target { return faulty[f] },
	}
}

func faults() []harness.Fault {
	return []harness.Fault{harness.FaultUnavailable, harness.FaultBroken, harness.FaultWrites}
}

// shortly bounds what making an organization may take.
const shortly = 30 * time.Second

func withinReason(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, shortly)
}
