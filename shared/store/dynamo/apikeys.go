package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// AddKey sets one entry of the map of keys.
func (s *Store) AddKey(ctx context.Context, id organization.ID, key apikey.Record, e store.Entry) error {
	c := change{
		op:     "adding a key to " + string(id),
		id:     id,
		update: "SET " + attrKeys + ".#key = :record",
		condition: "attribute_exists(" + partitionKey + ") AND attribute_not_exists(" + attrDeletedAt + ")" +
			" AND attribute_not_exists(" + attrKeys + ".#key) AND size(" + attrKeys + ") < :max",
		names:  map[string]string{"#key": key.Hash.Hex()},
		values: item{":record": encodeKey(key), ":max": num(apikey.MaxPerOrganization)},
		entry:  e,
		also:   []types.TransactWriteItem{s.putUse(id, key.ID)},
	}
	reasons, err := s.transact(ctx, c)
	if err != nil || reasons == nil {
		return err
	}
	stored := reader{item: reasons.stored}
	kind := store.Full
	switch {
	case len(reasons.stored) == 0, stored.has(attrDeletedAt):
		kind = store.NotFound
	case stored.object(attrKeys)[key.Hash.Hex()] != nil:
		kind = store.Conflict
	}
	return &store.Error{Kind: kind, Op: c.op, Err: reasons.err}
}

// RevokeKey looks the key up by its identifier and marks its entry of the map.
func (s *Store) RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e store.Entry) error {
	op := "revoking " + keyID + " of " + string(id)
	_, keys, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.ID == keyID {
			return s.mark(ctx, change{
				op:     op,
				id:     id,
				update: "SET " + attrKeys + ".#key." + keyRevokedAt + " = :at",
				condition: "attribute_exists(" + attrKeys + ".#key) AND attribute_not_exists(" +
					attrKeys + ".#key." + keyRevokedAt + ")",
				names:  map[string]string{"#key": key.Hash.Hex()},
				values: item{":at": timestamp(at)},
				entry:  e,
			})
		}
	}
	return &store.Error{Kind: store.NotFound, Op: op}
}
