package function

import (
	"context"
	"errors"
	"time"

	"organizations-api/shared/store/dynamo"
)

// primeTimeout bounds what opening the connection early may add to a cold start when DynamoDB does not answer.
const primeTimeout = time.Second

// prime opens the connection while the sandbox initialises.
func prime(records *dynamo.Store) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), primeTimeout, errors.New("priming takes too long"))
	defer cancel()
	records.Prime(ctx)
}
