package boot

import (
	"net/http"
	"sync/atomic"
	"testing"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store/dynamo/dynamotest"
)

// TestOneRoundTrip: a function that knows a key has the read and the count on their way at the same time: the proxy
// holds the read's reply until the count is there. The first request of a new function sends one call after the other,
// over one connection.
func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	for _, r := range []request{{method: "GET"}, {method: "PATCH", body: `{"organization_name":"B"}`}} {
		w := newFaultyWorld(t)
		if n := w.proxy.Connections(); n != 2 {
			t.Errorf("two new functions have opened %d connections, want 2", n)
		}
		var under, most atomic.Int64
		w.proxy.Follow(func(dynamotest.Call) dynamotest.Fault {
			most.Store(max(most.Load(), under.Add(1)))
			return dynamotest.After(func() { under.Add(-1) })
		})
		if got := w.do(t, r); got.StatusCode != http.StatusOK || most.Load() != 1 {
			t.Errorf("the first %s = %d %s with %d calls at once, want 200 with one", r.method, got.StatusCode, got.Body, most.Load())
		}
		if n := w.proxy.Connections(); n != 2 {
			t.Errorf("after the first %s there are %d connections, want 2", r.method, n)
		}
		gate := dynamotest.NewGate()
		w.proxy.Follow(func(c dynamotest.Call) dynamotest.Fault {
			switch c.Operation {
			case readCall:
				return dynamotest.HoldReply(gate)
			case countCall:
				<-gate.Arrived() // the read is at DynamoDB, and its reply is held
				gate.Open()
			}
			return dynamotest.Pass()
		})
		if got := w.do(t, r); got.StatusCode != http.StatusOK || got.Headers["X-Ratelimit-Limit"] == "" {
			t.Errorf("the second %s = %d %s, want 200, and counted", r.method, got.StatusCode, got.Body)
		}
		if reads, counts := w.proxy.Calls(readCall), w.proxy.Calls(countCall); reads != 1 || counts != 1 {
			t.Errorf("the second %s made %d reads and %d counts, want one of each", r.method, reads, counts)
		}
	}
}

// TestLeasesCostLess: with a high limit, a hundred requests of a function in one minute are eight counts: of 1, 1, 2,
// 4, 8, 16, 32 and 64.
func TestLeasesCostLess(t *testing.T) {
	t.Parallel()
	awaitRoomInHour(t)
	const requests, counts = 100, 8
	w := newFaultyWorld(t)
	made := w.newSmallTenant(t, func(o *organization.Organization) { o.Override = organization.RateLimits{Metadata: 100_000} })
	send := func() string {
		got := w.send(t, request{method: "GET", key: made.keys[apikey.Admin].Reveal()})
		if got.StatusCode != http.StatusOK || got.Headers["X-Ratelimit-Limit"] != "100000" {
			t.Fatalf("GET = %d %v, want 200, and counted", got.StatusCode, got.Headers)
		}
		return got.Headers["X-Ratelimit-Reset"]
	}
	send() // notes the use of the key
	w.proxy.Follow(dynamotest.Clean())
	minutes := map[string]bool{}
	for range requests {
		minutes[send()] = true
	}
	if n := w.proxy.Calls(countCall); n < 4 || n > counts*len(minutes) {
		t.Errorf("%d requests in %d minutes made %d counts, want at most %d in each", requests, len(minutes), n, counts)
	}
	if n := w.proxy.Calls(readCall); n != requests {
		t.Errorf("%d requests made %d reads, want each its own", requests, n)
	}
}
