package apigateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// integrationTimeout is how long an HTTP API waits for a function, whatever time the function may take: the maximum
// integration timeout in "Quotas for configuring and running an HTTP API" of the API Gateway Developer Guide.
const integrationTimeout = 30 * time.Second

var (
	errTimedOut = errors.New("the function did not return in its time")
	errWaited   = errors.New("the function did not return in the gateway's time")
)

// statusOf returns what an HTTP API answers where an invocation failed. It answers 500 whether the function returned
// an error, ended in a panic, ran out of its own time (Lambda reports all these as function errors) or returned what
// is no response: see "Troubleshooting issues with HTTP API Lambda integrations" in the API Gateway Developer Guide.
// It answers 503 where it gave up waiting itself.
func statusOf(err error) int {
	if errors.Is(err, errWaited) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Quotas of a synchronous invocation: 6 MB each way, by "Lambda quotas" of the AWS Lambda Developer Guide. Lambda
// allows a response 100 bytes more, which shows in its message for one that is too large. What an HTTP API answers
// where the event has more is not documented; here it is 413, as for a body that the gateway itself does not take.
const (
	maxEvent    = 6 << 20
	maxResponse = 6<<20 + 100
)

// invoke gives the event to the function and returns its answer. Like in Lambda, the function goes on when the client
// has gone, and it has a deadline. Unlike in Lambda, a function that is out of time is not ended: it is left alone,
// and what it returns later is dropped.
func (g *Gateway) invoke(ctx context.Context, f Function, event event) (answer, error) {
	ctx = context.WithValue(context.WithoutCancel(ctx), traceKey{}, event.trace)
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	waited := time.NewTimer(integrationTimeout)
	defer waited.Stop()

	type result struct {
		answer answer
		err    error
	}
	returned := make(chan result, 1) // so that a late function does not wait for a reader
	go func() {
		a, err := call(ctx, f, event.text)
		returned <- result{a, err}
	}()
	select {
	case r := <-returned:
		return r.answer, r.err
	case <-ctx.Done():
		return answer{}, errTimedOut
	case <-waited.C:
		return answer{}, errWaited
	}
}

func call(ctx context.Context, f Function, event []byte) (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the function panicked: %v", p)
		}
	}()
	response, err := f(ctx, event)
	if err != nil {
		return answer{}, fmt.Errorf("the function returned an error: %w", err)
	}
	if len(response) > maxResponse {
		return answer{}, fmt.Errorf("the function returned %d bytes, more than %d", len(response), maxResponse)
	}
	return newAnswer(response)
}
