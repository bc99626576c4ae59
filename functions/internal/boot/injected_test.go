package boot

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/apikey"
	"organizations-api/shared/openapi"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// kindOfFault is a fault and what the service makes of it.
type kindOfFault struct {
	fault dynamotest.Fault
	// reached says that the call takes effect all the same.
	reached bool
	// status is the answer where the fault lasts; 0: the fault harms nobody.
	status int
	// final says that nothing is tried again after it.
	final bool
}

// faultKinds are the faults that any call can meet.
func faultKinds() []kindOfFault {
	return []kindOfFault{
		{dynamotest.Slow(20 * time.Millisecond), true, 0, false},
		{dynamotest.Throttle(), false, 503, false},
		{dynamotest.Refuse(400, "ProvisionedThroughputExceededException"), false, 503, false},
		{dynamotest.Refuse(400, "RequestLimitExceeded"), false, 503, false},
		{dynamotest.Refuse(500, "InternalServerError"), false, 503, false},
		{dynamotest.Refuse(503, "ServiceUnavailable"), false, 503, false},
		{dynamotest.Fail(500), false, 503, false},
		{dynamotest.Fail(502), false, 503, false},
		{dynamotest.Fail(503), false, 503, false},
		{dynamotest.Drop(), false, 503, false},
		{dynamotest.LoseReply(), true, 503, false},
		{dynamotest.CutReply(), true, 503, false},
		{dynamotest.HalfReply(), true, 503, false},
		{dynamotest.Garble(), true, 503, false},
		{dynamotest.Refuse(400, "ExpiredTokenException"), false, 500, true},
		{dynamotest.Refuse(400, "UnrecognizedClientException"), false, 500, true},
		{dynamotest.Refuse(400, "AccessDeniedException"), false, 500, true},
		{dynamotest.Refuse(400, "InvalidSignatureException"), false, 500, true},
		{dynamotest.Refuse(400, "ResourceNotFoundException"), false, 500, true},
		{dynamotest.Refuse(400, "ValidationException"), false, 500, true},
	}
}

// writeKinds are the faults that only a transaction can meet.
func writeKinds() []kindOfFault {
	return []kindOfFault{
		{dynamotest.Refuse(400, "TransactionInProgressException"), false, 503, false},
		{dynamotest.Cancel("TransactionConflict", "None"), false, 503, false},
		{dynamotest.Cancel("ThrottlingError", "None"), false, 503, false},
		{dynamotest.Cancel("ProvisionedThroughputExceeded", "None"), false, 503, false},
		{dynamotest.Cancel("None", "ValidationError"), false, 500, true},
	}
}

// The calls that the operations make.
const (
	readCall  = "GetItem"
	countCall = "UpdateItem"
	writeCall = "TransactWriteItems"
)

const mayHaveWorked = "It may have taken effect: read the organization before trying again."

var contract = sync.OnceValues(func() (*judge.Validator, error) {
	v, err := judge.New(openapi.YAML)
	if err != nil {
		return nil, err
	}
	return v.With(harness.OrganizationRules()...), nil
})

// faultyWorld is the functions before a DynamoDB that meets faults, and an organization that has met none yet.
type faultyWorld struct {
	*world
	proxy  *dynamotest.Proxy
	tenant tenant
	key    string
}

func newFaultyWorld(t *testing.T) *faultyWorld {
	t.Helper()
	sound := newWorld(t)
	proxy := dynamotest.StartProxy(t, dynamotest.Endpoint(t), dynamotest.Clean())
	w := &faultyWorld{world: worldAt(t, proxy.URL), proxy: proxy, tenant: sound.newSmallTenant(t, nil)}
	w.store, w.key = sound.store, w.tenant.keys[apikey.Admin].Reveal()
	return w
}

// do sends a request, and holds the answer to the contract and to what every error must have.
func (w *faultyWorld) do(t *testing.T, r request) events.APIGatewayV2HTTPResponse {
	t.Helper()
	r.key = w.key
	got := w.send(t, r)
	checkContract(t, r, got)
	if (got.StatusCode == http.StatusServiceUnavailable) != (got.Headers["Retry-After"] != "") {
		t.Errorf("%s = %d with Retry-After %q", r.method, got.StatusCode, got.Headers["Retry-After"])
	}
	return got
}

func checkContract(t *testing.T, r request, got events.APIGatewayV2HTTPResponse) {
	t.Helper()
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for name, value := range got.Headers {
		header.Set(name, value)
	}
	for _, violation := range v.Check(judge.Exchange{
		Request:  judge.Request{Method: r.method, URL: "/v1/organizations", Body: []byte(r.body)},
		Response: judge.Response{Status: got.StatusCode, Header: header, Body: []byte(got.Body)},
	}) {
		t.Errorf("%s = %d %s: %v", r.method, got.StatusCode, got.Body, violation)
	}
}

