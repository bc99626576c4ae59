package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/apikey"
)

// The settings of the whole store are one item in the table of organizations. Its sort key is not that of an
// organization, so no List and no export returns it.
const (
	settingsKey    = "SETTINGS"    // both its partition key and its sort key
	attrKeySecrets = "key_secrets" // their texts, separated by spaces
)

const opSettings = "reading the settings"

func keyOfSettings() item { return item{partitionKey: str(settingsKey), sortKey: str(settingsKey)} }

// KeySecrets is one strongly consistent GetItem.
func (s *Store) KeySecrets(ctx context.Context) (apikey.Secrets, error) {
	out, err := s.calls.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              &s.tables.Organizations,
		Key:                    keyOfSettings(),
		ConsistentRead:         consistently,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, translate(opSettings, err)
	}
	if len(out.Item) == 0 {
		return nil, nil
	}
	if err := checkPartition(out.Item, str(settingsKey)); err != nil {
		return nil, fmt.Errorf("%s: %w", opSettings, err)
	}
	return decodeSecrets(out.Item)
}

// decodeSecrets returns an error if one of the secrets is damaged.
func decodeSecrets(it item) (apikey.Secrets, error) {
	r := reader{item: it}
	var secrets apikey.Secrets
	for text := range strings.FieldsSeq(r.str(attrKeySecrets)) {
		secret, err := apikey.ParseSecret(text)
		if err != nil {
			r.fail(attrKeySecrets, "a list of secrets")
		}
		secrets = append(secrets, secret)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w", opSettings, r.err)
	}
	return secrets, nil
}

func encodeSecrets(secrets apikey.Secrets) types.AttributeValue {
	texts := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		texts = append(texts, secret.Reveal())
	}
	return str(strings.Join(texts, " "))
}

// EnsureKeySecrets adds a new secret if there is none.
func (s *Store) EnsureKeySecrets(ctx context.Context) (apikey.Secrets, error) {
	return s.changeSecrets(ctx, func(secrets apikey.Secrets) apikey.Secrets {
		if len(secrets) > 0 {
			return secrets
		}
		return apikey.Secrets{apikey.NewSecret()}
	})
}

// AddKeySecrets adds those that the item does not have.
func (s *Store) AddKeySecrets(ctx context.Context, secrets apikey.Secrets) error {
	_, err := s.changeSecrets(ctx, func(stored apikey.Secrets) apikey.Secrets { return stored.With(secrets) })
	return err
}

// changeSecrets replaces the secrets, on condition that nobody else has changed them since they were read. If somebody
// has, it reads them again. Secrets are only ever added.
func (s *Store) changeSecrets(
	ctx context.Context, change func(apikey.Secrets) apikey.Secrets,
) (apikey.Secrets, error) {
	const op = "changing the settings"
	var budget retryBudget
	for {
		stored, err := s.KeySecrets(ctx)
		if err != nil {
			return nil, err
		}
		changed := change(stored)
		if len(changed) == len(stored) {
			return stored, nil
		}
		in := &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Organizations,
			Key:                       keyOfSettings(),
			UpdateExpression:          aws.String("SET " + attrKeySecrets + " = :changed"),
			ConditionExpression:       aws.String("attribute_not_exists(" + attrKeySecrets + ")"),
			ExpressionAttributeValues: item{":changed": encodeSecrets(changed)},
		}
		if len(stored) > 0 {
			in.ConditionExpression = aws.String(attrKeySecrets + " = :stored")
			in.ExpressionAttributeValues[":stored"] = encodeSecrets(stored)
		}
		_, err = s.sdk.UpdateItem(ctx, in)
		var other *types.ConditionalCheckFailedException
		if err == nil {
			return changed, nil
		}
		if !errors.As(err, &other) {
			return nil, translate(op, err)
		}
		if err := budget.spend(ctx, op, false); err != nil {
			return nil, err
		}
	}
}
