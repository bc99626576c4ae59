package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/organization"
)

const (
	attrRequests = "requests"
	// attrTTL is the attribute by which DynamoDB removes counters: Unix time in seconds. It removes late, within days; a
	// window's number is in its key, so late is harmless.
	attrTTL = "expires_at"
	// counterLife leaves time to look into what happened.
	counterLife = 25 * time.Hour
)

// Count is one UpdateItem that adds atomically. It is made once and not repeated after an error (see onlyOnce): an attempt
// whose reply was lost may have counted, and no request may count twice.
func (s *Store) Count(ctx context.Context, id organization.ID, c organization.Category, window time.Time) (int64, error) {
	op := fmt.Sprintf("counting a request of %s", id)
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:        &s.tables.Counters,
		Key:              counterKey(id, c, window),
		UpdateExpression: aws.String("SET " + attrTTL + " = :ttl ADD " + attrRequests + " :one"),
		ExpressionAttributeValues: item{
			":one": num(1),
			":ttl": num(window.Add(counterLife).Unix()),
		},
		ReturnValues:           types.ReturnValueUpdatedNew,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		failed(ctx, err)
		return 0, translate(op, err)
	}
	writes(ctx, out.ResultMetadata, out.ConsumedCapacity)
	r := reader{item: out.Attributes}
	n := r.num(attrRequests)
	if r.err != nil {
		return 0, fmt.Errorf("%s: %w", op, r.err)
	}
	return n, nil
}
