package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	entry     store.Entry               // not written if it has no ID
	authority *store.Authority          // must be valid whenever the change is sent; the condition has its key
	also      []types.TransactWriteItem // written with the change
	applied   bool                      // the condition of also fails if the change was made already

	// refusal returns the kind of error when the condition fails on the stored item, which is empty if there is none.
	// Unknown says that the change was made already, which is no error.
	refusal func(stored item) store.Kind
}

// transact makes the change. If another transaction holds the item, it tries again: both can succeed, and if they
// cannot, the condition will fail.
func (s *Store) transact(ctx context.Context, c change) error {
	const attempts = 12
	for attempt := 1; ; attempt++ {
		if !c.authority.Valid() {
			return &store.Error{Kind: store.Conflict, Op: c.op}
		}
		reasons, err := s.transactOnce(ctx, c)
		if err != nil || reasons == nil {
			return err
		}
		if c.applied && slices.Contains(reasons.codes[1:1+len(c.also)], reasonCondition) {
			return &store.Error{Kind: store.Applied, Op: c.op, Err: reasons.err}
		}
		if reasons.has(reasonCondition) {
			if len(reasons.stored) > 0 {
				if err := checkPartition(reasons.stored, recordKey(c.id)[partitionKey]); err != nil {
					return fmt.Errorf("%s: %w", c.op, err)
				}
			}
			if kind := c.refusal(reasons.stored); kind != store.Unknown {
				return &store.Error{Kind: kind, Op: c.op, Err: reasons.err}
			}
			return nil
		}
		if attempt == attempts {
			return &store.Error{Kind: store.Throttled, Op: c.op, Err: reasons.err}
		}
		if err := pause(ctx, c.op, min(5*time.Millisecond<<attempt, 200*time.Millisecond)); err != nil {
			return err
		}
	}
}

// unlessMissing returns the refusal of a change whose condition failed: the change was made before, or there is no
// item.
func unlessMissing(stored item) store.Kind {
	if len(stored) == 0 {
		return store.NotFound
	}
	return store.Unknown
}

// transactOnce makes one transaction of the change and its entry. It returns the reasons if the condition failed or
// another transaction holds the item. The SDK gives each call a token, and DynamoDB counts all attempts under one
// token as one. So a lost reply does not make the change twice.
func (s *Store) transactOnce(ctx context.Context, c change) (*cancellation, error) {
	items := append([]types.TransactWriteItem{
		{Update: &types.Update{
			TableName:                           &s.tables.Organizations,
			Key:                                 recordKey(c.id),
			UpdateExpression:                    &c.update,
			ConditionExpression:                 &c.condition,
			ExpressionAttributeNames:            c.names,
			ExpressionAttributeValues:           c.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
	}, c.also...)
	if c.entry.ID != "" {
		items = append(items, s.putNew(entryItem(c.id, c.entry)))
	}
	reasons, err := s.writeTransaction(ctx, c.op, items)
	cause := err
	if reasons != nil {
		cause = reasons.err
	}
	if mayHaveTakenEffect(cause) && !reasons.has(reasonCondition) && store.KindOf(err) == store.Unknown {
		// The last attempt was refused, but an earlier one may be on its way still, and take effect.
		return nil, &store.Error{Kind: store.Unreachable, Op: c.op, Err: cause}
	}
	return reasons, err
}

// writeTransaction writes the items, all or none. It returns the reasons if conditions failed or another transaction
// holds an item, and an error if anything else went wrong.
func (s *Store) writeTransaction(ctx context.Context, op string, items []types.TransactWriteItem) (*cancellation, error) {
	_, err := s.calls.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems:          items,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err == nil {
		return nil, nil
	}
	if reasons := cancelled(err); reasons.has(reasonCondition, reasonContention) {
		return reasons, nil
	}
	return nil, translate(op, err)
}

// putNew returns a put that fails if there is an item of the key.
func (s *Store) putNew(it item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:           &s.tables.Organizations,
		Item:                it,
		ConditionExpression: aws.String("attribute_not_exists(" + partitionKey + ")"),
	}}
}

// cancellation says why a transaction was not made.
type cancellation struct {
	codes  []string // one for each item of the transaction
	stored item     // what is stored in the place of the first item, if that item's condition failed
	err    error
}

// The codes of a CancellationReason (API reference of TransactWriteItems).
const (
	reasonCondition  = "ConditionalCheckFailed"
	reasonContention = "TransactionConflict"
	reasonThrottling = "ThrottlingError"
	reasonThroughput = "ProvisionedThroughputExceeded"
)

// cancelled returns the reasons why a transaction was cancelled; nil if err is another error.
func cancelled(err error) *cancellation {
	var e *types.TransactionCanceledException
	if !errors.As(err, &e) {
		return nil
	}
	c := &cancellation{err: err}
	for i, reason := range e.CancellationReasons {
		c.codes = append(c.codes, aws.ToString(reason.Code))
		if i == 0 {
			c.stored = reason.Item
		}
	}
	return c
}

// has reports whether one of the codes is among the reasons. A nil cancellation has none.
func (c *cancellation) has(codes ...string) bool {
	return c != nil && slices.ContainsFunc(c.codes, func(code string) bool { return slices.Contains(codes, code) })
}
