package subjects

import (
	"net/http"
	"testing"

	"organizations-api/contracttests"
	"organizations-api/shared/store/dynamo/faultproxy"
)

// faultyEndpoint returns the URL of a DynamoDB in a state. Whatever it does answer comes from the one behind it.
func faultyEndpoint(t testing.TB, behind string, fault contracttests.Fault) string {
	t.Helper()
	refused := func(code string) faultproxy.Fault {
		return faultproxy.RefuseSaying(http.StatusBadRequest, code, contracttests.FaultText)
	}
	plans := map[contracttests.Fault]faultproxy.Plan{
		contracttests.FaultBroken:      faultproxy.Always(refused("AccessDeniedException")),
		contracttests.FaultUnavailable: faultproxy.Always(refused("ThrottlingException")),
		contracttests.FaultWrites:      faultproxy.On("TransactWriteItems", refused("ThrottlingException")),
	}
	return faultproxy.Start(t, behind, plans[fault]).URL
}
