package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"organizations-api/shared/store"
)

// What a call consumed is added to the usage of the request that it was made for: failed for a call that failed, reads or
// writes for one that did not.

func failed(ctx context.Context, err error) {
	usage := store.UsageOf(ctx)
	usage.Calls++
	if kindOf(err) == store.Throttled {
		usage.Throttles++
	}
}

func reads(ctx context.Context, metadata middleware.Metadata, consumed *types.ConsumedCapacity) {
	succeeded(ctx, metadata).ReadUnits += units(consumed)
}

func writes(ctx context.Context, metadata middleware.Metadata, consumed *types.ConsumedCapacity) {
	succeeded(ctx, metadata).WriteUnits += units(consumed)
}

// succeeded counts the call, and the attempts of it that were throttled before one succeeded.
func succeeded(ctx context.Context, metadata middleware.Metadata) *store.Usage {
	usage := store.UsageOf(ctx)
	usage.Calls++
	attempts, _ := retry.GetAttemptResults(metadata)
	for _, attempt := range attempts.Results {
		if attempt.Err != nil && kindOf(attempt.Err) == store.Throttled {
			usage.Throttles++
		}
	}
	return usage
}

func units(consumed *types.ConsumedCapacity) float64 {
	if consumed == nil || consumed.CapacityUnits == nil {
		return 0
	}
	return *consumed.CapacityUnits
}
