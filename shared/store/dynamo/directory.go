package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// maxPage bounds how many items one call asks for; DynamoDB itself stops at 1 MB.
const maxPage = 1000

// minScan is how many items a Scan evaluates at least: most of an organization's items can be of its trail.
const minScan = 200

// Create puts the item and its first entry where no item is.
func (s *Store) Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error {
	op := "creating " + string(o.ID)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			s.putNew(recordItem(o, []apikey.Record{key})),
			s.putNew(entryItem(o.ID, e)),
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
	store.SortKeys(keys)
	return record, keys, nil
}

// List is a Scan: organizations have no order that a table without an index could keep, and only operators list them. It
// reads, and pays for, the audit trails as well. The cursor is the last organization's identifier.
func (s *Store) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	return scanRecords(ctx, s, recordProjection, cursor, limit, decodeRecord, idOf)
}

func idOf(o organization.Organization) organization.ID { return o.ID }

// scanRecords returns a page of the organizations' items, decoded. A Scan evaluates few more items than the page has room
// for: what does not fit is read again with the next one.
func scanRecords[T any](
	ctx context.Context, s *Store, projection, cursor string, limit int,
	decode func(item) (T, error), id func(T) organization.ID,
) ([]T, string, error) {
	in := &dynamodb.ScanInput{
		TableName:                 &s.tables.Organizations,
		ConsistentRead:            aws.Bool(true),
		ProjectionExpression:      aws.String(projection),
		FilterExpression:          aws.String(sortKey + " = :record"),
		ExpressionAttributeValues: item{":record": str(recordSortKey)},
	}
	if cursor != "" {
		in.ExclusiveStartKey = recordKey(organization.ID(cursor))
	}
	var found []T
	for {
		in.Limit = aws.Int32(int32(min(max(limit-len(found), minScan), maxPage)))
		out, err := s.client.Scan(ctx, in)
		if err != nil {
			return nil, "", translate("listing organizations", err)
		}
		for _, it := range out.Items {
			if len(found) == limit {
				return found, string(id(found[limit-1])), nil
			}
			o, err := decode(it)
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
