package dynamotest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// StartUnasked starts a server that answers each request with an empty object, as DynamoDB does if there is no item,
// and then sends another response that nobody asked for, with the body. It returns the base URL. The server ends with
// the test.
func StartUnasked(t testing.TB, body string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answerTwice(connection, body)
		}
	}()
	return "http://" + listener.Addr().String()
}

// answerTwice answers until the client closes the connection, which it does when it sees the response that it did not
// ask for.
func answerTwice(connection net.Conn, body string) {
	defer connection.Close()
	in := bufio.NewReader(connection)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		const response = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s"
		if _, err := fmt.Fprintf(connection, response+"%s", 2, "{}", body); err != nil {
			return
		}
	}
}
