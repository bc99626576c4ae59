package apigateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// integrationTimeout is how long an HTTP API waits for a function, whatever time the function may take: the maximum
// integration timeout in "Quotas for configuring and running an HTTP API" of the API Gateway Developer Guide.
const integrationTimeout = 30 * time.Second

var (
	errTimedOut = errors.New("the function did not return in its time")
	errWaited   = errors.New("the function did not return in the gateway's time")
)

// statusOf returns what an HTTP API answers where an invocation failed. It answers 500 whether the function returned an
// error, ended in a panic, ran out of its own time (Lambda reports all these as function errors) or returned what is no
// response: see "Troubleshooting issues with HTTP API Lambda integrations" in the API Gateway Developer Guide. It answers
// 503 where it gave up waiting itself.
func statusOf(err error) int {
	if errors.Is(err, errWaited) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// invoke gives the event to the function and returns its answer. Like in Lambda, the function goes on when the client has
// gone, it has a deadline, and what it gets and gives passes through JSON. Unlike in Lambda, a function that is out of
// time is not ended: it is left alone, and what it returns later is dropped.
func (g *Gateway) invoke(ctx context.Context, f Function, event events.APIGatewayV2HTTPRequest) (answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.timeout)
	defer cancel()
	waited := time.NewTimer(integrationTimeout)
	defer waited.Stop()

	type result struct {
		answer answer
		err    error
	}
	returned := make(chan result, 1) // so that a late function does not wait for a reader
	go func() {
		a, err := call(ctx, f, event)
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

func call(ctx context.Context, f Function, event events.APIGatewayV2HTTPRequest) (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the function panicked: %v", p)
		}
	}()
	received, err := throughJSON(event)
	if err != nil {
		return answer{}, fmt.Errorf("encoding the event: %w", err)
	}
	given, err := f(ctx, received)
	if err != nil {
		return answer{}, fmt.Errorf("the function returned an error: %w", err)
	}
	response, err := throughJSON(given)
	if err != nil {
		return answer{}, fmt.Errorf("encoding the response: %w", err)
	}
	return newAnswer(response)
}

// Remote returns the Function that invoke runs elsewhere, such as the Invoke of a lambda.Function. Event and response
// cross over as JSON.
func Remote(invoke func(ctx context.Context, event []byte) (response []byte, err error)) Function {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (out events.APIGatewayV2HTTPResponse, err error) {
		sent, err := json.Marshal(event)
		if err != nil {
			return out, fmt.Errorf("encoding an event: %w", err)
		}
		returned, err := invoke(ctx, sent)
		if err != nil {
			return out, err
		}
		if err := json.Unmarshal(returned, &out); err != nil {
			return out, fmt.Errorf("decoding the function's response: %w", err)
		}
		return out, nil
	}
}

// throughJSON returns what arrives where v is sent.
func throughJSON[T any](v T) (arrived T, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return arrived, err
	}
	return arrived, json.Unmarshal(text, &arrived)
}
