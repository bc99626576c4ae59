package harness_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"testing"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// TestURLTargetIdleConnections: a service that closes a connection just when a second request comes on it has not
// failed to answer. The client cannot know whether a change was made then, so it must not send one on a used
// connection.
func TestURLTargetIdleConnections(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var changes atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answerOnce(connection, &changes)
		}
	}()
	target, err := harness.URLTarget("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for i, method := range []string{"GET", "GET", "PATCH", "PATCH", "GET", "PATCH", "DELETE", "HEAD", "GET"} {
		var body []byte
		if method == http.MethodPatch {
			body = []byte("{}")
		}
		response, err := target.Send(t.Context(), judge.Request{Method: method, URL: "/a", Header: http.Header{},
			Body: body})
		if err != nil || response.Status != http.StatusOK {
			t.Errorf("%d, %s = %d, %v, want 200", i, method, response.Status, err)
		}
	}
	if n := changes.Load(); n != 3 {
		t.Errorf("the service got %d changes, want 3", n)
	}
}

// TestURLTargetBrokenWrite: a read whose connection breaks while it is written is sent again, if the connection had
// been used before; the transport itself does not do that. A change is not, and neither is a read on a new connection.
func TestURLTargetBrokenWrite(t *testing.T) {
	t.Parallel()
	broken := errors.New("write: broken pipe")
	for _, c := range []struct {
		method string
		reused bool
		sent   int
		want   error
	}{{"GET", true, 2, nil}, {"HEAD", true, 2, nil}, {"GET", false, 1, broken}, {"PATCH", true, 1, broken}} {
		sent := 0
		client := func(reused bool) *http.Client {
			return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Reused: reused})
				if sent++; sent == 1 {
					return nil, broken
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})}
		}
		target := harness.URLTargetWith("http://a.example", client(c.reused), client(false))
		_, err := target.Send(t.Context(), judge.Request{Method: c.method, URL: "/", Header: http.Header{}})
		if !errors.Is(err, c.want) || sent != c.sent {
			t.Errorf("%s on a connection that was used before, %t: %v, sent %d times, want %v and %d", c.method,
				c.reused, err, sent, c.want, c.sent)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answerOnce answers the first request of a connection, and closes the connection when a second one has come.
func answerOnce(connection net.Conn, changes *atomic.Int32) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for first := true; ; first = false {
		if !first {
			_, _ = reader.ReadByte()
			return
		}
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if request.Method == http.MethodPatch {
			changes.Add(1)
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}
