package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Delete sets the mark where there is none.
func (s *Store) Delete(ctx context.Context, id organization.ID, at time.Time, e store.Entry) error {
	return s.mark(ctx, change{
		op:        "deleting " + string(id),
		id:        id,
		update:    "SET " + attrDeletedAt + " = :at",
		condition: "attribute_exists(" + partitionKey + ") AND attribute_not_exists(" + attrDeletedAt + ")",
		values:    item{":at": timestamp(at)},
		entry:     e,
	})
}

// Undelete removes the mark where there is one.
func (s *Store) Undelete(ctx context.Context, id organization.ID, e store.Entry) error {
	return s.mark(ctx, change{
		op:        "undeleting " + string(id),
		id:        id,
		update:    "REMOVE " + attrDeletedAt,
		condition: "attribute_exists(" + attrDeletedAt + ")",
		entry:     e,
	})
}

// mark makes a change whose condition fails only where the item is missing or the change is made already.
func (s *Store) mark(ctx context.Context, c change) error {
	reasons, err := s.transact(ctx, c)
	if err != nil || reasons == nil {
		return err
	}
	if len(reasons.stored) == 0 {
		return &store.Error{Kind: store.NotFound, Op: c.op, Err: reasons.err}
	}
	return nil
}

// Purge deletes the audit trail in batches, then when keys were used, and the record last: while that is there, a purge
// that was interrupted can be seen and repeated.
func (s *Store) Purge(ctx context.Context, id organization.ID) error {
	op := "purging " + string(id)
	in := &dynamodb.QueryInput{
		TableName:                 &s.tables.Organizations,
		ConsistentRead:            aws.Bool(true),
		ProjectionExpression:      aws.String(partitionKey + "," + sortKey),
		KeyConditionExpression:    aws.String(partitionKey + " = :pk AND begins_with(" + sortKey + ", :prefix)"),
		ExpressionAttributeValues: item{":pk": recordKey(id)[partitionKey], ":prefix": str(auditPrefix)},
	}
	for page, err := range s.pages(ctx, op, in) {
		if err != nil {
			return err
		}
		if err := s.deleteAll(ctx, op, page); err != nil {
			return err
		}
	}
	if err := s.forgetUses(ctx, op, id); err != nil {
		return err
	}
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.tables.Organizations,
		Key:       recordKey(id),
	})
	if err != nil {
		return translate(op, err)
	}
	return nil
}

// deleteAll deletes the items with the keys, in batches.
func (s *Store) deleteAll(ctx context.Context, op string, keys []item) error {
	for len(keys) > 0 {
		n := min(maxBatchWrite, len(keys))
		requests := make([]types.WriteRequest, 0, n)
		for _, key := range keys[:n] {
			requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
		}
		if err := s.writeBatch(ctx, op, requests); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// writeBatch writes at most maxBatchWrite items, until none is left over.
func (s *Store) writeBatch(ctx context.Context, op string, requests []types.WriteRequest) error {
	var tries patience
	for {
		out, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.tables.Organizations: requests},
		})
		if err != nil {
			return translate(op, err)
		}
		left := out.UnprocessedItems[s.tables.Organizations]
		if len(left) == 0 {
			return nil
		}
		if err := tries.wait(ctx, op, len(left) < len(requests)); err != nil {
			return err
		}
		requests = left
	}
}
