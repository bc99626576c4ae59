// Package lambdahttp lets an http.Handler answer the events of an API Gateway HTTP API (payload format 2.0). The
// handler sees the request as it would see it from net/http.
//
// aws-lambda-go-api-proxy's response writer records the answer and encodes it. The request is made here, because the
// library's own splits header values at commas, keeps the stage in the path, decodes the path a second time, and
// believes a header in which a client claims a request context.
//
// This package must import no other adapter, no store and nothing of the domain.
package lambdahttp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"organizations-api/shared/plainjson"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

var _ lambda.Handler = (*Adapter)(nil)

// Adapter answers events by an http.Handler. It is safe for concurrent use.
type Adapter struct {
	handler http.Handler
	log     *slog.Logger
}

// New returns an Adapter for the handler.
func New(handler http.Handler, log *slog.Logger) *Adapter {
	return &Adapter{handler: handler, log: log}
}

// deadlineMargin is how long before the function's deadline the handler has to be done, so that the response gets out.
const deadlineMargin = 500 * time.Millisecond

// Invoke answers one event. The event and the answer are JSON, as a lambda.Handler has them. It returns an error if the
// payload is not JSON or does not have the shape of an event.
func (a *Adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	event, err := decodeEvent(payload)
	if err != nil {
		return nil, err
	}
	answer, err := a.Handle(ctx, event)
	if err != nil {
		return nil, err
	}
	out, err := plainjson.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return out, nil
}

// Handle answers one event. Whatever is wrong with the event, the handler answers it: an error would be a fault of the
// adapter itself.
func (a *Adapter) Handle(
	ctx context.Context, event events.APIGatewayV2HTTPRequest,
) (events.APIGatewayV2HTTPResponse, error) {
	if event.Version != "2.0" {
		a.log.WarnContext(ctx, "the event is not of payload format 2.0", slog.String("version", event.Version))
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadlineMargin))
		defer cancel()
	}
	request := newRequest(ctx, &event)
	w := responseWriter{
		header: make(http.Header),
		noBody: request.Method == http.MethodHead,
		proxy:  core.NewProxyResponseWriterV2(),
	}
	a.handler.ServeHTTP(&w, request)
	w.WriteHeader(http.StatusOK) // unless the handler has sent a status
	return w.proxy.GetProxyResponse()
}

// responseWriter passes a handler's response on to the library's writer, and keeps it to what net/http allows. The
// first final status counts. The header is fixed with the status. A handler that sends no status sends 200.
type responseWriter struct {
	header  http.Header // the handler's
	started bool        // the status and the header are sent
	noBody  bool        // the response has none, whatever the handler writes
	proxy   *core.ProxyResponseWriterV2
}

func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader sends the status and a copy of the header, without the length, which the gateway sets.
func (w *responseWriter) WriteHeader(status int) {
	if w.started || status < 200 || status > 999 {
		return
	}
	w.started = true
	w.noBody = w.noBody || status == http.StatusNoContent || status == http.StatusNotModified
	header := w.proxy.Header()
	copies := make([]string, 0, len(w.header)) // most headers have one value
	for name, values := range w.header {
		if name == "Content-Length" {
			continue
		}
		first := len(copies)
		for _, value := range values {
			copies = append(copies, lineBreaks.Replace(value))
		}
		header[name] = copies[first:len(copies):len(copies)]
	}
	w.proxy.WriteHeader(status)
}

// lineBreaks replaces line breaks by spaces, as net/http does, so that a header value cannot end its line.
var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")

func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.noBody || len(p) == 0 {
		return len(p), nil
	}
	return w.proxy.Write(p)
}
