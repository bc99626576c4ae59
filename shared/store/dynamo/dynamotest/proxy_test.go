package dynamotest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// backend is a DynamoDB that answers everything and counts what it is asked.
func backend(t *testing.T, answer string) (url string, delivered *atomic.Int64) {
	t.Helper()
	delivered = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		delivered.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.Header().Set(checksumHeader, "1")
		_, _ = io.WriteString(w, strings.ReplaceAll(answer, "BODY", string(body)))
	}))
	t.Cleanup(server.Close)
	return server.URL, delivered
}

// ask makes a call and returns the response. Status 0 means that there was none.
func ask(t *testing.T, url, operation, body string) (status int, text string, whole bool) {
	t.Helper()
	return askFor(t, time.Minute, url, operation, body)
}

// askFor is ask for answers that may not come. It gives up after the time.
func askFor(t *testing.T, enough time.Duration, url, operation, body string) (status int, text string, whole bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, "", false
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response.StatusCode, string(read), err == nil
}

func TestFaults(t *testing.T) {
	t.Parallel()
	closed := NewGate()
	const whole = `{"answer":"complete"}`
	tests := []struct {
		fault     Fault
		status    int // 0: no answer
		text      string
		whole     bool
		delivered int64
	}{
		{Pass(), 200, whole, true, 1},
		{Slow(time.Millisecond), 200, whole, true, 1},
		{Hang(), 0, "", false, 0},
		{Throttle(), 400, "#ThrottlingException", true, 0},
		{Refuse(500, "InternalServerError"), 500, "#InternalServerError", true, 0},
		{Fail(503), 503, "<html>", true, 0},
		{Cancel("None", "TransactionConflict"), 400, `"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]`, true, 0},
		{Drop(), 0, "", false, 0},
		{LoseReply(), 0, "", false, 1},
		{CutReply(), 200, whole[:len(whole)/2], false, 1},
		{HalfReply(), 200, whole[:len(whole)/2], true, 1},
		{Garble(), 200, "garbage", true, 1},
		{Replace(`{"Item":{}}`), 200, `{"Item":{}}`, true, 0},
		{Late(time.Millisecond), 0, "", false, 1},
		{HoldCall(closed), 0, "", false, 0},
		{HoldReply(closed), 0, "", false, 1},
	}
	for _, test := range tests {
		t.Run(test.fault.Name, func(t *testing.T) {
			t.Parallel()
			behind, delivered := backend(t, whole)
			p := StartProxy(t, behind, Always(test.fault))
			enough := time.Minute
			if test.status == 0 {
				enough = 2 * time.Second
			}
			status, text, complete := askFor(t, enough, p.URL, "GetItem", "{}")
			p.Settle()
			if status != test.status || !strings.Contains(text, test.text) || complete != test.whole {
				t.Errorf("the answer is %d %q (whole: %v), want %d %q (%v)", status, text, complete, test.status, test.text, test.whole)
			}
			if n := delivered.Load(); n != test.delivered {
				t.Errorf("%d calls were delivered, want %d", n, test.delivered)
			}
			if n := p.Injected()[test.fault.Name]; test.fault.do != nil && n != 1 {
				t.Errorf("%d faults were counted, want 1", n)
			}
		})
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	behind, delivered := backend(t, "{}")
	gate := NewGate()
	p := StartProxy(t, behind, On("GetItem", HoldCall(gate)))
	statuses := make(chan int)
	go func() {
		status, _, _ := ask(t, p.URL, "GetItem", "{}")
		statuses <- status
	}()
	<-gate.Arrived()
	if n := delivered.Load(); n != 0 {
		t.Errorf("%d calls went through a closed gate", n)
	}
	gate.Open()
	if status := <-statuses; status != http.StatusOK {
		t.Errorf("a call after the gate opened = %d, want 200", status)
	}
}

// TestLeave: a batch is cut down to its first half, and the reply names the others.
func TestLeave(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ operation, sent, want string }{
		{"BatchWriteItem", `{"RequestItems":{"T":[1,2,3]}}`,
			`{"UnprocessedItems":{"T":[3]},"asked":{"RequestItems":{"T":[1,2]}}}`},
		{"BatchWriteItem", `{"RequestItems":{"T":[1]}}`, `{"UnprocessedItems":{},"asked":{"RequestItems":{"T":[1]}}}`},
		{"BatchGetItem", `{"RequestItems":{"T":{"Keys":[1,2],"ConsistentRead":true}}}`,
			`{"UnprocessedKeys":{"T":{"Keys":[2],"ConsistentRead":true}},"asked":{"RequestItems":{"T":{"Keys":[1],"ConsistentRead":true}}}}`},
	} {
		behind, _ := backend(t, `{"asked":BODY}`)
		_, text, _ := ask(t, StartProxy(t, behind, Always(Leave())).URL, test.operation, test.sent)
		var got, want any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("the reply is %q: %v", text, err)
		}
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.operation, test.sent, diff)
		}
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	names := func(p Plan, operation string, n int) []string {
		var all []string
		for i := range n {
			all = append(all, p(Call{Operation: operation, Number: i + 1}).Name)
		}
		return all
	}
	if diff := cmp.Diff([]string{"connection dropped", "reply lost", ""}, names(First("GetItem", Drop(), LoseReply()), "GetItem", 3)); diff != "" {
		t.Errorf("First (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", ""}, names(First("GetItem", Drop()), "Query", 2)); diff != "" {
		t.Errorf("First of another operation (-want +got):\n%s", diff)
	}
	mix := func(seed uint64) []string {
		return names(Mix(seed, 0.5, map[string][]Fault{"GetItem": {Drop(), Hang()}}), "GetItem", 1000)
	}
	if diff := cmp.Diff(mix(7), mix(7)); diff != "" {
		t.Errorf("Mix of one seed differs:\n%s", diff)
	}
	if cmp.Equal(mix(7), mix(8)) {
		t.Error("Mix of two seeds is the same")
	}
	count := map[string]int{}
	for _, name := range mix(7) {
		count[name]++
	}
	for name, near := range map[string]int{"": 500, "connection dropped": 250, "hanging": 250} {
		if n := count[name]; n < near-75 || n > near+75 {
			t.Errorf("%q is met %d times of 1000, want about %d", name, n, near)
		}
	}
}
