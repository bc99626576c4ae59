package dynamo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// ExportPage is List with the keys and the trails.
func (s *Store) ExportPage(ctx context.Context, cursor string, limit int) ([]store.Export, string, error) {
	page, next, err := s.scan(ctx, recordProjection+","+attrKeys, cursor, limit)
	for i := range page {
		s.addTrail(ctx, &page[i])
	}
	return page, next, err
}

// Export is Get with the trail. It returns NotFound for an organization that is being purged, as its trail is not
// whole.
func (s *Store) Export(ctx context.Context, id organization.ID) (store.Export, error) {
	stored, err := s.getItem(ctx, "reading", id, nil, nil)
	if err != nil {
		return store.Export{}, err
	}
	if beingPurged(stored) {
		return store.Export{}, &store.Error{Kind: store.NotFound, Op: "exporting " + string(id)}
	}
	record, keys, err := decodeOrganization(stored)
	if err != nil {
		return store.Export{}, err
	}
	e := store.Export{Organization: record, Keys: keys}
	s.addTrail(ctx, &e)
	return e, nil
}

// addTrail adds the trail, which is read when it is ranged over. The query reads all items of the organization. The
// record comes last, as its sort key sorts after those of the entries. So the entries are read between two readings
// of the record, and if those agree, the trail is complete.
func (s *Store) addTrail(ctx context.Context, e *store.Export) {
	first := store.Export{Organization: e.Organization, Keys: e.Keys}
	op := "reading all of " + string(first.Organization.ID)
	e.Trail = func(yield func(store.Entry, error) bool) {
		var last item
		for it, err := range s.pages(ctx, op, partition(s.tables.Organizations, recordKey(first.Organization.ID))) {
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			if isRecord(it) {
				last = it
				continue
			}
			if !isEntry(it) {
				continue
			}
			entry, err := decodeEntry(it)
			if err == nil && entry.After(first.Organization.Version) {
				continue
			}
			if !yield(entry, err) || err != nil {
				return
			}
		}
		if err := compareReadings(op, first, last); err != nil {
			yield(store.Entry{}, err)
		}
	}
}

// compareReadings returns a Conflict if the item that was read last is missing or being purged, or more than updates
// was made since the first reading.
func compareReadings(op string, first store.Export, last item) error {
	if len(last) == 0 || beingPurged(last) {
		return &store.Error{Kind: store.Conflict, Op: op}
	}
	record, keys, err := decodeOrganization(last)
	if err != nil {
		return err
	}
	if !store.Unchanged(first, store.Export{Organization: record, Keys: keys}) {
		return &store.Error{Kind: store.Conflict, Op: op}
	}
	return nil
}

const opRestore = "restoring organizations"

// Restore writes the trails first, in batches, and the records last, each on condition that it does not exist. Nobody
// sees an organization before its record is there. Several records go in one transaction, at twice the write units,
// as a batch has no conditions.
func (s *Store) Restore(ctx context.Context, exports []store.Export) ([]bool, error) {
	present, err := s.present(ctx, exports)
	if err != nil {
		return nil, err
	}
	var missing []store.Export
	var places []int // of the missing among all
	for i, e := range exports {
		if id := e.Organization.ID; !present[id] {
			missing, places = append(missing, e), append(places, i)
			present[id] = true // it may come a second time
		}
	}
	if err := s.putTrails(ctx, missing); err != nil {
		return nil, err
	}
	put, err := s.putRecords(ctx, missing)
	if err != nil {
		return nil, err
	}
	created := make([]bool, len(exports))
	for i, place := range places {
		created[place] = put[i]
	}
	return created, nil
}

