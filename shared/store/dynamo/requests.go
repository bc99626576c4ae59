package dynamo

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// These parts are the same in every GetItem of Find. They are made once, because every request calls Find.
var (
	findProjection = aws.String(recordProjection + "," + attrKeys + ".#key")
	consistently   = aws.Bool(true)
)

// Find is one strongly consistent GetItem of the record and the one key.
func (s *Store) Find(ctx context.Context, id organization.ID, key apikey.Hash) (store.Found, error) {
	stored, err := s.getItem(ctx, "finding", id, findProjection, map[string]string{"#key": key.Hex()})
	if err != nil {
		return store.Found{}, err
	}
	record, keys, err := decodeOrganization(stored)
	if err != nil {
		return store.Found{}, err
	}
	found := store.Found{Organization: record}
	for i := range keys {
		if keys[i].Hash != key {
			return store.Found{}, fmt.Errorf("finding %s: an API key: %w", id, store.ErrNotAsked)
		}
		found.Key = &keys[i]
	}
	return found, nil
}

// getItem reads an organization's item, with strong consistency. With a nil projection it reads the whole item. verb
// names the operation in an error.
func (s *Store) getItem(
	ctx context.Context, verb string, id organization.ID, projection *string, names map[string]string,
) (item, error) {
	key := recordKey(id)
	out, err := s.calls.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:                &s.tables.Organizations,
		Key:                      key,
		ConsistentRead:           consistently,
		ProjectionExpression:     projection,
		ExpressionAttributeNames: names,
		ReturnConsumedCapacity:   types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, translate(verb+" "+string(id), err)
	}
	if len(out.Item) == 0 {
		return nil, &store.Error{Kind: store.NotFound, Op: verb + " " + string(id)}
	}
	if err := checkPartition(out.Item, key[partitionKey]); err != nil {
		return nil, fmt.Errorf("%s %s: %w", verb, id, err)
	}
	return out.Item, nil
}

// Update sets the attributes that differ, on condition that the version is still the one that was read, and that the
// key still allows the change.
func (s *Store) Update(ctx context.Context, u store.Update) error {
	return s.transact(ctx, updateOf(u))
}

// updateOf returns the change that Update makes.
func updateOf(u store.Update) change {
	update, values := updateExpression(encodeRecord(u.Before), encodeRecord(u.After))
	values[":version"] = num(u.Before.Version)
	condition := attrVersion + " = :version AND attribute_not_exists(" + attrDeletedAt + ")"
	var names map[string]string
	if u.Authority != nil {
		condition += " AND " + sameAuthority(u.Authority.Key, values)
		names = map[string]string{"#key": u.Authority.Key.Hash.Hex(), "#permission": keyAllows}
	}
	return change{
		op:        "updating " + string(u.Before.ID),
		id:        u.Before.ID,
		update:    update,
		condition: condition,
		names:     names,
		values:    values,
		entry:     u.Audit,
		authority: u.Authority,
		refusal: func(stored item) store.Kind {
			if len(stored) == 0 {
				return store.NotFound
			}
			return store.Conflict
		},
	}
}

// sameAuthority returns the condition that the organization still has the key, with the same permission and validity as
// when it was read. It adds the condition's values. An expression needs names for the key's hash, #key, and for
// #permission, which is a reserved word. The condition ignores attributes of a key that a later version adds.
func sameAuthority(key apikey.Record, values item) string {
	const entry = attrKeys + ".#key"
	stored := encodeKey(key)
	values[":permission"] = stored[keyAllows]
	conditions := []string{entry + ".#permission = :permission"} // fails without the key
	for _, name := range [...]string{keyExpiresAt, keyRevokedAt} {
		if value := stored[name]; value != nil {
			conditions = append(conditions, entry+"."+name+" = :key_"+name)
			values[":key_"+name] = value
		} else {
			conditions = append(conditions, "attribute_not_exists("+entry+"."+name+")")
		}
	}
	return strings.Join(conditions, " AND ")
}

