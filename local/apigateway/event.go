package apigateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// The event describes the API with these values. No real account has this number.
const (
	accountID = "000000000000"
	apiID     = "local"
	stage     = "$default"
)

// clf is the time format in the event. It is the format of the Common Log Format.
const clf = "02/Jan/2006:15:04:05 -0700"

// event is what the gateway sends to a function.
type event struct {
	text  []byte // JSON
	trace string // its header x-amzn-trace-id
}

// request and requestContext are the types of the library without the client's certificate. Without mutual TLS an event
// has no certificate, but the library's types would write an empty one.
type (
	request struct {
		events.APIGatewayV2HTTPRequest
		RequestContext requestContext `json:"requestContext"`
	}
	requestContext struct {
		events.APIGatewayV2HTTPRequestContext
		Authentication *struct{} `json:"authentication,omitempty"`
	}
)

// newEvent returns the event of a request. The format is described in the API Gateway Developer Guide, "Create AWS
// Lambda proxy integrations for HTTP APIs in API Gateway", payload format version 2.0.
func newEvent(r *http.Request, body []byte, key, id string, now time.Time) (event, error) {
	made := newRequest(r, body, key, id, now)
	text, err := json.Marshal(request{made, requestContext{made.RequestContext, nil}})
	if err != nil {
		return event{}, fmt.Errorf("encoding the event: %w", err)
	}
	return event{text: text, trace: made.Headers[traceHeader]}, nil
}

func newRequest(r *http.Request, body []byte, key, id string, now time.Time) events.APIGatewayV2HTTPRequest {
	text, isBase64 := encodeBody(body, r.Header.Get("Content-Type"))
	domain, _ := splitPort(r.Host)
	prefix, _, _ := strings.Cut(domain, ".")
	now = now.UTC()
	return events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              key,
		RawPath:               r.URL.Path, // decoded, in spite of its name
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(r, len(body), now),
		QueryStringParameters: queryParameters(r.URL),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     key,
			AccountID:    accountID,
			Stage:        stage,
			RequestID:    id,
			APIID:        apiID,
			DomainName:   domain,
			DomainPrefix: prefix,
			Time:         now.Format(clf),
			TimeEpoch:    now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    r.Method,
				Path:      r.URL.Path,
				Protocol:  r.Proto,
				SourceIP:  sourceIP(r),
				UserAgent: r.UserAgent(),
			},
		},
		Body:            text,
		IsBase64Encoded: isBase64,
	}
}

// headers returns the headers of the request and those that the gateway adds. Names are in lower case, and several
// values of one header are joined by commas. Cookies are left out, because they have a field of their own.
func headers(r *http.Request, bodyLength int, now time.Time) map[string]string {
	all := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		all[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(all, "cookie")
	_, port := splitPort(r.Host)
	all["host"] = r.Host
	all["content-length"] = strconv.Itoa(bodyLength)
	all["x-forwarded-for"] = strings.TrimPrefix(all["x-forwarded-for"]+", "+sourceIP(r), ", ")
	all["x-forwarded-port"] = cmp.Or(port, "80")
	all["x-forwarded-proto"] = "http"
	all[traceHeader] = cmp.Or(all[traceHeader], newTraceID(now))
	return all
}

const traceHeader = "x-amzn-trace-id"

// newTraceID returns a tracing header in AWS's format. The first part is the time in seconds since 1970, in eight
// hexadecimal digits ("Tracing header" in "AWS X-Ray concepts" of the X-Ray Developer Guide).
func newTraceID(now time.Time) string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails; crypto/rand ends the process instead
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), random)
}

type traceKey struct{}

// TraceID returns the header x-amzn-trace-id of the event that a Function is called with. ctx is the context of that
// call. It returns "" for any other context.
func TraceID(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey{}).(string)
	return trace
}

// cookies returns the pairs of all Cookie headers, in their order.
func cookies(h http.Header) []string {
	var all []string
	for _, header := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(header, ";") {
			if pair = strings.TrimSpace(pair); pair != "" {
				all = append(all, pair)
			}
		}
	}
	return all
}

// queryParameters returns the decoded parameters of the query, or nil if there are none. Several values of one
// parameter are joined by commas. Pairs that cannot be decoded are left out; rawQueryString still has them.
func queryParameters(u *url.URL) map[string]string {
	values := u.Query()
	if len(values) == 0 {
		return nil
	}
	all := make(map[string]string, len(values))
	for name, several := range values {
		all[name] = strings.Join(several, ",")
	}
	return all
}

// encodeBody returns the body as text or as base64, as the event carries it. AWS does not document which bodies are
// text. Measured on AWS (ministackorg/ministack#766 and floci-io/floci#2172 on GitHub): the types below, in UTF-8. All
// other bodies are base64, also those without a content type and those with a suffix type such as
// application/problem+json.
func encodeBody(body []byte, contentType string) (text string, isBase64 bool) {
	if len(body) == 0 {
		return "", false
	}
	if isText(contentType) && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func isText(contentType string) bool {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	if charset, given := parameters["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	switch mediaType {
	case "application/json", "application/xml", "application/javascript", "application/graphql":
		return true
	default:
		return strings.HasPrefix(mediaType, "text/")
	}
}

func sourceIP(r *http.Request) string {
	host, _ := splitPort(r.RemoteAddr)
	return host
}

// splitPort splits an address into host and port. The port is "" if the address has none.
func splitPort(address string) (host, port string) {
	if host, port, err := net.SplitHostPort(address); err == nil {
		return host, port
	}
	return strings.Trim(address, "[]"), ""
}
