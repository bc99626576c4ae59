package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"organizations-api/shared/store"
)

// ErrNoTable is in the chain of every error that a missing table causes.
var ErrNoTable = errors.New("the table does not exist")

// translate gives an error of the SDK its kind. op says what was being done.
func translate(op string, err error) error {
	var noTable *types.ResourceNotFoundException
	if errors.As(err, &noTable) {
		return fmt.Errorf("%s: %w: %w", op, ErrNoTable, err)
	}
	if kind := kindOf(err); kind != store.Unknown {
		return &store.Error{Kind: kind, Op: op, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

func kindOf(err error) store.Kind {
	var (
		conflict *types.TransactionConflictException
		api      smithy.APIError
		response *smithyhttp.ResponseError
		sending  *smithyhttp.RequestSendError
		decoding *smithy.DeserializationError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return store.Unreachable
	case errors.As(err, &conflict):
		return store.Throttled // another transaction is at the item; it is free again in a moment
	case errors.As(err, &api) && throttles(api.ErrorCode()):
		return store.Throttled
	case errors.As(err, &sending), errors.As(err, &decoding): // no answer, or half of one
		return store.Unreachable
	case errors.As(err, &response) && response.HTTPStatusCode() >= 500:
		return store.Unreachable
	default:
		return store.Unknown
	}
}

// unavailable has the SDK try again after whatever we take for no answer, which it does not by itself where half of one
// came. A context that is over it recognises before it asks.
func unavailable(err error) aws.Ternary {
	if kindOf(err) == store.Unknown {
		return aws.UnknownTernary
	}
	return aws.TrueTernary
}

// throttles reports whether an error code asks to slow down; the SDK's own list, which holds those of DynamoDB.
func throttles(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// cancellation says why a transaction was not made: one code for each of its items, and for the first item what was stored
// instead, where its condition failed.
type cancellation struct {
	codes  []string
	stored item
	err    error
}

// The codes of a CancellationReason (API reference of TransactWriteItems).
const (
	reasonCondition  = "ConditionalCheckFailed"
	reasonContention = "TransactionConflict"
	reasonThrottling = "ThrottlingError"
	reasonThroughput = "ProvisionedThroughputExceeded"
)

// inProgress reports whether DynamoDB refused an attempt because an earlier one is not done yet.
func inProgress(err error) bool {
	var e *types.TransactionInProgressException
	return errors.As(err, &e)
}

// cancelled returns the reasons, or nil where err is something else.
func cancelled(err error) *cancellation {
	var e *types.TransactionCanceledException
	if !errors.As(err, &e) {
		return nil
	}
	c := &cancellation{err: err}
	for i, reason := range e.CancellationReasons {
		if reason.Code != nil {
			c.codes = append(c.codes, *reason.Code)
		}
		if i == 0 {
			c.stored = reason.Item
		}
	}
	return c
}

// has reports whether one of the codes is among the reasons; there are none in a nil cancellation.
func (c *cancellation) has(codes ...string) bool {
	if c == nil {
		return false
	}
	for _, code := range c.codes {
		for _, wanted := range codes {
			if code == wanted {
				return true
			}
		}
	}
	return false
}
