package apigateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// integrationTimeout is how long an HTTP API waits for a function, even if the function may take longer: the maximum
// integration timeout in "Quotas for configuring and running an HTTP API" of the API Gateway Developer Guide.
const integrationTimeout = 30 * time.Second

var (
	errTimedOut = errors.New("the function did not return in its time")
	errWaited   = errors.New("the function did not return in the gateway's time")
)

// statusOf returns the status of an HTTP API's answer to a failed invocation. It is 503 if the gateway itself gave up
// waiting, and 500 for everything else: the function returned an error, panicked, ran out of its own time, or returned
// something that is no response. Lambda reports all these as function errors; see "Troubleshooting issues with HTTP API
// Lambda integrations" in the API Gateway Developer Guide.
func statusOf(err error) int {
	if errors.Is(err, errWaited) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// The quotas of a synchronous invocation are 6 MB in each direction ("Lambda quotas" in the AWS Lambda Developer
// Guide). Lambda allows 100 bytes more for a response, as its error message shows. AWS does not document the answer of
// an HTTP API to a larger event. Here it is 413, as for a body that is too large for the gateway itself.
const (
	maxEvent    = 6 << 20
	maxResponse = 6<<20 + 100
)

// invoke calls the function with the event and returns its answer. As in Lambda, the function goes on if the client
// leaves, and it has a deadline. Unlike in Lambda, a function that is out of time is not ended: its late result is
// dropped.
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
