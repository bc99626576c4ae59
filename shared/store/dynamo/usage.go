package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"organizations-api/shared/store"
)

// What a call consumed is added to the usage of the request that it was made for: failed for a call that failed, reads or
// writes for one that did not.

func failed(ctx context.Context, err error) {
	attempts := []retry.AttemptResult{{Err: err}} // of a call that is made once
	var failure *callError
	if errors.As(err, &failure) && len(failure.attempts) > 0 {
		attempts = failure.attempts
	}
	count(ctx, attempts)
}

func reads(ctx context.Context, metadata middleware.Metadata, consumed *types.ConsumedCapacity) {
	succeeded(ctx, metadata).ReadUnits += units(consumed)
}

func writes(ctx context.Context, metadata middleware.Metadata, consumed *types.ConsumedCapacity) {
	succeeded(ctx, metadata).WriteUnits += units(consumed)
}

func succeeded(ctx context.Context, metadata middleware.Metadata) *store.Usage {
	attempts, _ := retry.GetAttemptResults(metadata)
	return count(ctx, attempts.Results)
}

// count counts the call, and those of its attempts that were throttled.
func count(ctx context.Context, attempts []retry.AttemptResult) *store.Usage {
	usage := store.UsageOf(ctx)
	usage.Calls++
	for _, attempt := range attempts {
		if attempt.Err != nil && (kindOf(attempt.Err) == store.Throttled || throttledWithin(attempt.Err)) {
			usage.Throttles++
		}
	}
	return usage
}

// throttledWithin reports whether a transaction was refused because one of its items is asked for too much.
func throttledWithin(err error) bool {
	return cancelled(err).has(reasonThrottling, reasonThroughput)
}

func units(consumed *types.ConsumedCapacity) float64 {
	if consumed == nil || consumed.CapacityUnits == nil {
		return 0
	}
	return *consumed.CapacityUnits
}
