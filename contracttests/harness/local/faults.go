package local

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// faultyRecords is a store in a state.
type faultyRecords struct {
	store.Records
	fault harness.Fault
}

var errFault = errors.New(harness.FaultText)

func (f faultyRecords) err(op string) error {
	if f.fault == harness.FaultBroken {
		return errFault
	}
	return &store.Error{Kind: store.Throttled, Op: op, Err: errFault}
}

// Find implements store.Records.
func (f faultyRecords) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	if f.fault == harness.FaultWrites {
		return f.Records.Find(ctx, id, key)
	}
	return store.Found{}, f.err("finding " + string(id))
}

// Update implements store.Records.
func (f faultyRecords) Update(_ context.Context, u store.Update) error {
	return f.err("updating " + string(u.Before.ID))
}

// faultyEndpoint returns the URL of a DynamoDB in a state. Whatever it does answer comes from the one behind it.
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
