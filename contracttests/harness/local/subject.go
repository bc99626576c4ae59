package local

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// New returns the service on an engine as a subject for checks.
func New(t testing.TB, engine Engine, o Options) *harness.Subject {
	t.Helper()
	name, validator := "in-process", harness.Validator()
	if o.ThroughEvents {
		name, validator = "lambda-events", behindGateway()
	}
	operator := NewOperator(engine, o.Now)
	subject := &harness.Subject{
		Name:      name,
		Target:    NewService(t, engine, o).Target(),
		Validator: validator,
		Provision: operator.Provision,
		Revoke:    operator.Revoke,
	}
	failWith(subject, func(fault harness.Fault) harness.Target {
		return NewService(t, faultyStore{engine, fault}, o).Target()
	})
	return subject
}

// behindGateway returns the judge for a service behind an HTTP API, which adds a header.
func behindGateway() *judge.Validator { return harness.Validator().AllowHeaders("Apigw-Requestid") }

// failWith sets Faulty to targets that were made before.
func failWith(subject *harness.Subject, start func(harness.Fault) harness.Target) {
	faulty := map[harness.Fault]harness.Target{}
	for _, fault := range harness.Faults() {
		faulty[fault] = start(fault)
	}
	subject.Faulty = func(f harness.Fault) harness.Target { return faulty[f] }
}

// Subjects returns a function for each subject that this machine can run, by the subjects' names.
func Subjects() map[string]func(testing.TB) *harness.Subject {
	all := map[string]func(testing.TB) *harness.Subject{
		"in-process-sqlite":    func(t testing.TB) *harness.Subject { return New(t, SQLite(t), Options{}) },
		"lambda-events-sqlite": func(t testing.TB) *harness.Subject { return New(t, SQLite(t), Options{ThroughEvents: true}) },
		"lambda-events-dynamodb": func(t testing.TB) *harness.Subject {
			return New(t, DynamoDB(t), Options{ThroughEvents: true})
		},
	}
	if runtime.GOOS == "linux" { // what Lambda runs, and what the functions are built for
		all["bootstraps-dynamodb"] = BuiltFunctions
	}
	for name, start := range all {
		all[name] = func(t testing.TB) *harness.Subject {
			subject := start(t)
			subject.Name = name
			return subject
		}
	}
	return all
}

// AtURL returns the service at a URL, for which the tests have only keys. All keys except the first may be "".
func AtURL(t *testing.T, url, admin, read, other string) *harness.Subject {
	t.Helper()
	reached, err := harness.URLTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	if admin == "" {
		t.Fatal("a target needs an admin key, in the environment as ADMIN_KEY")
	}
	subject := &harness.Subject{
		Name:      "at-url",
		Target:    harness.HonourRetryAfter(harness.WithoutCancel(reached)),
		Validator: behindGateway(),
		Given:     harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: admin}},
	}
	if read != "" {
		subject.Given.Keys[harness.KeyRead] = read
	}
	if other != "" {
		subject.Other = &harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: other}}
	}
	return subject
}

// Report reports the failures of a check as errors of a test.
func Report(t *testing.T, failures []harness.Failure) {
	t.Helper()
	for _, failure := range failures {
		t.Error(failure)
	}
}

// faultyStore is a store in one of the states that a Fault names.
type faultyStore struct {
	Engine
	fault harness.Fault
}

func (f faultyStore) err(op string) error {
	err := errors.New(harness.FaultText)
	if f.fault == harness.FaultBroken {
		return err
	}
	return &store.Error{Kind: store.Throttled, Op: op, Err: err}
}

// Find implements store.Records.
func (f faultyStore) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	if f.fault == harness.FaultWrites {
		return f.Engine.Find(ctx, id, key)
	}
	return store.Found{}, f.err("finding " + string(id))
}

// Update implements store.Records.
func (f faultyStore) Update(_ context.Context, u store.Update) error {
	return f.err("updating " + string(u.Before.ID))
}

// faultyEndpoint returns the URL of a DynamoDB with a fault. It forwards the requests that the fault lets through.
func faultyEndpoint(t testing.TB, behind string, fault harness.Fault) string {
	t.Helper()
	refused := func(code string) dynamotest.Fault {
		return dynamotest.RefuseSaying(http.StatusBadRequest, code, harness.FaultText)
	}
	plans := map[harness.Fault]dynamotest.Plan{
		harness.FaultBroken:      dynamotest.Always(refused("AccessDeniedException")),
		harness.FaultUnavailable: dynamotest.Always(refused("ThrottlingException")),
		harness.FaultWrites:      dynamotest.On("TransactWriteItems", refused("ThrottlingException")),
	}
	return dynamotest.StartProxy(t, behind, plans[fault]).URL
}
