package subjects

import (
	"net/http"
	"testing"

	"organizations-api/contracttests"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// faultyEndpoint returns the URL of a DynamoDB in a state. Whatever it does answer comes from the one behind it.
func faultyEndpoint(t testing.TB, behind string, fault contracttests.Fault) string {
	t.Helper()
	refused := func(code string) dynamotest.Fault {
		return dynamotest.RefuseSaying(http.StatusBadRequest, code, contracttests.FaultText)
	}
	plans := map[contracttests.Fault]dynamotest.Plan{
		contracttests.FaultBroken:      dynamotest.Always(refused("AccessDeniedException")),
		contracttests.FaultUnavailable: dynamotest.Always(refused("ThrottlingException")),
		contracttests.FaultWrites:      dynamotest.On("TransactWriteItems", refused("ThrottlingException")),
	}
	return dynamotest.StartProxy(t, behind, plans[fault]).URL
}
