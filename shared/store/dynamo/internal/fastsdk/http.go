package fastsdk

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// HTTPClient sends the requests of a client of DynamoDB, fast or plain. It bounds the time of each attempt, reads the
// whole response within that time, and compares it with its checksum. The SDK itself only logs a wrong checksum. It
// does not follow redirects and keeps no cookies. It is safe for concurrent use.
type HTTPClient struct {
	transport http.RoundTripper
	timeout   time.Duration
	clock     clock // of the server
}

// NewHTTPClient returns a client that gives each attempt the timeout. A nil transport stands for connections of its
// own. Another transport must not decompress responses, as DynamoDB's checksums are of what it sent.
func NewHTTPClient(transport http.RoundTripper, timeout time.Duration) *HTTPClient {
	if transport == nil {
		const connectTimeout = time.Second
		transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			DisableCompression:  true,
			MaxIdleConnsPerHost: 64, // a sandbox uses one, a local gateway as many as it has requests
			IdleConnTimeout:     90 * time.Second,
		}
	}
	return &HTTPClient{transport: transport, timeout: timeout}
}

// Do returns the response when it was read to its end. The error says that there was no response, or that it was
// broken.
func (c *HTTPClient) Do(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), c.timeout)
	defer cancel()
	response, err := c.transport.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	text, err := readAll(response)
	if err != nil {
		return nil, fmt.Errorf("reading a response: %w", err)
	}
	if want := response.Header.Get("X-Amz-Crc32"); want != "" {
		if sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10); sum != want {
			return nil, fmt.Errorf("reading a response: its checksum is %s, not %s", sum, want)
		}
	}
	response.Body = &body{*bytes.NewBuffer(text)}
	return response, nil
}

// body is the body of a response that was read already.
type body struct{ bytes.Buffer }

// Close does nothing.
func (b *body) Close() error { return nil }

// maxResponse is more than any response has. DynamoDB returns at most 1 MB of items, and JSON makes at most six bytes
// of one byte.
const maxResponse = 8 << 20

// readAll reads the body to its end, so that the connection can be used again, and closes it.
func readAll(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	if n := response.ContentLength; n >= 0 && n <= maxResponse {
		text := make([]byte, n)
		_, err := io.ReadFull(response.Body, text)
		return text, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err == nil && len(text) > maxResponse {
		err = fmt.Errorf("it is longer than %d bytes", maxResponse)
	}
	return text, err
}

// clock is this machine's clock, corrected by how far the server's clock is ahead of it. AWS refuses a signature
// whose time is more than five minutes off. The zero clock is not corrected. It is safe for concurrent use.
type clock struct {
	ahead atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// corrected reports whether the two clocks differ by more than a response's Date header can be off.
func (c *clock) corrected() bool { return c.ahead.Load() != 0 }

// correct sets how far the server's clock is ahead. Less than a minute counts as nothing: the Date header has whole
// seconds only, and the response took some time to come.
func (c *clock) correct(ahead time.Duration) {
	if ahead.Abs() < time.Minute {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}
