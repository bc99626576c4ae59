package load

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const path = "/v1/organizations"

// caller is one closed loop and what it saw.
type caller struct {
	plan     Plan
	client   *http.Client
	number   int
	get      []time.Duration
	patch    []time.Duration
	statuses map[string]int
	err      error // the first request without an answer
}

// step runs the callers for the time of a step. The requests that are on their way at its end are waited for.
func (p Plan) step(ctx context.Context, client *http.Client, n int) (Step, error) {
	begun := time.Now()
	end := begun.Add(p.Duration)
	callers := make([]*caller, n)
	var running sync.WaitGroup
	for i := range callers {
		c := &caller{plan: p, client: client, number: i, statuses: make(map[string]int)}
		callers[i] = c
		running.Go(func() {
			for sent := 0; ctx.Err() == nil && time.Now().Before(end); sent++ {
				c.send(ctx, sent)
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return Step{}, context.Cause(ctx)
	}
	step := summary(callers, time.Since(begun))
	if p.PID == 0 {
		return step, nil
	}
	var err error
	step.Memory, err = memoryOf(p.PID)
	return step, err
}

// send sends the caller's next request: a change where the running share of changes would fall behind.
func (c *caller) send(ctx context.Context, sent int) {
	share := c.plan.PatchShare
	method, body, times := http.MethodGet, io.Reader(nil), &c.get
	if (sent+1)*share/100 > sent*share/100 {
		method, times = http.MethodPatch, &c.patch
		// Never the same twice: a change that changes nothing would cost less.
		body = strings.NewReader(fmt.Sprintf(`{"organization_name":"Load %d-%d-%d"}`, c.number, sent, time.Now().UnixNano()))
	}
	begun := time.Now()
	status, err := c.ask(ctx, method, body)
	took := time.Since(begun)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.statuses["none"]++
		if c.err == nil {
			c.err = err
		}
		return
	}
	c.statuses[fmt.Sprint(status)]++
	*times = append(*times, took)
}

// ask sends a request and reads the whole answer.
func (c *caller) ask(ctx context.Context, method string, body io.Reader) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.plan.URL, "/")+path, body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+c.plan.Keys[c.number%len(c.plan.Keys)])
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode, err
}

// summary puts together what the callers saw.
func summary(callers []*caller, took time.Duration) Step {
	step := Step{Callers: len(callers), Statuses: make(map[string]int)}
	var get, patch []time.Duration
	for _, c := range callers {
		get, patch = append(get, c.get...), append(patch, c.patch...)
		for status, n := range maps.All(c.statuses) {
			step.Statuses[status] += n
			step.Requests += n
			if status != "200" {
				step.Failed += n
			}
		}
		if c.err != nil && step.FirstError == "" {
			step.FirstError = c.err.Error()
		}
	}
	step.Throughput = float64(step.Requests) / took.Seconds()
	step.Get, step.Patch = latencyOf(get), latencyOf(patch)
	return step
}
