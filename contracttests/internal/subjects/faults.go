package subjects

import (
	"context"
	"errors"

	"organizations-api/contracttests"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// faultyRecords is a store in a state.
type faultyRecords struct {
	store.Records
	fault contracttests.Fault
}

var errFault = errors.New(contracttests.FaultText)

func (f faultyRecords) err(op string) error {
	if f.fault == contracttests.FaultBroken {
		return errFault
	}
	return &store.Error{Kind: store.Throttled, Op: op, Err: errFault}
}

// Find implements store.Records.
func (f faultyRecords) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	if f.fault == contracttests.FaultWrites {
		return f.Records.Find(ctx, id, key)
	}
	return store.Found{}, f.err("finding " + string(id))
}

// Update implements store.Records.
func (f faultyRecords) Update(_ context.Context, u store.Update) error {
	return f.err("updating " + string(u.Before.ID))
}