// present returns which of the organizations exist.
func (s *Store) present(ctx context.Context, exports []store.Export) (map[organization.ID]bool, error) {
	const most = 100 // keys of one call (API reference of BatchGetItem)
	asked := make(map[organization.ID]bool)
	var keys []item
	for _, e := range exports {
		if id := e.Organization.ID; !asked[id] {
			asked[id] = true
			keys = append(keys, recordKey(id))
		}
	}
	present := make(map[organization.ID]bool)
	var budget retryBudget
	for len(keys) > 0 {
		n := min(most, len(keys))
		out, err := s.sdk.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.tables.Organizations: {
				Keys: keys[:n], ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String(partitionKey),
			}},
		})
		if err != nil {
			return nil, translate(opRestore, err)
		}
		for _, it := range out.Responses[s.tables.Organizations] {
			id, err := organizationOf(it)
			if err != nil {
				return nil, err
			}
			if !asked[id] {
				return nil, fmt.Errorf("%s: %w", opRestore, store.ErrNotAsked)
			}
			present[id] = true
		}
		left := out.UnprocessedKeys[s.tables.Organizations].Keys
		for _, key := range left {
			if !slices.ContainsFunc(keys[:n], func(ours item) bool { return sameKey(ours, key) }) {
				return nil, fmt.Errorf("%s: %w", opRestore, store.ErrNotAsked)
			}
		}
		if len(left) > 0 {
			if err := budget.spend(ctx, opRestore, len(left) < n); err != nil {
				return nil, err
			}
		}
		keys = append(left, keys[n:]...)
	}
	return present, nil
}

// putTrails writes the entries. An interrupted call may have left some of them, which are the same.
func (s *Store) putTrails(ctx context.Context, exports []store.Export) error {
	b := batch{store: s, op: opRestore, table: s.tables.Organizations}
	for _, e := range exports {
		for entry, err := range e.Trail {
			if err != nil {
				return err
			}
			for _, it := range entryItems(e.Organization.ID, entry) {
				put := &types.PutRequest{Item: it}
				if err := b.add(ctx, types.WriteRequest{PutRequest: put}); err != nil {
					return err
				}
			}
		}
	}
	return b.flush(ctx)
}

// Bounds of one transaction. DynamoDB takes 100 items and 4 MB, of which a quarter is left for what we do not count.
// The DynamoDB Local of the tests takes 10 items.
const (
	maxTransact      = 10
	maxTransactBytes = 3 << 20
)

// putRecords puts the records that do not exist, and returns which it put.
func (s *Store) putRecords(ctx context.Context, exports []store.Export) ([]bool, error) {
	var put []bool
	for len(exports) > 0 {
		var items []types.TransactWriteItem
		size := 0
		for _, e := range exports[:min(maxTransact, len(exports))] {
			it := recordItem(e.Organization, e.Keys)
			if size += sizeOf(it); len(items) > 0 && size > maxTransactBytes {
				break
			}
			items = append(items, s.putNew(it))
		}
		some, err := s.putMissing(ctx, items)
		if err != nil {
			return nil, err
		}
		put = append(put, some...)
		exports = exports[len(items):]
	}
	return put, nil
}

// putMissing makes one transaction of the puts whose condition does not fail, and returns which these are.
func (s *Store) putMissing(ctx context.Context, puts []types.TransactWriteItem) ([]bool, error) {
	put := make([]bool, len(puts))
	places := make([]int, len(puts)) // of the puts that are left to do
	for i := range places {
		places[i], put[i] = i, true
	}
	var budget retryBudget
	for len(places) > 0 {
		left := make([]types.TransactWriteItem, 0, len(places))
		for _, place := range places {
			left = append(left, puts[place])
		}
		reasons, err := s.writeTransaction(ctx, opRestore, left)
		if err != nil || reasons == nil {
			return put, err
		}
		var rest []int
		for i, place := range places {
			if put[place] = reasons.codes[i] != reasonCondition; put[place] {
				rest = append(rest, place)
			}
		}
		if len(rest) > 0 {
			if err := budget.spend(ctx, opRestore, len(rest) < len(places)); err != nil {
				return nil, err
			}
		}
		places = rest
	}
	return put, nil
}

// sizeOf estimates the bytes of an item: its names and texts, and a little for every other attribute.
func sizeOf(it item) int {
	const other = 24
	size := 0
	for name, value := range it {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberM:
			size += other + sizeOf(v.Value)
		default:
			size += other
		}
	}
	return size
}
