package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Bounds of one call, from the API reference: items of BatchWriteItem and of BatchGetItem, and the items of a transaction
// and their bytes, of which a quarter is left for what we do not count. DynamoDB takes 100 items in a transaction, the
// DynamoDB Local of the tests 10.
const (
	maxBatchWrite    = 25
	maxBatchGet      = 100
	maxTransact      = 10
	maxTransactBytes = 3 << 20
)

const opRestore = "restoring organizations"

// Restore writes the trails first, in batches, and the records last, each under the condition that it is not there: until
// its record is there, an organization does not exist to anybody. The records of a batch go in few transactions, which
// cost twice the write units, as a batch knows no conditions.
func (s *Store) Restore(ctx context.Context, exports []store.Export) ([]bool, error) {
	present, err := s.presence(ctx, exports)
	if err != nil {
		return nil, err
	}
	var missing []store.Export
	var places []int // of the missing among all
	for i, d := range exports {
		if id := d.Organization.ID; !present[id] {
			missing, places = append(missing, d), append(places, i)
			present[id] = true // should it come again
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

// presence returns which of the organizations exist.
func (s *Store) presence(ctx context.Context, exports []store.Export) (map[organization.ID]bool, error) {
	present := make(map[organization.ID]bool)
	asked := make(map[organization.ID]bool)
	var keys []item
	for _, d := range exports {
		if id := d.Organization.ID; !asked[id] {
			asked[id] = true
			keys = append(keys, recordKey(id))
		}
	}
	for len(keys) > 0 {
		n := min(maxBatchGet, len(keys))
		if err := s.presenceOf(ctx, keys[:n], present); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return present, nil
}

func (s *Store) presenceOf(ctx context.Context, keys []item, present map[organization.ID]bool) error {
	var tries patience
	for {
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.tables.Organizations: {
				Keys: keys, ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String(partitionKey),
			}},
		})
		if err != nil {
			return translate(opRestore, err)
		}
		for _, it := range out.Responses[s.tables.Organizations] {
			id, err := organizationOf(it)
			if err != nil {
				return err
			}
			present[id] = true
		}
		left := out.UnprocessedKeys[s.tables.Organizations].Keys
		if len(left) == 0 {
			return nil
		}
		if err := tries.wait(ctx, opRestore, len(left) < len(keys)); err != nil {
			return err
		}
		keys = left
	}
}

// putTrails writes the entries. Those that an interrupted call left are the same.
func (s *Store) putTrails(ctx context.Context, exports []store.Export) error {
	requests := make([]types.WriteRequest, 0, maxBatchWrite)
	for _, d := range exports {
		for e, err := range d.Trail {
			if err != nil {
				return err
			}
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: entryItem(d.Organization.ID, e)}})
			if len(requests) < maxBatchWrite {
				continue
			}
			if err := s.writeBatch(ctx, opRestore, requests); err != nil {
				return err
			}
			requests = requests[:0]
		}
	}
	if len(requests) == 0 {
		return nil
	}
	return s.writeBatch(ctx, opRestore, requests)
}

// putRecords puts the records where none are and returns which it put.
func (s *Store) putRecords(ctx context.Context, exports []store.Export) ([]bool, error) {
	var created []bool
	for len(exports) > 0 {
		var items []types.TransactWriteItem
		n, size := 0, 0
		for ; n < min(maxTransact, len(exports)); n++ {
			it := recordItem(exports[n].Organization, exports[n].Keys)
			if size += sizeOf(it); n > 0 && size > maxTransactBytes {
				break
			}
			items = append(items, s.putNew(it))
		}
		refused, err := s.putTogether(ctx, items)
		if err != nil {
			return nil, err
		}
		for i := range n {
			created = append(created, !refused[i])
		}
		exports = exports[n:]
	}
	return created, nil
}

// putTogether makes one transaction of the puts, without those whose condition fails, and returns which these are.
func (s *Store) putTogether(ctx context.Context, items []types.TransactWriteItem) (map[int]bool, error) {
	refused := make(map[int]bool)
	places := make([]int, len(items))
	for i := range places {
		places[i] = i
	}
	var tries patience
	for len(places) > 0 {
		left := make([]types.TransactWriteItem, 0, len(places))
		for _, place := range places {
			left = append(left, items[place])
		}
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: left})
		reasons, err := s.outcome(opRestore, err)
		if err != nil || reasons == nil {
			return refused, err
		}
		var rest []int
		for i, place := range places {
			if refused[place] = reasons.codes[i] == reasonCondition; !refused[place] {
				rest = append(rest, place)
			}
		}
		if len(rest) > 0 {
			if err := tries.wait(ctx, opRestore, len(rest) < len(places)); err != nil {
				return nil, err
			}
		}
		places = rest
	}
	return refused, nil
}

// patience counts attempts that brought nothing, and spreads them.
type patience struct{ attempts int }

// wait pauses, longer each time unless there was progress, and gives up after several times without.
func (p *patience) wait(ctx context.Context, op string, progress bool) error {
	const attempts = 10
	if p.attempts++; progress {
		p.attempts = 1
	}
	if p.attempts > attempts {
		return &store.Error{Kind: store.Throttled, Op: op, Err: errors.New("part of a batch is left over again and again")}
	}
	if err := pause(ctx, min(20*time.Millisecond<<p.attempts, time.Second)); err != nil {
		return translate(op, err)
	}
	return nil
}

// sizeOf estimates the bytes of an item: its names and texts, and a little for the rest.
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
