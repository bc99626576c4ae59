package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// CreateTables creates the tables that are missing, on a local endpoint, and the secret for keys. In AWS, the template
// creates the tables, and the first key makes the secret. It returns when both tables can be used.
func (s *Store) CreateTables(ctx context.Context) error {
	for _, table := range []string{s.tables.Organizations, s.tables.Counters} {
		if err := s.createTable(ctx, table); err != nil {
			return err
		}
	}
	if err := s.enableTTL(ctx); err != nil {
		return err
	}
	_, err := s.EnsureKeySecrets(ctx)
	return err
}

// enableTTL has DynamoDB remove counters by themselves.
func (s *Store) enableTTL(ctx context.Context) error {
	if enabled, err := s.hasTTL(ctx); enabled || err != nil {
		return err
	}
	_, err := s.sdk.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
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
		return nil // another process was faster, and DynamoDB refuses to enable it twice
	}
	return translate("setting the time to live of "+s.tables.Counters, err)
}

func (s *Store) hasTTL(ctx context.Context) (bool, error) {
	out, err := s.sdk.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &s.tables.Counters})
	if err != nil {
		return false, translate("reading the time to live of "+s.tables.Counters, err)
	}
	d := out.TimeToLiveDescription
	return d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled ||
		d.TimeToLiveStatus == types.TimeToLiveStatusEnabling), nil
}

func (s *Store) createTable(ctx context.Context, table string) error {
	_, err := s.sdk.CreateTable(ctx, &dynamodb.CreateTableInput{
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
	waiter := dynamodb.NewTableExistsWaiter(s.sdk, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = 100 * time.Millisecond
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, longest); err != nil {
		return fmt.Errorf("waiting for table %s: %w", table, err)
	}
	return nil
}

// Examine checks the endpoint, its clock, the tables and their settings, and reads and writes as requests do. It does
// not read or change the data in the tables. It writes an item of its own, and removes it.
func (s *Store) Examine(ctx context.Context, now func() time.Time) []store.Finding {
	const check = "endpoint"
	date, err := s.knock(ctx)
	if err != nil {
		return []store.Finding{
			store.Broken(check, s.endpoint+" does not answer: "+err.Error(), "check the network and the region; another endpoint "+
				"than the region's is set by AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or a profile's endpoint_url"),
		}
	}
	found := []store.Finding{store.Healthy(check, s.endpoint+" answers"), examineClock(date, now())}
	for _, table := range []string{s.tables.Organizations, s.tables.Counters} {
		found = append(found, s.examineTable(ctx, table)...)
	}
	return append(found, s.examineTTL(ctx), s.examineReading(ctx), s.examineWriting(ctx))
}

// examineClock compares the clocks. AWS refuses signatures that are more than five minutes off ("Elements of an AWS
// API request signature" in the IAM User Guide). A Date header has whole seconds.
func examineClock(theirs, ours time.Time) store.Finding {
	const (
		check     = "clock"
		refused   = 5 * time.Minute
		tolerated = 5 * time.Second
	)
	if theirs.IsZero() {
		return store.Healthy(check, "the endpoint does not say what time it is")
	}
	off := ours.Sub(theirs).Round(time.Second).Abs()
	detail := fmt.Sprintf("%s from the endpoint's", off)
	switch advice := "set the clock of this machine"; {
	case off >= refused:
		return store.Broken(check, detail, advice)
	case off > tolerated:
		return store.Doubtful(check, detail, advice)
	default:
		return store.Healthy(check, detail)
	}
}

// examineTable looks at one table, and in AWS also at how it is protected.
func (s *Store) examineTable(ctx context.Context, name string) []store.Finding {
	check := "table " + name
	out, err := s.sdk.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return []store.Finding{lookFailed(check, "dynamodb:DescribeTable", translate("describing it", err))}
	}
	table := out.Table
	switch {
	case table.TableStatus != types.TableStatusActive && table.TableStatus != types.TableStatusUpdating:
		return []store.Finding{store.Broken(check, "it is "+string(table.TableStatus), "wait until it is ACTIVE")}
	case !hasKeys(table):
		return []store.Finding{store.Broken(check, "its key is not "+partitionKey+" and "+sortKey+", both strings",
			"it belongs to something else; choose another prefix")}
	}
	found := []store.Finding{store.Healthy(check, "it is "+string(table.TableStatus))}
	if recovery, isAWS := s.examineRecovery(ctx, name); isAWS {
		found = append(found, recovery, examineProtection(table))
	}
	return found
}

// hasKeys reports whether the table has our partition key and sort key.
func hasKeys(table *types.TableDescription) bool {
	stringKeys := make(map[string]bool)
	for _, a := range table.AttributeDefinitions {
		stringKeys[*a.AttributeName] = a.AttributeType == types.ScalarAttributeTypeS
	}
	schema := table.KeySchema
	return len(schema) == 2 && *schema[0].AttributeName == partitionKey && *schema[1].AttributeName == sortKey &&
		stringKeys[partitionKey] && stringKeys[sortKey]
}

// examineRecovery looks at point-in-time recovery. DynamoDB Local does not know that operation, and needs no
// recovery.
func (s *Store) examineRecovery(ctx context.Context, table string) (f store.Finding, isAWS bool) {
	check := "recovery of " + table
	out, err := s.sdk.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &table})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "UnknownOperationException" {
		return f, false
	}
	if err != nil {
		return lookFailed(check, "dynamodb:DescribeContinuousBackups", translate("asking for it", err)), true
	}
	recovery := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	if recovery == nil || recovery.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return store.Doubtful(check, "point-in-time recovery is off",
			"turn it on; what is overwritten is lost without it"), true
	}
	return store.Healthy(check, "point-in-time recovery is on"), true
}

