package dynamo

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// AddKey sets one entry of the map of keys.
func (s *Store) AddKey(ctx context.Context, id organization.ID, key apikey.Record, e store.Entry) error {
	return s.transact(ctx, change{
		op:     "adding a key to " + string(id),
		id:     id,
		update: "SET " + attrKeys + ".#key = :record",
		condition: "attribute_exists(" + partitionKey + ") AND attribute_not_exists(" + attrDeletedAt + ")" +
			" AND attribute_not_exists(" + attrKeys + ".#key) AND size(" + attrKeys + ") < :max",
		names:  map[string]string{"#key": key.Hash.Hex()},
		values: item{":record": object(encodeKey(key)), ":max": num(apikey.MaxPerOrganization)},
		entry:  e,
		also:   []types.TransactWriteItem{s.putUse(id, key.ID)},
		refusal: func(item item) store.Kind {
			stored := reader{item: item}
			switch {
			case len(item) == 0, stored.has(attrDeletedAt):
				return store.NotFound
			case stored.object(attrKeys)[key.Hash.Hex()] != nil:
				return store.Conflict
			default:
				return store.Full
			}
		},
	})
}

// RevokeKey looks the key up by its identifier and marks its entry of the map. It returns NotFound for an organization
// that is being purged.
func (s *Store) RevokeKey(ctx context.Context, id organization.ID, keyID string, at time.Time, e store.Entry) error {
	op := "revoking " + keyID + " of " + string(id)
	_, keys, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(key apikey.Record) bool { return key.ID == keyID })
	if i < 0 {
		return &store.Error{Kind: store.NotFound, Op: op}
	}
	const revokedAt = attrKeys + ".#key." + keyRevokedAt
	return s.transact(ctx, change{
		op:     op,
		id:     id,
		update: "SET " + revokedAt + " = :at",
		condition: "attribute_exists(" + attrKeys + ".#key) AND attribute_not_exists(" + revokedAt + ")" +
			" AND attribute_not_exists(" + attrPurgeBegan + ")",
		names:  map[string]string{"#key": keys[i].Hash.Hex()},
		values: item{":at": timestamp(at)},
		entry:  e,
		refusal: func(stored item) store.Kind {
			if beingPurged(stored) {
				return store.NotFound
			}
			return unlessMissing(stored)
		},
	})
}

// changeableAttributes are the attributes of a key that ChangeKey can change.
var changeableAttributes = [...]string{keyExpiresAt, keyRevokedAt, keySuccessor}

const (
	oldEntry = attrKeys + ".#old"
	newEntry = attrKeys + ".#new"
)

// ChangeKey changes one entry of the map of keys, on condition that it is still as it was read. If there is a New
// key, its entry is added in the same transaction.
func (s *Store) ChangeKey(ctx context.Context, id organization.ID, k store.KeyChange, e store.Entry) error {
	set, remove, conditions, values := changeOfEntry(encodeKey(k.Before), encodeKey(k.After))
	conditions = append(conditions, "attribute_not_exists("+attrDeletedAt+")", "attribute_exists("+oldEntry+")")
	names := map[string]string{"#old": k.Before.Hash.Hex()}
	var also []types.TransactWriteItem
	if k.New != nil {
		names["#new"] = k.New.Hash.Hex()
		values[":new"], values[":max"] = object(encodeKey(*k.New)), num(apikey.MaxPerOrganization)
		set = append(set, newEntry+" = :new")
		conditions = append(conditions, "attribute_not_exists("+newEntry+")", "size("+attrKeys+") < :max")
		also = []types.TransactWriteItem{s.putUse(id, k.New.ID)}
	}
	if len(values) == 0 {
		values = nil // DynamoDB refuses an empty map
	}
	return s.transact(ctx, change{
		op:        "changing " + k.Before.ID + " of " + string(id),
		id:        id,
		update:    clause("SET", set) + clause(" REMOVE", remove),
		condition: strings.Join(conditions, " AND "),
		names:     names,
		values:    values,
		entry:     e,
		also:      also,
		refusal:   func(stored item) store.Kind { return whyKeyUnchanged(stored, k) },
	})
}

// changeOfEntry returns the actions that turn an entry of the map of keys from before into after, the conditions that
// the entry is still as before, and the values of both.
func changeOfEntry(before, after item) (set, remove, conditions []string, values item) {
	values = item{}
	for _, name := range changeableAttributes {
		path := oldEntry + "." + name
		if value := before[name]; value != nil {
			conditions = append(conditions, path+" = :before_"+name)
			values[":before_"+name] = value
		} else {
			conditions = append(conditions, "attribute_not_exists("+path+")")
		}
		if value := after[name]; value != nil {
			set = append(set, path+" = :after_"+name)
			values[":after_"+name] = value
		} else {
			remove = append(remove, path)
		}
	}
	return set, remove, conditions, values
}

// whyKeyUnchanged returns why the condition of ChangeKey failed on the stored item.
func whyKeyUnchanged(stored item, k store.KeyChange) store.Kind {
	record := reader{item: stored}
	keys := reader{item: record.object(attrKeys)}
	entry := keys.object(k.Before.Hash.Hex())
	if len(stored) == 0 || record.has(attrDeletedAt) || entry == nil {
		return store.NotFound
	}
	before := encodeKey(k.Before)
	for _, name := range changeableAttributes {
		if !reflect.DeepEqual(entry[name], before[name]) {
			return store.Conflict
		}
	}
	if k.New != nil && !keys.has(k.New.Hash.Hex()) {
		return store.Full
	}
	return store.Conflict
}

// The time when a key was last used is an item of its own in the table of counters. Functions may write to that table
// and not, for this purpose, to the records; and a use never gets in the way of a change. The item is made with its
// key, and without a time. It has no time to live: a key that was last used years ago is the one that an operator
// looks for.

// putUse makes the item of a new key.
func (s *Store) putUse(id organization.ID, keyID string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.Counters, Item: useKey(id, keyID)}}
}

// KeyUses is one Query, of up to a hundred small items.
func (s *Store) KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error) {
	op := "reading when keys of " + string(id) + " were used"
	uses := make(map[string]time.Time)
	for it, err := range s.pages(ctx, op, partition(s.tables.Counters, useKey(id, ""))) {
		if err != nil {
			return nil, err
		}
		r := reader{item: it}
		keyID, at := r.str(sortKey), r.optionalTime(attrUsedAt)
		if r.err != nil {
			return nil, fmt.Errorf("%s: %w", op, r.err)
		}
		uses[keyID] = time.Time{}
		if at != nil {
			uses[keyID] = *at
		}
	}
	return uses, nil
}
