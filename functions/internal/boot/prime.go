package boot

import (
	"context"
	"time"

	"organizations-api/shared/store/dynamo"
)

// primeTimeout bounds what opening the connection early may add to a cold start when DynamoDB does not answer.
const primeTimeout = time.Second

// prime opens the connection while the sandbox initialises.
func prime(records *dynamo.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), primeTimeout)
	defer cancel()
	records.Prime(ctx)
}
