package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// These two do not run beside others: they are about a burst, and not about a machine that has other things to do.

func TestRateLimitIsExactSQLite(t *testing.T) {
	testRateLimitIsExact(t, newStore(t))
}

func TestRateLimitIsExactDynamoDB(t *testing.T) {
	env := newTables(t)
	must(t, env, "tables", "create")
	testRateLimitIsExact(t, env)
}

const (
	freeLimit = 20 // requests a minute of the tier free
	burst     = 200
)

// testRateLimitIsExact sends many requests at once through two gateway processes on one store. Exactly as many pass as the
// limit allows.
func testRateLimitIsExact(t *testing.T, env environment) {
	t.Helper()
	key := mustJSON[created](t, env, "create", "--name", "Northwind Video", "--tier", "free").Key.Key
	gateways := []*gatewayProcess{startProcess(t, env), startProcess(t, env)}
	client := newClient(t)
	// Another organization's burst first: what opens connections and compiles code must not be taken for a store that is ill.
	other := mustJSON[created](t, env, "create", "--name", "Fabrikam", "--tier", "free").Key.Key
	sendBurst(t, client, gateways, other)
	awaitRoomInMinute(t, patience)

	started := time.Now().Truncate(time.Minute)
	answers := sendBurst(t, client, gateways, key)
	if time.Now().Truncate(time.Minute) != started {
		t.Fatalf("%d requests took more than %v; the count is of two minutes and shows nothing", burst, patience)
	}
	for _, g := range gateways {
		g.terminate(t)
	}
	checkAnswers(t, answers, started.Add(time.Minute))
}

// sendBurst reads the key's organization many times at once, through all gateways in turn.
func sendBurst(t *testing.T, client *http.Client, gateways []*gatewayProcess, key string) []*http.Response {
	t.Helper()
	answers := make([]*http.Response, burst)
	var all sync.WaitGroup
	for i := range answers {
		url := gateways[i%len(gateways)].url + organizations
		all.Go(func() { answers[i] = get(t, client, url, key) })
	}
	all.Wait()
	return answers
}

// awaitRoomInMinute returns when at least the time given is left of the minute, by which requests are counted.
func awaitRoomInMinute(t *testing.T, room time.Duration) {
	t.Helper()
	now := time.Now()
	next := now.Truncate(time.Minute).Add(time.Minute)
	if next.Sub(now) >= room {
		return
	}
	ctx, cancel := context.WithDeadline(t.Context(), next)
	defer cancel()
	<-ctx.Done()
}

func get(t *testing.T, client *http.Client, url, key string) *http.Response {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return nil
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

// checkAnswers counts the answers and reads the headers of each.
func checkAnswers(t *testing.T, answers []*http.Response, reset time.Time) {
	t.Helper()
	statuses := map[int]int{}
	remaining := map[string]int{} // of those that passed
	for _, a := range answers {
		if a == nil {
			continue
		}
		statuses[a.StatusCode]++
		h := a.Header
		if h.Get("X-RateLimit-Limit") != strconv.Itoa(freeLimit) || h.Get("X-RateLimit-Reset") != strconv.FormatInt(reset.Unix(), 10) {
			t.Errorf("a %d has the headers %v, want the limit %d and the reset %d", a.StatusCode, h, freeLimit, reset.Unix())
		}
		if a.StatusCode == http.StatusOK {
			remaining[h.Get("X-RateLimit-Remaining")]++
			continue
		}
		seconds, err := strconv.Atoi(h.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 60 || h.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("a %d has the headers %v, want Retry-After within the minute and nothing remaining", a.StatusCode, h)
		}
	}
	if statuses[http.StatusOK] != freeLimit || statuses[http.StatusTooManyRequests] != burst-freeLimit {
		t.Errorf("statuses = %v, want %d × 200 and %d × 429", statuses, freeLimit, burst-freeLimit)
	}
	for n := range freeLimit {
		if remaining[strconv.Itoa(n)] != 1 {
			t.Errorf("%d answers say that %d requests remain, want one", remaining[strconv.Itoa(n)], n)
		}
	}
}
