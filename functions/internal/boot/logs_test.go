package boot

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"organizations-api/shared/apikey"
	"organizations-api/shared/telemetry/telemetrytest"
)

// checkLogs checks the format of every request's line, and that no line has one of the secrets. It returns the statuses
// that were logged.
func (w *world) checkLogs(t *testing.T, secrets ...string) map[int]bool {
	t.Helper()
	logs := w.logs.String()
	for _, secret := range secrets {
		if secret != "" && strings.Contains(logs, secret) {
			t.Errorf("the log has a secret that starts with %.8s", secret)
		}
	}
	lines, err := telemetrytest.Lines(logs)
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[int]bool{}
	for _, line := range lines {
		if err := telemetrytest.CheckMetrics(line); err != nil {
			t.Errorf("line %v: %v", line, err)
		}
		status, _ := line["status"].(float64)
		statuses[int(status)] = true
		w.checkLine(t, line, int(status))
	}
	return statuses
}

func (w *world) checkLine(t *testing.T, line telemetrytest.Line, status int) {
	t.Helper()
	for _, name := range []string{"request_id", "operation", "route"} {
		if text, _ := line[name].(string); text == "" {
			t.Errorf("a %d has no %s: %v", status, name, line)
		}
	}
	for name, there := range map[string]bool{
		"code":            status >= 400,
		"error":           status >= 500,
		"organization_id": status != 401 && status < 500,
		"key_id":          status != 401 && status < 500,
	} {
		if (line[name] != nil) != there {
			t.Errorf("%s = %v in the line of a %d: %v", name, line[name], status, line)
		}
	}
	if _, ok := line["cold_start"].(bool); !ok {
		t.Errorf("cold_start = %v, want true or false", line["cold_start"])
	}
}

// secretsOf returns a tenant's internal identifier, its keys and their hashes.
func secretsOf(made tenant, keys ...apikey.Key) []string {
	secrets := []string{made.InternalID.Reveal()}
	for _, key := range made.keys {
		keys = append(keys, key)
	}
	for _, key := range keys {
		secrets = append(secrets, key.Reveal(), key.Hash().Hex())
	}
	return secrets
}

// TestLinesOfRequests checks the lines of four requests to two functions.
func TestLinesOfRequests(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	w := newWorld(t)
	made := w.newSmallTenant(t, nil)
	key := made.keys[apikey.Admin].Reveal()
	w.send(t, request{method: "GET", key: key})
	w.send(t, request{method: "GET", key: key})
	w.send(t, request{method: "PATCH", key: key, body: `{"organization_name":"B"}`})
	w.send(t, request{method: "GET", key: swapLast(key)})
	w.checkLogs(t, secretsOf(made)...)
	lines, err := telemetrytest.Lines(w.logs.String())
	if err != nil || len(lines) != 4 {
		t.Fatalf("%d lines, %v, want 4", len(lines), err)
	}
	const longest = 2000 // what docs/security.md promises, metrics included
	for line := range strings.Lines(w.logs.String()) {
		if len(line) > longest {
			t.Errorf("a line has %d bytes, want at most %d: %s", len(line), longest, line)
		}
	}
	for i, want := range []struct {
		cold               bool
		calls, read, write float64
	}{
		{true, 3, 1, 2},  // a consistent read of up to 4 KB, a count, and the note of a use
		{false, 2, 1, 1}, // without the note, in a warm sandbox
		{true, 4, 1, 5},  // with a note, and a transaction of two items of up to 1 KB, which cost double
		{false, 0, 0, 0}, // a mistyped key costs nothing, or a read of the settings ten seconds after the last
	} {
		l := lines[i]
		if want.calls == 0 && l["store_calls"] == 1.0 {
			want.calls, want.read = 1, 1
		}
		if l["cold_start"] != want.cold || l["store_calls"] != want.calls || l["read_units"] != want.read || l["write_units"] != want.write {
			t.Errorf("line %d = %v, want %+v", i, l, want)
		}
		if l["request_id"] != "JKJaXmPLvHcESHA=" {
			t.Errorf("line %d has the request id %v", i, l["request_id"])
		}
	}
}

// TestTraceInTheLine: the line of a request has the trace and the identifier of its invocation.
func TestTraceInTheLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.newTenant(t, nil)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	e := request{method: "GET", key: made.keys[apikey.Read].Reveal()}.event(t)
	if _, err := w.get.Handle(traced{ctx, "Root=1-67891233-abcdef012345678912345678;Sampled=1"}, e); err != nil {
		t.Fatal(err)
	}
	lines, err := telemetrytest.Lines(w.logs.String())
	if err != nil || len(lines) != 1 {
		t.Fatalf("%d lines, %v, want 1", len(lines), err)
	}
	if lines[0]["trace_id"] != "Root=1-67891233-abcdef012345678912345678;Sampled=1" || lines[0]["lambda_request_id"] != "invocation-1" {
		t.Errorf("line = %v, want the trace and the invocation", lines[0])
	}
}
