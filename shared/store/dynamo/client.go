package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client is the SDK's, except that the three operations that serve requests go through steps that were put together
// once: the SDK does that anew for each call. It is safe for concurrent use.
type client struct {
	*dynamodb.Client
	getItem, updateItem, transactWriteItems steps
}

// newClient makes no call. The error is that of trim.
func newClient(options dynamodb.Options, trim func(*middleware.Stack) error) (*client, error) {
	c := &client{Client: dynamodb.New(options)}
	ctx := context.Background()
	operations := []struct {
		steps *steps
		call  func(takeOut func(*dynamodb.Options)) error
	}{
		{&c.getItem, func(takeOut func(*dynamodb.Options)) error {
			_, err := c.Client.GetItem(ctx, nil, takeOut)
			return err
		}},
		{&c.updateItem, func(takeOut func(*dynamodb.Options)) error {
			_, err := c.Client.UpdateItem(ctx, nil, takeOut)
			return err
		}},
		{&c.transactWriteItems, func(takeOut func(*dynamodb.Options)) error {
			_, err := c.Client.TransactWriteItems(ctx, nil, takeOut)
			return err
		}},
	}
	for _, o := range operations {
		stack, err := stackOf(o.call, trim)
		if err != nil {
			return nil, err
		}
		handler := middleware.DecorateHandler(smithyhttp.NewClientHandler(options.HTTPClient), stack)
		*o.steps = steps{operation: stack.ID(), handler: handler}
	}
	return c, nil
}

var errTakenOut = errors.New("the call ends here")

// stackOf returns the stack that the SDK makes for an operation, trimmed. An option of a call sees it last, and ends the
// call before its first step.
func stackOf(call func(func(*dynamodb.Options)) error, trim func(*middleware.Stack) error) (*middleware.Stack, error) {
	var stack *middleware.Stack
	takeOut := func(s *middleware.Stack) error {
		stack = s
		return errTakenOut
	}
	err := call(func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, trim, takeOut) })
	if !errors.Is(err, errTakenOut) {
		return nil, err
	}
	return stack, nil
}

// steps are those of one operation, from its input to its output. None of them keeps anything of a call.
type steps struct {
	operation string
	handler   middleware.Handler
}

func (s steps) do(ctx context.Context, in any) (any, middleware.Metadata, error) {
	out, metadata, err := s.handler.Handle(middleware.ClearStackValues(ctx), in)
	if err != nil {
		attempts, _ := retry.GetAttemptResults(metadata)
		err = &callError{smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: s.operation, Err: err}, attempts.Results}
	}
	return out, metadata, err
}

// callError is the SDK's error of a call, with what became of each attempt, which the SDK keeps to itself.
type callError struct {
	smithy.OperationError
	attempts []retry.AttemptResult
}

// Unwrap returns the SDK's error.
func (e *callError) Unwrap() error { return &e.OperationError }

// GetItem is the SDK's.
func (c *client) GetItem(ctx context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	result, metadata, err := c.getItem.do(ctx, in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.GetItemOutput)
	out.ResultMetadata = metadata
	return out, nil
}

// UpdateItem is the SDK's, but for its attempts: there is one.
func (c *client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	result, metadata, err := c.updateItem.do(ctx, in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.UpdateItemOutput)
	out.ResultMetadata = metadata
	return out, nil
}

// TransactWriteItems is the SDK's.
func (c *client) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput,
) (*dynamodb.TransactWriteItemsOutput, error) {
	result, metadata, err := c.transactWriteItems.do(ctx, in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.TransactWriteItemsOutput)
	out.ResultMetadata = metadata
	return out, nil
}
