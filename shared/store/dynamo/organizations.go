package dynamo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Create puts the item and its first entry if there is no item yet.
func (s *Store) Create(ctx context.Context, o organization.Organization, key apikey.Record, e store.Entry) error {
	op := "creating " + string(o.ID)
	reasons, err := s.writeTransaction(ctx, op, []types.TransactWriteItem{
		s.putNew(recordItem(o, []apikey.Record{key})),
		s.putNew(entryItem(o.ID, e)),
		s.putUse(o.ID, key.ID),
	})
	if reasons != nil {
		return &store.Error{Kind: store.Conflict, Op: op, Err: reasons.err}
	}
	return err
}

// Get is one strongly consistent GetItem of the whole item.
func (s *Store) Get(ctx context.Context, id organization.ID) (organization.Organization, []apikey.Record, error) {
	stored, err := s.getItem(ctx, "reading", id, nil, nil)
	if err != nil {
		return organization.Organization{}, nil, err
	}
	return decodeOrganization(stored)
}

// List is a Scan, as the table has no index of organizations and only operators list them. It reads, and pays for,
// the audit trails as well. The cursor is the last organization's identifier.
func (s *Store) List(ctx context.Context, cursor string, limit int) ([]organization.Organization, string, error) {
	exports, next, err := s.scan(ctx, recordProjection, cursor, limit)
	var organizations []organization.Organization
	for _, e := range exports {
		organizations = append(organizations, e.Organization)
	}
	return organizations, next, err
}

// maxPage bounds how many items one call asks for. DynamoDB itself stops at 1 MB.
const maxPage = 1000

// scan returns a page of organizations, without their trails. A Scan evaluates entries of trails as well, so it asks
// for twice as many items as the page has room for. A page that is more than half full is returned: most of what
// another Scan returned would not fit, and be read again with the next page.
func (s *Store) scan(ctx context.Context, projection, cursor string, limit int) ([]store.Export, string, error) {
	const minScan = 200 // an organization has one item, and its trail can have many
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
	var found []store.Export
	for {
		in.Limit = aws.Int32(int32(min(max(2*(limit-len(found)), minScan), maxPage)))
		out, err := s.sdk.Scan(ctx, in)
		if err != nil {
			return nil, "", translate("listing organizations", err)
		}
		for _, it := range out.Items {
			if len(found) == limit {
				return found, cursorAfter(found), nil
			}
			record, keys, err := decodeOrganization(it)
			if err != nil {
				return nil, "", err
			}
			found = append(found, store.Export{Organization: record, Keys: keys})
		}
		if len(out.LastEvaluatedKey) == 0 {
			return found, "", nil
		}
		if 2*len(found) > limit {
			return found, cursorAfter(found), nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func cursorAfter(found []store.Export) string { return string(found[len(found)-1].Organization.ID) }

// Delete sets the mark if it is not set.
func (s *Store) Delete(ctx context.Context, id organization.ID, at time.Time, e store.Entry) error {
	return s.transact(ctx, change{
		op:        "deleting " + string(id),
		id:        id,
		update:    "SET " + attrDeletedAt + " = :at",
		condition: "attribute_exists(" + partitionKey + ") AND attribute_not_exists(" + attrDeletedAt + ")",
		values:    item{":at": timestamp(at)},
		entry:     e,
		refusal:   unlessMissing,
	})
}

// Undelete removes the mark if it is set.
func (s *Store) Undelete(ctx context.Context, id organization.ID, e store.Entry) error {
	return s.transact(ctx, change{
		op:        "undeleting " + string(id),
		id:        id,
		update:    "REMOVE " + attrDeletedAt,
		condition: "attribute_exists(" + attrDeletedAt + ") AND attribute_not_exists(" + attrPurgeBegan + ")",
		entry:     e,
		refusal: func(stored item) store.Kind {
			if beingPurged(stored) {
				return store.Conflict
			}
			return unlessMissing(stored)
		},
	})
}

// Purge first marks the record as deleted and being purged. From then on no transaction on the organization succeeds,
// so no request and no command adds to what is being removed. Then it deletes the audit trail, the identifiers of
// changes, the notes of when keys were used and the counters, and the record last. As long as the record is there, an
// interrupted purge can be seen and repeated. Without a record, Purge deletes what an interrupted restore has left.
//
// A request that was accepted before the mark may still note the use of its key, or count itself, when Purge has
// returned. Both have identifiers and a time, and nothing else. DynamoDB removes the counter later.
func (s *Store) Purge(ctx context.Context, id organization.ID) error {
	op := "purging " + string(id)
	if err := s.beginPurge(ctx, op, id); err != nil {
		return err
	}
	remains := []*dynamodb.QueryInput{
		partition(s.tables.Organizations, recordKey(id)), partition(s.tables.Counters, useKey(id, "")),
	}
	for _, c := range organization.Categories() {
		remains = append(remains, partition(s.tables.Counters, counterKey(id, c, time.Time{})))
	}
	for _, query := range remains {
		if err := s.removeAll(ctx, op, query); err != nil {
			return err
		}
	}
	return s.endPurge(ctx, op, id)
}

// beginPurge marks the record. If there is no record, it does nothing.
func (s *Store) beginPurge(ctx context.Context, op string, id organization.ID) error {
	return s.transact(ctx, change{
		op: op,
		id: id,
		update: "SET " + attrDeletedAt + " = if_not_exists(" + attrDeletedAt + ", :at), " +
			attrPurgeBegan + " = if_not_exists(" + attrPurgeBegan + ", :at)",
		condition: "attribute_exists(" + partitionKey + ")",
		values:    item{":at": timestamp(time.Now())},
		refusal:   func(item) store.Kind { return store.Unknown },
	})
}

// endPurge deletes the record if it still has the mark. Another process may have ended the purge, and the organization
// may have been restored since then.
func (s *Store) endPurge(ctx context.Context, op string, id organization.ID) error {
	_, err := s.sdk.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:           &s.tables.Organizations,
		Key:                 recordKey(id),
		ConditionExpression: aws.String("attribute_exists(" + attrPurgeBegan + ")"),
	})
	var other *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &other) {
		return nil
	}
	return translate(op, err)
}

