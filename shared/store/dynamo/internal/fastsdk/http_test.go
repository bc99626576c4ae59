package fastsdk_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"organizations-api/shared/store/dynamo/dynamotest"
	"organizations-api/shared/store/dynamo/internal/fastsdk"
)

// transport answers every request with a response that it makes anew.
type transport func() *http.Response

func (t transport) RoundTrip(*http.Request) (*http.Response, error) { return t(), nil }

// closing notes that a body was closed.
type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error {
	*c.closed = true
	return nil
}

// TestResponses: a response is read to its end, and refused if it is broken or too long.
func TestResponses(t *testing.T) {
	t.Parallel()
	const enough = 8 << 20
	for _, test := range []struct {
		name, body string
		length     int64
		checksum   string
		err        string // part of it; "" for none
	}{
		{"known length", "hello", 5, "907060870", ""},
		{"unknown length", "hello", -1, "907060870", ""},
		{"without a checksum", "hello", 5, "", ""},
		{"empty", "", 0, "0", ""},
		{"as long as can be", strings.Repeat(" ", enough), -1, "", ""},
		{"wrong checksum", "hellO", 5, "907060870", "its checksum is"},
		{"checksum that is no number", "hello", 5, "x", "its checksum is"},
		{"cut", "hel", 5, "", "unexpected EOF"},
		{"too long", strings.Repeat(" ", enough+1), -1, "", "longer than"},
		{"too long, and says so", strings.Repeat(" ", enough+1), enough + 1, "", "longer than"},
	} {
		closed := false
		h := fastsdk.NewHTTPClient(transport(func() *http.Response {
			r := dynamotest.Response(200, "", http.Header{})
			r.Body, r.ContentLength = closing{strings.NewReader(test.body), &closed}, test.length
			if test.checksum != "" {
				r.Header.Set("X-Amz-Crc32", test.checksum)
			}
			return r
		}), time.Second)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := h.Do(request)
		if !closed {
			t.Errorf("%s: the body is left open", test.name)
		}
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: Do = %v, want an error that says %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: Do = %v, want no error", test.name, err)
			continue
		}
		if got, err := io.ReadAll(response.Body); string(got) != test.body || err != nil || response.Body.Close() != nil {
			t.Errorf("%s: the body is %d bytes, %v, want %d", test.name, len(got), err, len(test.body))
		}
	}
}

// TestResponseWithoutEnd: of a response that is too long, only as much is read as shows that.
func TestResponseWithoutEnd(t *testing.T) {
	t.Parallel()
	const enough = 8 << 20
	h := fastsdk.NewHTTPClient(transport(func() *http.Response {
		r := dynamotest.Response(200, "", http.Header{})
		beyond := iotest.ErrReader(errors.New("read beyond the bound"))
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat(" ", enough+1)), beyond)), -1
		return r
	}), time.Second)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Do(request); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("Do = %v, want an error that says that the response is too long", err)
	}
}

// writes counts what is written to a connection.
type writes struct {
	net.Conn
	count *atomic.Int64
}

func (w writes) Write(p []byte) (int, error) {
	w.count.Add(1)
	return w.Conn.Write(p)
}

// TestOneWrite: headers and body of a request are sent by one write, by the plain client and by ours.
func TestOneWrite(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	var count atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return writes{connection, &count}, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	h := fastsdk.NewHTTPClient(transport, time.Minute)
	options := settings()
	options.HTTPClient, options.BaseEndpoint = h, &server.URL
	plain := dynamodb.New(options)
	for name, c := range map[string]client{"plain": plain, "fast": fastsdk.New(plain, h)} {
		for call, do := range calls {
			count.Store(0)
			if _, err := do(t.Context(), c); err != nil || count.Load() != 1 {
				t.Errorf("%s, %s = %v by %d writes, want one and no error", name, call, err, count.Load())
			}
		}
	}
}

// skewed is a transport to a DynamoDB whose clock is ahead of ours. It refuses a signature that is five minutes off.
type skewed struct {
	ahead    time.Duration
	requests int
}

func (s *skewed) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	_, _ = io.Copy(io.Discard, r.Body)
	now := time.Now().Add(s.ahead)
	header := http.Header{"Date": {now.UTC().Format(http.TimeFormat)}}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(signed).Abs() > 5*time.Minute {
		return dynamotest.Response(400, `{"__type":"InvalidSignatureException","message":"Signature expired"}`, header), nil
	}
	return dynamotest.Response(200, "{}", header), nil
}

// TestClock: a call whose signature is refused because the clocks differ is tried again with the server's time, and
// later calls are signed with that time at once, by the plain client and by ours.
func TestClock(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"plain", "fast"} {
		server := &skewed{}
		plain, fast := newClients(settings(), server)
		c := []client{plain, fast}[i]
		for _, test := range []struct {
			ahead    time.Duration
			call     string
			attempts int
		}{
			{0, "GetItem", 1},
			{time.Hour, "GetItem", 2},
			{time.Hour, "GetItem", 1},
			{time.Hour, "UpdateItem", 1},
			{time.Hour, "TransactWriteItems", 1},
			{-10 * time.Minute, "TransactWriteItems", 2}, // somebody sets a clock
			{-10 * time.Minute, "GetItem", 1},
			{0, "UpdateItem", 2}, // and sets it right
			{0, "GetItem", 1},
		} {
			server.ahead, server.requests = test.ahead, 0
			if _, err := calls[test.call](t.Context(), c); err != nil || server.requests != test.attempts {
				t.Errorf("%s, %s with a clock that is %v ahead = %v after %d attempts, want %d and no error",
					name, test.call, test.ahead, err, server.requests, test.attempts)
			}
		}
	}
}

// TestClockOfOneAttempt: a client without retries learns the server's time from a client with the same HTTPClient.
func TestClockOfOneAttempt(t *testing.T) {
	t.Parallel()
	server := &skewed{ahead: time.Hour}
	h := fastsdk.NewHTTPClient(server, time.Second)
	options := settings()
	options.HTTPClient = h
	retrying := fastsdk.New(dynamodb.New(options), h)
	options.Retryer = aws.NopRetryer{}
	once := fastsdk.New(dynamodb.New(options), h)
	if _, err := updateItem(t.Context(), once); err == nil || server.requests != 1 {
		t.Errorf("UpdateItem = %v after %d attempts, want an error after 1", err, server.requests)
	}
	if _, err := updateItem(t.Context(), once); err != nil {
		t.Errorf("UpdateItem after a refusal = %v, want no error", err)
	}
	server.ahead = -time.Hour
	if _, err := getItem(t.Context(), retrying); err != nil {
		t.Error(err)
	}
	if _, err := updateItem(t.Context(), once); err != nil {
		t.Errorf("UpdateItem after a GetItem = %v, want no error", err)
	}
}
