package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// change is a conditional write of an organization's item together with its audit entry.
type change struct {
	op        string
	id        organization.ID
	update    string // update expression
	condition string
	names     map[string]string
	values    item
	entry     store.Entry
	also      []types.TransactWriteItem // written with it; none has a condition
}

// transact makes the change, or returns why its condition failed. Where another transaction is at the item it tries
// again: the two need not contradict each other, and where they do, the condition will say so.
func (s *Store) transact(ctx context.Context, c change) (*cancellation, error) {
	const attempts = 12
	for attempt := 1; ; attempt++ {
		reasons, err := s.transactOnce(ctx, c)
		if reasons == nil || reasons.has(reasonCondition) {
			return reasons, err
		}
		if attempt == attempts {
			return nil, &store.Error{Kind: store.Throttled, Op: c.op, Err: reasons.err}
		}
		if err := pause(ctx, min(5*time.Millisecond<<attempt, 200*time.Millisecond)); err != nil {
			return nil, translate(c.op, err)
		}
	}
}

// pause waits for a while at random, up to longest, so that those who wait for each other spread out. The error is that of
// ctx, where it ends first.
func pause(ctx context.Context, longest time.Duration) error {
	select {
	case <-time.After(rand.N(longest)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transactOnce returns what is against the change, be it its condition or another transaction. The SDK gives every call
// a token under which repeated attempts count as one, so a lost reply does not make the change twice.
func (s *Store) transactOnce(ctx context.Context, c change) (*cancellation, error) {
	var asked witness
	out, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: append([]types.TransactWriteItem{
			{Update: &types.Update{
				TableName:                           &s.tables.Organizations,
				Key:                                 recordKey(c.id),
				UpdateExpression:                    &c.update,
				ConditionExpression:                 &c.condition,
				ExpressionAttributeNames:            c.names,
				ExpressionAttributeValues:           c.values,
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			}},
			s.putNew(entryItem(c.id, c.entry)),
		}, c.also...),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}, asked.watch)
	if err != nil {
		failed(ctx, err)
		reasons, refusal := s.outcome(c.op, err)
		if asked.unanswered && !reasons.has(reasonCondition) && store.KindOf(refusal) == store.Unknown {
			// The refusal is of the last attempt. An earlier one may be on its way still, and take effect.
			return nil, &store.Error{Kind: store.Unreachable, Op: c.op, Err: err}
		}
		return reasons, refusal
	}
	var consumed *types.ConsumedCapacity
	if len(out.ConsumedCapacity) == 1 { // one for each table
		consumed = &out.ConsumedCapacity[0]
	}
	writes(ctx, out.ResultMetadata, consumed)
	return nil, nil
}

// witness sees the attempts of one call that fail, and notes whether one of them may have taken effect all the same. It is
// for one call alone.
type witness struct {
	aws.RetryerV2
	unanswered bool
}

// watch puts the witness before the retryer that a call would have.
func (w *witness) watch(o *dynamodb.Options) {
	w.RetryerV2 = o.Retryer.(aws.RetryerV2) // Open makes no other
	o.Retryer = w
}

// IsErrorRetryable is asked about each attempt that failed.
func (w *witness) IsErrorRetryable(err error) bool {
	w.unanswered = w.unanswered || kindOf(err) == store.Unreachable || inProgress(err)
	return w.RetryerV2.IsErrorRetryable(err)
}

// outcome tells a failed condition from everything else that can go wrong with a transaction.
func (s *Store) outcome(op string, err error) (*cancellation, error) {
	if err == nil {
		return nil, nil
	}
	reasons := cancelled(err)
	switch {
	case reasons == nil:
		return nil, translate(op, err)
	case reasons.has(reasonCondition, reasonContention):
		return reasons, nil
	case reasons.has(reasonThrottling, reasonThroughput):
		return nil, &store.Error{Kind: store.Throttled, Op: op, Err: err}
	default:
		return nil, fmt.Errorf("%s: %w", op, err)
	}
}

// putNew puts an item where none is.
func (s *Store) putNew(it item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:           &s.tables.Organizations,
		Item:                it,
		ConditionExpression: aws.String("attribute_not_exists(" + partitionKey + ")"),
	}}
}
