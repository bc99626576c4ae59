// Package lambdahttp lets an http.Handler answer the events of an API Gateway HTTP API (payload format 2.0). The
// handler sees the request as it would see it from net/http.
//
// The path is the event's rawPath. It begins with the stage or with a custom domain's base path, if there is one, and
// nothing in an event tells such a part from a first segment of the same name. So handlers match the end of the path.
//
// aws-lambda-go-api-proxy's response writer records the answer and encodes it. The request is made here, because the
// library's own splits header values at commas, decodes the path a second time, and believes a header in which a client
// claims a request context.
//
// This package must import no other adapter, no store and nothing of the domain.
package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"organizations-api/shared/plainjson"
	"organizations-api/shared/strictjson"
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

// decodeEvent reads the members of an event that newRequest uses. It skips the rest, which is most of the event.
func decodeEvent(payload []byte) (event events.APIGatewayV2HTTPRequest, err error) {
	value, err := strictjson.Parse(payload)
	if err != nil || value.Kind() != strictjson.Object {
		// The gateway need not be as strict as we are, so encoding/json has the last word.
		if err := json.Unmarshal(payload, &event); err != nil {
			return event, fmt.Errorf("decoding the event: %w", err)
		}
		return event, nil
	}
	for name, v := range value.Members() {
		switch name {
		case "version":
			event.Version = v.Str()
		case "rawPath":
			event.RawPath = v.Str()
		case "rawQueryString":
			event.RawQueryString = v.Str()
		case "cookies":
			for _, cookie := range v.Elements() {
				event.Cookies = append(event.Cookies, cookie.Str())
			}
		case "headers":
			const headers = 16 // about as many as there are
			event.Headers = make(map[string]string, headers)
			for name, header := range v.Members() {
				event.Headers[name] = header.Str()
			}
		case "requestContext":
			decodeContext(v, &event.RequestContext)
		case "body":
			event.Body = v.Str()
		case "isBase64Encoded":
			event.IsBase64Encoded = v.Text() == "true"
		}
	}
	return event, nil
}

func decodeContext(value strictjson.Value, out *events.APIGatewayV2HTTPRequestContext) {
	for name, v := range value.Members() {
		switch name {
		case "domainName":
			out.DomainName = v.Str()
		case "requestId":
			out.RequestID = v.Str()
		case "http":
			for name, v := range v.Members() {
				switch name {
				case "method":
					out.HTTP.Method = v.Str()
				case "sourceIp":
					out.HTTP.SourceIP = v.Str()
				}
			}
		}
	}
}

// requestIDHeader is the header in which the handler gets the gateway's identifier of the request. A client's header of
// that name is dropped.
const requestIDHeader = "X-Request-Id"

// newRequest makes a server's request of an event. It accepts every event, and leaves out what cannot be in a request.
func newRequest(ctx context.Context, event *events.APIGatewayV2HTTPRequest) *http.Request {
	target := &url.URL{
		Path:     event.RawPath,
		RawQuery: event.RawQueryString,
	}
	body, length := newBody(event)
	request := &http.Request{
		Method:        event.RequestContext.HTTP.Method,
		URL:           target,
		RequestURI:    target.RequestURI(),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        newHeader(event),
		Host:          event.RequestContext.DomainName,
		RemoteAddr:    net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0"),
		Body:          body,
		ContentLength: length,
	}
	return request.WithContext(ctx)
}

// newHeader takes each header of the event as one value. HTTP APIs join several values by commas, and a value may have
// commas of its own, so only the reader of a header can split it.
func newHeader(event *events.APIGatewayV2HTTPRequest) http.Header {
	header := make(http.Header, len(event.Headers)+2)
	values := make([]string, 0, len(event.Headers)) // one allocation for all headers
	for name, value := range event.Headers {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Host", "Content-Length", "Transfer-Encoding": // a request has fields for these
		default:
			if first, twice := header[name]; twice {
				header[name] = append(first, value) // a name in two spellings: keep both values
				continue
			}
			values = append(values, value)
			header[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	if len(event.Cookies) > 0 {
		header["Cookie"] = []string{strings.Join(event.Cookies, "; ")}
	}
	delete(header, requestIDHeader)
	if id := event.RequestContext.RequestID; id != "" {
		header[requestIDHeader] = []string{id}
	}
	return header
}

// newBody returns the body and its length. If the event's body claims to be Base64 and is not, reading it fails.
func newBody(event *events.APIGatewayV2HTTPRequest) (io.ReadCloser, int64) {
	if event.Body == "" {
		return http.NoBody, 0
	}
	if !event.IsBase64Encoded {
		return io.NopCloser(strings.NewReader(event.Body)), int64(len(event.Body))
	}
	content, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return io.NopCloser(failingReader{fmt.Errorf("decoding the event's body: %w", err)}), -1
	}
	return io.NopCloser(bytes.NewReader(content)), int64(len(content))
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
