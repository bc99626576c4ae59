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
// whoever notes uses makes another later.
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
	for it, err := range s.items(ctx, op, partition(s.tables.Counters, useKey(id, ""))) {
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

// forgetUses removes the items of the organization's keys.
func (s *Store) forgetUses(ctx context.Context, op string, id organization.ID) error {
	for it, err := range s.items(ctx, op, partition(s.tables.Counters, useKey(id, ""))) {
		if err != nil {
			return err
		}
		_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.tables.Counters,
			Key:       itemKey{partitionKey: it[partitionKey], sortKey: it[sortKey]},
		})
		if err != nil {
			return translate(op, err)
		}
	}
	return nil
}
