package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/strictjson"
)

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
		case "stage":
			out.Stage = v.Str()
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
		Path:     trimStage(event.RawPath, event.RequestContext.Stage),
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

// trimStage removes the stage's name from the front of the path, if the path starts with it.
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
