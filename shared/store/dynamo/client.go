package dynamo

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client is the SDK's, except that the three operations that serve requests use the steps of earlier calls again: the SDK
// puts them together anew for each call. It is safe for concurrent use.
type client struct {
	*dynamodb.Client
	getItem, updateItem, transactWriteItems operation
}

// newClient makes no call, and puts no steps together yet, which start-up would wait for.
func newClient(options dynamodb.Options, trim func(*middleware.Stack) error) *client {
	sdk := dynamodb.New(options)
	handler := smithyhttp.NewClientHandlerWithOptions(options.HTTPClient)
	c := &client{Client: sdk}
	c.getItem.assemble = func() (*steps, error) {
		return newSteps(handler, trim, func(ctx context.Context, option func(*dynamodb.Options)) error {
			_, err := sdk.GetItem(ctx, nil, option)
			return err
		})
	}
	c.updateItem.assemble = func() (*steps, error) {
		return newSteps(handler, trim, func(ctx context.Context, option func(*dynamodb.Options)) error {
			_, err := sdk.UpdateItem(ctx, nil, option)
			return err
		})
	}
	c.transactWriteItems.assemble = func() (*steps, error) {
		return newSteps(handler, trim, func(ctx context.Context, option func(*dynamodb.Options)) error {
			_, err := sdk.TransactWriteItems(ctx, nil, option)
			return err
		})
	}
	return c
}

// operation is one of the SDK's, with the steps that no call uses at the moment.
type operation struct {
	assemble func() (*steps, error)
	idle     sync.Pool // of *steps
}

func (o *operation) do(ctx context.Context, in any) (any, middleware.Metadata, error) {
	s, ok := o.idle.Get().(*steps)
	if !ok {
		var err error
		if s, err = o.assemble(); err != nil {
			return nil, middleware.Metadata{}, err
		}
	}
	defer o.idle.Put(s)
	return s.do(ctx, in)
}

// steps lead from an operation's input to its output. They serve one call at a time, and keep nothing of it that the next
// would see.
type steps struct {
	operation string
	handler   middleware.Handler
}

var errTakenOut = errors.New("the call ends here")

// newSteps takes the stack out of a call, which an option sees when it is complete and then ends before its first step.
func newSteps(
	handler middleware.Handler, trim func(*middleware.Stack) error, call func(context.Context, func(*dynamodb.Options)) error,
) (*steps, error) {
	var taken *steps
	takeOut := func(stack *middleware.Stack) error {
		taken = &steps{operation: stack.ID(), handler: middleware.DecorateHandler(handler, stack)}
		return errTakenOut
	}
	err := call(context.Background(), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, trim, takeOut) })
	if !errors.Is(err, errTakenOut) {
		return nil, err
	}
	return taken, nil
}

func (s *steps) do(ctx context.Context, in any) (any, middleware.Metadata, error) {
	out, metadata, err := s.handler.Handle(ctx, in)
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
