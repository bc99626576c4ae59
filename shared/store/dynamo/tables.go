package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CreateTables creates the tables where they are missing, for a local endpoint; in AWS the template creates them. It
// returns when both can be used.
func (s *Store) CreateTables(ctx context.Context) error {
	for _, table := range []string{s.tables.Organizations, s.tables.Counters} {
		if err := s.createTable(ctx, table); err != nil {
			return err
		}
	}
	return s.enableTTL(ctx)
}

func (s *Store) enableTTL(ctx context.Context) error {
	if enabled, err := s.hasTTL(ctx); enabled || err != nil {
		return err
	}
	_, err := s.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &s.tables.Counters,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(attrTTL),
			Enabled:       aws.Bool(true),
		},
	})
	if err == nil {
		return nil
	}
	if enabled, _ := s.hasTTL(ctx); enabled {
		return nil // someone else was faster, which DynamoDB takes for a mistake
	}
	return translate("setting the time to live of "+s.tables.Counters, err)
}

func (s *Store) hasTTL(ctx context.Context) (bool, error) {
	out, err := s.client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &s.tables.Counters})
	if err != nil {
		return false, translate("reading the time to live of "+s.tables.Counters, err)
	}
	d := out.TimeToLiveDescription
	return d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling), nil
}

func (s *Store) createTable(ctx context.Context, table string) error {
	_, err := s.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(partitionKey), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sortKey), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(partitionKey), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sortKey), KeyType: types.KeyTypeRange},
		},
	})
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return translate("creating table "+table, err)
	}
	const longest = 2 * time.Minute
	waiter := dynamodb.NewTableExistsWaiter(s.client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = 100 * time.Millisecond
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, longest); err != nil {
		return fmt.Errorf("waiting for table %s: %w", table, err)
	}
	return nil
}
