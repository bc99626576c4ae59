package dynamo

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// sender sends requests and bounds each, from its beginning to the end of its response's body. It is an http.Client without
// what DynamoDB has no use for: redirects, cookies and user information.
type sender struct {
	transport http.RoundTripper
	timeout   time.Duration
}

// Do implements the SDK's HTTPClient.
func (s *sender) Do(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), s.timeout)
	response, err := s.transport.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &boundedBody{response.Body, cancel}
	return response, nil
}

// boundedBody is a body whose time ends when it is closed.
type boundedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// newTransport returns connections for one process.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		DisableCompression:  true, // as DynamoDB's checksums are of what is sent
		MaxIdleConnsPerHost: 64,   // a sandbox uses one, a local gateway as many as it has requests
		IdleConnTimeout:     90 * time.Second,
	}
}
