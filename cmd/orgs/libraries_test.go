package main

import (
	"encoding/json"
	"strings"
	"testing"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// TestLibrariesLogNothing: if DynamoDB sends a response that nobody asked for, Go's logger quotes it. The quotation
// must not reach the log of the gateway, which has a line of its own instead.
func TestLibrariesLogNothing(t *testing.T) {
	t.Parallel()
	const secret = "int_0123456789ABCDEFGHIJK"
	env := environment{cli.StoreVariable: "dynamodb:p", backend.EndpointVariable: dynamotest.StartUnasked(t, secret)}
	p := startProcess(t, env)
	ask(t, newClient(t), "GET", p.url+organizations, "", "")
	p.stderr.await(t, "a library logged a text")
	p.terminate(t)
	for line := range strings.Lines(p.stderr.String()) {
		if !json.Valid([]byte(line)) || strings.Contains(line, secret) || strings.Contains(line, "Unsolicited") {
			t.Errorf("the log has the line %q, want JSON of ours", line)
		}
	}
}