func codeOf(got events.APIGatewayV2HTTPResponse) (code, message string) {
	var body struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal([]byte(got.Body), &body) // the contract has judged it
	return body.Error.Code, body.Error.Message
}

// checkRefused wants the answer to a lasting fault.
func (k kindOfFault) checkRefused(t *testing.T, got events.APIGatewayV2HTTPResponse) {
	t.Helper()
	want := map[int]string{503: "store_unavailable", 500: "internal"}[k.status]
	if code, _ := codeOf(got); got.StatusCode != k.status || code != want {
		t.Errorf("the answer is %d %s, want %d %s", got.StatusCode, got.Body, k.status, want)
	}
}

// atOnce runs the test for every kind at the same time: they wait for the SDK's pauses, and not for a processor.
func atOnce(t *testing.T, kinds []kindOfFault, test func(*testing.T, kindOfFault)) {
	t.Helper()
	var all sync.WaitGroup
	defer all.Wait()
	for _, kind := range kinds {
		all.Go(func() { t.Run(kind.fault.Name, func(t *testing.T) { test(t, kind) }) })
	}
}

// changes returns how many changes the organization has seen, by its record, which its audit trail must confirm.
func (w *faultyWorld) changes(t *testing.T) int64 {
	t.Helper()
	o, _, err := w.store.Get(t.Context(), w.tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	entries, _, err := w.store.Audit(t.Context(), w.tenant.ID, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	updates := 0
	for _, e := range entries {
		if e.Action == store.Updated {
			updates++
		}
	}
	if int64(updates) != o.Version {
		t.Errorf("the record has version %d and the audit trail %d changes", o.Version, updates)
	}
	return o.Version
}

// TestReadsMeetFaults: a read tries again, and where a fault lasts, the answer says what it is.
func TestReadsMeetFaults(t *testing.T) {
	t.Parallel()
	atOnce(t, faultKinds(), func(t *testing.T, kind kindOfFault) {
		w := newFaultyWorld(t)
		for _, r := range []request{{method: "GET"}, {method: "PATCH", body: `{}`}} {
			if !kind.final {
				w.proxy.Follow(dynamotest.First(readCall, kind.fault))
				if got := w.do(t, r); got.StatusCode != http.StatusOK {
					t.Errorf("%s with one fault = %d %s, want 200", r.method, got.StatusCode, got.Body)
				}
			}
			w.proxy.Follow(dynamotest.On(readCall, kind.fault))
			if got := w.do(t, r); kind.status != 0 {
				kind.checkRefused(t, got)
			}
		}
		w.checkErrorLines(t, kind, 2)
	})
}

// checkErrorLines wants a line for each request that ended in a 5xx, with its cause and no secret.
func (w *faultyWorld) checkErrorLines(t *testing.T, kind kindOfFault, want int) {
	t.Helper()
	if kind.status == 0 {
		want = 0
	}
	logs := w.logs.String()
	if n := strings.Count(logs, `"level":"ERROR"`); n != want {
		t.Errorf("%d errors logged, want %d:\n%s", n, want, logs)
	}
	for _, secret := range secretsOf(w.tenant) {
		if strings.Contains(logs, secret) {
			t.Errorf("the log has a secret that starts with %.8s", secret)
		}
	}
}

// TestCountsMeetFaults: a count is made once, whatever becomes of it, and its loss costs the caller nothing.
func TestCountsMeetFaults(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	atOnce(t, faultKinds(), func(t *testing.T, kind kindOfFault) {
		w := newFaultyWorld(t)
		for _, r := range []request{{method: "GET"}, {method: "PATCH", body: `{}`}} {
			w.do(t, r) // from here on it is known that the key is used, and UpdateItem is the count alone
			w.proxy.Follow(dynamotest.On(countCall, kind.fault))
			got := w.do(t, r)
			counted := got.Headers["X-Ratelimit-Limit"] != ""
			if got.StatusCode != http.StatusOK || counted != (kind.status == 0) {
				t.Errorf("%s = %d %v, want 200 and limits: %v", r.method, got.StatusCode, got.Headers, kind.status == 0)
			}
			if n := w.proxy.Calls(countCall); n != 1 {
				t.Errorf("%d counts for one request", n)
			}
		}
	})
}

// TestNotesMeetFaults: that a key is used is noted once, after the count, and its loss costs the caller nothing either. The
// log has it once, and for a minute it is not tried again.
func TestNotesMeetFaults(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	atOnce(t, faultKinds(), func(t *testing.T, kind kindOfFault) {
		w := newFaultyWorld(t)
		w.proxy.Follow(dynamotest.On(countCall, kind.fault))
		for i, calls := range []int{2, 1} { // the note and the count, and the count alone
			before := w.proxy.Calls(countCall)
			if got := w.do(t, request{method: "GET"}); got.StatusCode != http.StatusOK {
				t.Errorf("GET %d = %d %s, want 200", i, got.StatusCode, got.Body)
			}
			if n := w.proxy.Calls(countCall) - before; n != calls {
				t.Errorf("GET %d made %d calls of %s, want %d", i, n, countCall, calls)
			}
		}
		// A slow note may come in time, and may not.
		if n := strings.Count(w.logs.String(), `"use_error"`); n > 1 || n == 0 && kind.status != 0 {
			t.Errorf("%d lines say that the use was not noted, want 1:\n%s", n, w.logs)
		}
	})
}

// TestWritesMeetFaults: no fault has a change made twice, none has it denied when it was made.
func TestWritesMeetFaults(t *testing.T) {
	t.Parallel()
	atOnce(t, append(faultKinds(), writeKinds()...), func(t *testing.T, kind kindOfFault) {
		w := newFaultyWorld(t)
		made := int64(0)
		if !kind.final {
			w.proxy.Follow(dynamotest.First(writeCall, kind.fault))
			if got := w.do(t, request{method: "PATCH", body: `{"organization_name":"After one fault"}`}); got.StatusCode != http.StatusOK {
				t.Errorf("PATCH with one fault = %d %s, want 200", got.StatusCode, got.Body)
			}
			made++
		}
		if n := w.changes(t); n != made {
			t.Errorf("%d changes were made, want %d", n, made)
		}
		w.checkLastingFault(t, kind, made)
	})
}

// checkLastingFault changes the organization while every write meets the fault, and then by the same request without.
func (w *faultyWorld) checkLastingFault(t *testing.T, kind kindOfFault, made int64) {
	t.Helper()
	change := request{method: "PATCH", body: `{"organization_name":"Under a lasting fault"}`}
	w.proxy.Follow(dynamotest.On(writeCall, kind.fault))
	got := w.do(t, change)
	if kind.status != 0 {
		kind.checkRefused(t, got)
		if _, message := codeOf(got); !strings.Contains(message, mayHaveWorked) {
			t.Errorf("PATCH = %d %q, want to be told: %s", got.StatusCode, message, mayHaveWorked)
		}
	}
	if kind.reached {
		made++
	}
	if n := w.changes(t); n != made {
		t.Errorf("%d changes were made, want %d", n, made)
	}
	w.proxy.Follow(dynamotest.Clean())
	if !kind.reached {
		made++
	}
	if again := w.do(t, change); again.StatusCode != http.StatusOK {
		t.Errorf("PATCH once more = %d %s, want 200", again.StatusCode, again.Body)
	}
	if n := w.changes(t); n != made {
		t.Errorf("%d changes were made after the same request once more, want %d", n, made)
	}
}

// TestDoubtLasts: an attempt may still be on its way when the next one is refused. What the refusal says is then not the
// whole truth, and the caller is told so.
func TestDoubtLasts(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]dynamotest.Fault{
		"conflict":      dynamotest.Cancel("TransactionConflict", "None"),
		"expired token": dynamotest.Refuse(400, "ExpiredTokenException"),
		"no permission": dynamotest.Refuse(400, "AccessDeniedException"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFaultyWorld(t)
			etag := w.do(t, request{method: "GET"}).Headers["Etag"]
			w.proxy.Follow(dynamotest.First(writeCall, dynamotest.LoseReply(), refusal))
			got := w.do(t, request{method: "PATCH", body: `{"organization_name":"In doubt"}`, header: map[string]string{"if-match": etag}})
			if _, message := codeOf(got); got.StatusCode < 500 || !strings.Contains(message, mayHaveWorked) {
				t.Errorf("PATCH = %d %s, want an error that says: %s", got.StatusCode, got.Body, mayHaveWorked)
			}
			if n := w.changes(t); n != 1 {
				t.Errorf("%d changes were made, want 1", n)
			}
		})
	}
}

// TestLateWritesAreDoubtful: a change that reaches DynamoDB after its caller was answered has not been denied.
func TestLateWritesAreDoubtful(t *testing.T) {
	t.Parallel()
	w := newFaultyWorld(t)
	w.proxy.Follow(dynamotest.On(writeCall, dynamotest.Late(2*time.Second)))
	got := w.do(t, request{method: "PATCH", body: `{"organization_name":"Late"}`})
	if _, message := codeOf(got); got.StatusCode != 503 || !strings.Contains(message, mayHaveWorked) {
		t.Errorf("PATCH = %d %s, want a 503 that says: %s", got.StatusCode, got.Body, mayHaveWorked)
	}
	w.proxy.Settle()
	if n := w.changes(t); n != 1 {
		t.Errorf("%d changes were made by the attempts of one request, want 1", n)
	}
}
