package dynamo

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// maxPage bounds how many items one call asks for; DynamoDB itself stops at 1 MB.
const maxPage = 1000

// Create puts the item and its first entry where no item is.
func (s *Store) Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error {
	op := "creating " + string(o.ID)
	it := encodeRecord(o)
	for name, value := range recordKey(o.ID) {
		it[name] = value
	}
	it[attrKeys] = &types.AttributeValueMemberM{Value: item{key.Hash.Hex(): encodeKey(key)}}
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{
				TableName:           &s.tables.Organizations,
				Item:                it,
				ConditionExpression: aws.String("attribute_not_exists(" + partitionKey + ")"),
			}},
			s.putEntry(o.ID, e),
			s.putUse(o.ID, key.ID),
		},
	})
	reasons, err := s.outcome(op, err)
	if reasons != nil {
		return &store.Error{Kind: store.Conflict, Op: op, Err: reasons.err}
	}
	return err
}

// Get is one strongly consistent GetItem.
func (s *Store) Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error) {
	op := "reading " + string(id)
	none := organization.Organization{}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.tables.Organizations,
		Key:            recordKey(id),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return none, nil, translate(op, err)
	}
	if len(out.Item) == 0 {
		return none, nil, &store.Error{Kind: store.NotFound, Op: op}
	}
	record, err := decodeRecord(out.Item)
	if err != nil {
		return none, nil, err
	}
	keys, err := decodeKeys(out.Item)
	if err != nil {
		return none, nil, err
	}
	slices.SortFunc(keys, func(a, b apikey.Record) int {
		if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return record, keys, nil
}

// List is a Scan: organizations have no order that a table without an index could keep, and only operators list them. It
// reads, and pays for, the audit trails as well. The cursor is the last organization's identifier.
func (s *Store) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	const op = "listing organizations"
	in := &dynamodb.ScanInput{
		TableName:                 &s.tables.Organizations,
		ConsistentRead:            aws.Bool(true),
		ProjectionExpression:      aws.String(recordProjection),
		FilterExpression:          aws.String(sortKey + " = :record"),
		ExpressionAttributeValues: item{":record": str(recordSortKey)},
	}
	if cursor != "" {
		in.ExclusiveStartKey = recordKey(organization.ID(cursor))
	}
	var found []organization.Organization
	for {
		out, err := s.client.Scan(ctx, in)
		if err != nil {
			return nil, "", translate(op, err)
		}
		for _, it := range out.Items {
			if len(found) == limit {
				return found, string(found[limit-1].ID), nil
			}
			o, err := decodeRecord(it)
			if err != nil {
				return nil, "", err
			}
			found = append(found, o)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return found, "", nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
