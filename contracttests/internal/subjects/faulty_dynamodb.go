package subjects

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"organizations-api/contracttests"
)

// faultyEndpoint returns the URL of a DynamoDB in a state. Whatever it does answer comes from the one behind it.
func faultyEndpoint(t testing.TB, behind string, fault contracttests.Fault) string {
	t.Helper()
	u, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	working := httputil.NewSingleHostReverseProxy(u)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writes := strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems")
		switch {
		case fault == contracttests.FaultBroken:
			refuse(w, "AccessDeniedException")
		case fault == contracttests.FaultUnavailable || writes:
			refuse(w, "ThrottlingException")
		default:
			working.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// refuse answers as DynamoDB does with an error.
func refuse(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"` + contracttests.FaultText + `"}`))
}