// updateExpression returns the expression that turns the item before into the item after, and its values. Our names
// of attributes can stand in an expression, as none of them is a reserved word.
func updateExpression(before, after item) (string, item) {
	var set, remove []string
	values := item{}
	for name, value := range after {
		if !reflect.DeepEqual(before[name], value) {
			set = append(set, name+" = :"+name)
			values[":"+name] = value
		}
	}
	for name := range before {
		if _, kept := after[name]; !kept {
			remove = append(remove, name)
		}
	}
	slices.Sort(set)
	slices.Sort(remove)
	return clause("SET", set) + clause(" REMOVE", remove), values
}

// clause returns one clause of an update expression; "" if it has no actions.
func clause(verb string, actions []string) string {
	if len(actions) == 0 {
		return ""
	}
	return verb + " " + strings.Join(actions, ", ")
}

// counterLife is how long a counter is kept, which leaves time to look into what happened.
const counterLife = 25 * time.Hour

// Count is one UpdateItem that adds atomically. It is attempted once: an attempt whose reply was lost may have
// counted, and no request may count twice.
func (s *Store) Count(ctx context.Context, id organization.ID, c organization.Category, window time.Time) (int64, error) {
	op := fmt.Sprintf("counting a request of %s", id)
	out, err := s.once.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:        &s.tables.Counters,
		Key:              counterKey(id, c, window),
		UpdateExpression: aws.String("SET " + attrTTL + " = :ttl ADD " + attrRequests + " :one"),
		ExpressionAttributeValues: item{
			":one": num(1),
			":ttl": num(window.Add(counterLife).Unix()),
		},
		ReturnValues:           types.ReturnValueUpdatedNew,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return 0, translate(op, err)
	}
	r := reader{item: out.Attributes}
	n := r.num(attrRequests)
	if r.err != nil {
		return 0, fmt.Errorf("%s: %w", op, r.err)
	}
	return n, nil
}

// NoteUse is one UpdateItem, which changes nothing if the item has this time or a later one. It is attempted once:
// the caller notes another use later.
func (s *Store) NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error {
	_, err := s.once.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &s.tables.Counters,
		Key:                       useKey(id, keyID),
		UpdateExpression:          aws.String("SET " + attrUsedAt + " = :at"),
		ConditionExpression:       aws.String("attribute_not_exists(" + attrUsedAt + ") OR " + attrUsedAt + " < :at"),
		ExpressionAttributeValues: item{":at": timestamp(at.UTC().Truncate(store.UseSpan))},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	var known *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &known) {
		return nil
	}
	return translate(fmt.Sprintf("noting a use of %s of %s", keyID, id), err)
}

// addMeter adds a step to the SDK's stack of a call. The step adds the consumed capacity to the Usage of the call's
// context. If the call fails, it also adds the outcome of each attempt to the error.
func addMeter(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Meter", meter), middleware.Before)
}

func meter(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	made, _ := retry.GetAttemptResults(metadata)
	attempts := made.Results
	if err != nil && len(attempts) == 0 {
		attempts = []retry.AttemptResult{{Err: err}} // a call without retries
	}
	usage := store.UsageOf(ctx)
	usage.Calls++
	for _, attempt := range attempts {
		if attempt.Err != nil && kindOf(attempt.Err) == store.Throttled {
			usage.Throttles++
		}
	}
	if err != nil {
		return out, metadata, &callError{err, attempts}
	}
	switch result := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		usage.ReadUnits += units(result.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		usage.WriteUnits += units(result.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		for i := range result.ConsumedCapacity { // one for each table
			usage.WriteUnits += units(&result.ConsumedCapacity[i])
		}
	}
	return out, metadata, nil
}

func units(consumed *types.ConsumedCapacity) float64 {
	if consumed == nil || consumed.CapacityUnits == nil {
		return 0
	}
	return *consumed.CapacityUnits
}
