package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
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
	})
	if err != nil {
		failed(ctx, err)
		reasons, refusal := s.outcome(c.op, err)
		if unanswered(err) && !reasons.has(reasonCondition) && store.KindOf(refusal) == store.Unknown {
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

// unanswered reports whether one of the attempts of a call that failed may have taken effect all the same.
func unanswered(err error) bool {
	var failure *callError
	if !errors.As(err, &failure) {
		return false
	}
	return slices.ContainsFunc(failure.attempts, func(attempt retry.AttemptResult) bool {
		return attempt.Err != nil && (kindOf(attempt.Err) == store.Unreachable || inProgress(attempt.Err))
	})
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
	case throttledWithin(err):
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
