package dynamo

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// ExportPage is List, with the keys.
func (s *Store) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	decode := func(it item) (store.Export, error) { return s.decodeExport(ctx, it) }
	id := func(d store.Export) organization.ID { return d.Organization.ID }
	return scanRecords(ctx, s, recordProjection+","+attrKeys, cursor, limit, decode, id)
}

// Export is Get, with the trail to be read.
func (s *Store) Export(ctx context.Context, id organization.ID) (store.Export, error) {
	o, keys, err := s.Get(ctx, id)
	if err != nil {
		return store.Export{}, err
	}
	return s.withTrail(ctx, store.Export{Organization: o, Keys: keys}), nil
}

func (s *Store) decodeExport(ctx context.Context, it item) (store.Export, error) {
	o, err := decodeRecord(it)
	if err != nil {
		return store.Export{}, err
	}
	keys, err := decodeKeys(it)
	if err != nil {
		return store.Export{}, err
	}
	store.SortKeys(keys)
	return s.withTrail(ctx, store.Export{Organization: o, Keys: keys}), nil
}

// withTrail adds the trail: a Query of all the organization's items, in which the record comes last, as its sort key sorts
// after those of the entries. So that record and the one read before are from both sides of the entries.
func (s *Store) withTrail(ctx context.Context, d store.Export) store.Export {
	id, version := d.Organization.ID, d.Organization.Version
	op := "reading all of " + string(id)
	d.Trail = func(yield func(store.Entry, error) bool) {
		var last item
		for it, err := range s.items(ctx, op, partition(s.tables.Organizations, recordKey(id))) {
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			if isRecord(it) {
				last = it
				continue
			}
			e, err := decodeEntry(it)
			if err == nil && e.After(version) {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := settled(op, d, last); err != nil {
			yield(store.Entry{}, err)
		}
	}
	return d
}

// partition asks for all items of a partition, in the order of their sort keys.
func partition(table string, key itemKey) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 &table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String(partitionKey + " = :pk"),
		ExpressionAttributeValues: item{":pk": key[partitionKey]},
	}
}

// pages gives the items that a query finds, as they come, until there are no more. It ends with the first error.
func (s *Store) pages(ctx context.Context, op string, in *dynamodb.QueryInput) iter.Seq2[[]item, error] {
	return func(yield func([]item, error) bool) {
		for {
			out, err := s.client.Query(ctx, in)
			if err != nil {
				yield(nil, translate(op, err))
				return
			}
			if !yield(out.Items, nil) || len(out.LastEvaluatedKey) == 0 {
				return
			}
			in.ExclusiveStartKey = out.LastEvaluatedKey
		}
	}
}

// items is pages, item by item.
func (s *Store) items(ctx context.Context, op string, in *dynamodb.QueryInput) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for page, err := range s.pages(ctx, op, in) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, it := range page {
				if !yield(it, nil) {
					return
				}
			}
		}
	}
}

// settled returns a Conflict where the item that was read last does not vouch for the trail before it.
func settled(op string, first store.Export, last item) error {
	if len(last) == 0 {
		return &store.Error{Kind: store.Conflict, Op: op}
	}
	o, err := decodeRecord(last)
	if err != nil {
		return err
	}
	keys, err := decodeKeys(last)
	if err != nil {
		return err
	}
	if !store.Unchanged(first, store.Export{Organization: o, Keys: keys}) {
		return &store.Error{Kind: store.Conflict, Op: op}
	}
	return nil
}
