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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"organizations-api/shared/store"
)

// ErrNoTable is in the chain of every error that a missing table causes.
var ErrNoTable = errors.New("the table does not exist")

// translate returns a *store.Error if the SDK's error has one of its kinds. Otherwise it wraps the error. op names the
// operation.
func translate(op string, err error) error {
	explained := &explainedError{err}
	var noTable *types.ResourceNotFoundException
	if errors.As(err, &noTable) {
		return fmt.Errorf("%s: %w: %w", op, ErrNoTable, explained)
	}
	if kind := kindOf(err); kind != store.Unknown {
		return &store.Error{Kind: kind, Op: op, Err: explained}
	}
	return fmt.Errorf("%s: %w", op, explained)
}

// explainedError is an error of the SDK with a text for the operator. The SDK's own text is about its steps.
type explainedError struct{ err error }

// Unwrap returns the SDK's error.
func (e *explainedError) Unwrap() error { return e.err }

// Error says what DynamoDB answered, with the request's identifier for AWS's support, or why there is no answer.
func (e *explainedError) Error() string {
	const unknownCode = "UnknownError" // the SDK's, if the answer is not DynamoDB's
	var (
		api       smithy.APIError
		response  *smithyhttp.ResponseError
		request   interface{ ServiceRequestID() string }
		sending   *smithyhttp.RequestSendError
		decoding  *smithy.DeserializationError
		canceled  *smithy.CanceledError
		operation *smithy.OperationError
	)
	switch {
	case errors.As(e.err, &api):
		text := "DynamoDB answers " + api.ErrorCode()
		if errors.As(e.err, &response) && api.ErrorCode() == unknownCode {
			return fmt.Sprintf("DynamoDB answers with the status %d and nothing that can be read", response.HTTPStatusCode())
		}
		if message := api.ErrorMessage(); message != "" {
			text += ": " + message
		}
		if errors.As(e.err, &request) && request.ServiceRequestID() != "" {
			text += " (request " + request.ServiceRequestID() + ")"
		}
		return text
	case errors.Is(e.err, context.DeadlineExceeded):
		return "DynamoDB does not answer in time"
	case errors.As(e.err, &canceled), errors.Is(e.err, context.Canceled):
		return "the call was cancelled"
	case errors.As(e.err, &sending):
		return "no sound answer of DynamoDB: " + sending.Err.Error()
	case errors.As(e.err, &decoding):
		return "the answer of DynamoDB is broken: " + decoding.Err.Error()
	case errors.As(e.err, &operation):
		return operation.Err.Error()
	default:
		return e.err.Error()
	}
}

// kindOf returns Throttled, Unreachable or Unknown for an error of the SDK.
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
		return store.Throttled // another transaction holds the item, and will let it go in a moment
	case cancelled(err).has(reasonThrottling, reasonThroughput):
		return store.Throttled
	case errors.As(err, &api) && throttles(api.ErrorCode()):
		return store.Throttled
	case errors.As(err, &sending), errors.As(err, &decoding): // no response, or half of one
		return store.Unreachable
	case errors.As(err, &response) && response.HTTPStatusCode() >= 500:
		return store.Unreachable
	default:
		return store.Unknown
	}
}

// throttles reports whether an error code asks to slow down, by the SDK's own list, which has DynamoDB's codes.
func throttles(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// newRetryer returns the SDK's retryer, which makes up to three attempts. It also tries again after errors that the
// SDK does not retry by itself: half of a response, and a transaction that was cancelled because of throttling.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 300 * time.Millisecond
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if kindOf(err) == store.Unknown {
				return aws.UnknownTernary
			}
			return aws.TrueTernary
		}))
	})
}

// callError is the SDK's error of a call together with the result of each attempt, which the SDK's error does not
// have.
type callError struct {
	error
	attempts []retry.AttemptResult
}

// Unwrap returns the SDK's error.
func (e *callError) Unwrap() error { return e.error }

// mayHaveTakenEffect reports whether an attempt of a failed call was left without an answer, or was still being
// worked on.
func mayHaveTakenEffect(err error) bool {
	var failure *callError
	return errors.As(err, &failure) && slices.ContainsFunc(failure.attempts, func(attempt retry.AttemptResult) bool {
		var inProgress *types.TransactionInProgressException
		return attempt.Err != nil && (kindOf(attempt.Err) == store.Unreachable || errors.As(attempt.Err, &inProgress))
	})
}

// retryBudget bounds how often part of a batch is tried again.
type retryBudget struct{ attempts int }

// spend pauses before the next attempt, longer each time. After progress it starts again from the shortest pause.
// After ten attempts without progress it returns a Throttled error.
func (b *retryBudget) spend(ctx context.Context, op string, progress bool) error {
	const attempts = 10
	if b.attempts++; progress {
		b.attempts = 1
	}
	if b.attempts > attempts {
		return &store.Error{Kind: store.Throttled, Op: op, Err: errors.New("part of a batch is left over again and again")}
	}
	return pause(ctx, op, min(20*time.Millisecond<<b.attempts, time.Second))
}

// pause waits for a random time up to longest, so that callers who wait for each other spread out. It returns an
// Unreachable error if ctx ends first.
func pause(ctx context.Context, op string, longest time.Duration) error {
	select {
	case <-time.After(rand.N(longest)):
		return nil
	case <-ctx.Done():
		return translate(op, ctx.Err())
	}
}
