// Package lambdahttp lets an http.Handler answer the events of an API Gateway HTTP API (payload format 2.0), so that the
// handler sees the request as it would see it from net/http.
//
// The library's adapter makes the call and encodes the response. What the adapter would lose or invent on the way is put
// right here: it splits header values at commas, keeps the stage in the path, reads rawPath a second time although HTTP
// APIs deliver it decoded, lets callers claim a request context by a header, and takes the last of several statuses.
//
// It must import no other adapter, no store and nothing of the domain.
package lambdahttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

var _ lambda.Handler = (*Adapter)(nil)

// Adapter answers events. It is safe for concurrent use.
type Adapter struct {
	proxy *httpadapter.HandlerAdapterV2
	log   *slog.Logger
}

// New returns an Adapter for the handler.
func New(handler http.Handler, log *slog.Logger) *Adapter {
	return &Adapter{proxy: httpadapter.NewV2(restored(handler)), log: log}
}

// deadlineMargin is kept of the function's time to get the response out.
const deadlineMargin = 500 * time.Millisecond

// Invoke answers one event, both in JSON: it makes an Adapter a lambda.Handler, with a reader of events that takes a
// fraction of what reflection does. Its error says that the event is not JSON, or not of the shape of events.
func (a *Adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	event, err := decodeEvent(payload)
	if err != nil {
		return nil, err
	}
	answer, err := a.Handle(ctx, event)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // it is no HTML
	if err := encoder.Encode(answer); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Handle answers one event. Its error is always nil but for a fault of the adapter; whatever is wrong with an event, the
// handler answers.
func (a *Adapter) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if event.Version != "2.0" {
		a.log.WarnContext(ctx, "the event is not of payload format 2.0", slog.String("version", event.Version))
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadlineMargin))
		defer cancel()
	}
	// The adapter gets a request that it cannot stumble over; restored makes the real one from the event.
	return a.proxy.ProxyWithContext(context.WithValue(ctx, eventKey{}, &event), events.APIGatewayV2HTTPRequest{RawPath: "/"})
}

// eventKey is the key under which a request's context holds its *events.APIGatewayV2HTTPRequest.
type eventKey struct{}

// restored gives the handler the request that the event tells of, and keeps the response to what HTTP allows.
func restored(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := r.Context().Value(eventKey{}).(*events.APIGatewayV2HTTPRequest)
		request := newRequest(r.Context(), event)
		out := recorder{header: make(http.Header)}
		handler.ServeHTTP(&out, request)
		out.send(w, request.Method)
	})
}
