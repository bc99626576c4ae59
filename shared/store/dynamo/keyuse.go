package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// When a key was last used is an item of its own in the table of counters: functions may write there and not, for this, in
// the records, and a use never contends with anything. The item is made with its key, without a time, and has no time to
// live: a key that was last used years ago is the one that an operator looks for. Purge removes it.
const attrUsedAt = "used_at"

// putUse makes the item of a new key.
func (s *Store) putUse(id organization.ID, keyID string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.tables.Counters, Item: useKey(id, keyID)}}
}

// NoteUse is one UpdateItem, which does nothing where the item has this time or a later one. It is made once (see onlyOnce):
// the next span brings another.
func (s *Store) NoteUse(ctx context.Context, id organization.ID, keyID string, at time.Time) error {
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &s.tables.Counters,
		Key:                       useKey(id, keyID),
		UpdateExpression:          aws.String("SET " + attrUsedAt + " = :at"),
		ConditionExpression:       aws.String("attribute_not_exists(" + attrUsedAt + ") OR " + attrUsedAt + " < :at"),
		ExpressionAttributeValues: item{":at": timestamp(at.UTC().Truncate(store.UseSpan))},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		failed(ctx, err)
		var known *types.ConditionalCheckFailedException
		if errors.As(err, &known) {
			return nil
		}
		return translate(fmt.Sprintf("noting a use of %s of %s", keyID, id), err)
	}
	writes(ctx, out.ResultMetadata, out.ConsumedCapacity)
	return nil
}

// KeyUses is one Query, of up to a hundred small items.
func (s *Store) KeyUses(ctx context.Context, id organization.ID) (map[string]time.Time, error) {
	op := "reading when keys of " + string(id) + " were used"
	uses := make(map[string]time.Time)
	err := s.eachUse(ctx, op, id, func(it item) error {
		r := reader{item: it}
		keyID, at := r.str(sortKey), r.optionalTime(attrUsedAt)
		if r.err != nil {
			return fmt.Errorf("%s: %w", op, r.err)
		}
		uses[keyID] = time.Time{}
		if at != nil {
			uses[keyID] = *at
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return uses, nil
}

// eachUse calls f for the item of each key of the organization.
func (s *Store) eachUse(ctx context.Context, op string, id organization.ID, f func(item) error) error {
	in := &dynamodb.QueryInput{
		TableName:                 &s.tables.Counters,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String(partitionKey + " = :pk"),
		ExpressionAttributeValues: item{":pk": useKey(id, "")[partitionKey]},
	}
	for {
		out, err := s.client.Query(ctx, in)
		if err != nil {
			return translate(op, err)
		}
		for _, it := range out.Items {
			if err := f(it); err != nil {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// forgetUses removes the items of the organization's keys.
func (s *Store) forgetUses(ctx context.Context, op string, id organization.ID) error {
	return s.eachUse(ctx, op, id, func(it item) error {
		_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.tables.Counters,
			Key:       itemKey{partitionKey: it[partitionKey], sortKey: it[sortKey]},
		})
		if err != nil {
			return translate(op, err)
		}
		return nil
	})
}
