package boot

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
	"organizations-api/shared/apikey"
	"organizations-api/shared/openapi"
	"organizations-api/shared/store"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// kindOfFault is a fault and how the service deals with it.
type kindOfFault struct {
	fault dynamotest.Fault
	// reached is true if the call takes effect in spite of the fault.
	reached bool
	// status is the status of the answer if every attempt has the fault. It is 0 if the fault does no harm.
	status int
	// final is true if the service does not retry after the fault.
	final bool
}

// faultKinds returns the faults that any call can have.
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

// writeKinds returns the faults that only a transaction can have.
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

// faultyWorld is the functions on a DynamoDB with faults, and an organization.
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

// do sends a request. It checks the answer by the contract, and that a 503 has Retry-After.
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
	_ = json.Unmarshal([]byte(got.Body), &body) // the contract was checked before
	return body.Error.Code, body.Error.Message
}

// checkRefused checks the answer when every attempt has the fault.
func (k kindOfFault) checkRefused(t *testing.T, got events.APIGatewayV2HTTPResponse) {
	t.Helper()
	want := map[int]string{503: "store_unavailable", 500: "internal"}[k.status]
	if code, _ := codeOf(got); got.StatusCode != k.status || code != want {
		t.Errorf("the answer is %d %s, want %d %s", got.StatusCode, got.Body, k.status, want)
	}
}

// atOnce runs the test for several kinds at the same time, as the tests mostly wait between the SDK's attempts. They are
// so few that DynamoDB Local answers each call in time on a busy machine too.
func atOnce(t *testing.T, kinds []kindOfFault, test func(*testing.T, kindOfFault)) {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(4)
	for _, kind := range kinds {
		all.Go(func() error {
			t.Run(kind.fault.Name, func(t *testing.T) { test(t, kind) })
			return nil
		})
	}
	_ = all.Wait() // the tests report their errors
}

// changes returns the number of changes by the record's version. It checks that the audit trail has the same number.
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

// TestReadsMeetFaults: a read is retried. If the fault lasts, the answer has the right status and code.
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

// checkErrorLines checks that the log has a line for each request that ended with a 5xx, and no secret.
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

// TestCountsMeetFaults: a count is never retried, and a request passes without it.
func TestCountsMeetFaults(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	atOnce(t, faultKinds(), func(t *testing.T, kind kindOfFault) {
		w := newFaultyWorld(t)
		for _, r := range []request{{method: "GET"}, {method: "PATCH", body: `{}`}} {
			w.do(t, r) // notes the use of the key, so every UpdateItem from here on is a count
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

// TestNotesMeetFaults: the note of a use is made once, after the count, and the request passes without it. A failure is
// logged once, and the note is not retried for a minute.
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
		// A slow note may or may not be in time.
		if n := strings.Count(w.logs.String(), `"use_error"`); n > 1 || n == 0 && kind.status != 0 {
			t.Errorf("%d lines say that the use was not noted, want 1:\n%s", n, w.logs)
		}
	})
}

// TestWritesMeetFaults: no change is made twice, and no answer says that a change was not made when it was.
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

// checkLastingFault sends a change while every write has the fault, and then the same change without faults.
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

// TestDoubtLasts: a lost attempt may still take effect when the next attempt is refused. The answer must then say that
// the change may have been made.
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

// TestLateWritesAreDoubtful: a write may reach DynamoDB after the answer. The answer must not say that it was not made.
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

// TestEndOfKeyUnderWay: the transaction of a PATCH is on its way to DynamoDB when the operator ends its key. Nothing is
// changed after the operator's command is done, and the caller gets the answer that the key gets from then on.
func TestEndOfKeyUnderWay(t *testing.T) {
	t.Parallel()
	for code, end := range map[string]func(w *faultyWorld, key apikey.Record) error{
		"api_key_revoked": func(w *faultyWorld, key apikey.Record) error {
			return w.store.RevokeKey(t.Context(), w.tenant.ID, key.ID, time.Now(), entry())
		},
		"api_key_expired": func(w *faultyWorld, key apikey.Record) error { // as by a rotation without an overlap
			after, err := key.Expiring(new(time.Now()))
			if err != nil {
				return err
			}
			return w.store.ChangeKey(t.Context(), w.tenant.ID, store.KeyChange{Before: key, After: after}, entry())
		},
	} {
		w := newFaultyWorld(t)
		gate := dynamotest.NewGate()
		w.proxy.Follow(dynamotest.First(writeCall, dynamotest.HoldCall(gate)))
		answer := make(chan events.APIGatewayV2HTTPResponse, 1)
		go func() { answer <- w.do(t, request{method: "PATCH", body: `{"organization_name":"Too late"}`}) }()
		<-gate.Arrived()
		_, keys, err := w.store.Get(t.Context(), w.tenant.ID)
		if err == nil {
			err = end(w, keys[0])
		}
		gate.Open()
		got := <-answer
		if err != nil {
			t.Fatal(err)
		}
		if gotCode, _ := codeOf(got); got.StatusCode != http.StatusUnauthorized || gotCode != code {
			t.Errorf("PATCH = %d %s, want 401 %s", got.StatusCode, got.Body, code)
		}
		if n := w.changes(t); n != 0 {
			t.Errorf("%d changes were made after %s, want none", n, code)
		}
	}
}