func examineProtection(table *types.TableDescription) store.Finding {
	check := "protection of " + *table.TableName
	if table.DeletionProtectionEnabled == nil || !*table.DeletionProtectionEnabled {
		return store.Doubtful(check, "the table can be deleted", "turn its deletion protection on")
	}
	return store.Healthy(check, "deletion protection is on")
}

func (s *Store) examineTTL(ctx context.Context) store.Finding {
	const check = "time to live"
	enabled, err := s.hasTTL(ctx)
	switch {
	case err != nil:
		return lookFailed(check, "dynamodb:DescribeTimeToLive", err)
	case !enabled:
		return store.Doubtful(check, "it is off for "+s.tables.Counters,
			"turn it on for the attribute "+attrTTL+"; old counts stay for ever without it")
	default:
		return store.Healthy(check, "it is on for "+s.tables.Counters)
	}
}

// examineReading asks for an organization that does not exist, in the way a request asks.
func (s *Store) examineReading(ctx context.Context) store.Finding {
	const check = "reading"
	begun := time.Now()
	_, err := s.Find(ctx, organization.NewID(), apikey.Hash{})
	if store.KindOf(err) != store.NotFound {
		return lookFailed(check, "dynamodb:GetItem", err)
	}
	return store.Healthy(check, fmt.Sprintf("possible within %d ms", time.Since(begun).Milliseconds()))
}

// probePartition is the partition of the items that examineWriting makes. No organization has it.
const probePartition = "DOCTOR"

// examineWriting makes an item in both tables, by a transaction as changes of organizations are, and removes both.
func (s *Store) examineWriting(ctx context.Context) store.Finding {
	const (
		check       = "writing"
		removalTime = 5 * time.Second
	)
	begun := time.Now()
	probe := item{partitionKey: str(probePartition), sortKey: str(base62.Random(13))} // two commands do not meet
	it := maps.Clone(probe)
	it[attrTTL] = num(begun.Add(time.Hour).Unix()) // removes what stays in the table that has a time to live
	var puts, deletes []types.TransactWriteItem
	for _, table := range []*string{&s.tables.Organizations, &s.tables.Counters} {
		puts = append(puts, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: it}})
		deletes = append(deletes, types.TransactWriteItem{Delete: &types.Delete{TableName: table, Key: probe}})
	}
	err := s.writeProbe(ctx, "writing an item", puts)
	if err == nil || mayHaveTakenEffect(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTime)
		defer cancel()
		err = cmp.Or(err, s.writeProbe(ctx, "removing the item with the key "+probePartition, deletes))
	}
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return store.Doubtful(check, "the credentials may not; the functions have permissions of their own",
			"to change anything with this command, allow them dynamodb:PutItem and dynamodb:DeleteItem on both tables")
	case err != nil:
		return lookFailed(check, "dynamodb:PutItem", err)
	}
	return store.Healthy(check, fmt.Sprintf("possible within %d ms", time.Since(begun).Milliseconds()))
}

func (s *Store) writeProbe(ctx context.Context, op string, items []types.TransactWriteItem) error {
	reasons, err := s.writeTransaction(ctx, op, items)
	if reasons != nil {
		return translate(op, reasons.err)
	}
	return err
}

// lookFailed returns the finding if the look itself failed with err. action is what the credentials must be allowed
// to do. If they are not allowed to look, the thing itself may still be in order.
func lookFailed(check, action string, err error) store.Finding {
	var api smithy.APIError
	switch {
	case errors.Is(err, ErrNoTable):
		return store.Broken(check, "the table does not exist",
			"create it: locally with orgs tables create, in AWS with the stack")
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		if action == "dynamodb:GetItem" {
			return store.Broken(check, "the credentials may not", "allow them "+action)
		}
		return store.Doubtful(check, "the credentials may not look at it", "allow them "+action)
	case errors.As(err, &api) && slices.Contains(credentialErrors, api.ErrorCode()):
		return store.Broken(check, "the credentials are not accepted: "+api.ErrorCode(), "sign in again, or use others")
	default:
		return store.Broken(check, err.Error(), "try again; if it stays, the message says what AWS thinks")
	}
}

// credentialErrors are the error codes that are about the credentials (Common Errors in the API reference of
// DynamoDB).
var credentialErrors = []string{
	"ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException",
	"MissingAuthenticationToken", "UnrecognizedClientException",
}