// removeAll deletes all items that the query finds, in batches, except the record.
func (s *Store) removeAll(ctx context.Context, op string, in *dynamodb.QueryInput) error {
	in.ProjectionExpression = aws.String(partitionKey + "," + sortKey)
	b := batch{store: s, op: op, table: *in.TableName}
	for key, err := range s.pages(ctx, op, in) {
		if err != nil {
			return err
		}
		if isRecord(key) {
			continue
		}
		if err := b.add(ctx, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}); err != nil {
			return err
		}
	}
	return b.flush(ctx)
}

// partition returns a query for all items of key's partition, in the order of their sort keys.
func partition(table string, key item) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String(partitionKey + " = :pk"),
		ExpressionAttributeValues: item{":pk": key[partitionKey]},
	}
}

// pages yields the items that the query finds, page by page. It ends with the first error.
func (s *Store) pages(ctx context.Context, op string, in *dynamodb.QueryInput) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for {
			out, err := s.queryPage(ctx, op, in)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, it := range out.Items {
				if !yield(it, nil) {
					return
				}
			}
			if len(out.LastEvaluatedKey) == 0 {
				return
			}
			in.ExclusiveStartKey = out.LastEvaluatedKey
		}
	}
}

// queryPage makes one call of a query of one partition.
func (s *Store) queryPage(ctx context.Context, op string, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	out, err := s.sdk.Query(ctx, in)
	if err != nil {
		return nil, translate(op, err)
	}
	for _, it := range out.Items {
		if err := checkPartition(it, in.ExpressionAttributeValues[":pk"]); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	return out, nil
}

// batch collects writes to a table and makes them in as few calls as possible.
type batch struct {
	store    *Store
	op       string
	table    string
	requests []types.WriteRequest
}

// add makes the collected writes if there are as many as one call can take (API reference of BatchWriteItem).
func (b *batch) add(ctx context.Context, request types.WriteRequest) error {
	const most = 25
	if b.requests = append(b.requests, request); len(b.requests) < most {
		return nil
	}
	return b.flush(ctx)
}

// flush makes the collected writes. It calls DynamoDB until none of them is left over.
func (b *batch) flush(ctx context.Context) error {
	var budget retryBudget
	for len(b.requests) > 0 {
		out, err := b.store.sdk.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{b.table: b.requests},
		})
		if err != nil {
			return translate(b.op, err)
		}
		left, err := leftOver(b.requests, out.UnprocessedItems[b.table])
		if err != nil {
			return fmt.Errorf("%s: %w", b.op, err)
		}
		if len(left) > 0 {
			if err := budget.spend(ctx, b.op, len(left) < len(b.requests)); err != nil {
				return err
			}
		}
		b.requests = left
	}
	return nil
}

// leftOver returns the requests that DynamoDB's answer names as unprocessed. It returns only requests that we made,
// even if the answer names others.
func leftOver(ours, unprocessed []types.WriteRequest) ([]types.WriteRequest, error) {
	var left []types.WriteRequest
	for _, u := range unprocessed {
		i := slices.IndexFunc(ours, func(r types.WriteRequest) bool { return sameKey(keyOf(r), keyOf(u)) })
		if i < 0 {
			return nil, store.ErrNotAsked
		}
		left = append(left, ours[i])
	}
	return left, nil
}

// keyOf returns an item with only the key of the item that a request puts or deletes.
func keyOf(r types.WriteRequest) item {
	switch {
	case r.PutRequest != nil:
		return r.PutRequest.Item
	case r.DeleteRequest != nil:
		return r.DeleteRequest.Key
	default:
		return nil
	}
}

// sameKey reports whether two items have the same key.
func sameKey(a, b item) bool {
	x, y := reader{item: a}, reader{item: b}
	return x.str(partitionKey) == y.str(partitionKey) && x.str(sortKey) == y.str(sortKey) && x.err == nil && y.err == nil
}
