package dynamo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// findingOf returns what Examine finds of the check.
func findingOf(t *testing.T, found []store.Finding, check string) store.Finding {
	t.Helper()
	for _, f := range found {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("Examine does not check %q: %+v", check, found)
	return store.Finding{}
}

// TestExamineWrites: Examine writes, removes what it wrote also if the reply was lost, and fails if either fails.
func TestExamineWrites(t *testing.T) {
	t.Parallel()
	open(t) // makes the tables, should no other test have come first
	lost := dynamotest.LoseReply()
	for name, test := range map[string]struct {
		faults []dynamotest.Fault // of the attempts, in their order
		level  store.Level
		detail string
		calls  int
		left   int // items
	}{
		"no fault":     {nil, store.OK, "possible within", 2, 0},
		"lost replies": {[]dynamotest.Fault{lost, lost, lost}, store.Fail, "cannot be reached", 4, 0},
		"throttled":    {[]dynamotest.Fault{dynamotest.Cancel("ThrottlingError", "None")}, store.OK, "possible within", 3, 0},
		"not allowed":  {[]dynamotest.Fault{dynamotest.Refuse(400, "AccessDeniedException")}, store.Warn, "may not", 1, 0},
		"refused": {[]dynamotest.Fault{dynamotest.RefuseSaying(400, "ItemCollectionSizeLimitExceededException", "full")},
			store.Fail, "DynamoDB answers ItemCollectionSizeLimitExceededException: full", 1, 0},
		"no removal": {[]dynamotest.Fault{dynamotest.Pass(), dynamotest.Refuse(400, "ValidationException")},
			store.Fail, "removing the item with the key DOCTOR", 2, 2},
	} {
		before := probes(t)
		s, proxy := openBehind(t, dynamotest.First("TransactWriteItems", test.faults...))
		got := findingOf(t, s.Examine(t.Context(), time.Now), "writing")
		if got.Level != test.level || !strings.Contains(got.Detail, test.detail) || strings.Contains(got.Detail, "operation error") {
			t.Errorf("%s: writing is %+v, want %s and %q", name, got, test.level, test.detail)
		}
		if n := proxy.Calls("TransactWriteItems"); n != test.calls {
			t.Errorf("%s: %d transactions, want %d", name, n, test.calls)
		}
		if left := probes(t) - before; left != test.left {
			t.Errorf("%s: %d items are left, want %d", name, left, test.left)
		}
	}
}

// probes counts the items of Examine in both tables.
func probes(t *testing.T) (items int) {
	t.Helper()
	settings := dynamotest.Settings(t, prefix())
	client := dynamodb.New(dynamodb.Options{Region: settings.Region, Credentials: settings.Credentials, BaseEndpoint: &settings.Endpoint})
	for _, table := range []string{settings.Tables.Organizations, settings.Tables.Counters} {
		out, err := client.Query(t.Context(), &dynamodb.QueryInput{
			TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :doctor"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":doctor": &types.AttributeValueMemberS{Value: "DOCTOR"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		items += len(out.Items)
	}
	return items
}
