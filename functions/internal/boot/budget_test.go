package boot

import (
	"sync"
	"testing"
	"time"

	"organizations-api/shared/store/dynamo/dynamotest"
)

// TestTimeBudget: whatever DynamoDB does, a function answers by itself, and with the status that fits. That it does so
// in time follows from shared/api.TestTimeOfARequest and shared/lambdahttp.TestHandlerStopsBeforeLambdaDoes, which need
// no clock of the machine.
func TestTimeBudget(t *testing.T) {
	t.Parallel()
	if seconds := readTemplate(t).Globals.Function.Timeout; seconds != int(functionTimeout.Seconds()) {
		t.Fatalf("template.yaml gives a function %d s, and this test knows of %v", seconds, functionTimeout)
	}
	slow := dynamotest.Slow(500 * time.Millisecond)
	tests := map[string]struct {
		plan   dynamotest.Plan
		status map[string]int // by method
	}{
		"reads hang":     {dynamotest.On(readCall, dynamotest.Hang()), map[string]int{"GET": 503, "PATCH": 503}},
		"counts hang":    {dynamotest.On(countCall, dynamotest.Hang()), map[string]int{"GET": 200, "PATCH": 200}},
		"writes hang":    {dynamotest.On(writeCall, dynamotest.Hang()), map[string]int{"GET": 200, "PATCH": 503}},
		"all hangs":      {dynamotest.Always(dynamotest.Hang()), map[string]int{"GET": 503, "PATCH": 503}},
		"all is slow":    {dynamotest.Always(slow), map[string]int{"GET": 200, "PATCH": 200}},
		"all conflicts":  {dynamotest.On(writeCall, dynamotest.Cancel("TransactionConflict", "None")), map[string]int{"GET": 200, "PATCH": 503}},
		"races are lost": {dynamotest.On(writeCall, dynamotest.Cancel("ConditionalCheckFailed", "None")), map[string]int{"GET": 200, "PATCH": 503}},
		"counts hang and writes are slow": {func(c dynamotest.Call) dynamotest.Fault {
			return map[string]dynamotest.Fault{countCall: dynamotest.Hang(), writeCall: slow}[c.Operation]
		}, map[string]int{"GET": 200, "PATCH": 200}},
	}
	var all sync.WaitGroup // they mostly wait, so more can run at once than go test would run
	defer all.Wait()
	for name, test := range tests {
		for method, status := range test.status {
			w := newFaultyWorld(t)
			w.proxy.Follow(test.plan)
			all.Go(func() { w.checkBudget(t, name, method, status) })
		}
	}
}

func (w *faultyWorld) checkBudget(t *testing.T, name, method string, status int) {
	r := request{method: method, key: w.key, body: map[string]string{"PATCH": `{"organization_name":"B"}`}[method]}
	got := w.send(t, r)
	if checkContract(t, r, got); got.StatusCode != status {
		t.Errorf("%s: %s = %d %s, want %d", name, method, got.StatusCode, got.Body, status)
	}
}
