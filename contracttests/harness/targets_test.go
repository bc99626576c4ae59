package harness_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
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
		response, err := target.Send(t.Context(), judge.Request{Method: method, URL: "/a", Header: http.Header{}, Body: body})
		if err != nil || response.Status != http.StatusOK {
			t.Errorf("%d, %s = %d, %v, want 200", i, method, response.Status, err)
		}
	}
	if n := changes.Load(); n != 3 {
		t.Errorf("the service got %d changes, want 3", n)
	}
}

// answerOnce answers the first request of a connection, and closes the connection when a second one has come.
func answerOnce(connection net.Conn, changes *atomic.Int32) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for first := true; ; first = false {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if request.Method == http.MethodPatch {
			changes.Add(1)
		}
		if !first {
			return
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}
