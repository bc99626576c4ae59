package boot

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"organizations-api/local/lambda"
	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// asFunction names the variable that makes the test binary run as a function.
const asFunction = "ORGS_TEST_AS_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		Main((*api.Service).GetOrganization)
	}
	os.Exit(m.Run())
}

// awaited is a log in which a test waits for a text.
type awaited struct {
	mutex sync.Mutex
	text  strings.Builder
	want  string
	found chan struct{}
}

func (a *awaited) Write(p []byte) (int, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	before := strings.Contains(a.text.String(), a.want)
	a.text.Write(p)
	if !before && strings.Contains(a.text.String(), a.want) {
		close(a.found)
	}
	return len(p), nil
}

// TestLibrariesLogNothing: what a DynamoDB sends that nobody asked for is quoted by Go's own logger. It must not reach
// the log, which has a line of ours in its place.
func TestLibrariesLogNothing(t *testing.T) {
	t.Parallel()
	const secret = "int_0123456789ABCDEFGHIJK"
	endpoint := dynamotest.StartUnasked(t, secret+`{"internal_id":{"S":"`+secret+`"}}`)
	logs := &awaited{want: "a library logged a text", found: make(chan struct{})}
	tables := dynamo.TablesWithPrefix("p")
	f, err := lambda.NewFunction(lambda.Settings{
		Bootstrap: os.Args[0], Name: "get-organization", Region: "us-east-1", Timeout: functionTimeout, Output: logs,
		Credentials: lambda.Credentials{AccessKeyID: "local", SecretAccessKey: "local"},
		Variables: map[string]string{
			envOrganizationsTable: tables.Organizations, envCountersTable: tables.Counters, envEndpoint: endpoint, asFunction: "1",
		},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	event, err := json.Marshal(request{method: "GET", key: apikey.New(organization.NewID(), apikey.Live, apikey.NewSecret()).Reveal()}.event(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, err := f.Invoke(ctx, event)
	if err != nil || !strings.Contains(string(answer), `"statusCode":401`) {
		t.Errorf("Invoke = %s, %v, want a 401", answer, err)
	}
	select {
	case <-logs.found:
	case <-ctx.Done():
		t.Error("there is no line that a library logged something")
	}
	logs.mutex.Lock()
	defer logs.mutex.Unlock()
	for line := range strings.Lines(logs.text.String()) {
		if !json.Valid([]byte(line)) || strings.Contains(line, secret) || strings.Contains(line, "Unsolicited") {
			t.Errorf("the log has the line %q, want JSON of ours", line)
		}
	}
}
