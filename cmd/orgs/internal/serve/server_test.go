package serve

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that the server's timeouts run on the clock of a synctest bubble.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// startPipes serves the handler as orgs serve would, and returns what connects to it.
func startPipes(t *testing.T, handler http.HandlerFunc) (connect func() net.Conn) {
	t.Helper()
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := newServer(handler, slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return func() net.Conn {
		client, end := net.Pipe()
		listener.accepted <- end
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
}

// untilClosed returns how long it takes until the server closes the connection.
func untilClosed(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatalf("reading until the server closes: %v", err)
	}
	return time.Since(began)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("sending %q: %v", text, err)
	}
}

// TestServerTimeouts: a client that is slow, or gone without a word, holds a connection for a bounded time.
func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	reads := func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		sends   string
		want    time.Duration
	}{
		{"nothing is sent", reads, "", 5 * time.Second},
		{"half a head", reads, "GET / HTTP/1.1\r\nHost: x\r\n", 5 * time.Second},
		{"half a body", reads, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 30 * time.Second},
		{"no second request", reads, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := startPipes(t, test.handler)()
				if test.sends != "" {
					send(t, c, test.sends)
				}
				// The server waits some moments more before it closes a connection with unread input.
				if got := untilClosed(t, c); got < test.want || got > test.want+time.Second {
					t.Errorf("the connection was closed after %v, want %v", got, test.want)
				}
			})
		})
	}
	t.Run("the answer is not read", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			took := make(chan time.Duration, 1)
			connect := startPipes(t, func(w http.ResponseWriter, _ *http.Request) {
				began := time.Now()
				for _, err := w.Write(make([]byte, 64<<10)); err == nil; _, err = w.Write(make([]byte, 64<<10)) {
				}
				took <- time.Since(began)
			})
			send(t, connect(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if got := <-took; got != 30*time.Second {
				t.Errorf("writing failed after %v, want 30s", got)
			}
		})
	})
}

// TestLargestHead looks for the largest head of a request, request line and headers, that the server takes.
func TestLargestHead(t *testing.T) {
	t.Parallel()
	connect := startPipes(t, func(http.ResponseWriter, *http.Request) {})
	taken := func(size int) bool {
		c := connect()
		defer c.Close()
		const begin, end = "GET /v1/organizations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ", "\r\n\r\n"
		go func() { _, _ = io.WriteString(c, begin+strings.Repeat("x", size-len(begin+end))+end) }() // fails if refused
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("a head of %d bytes: %v", size, err)
		}
		switch response.StatusCode {
		case http.StatusOK:
			return true
		case http.StatusRequestHeaderFieldsTooLarge:
			return false
		}
		t.Fatalf("a head of %d bytes: %s", size, response.Status)
		panic("unreachable")
	}
	const quota = 10240 // of API Gateway, as maxHead says
	smallest := 1000
	got := smallest + sort.Search(1<<15, func(n int) bool { return !taken(smallest + n) }) - 1
	if got != quota {
		t.Errorf("the largest head has %d bytes, want %d", got, quota)
	}
}
