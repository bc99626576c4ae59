package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// requestIDHeader hands the gateway's identifier of the request to the handler. What the client sent under that name
// is dropped.
const requestIDHeader = "X-Request-Id"

// newRequest makes a server's request of an event. It takes every event; what cannot be in a request is left out.
func newRequest(ctx context.Context, event *events.APIGatewayV2HTTPRequest) *http.Request {
	about := event.RequestContext.HTTP
	target := &url.URL{
		Path:     trimStage(event.RawPath, event.RequestContext.Stage),
		RawQuery: event.RawQueryString,
	}
	body, length := newBody(event)
	request := &http.Request{
		Method:        about.Method,
		URL:           target,
		RequestURI:    target.RequestURI(),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        newHeader(event),
		Host:          event.RequestContext.DomainName,
		RemoteAddr:    net.JoinHostPort(about.SourceIP, "0"),
		Body:          body,
		ContentLength: length,
	}
	return request.WithContext(ctx)
}

// trimStage removes the stage's name from the front of a path, where the stage is named in it.
func trimStage(path, stage string) string {
	if stage == "" || stage == "$default" {
		return path
	}
	rest, ok := strings.CutPrefix(path, "/"+stage)
	if !ok || rest != "" && rest[0] != '/' {
		return path
	}
	if rest == "" {
		return "/"
	}
	return rest
}

// newHeader takes each header as one value: HTTP APIs join several by commas, and only who knows the header can tell
// those commas from others.
func newHeader(event *events.APIGatewayV2HTTPRequest) http.Header {
	header := make(http.Header, len(event.Headers)+2)
	values := make([]string, 0, len(event.Headers)) // of all headers, as nearly each has one
	for name, value := range event.Headers {
		switch name = http.CanonicalHeaderKey(name); name {
		case "Host", "Content-Length", "Transfer-Encoding": // in their own fields of a request
		default:
			if first, twice := header[name]; twice {
				header[name] = append(first, value) // two spellings of a name are two values, and nobody wins
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

// newBody returns a body; one that is not the Base64 it claims to be fails when it is read.
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
