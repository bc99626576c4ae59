package apigateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
)

// answer is a function's response, checked and decoded.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// newAnswer checks a function's response. 1xx is refused although it is a status: no final response has it.
func newAnswer(r events.APIGatewayV2HTTPResponse) (answer, error) {
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return answer{}, fmt.Errorf("the function returned the status %d", r.StatusCode)
	}
	body := []byte(r.Body)
	if r.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return answer{}, fmt.Errorf("the function returned a body that is not base64: %w", err)
		}
	}
	return answer{status: r.StatusCode, header: mergeHeaders(r), body: body}, nil
}

// mergeHeaders returns the headers of a response. A value in both maps comes once. Where the body ends is the gateway's
// business, so what the function says about that is dropped.
func mergeHeaders(r events.APIGatewayV2HTTPResponse) http.Header {
	all := make(http.Header)
	for name, values := range r.MultiValueHeaders {
		for _, value := range values {
			all.Add(name, value)
		}
	}
	for name, value := range r.Headers {
		if !slices.Contains(all.Values(name), value) {
			all.Add(name, value)
		}
	}
	for _, cookie := range r.Cookies {
		all.Add("Set-Cookie", cookie)
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		all.Del(name)
	}
	return all
}

// write sends the answer. A body without a type is text, as an HTTP API has it.
func (a answer) write(w http.ResponseWriter, requestID string) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("Apigw-Requestid", requestID)
	bodiless := a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if bodiless {
		w.WriteHeader(a.status)
		return
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // fails only where the client has gone
}

// messages are the sentences of the gateway's own answers.
var messages = map[int]string{
	http.StatusBadRequest:            "Bad Request",
	http.StatusNotFound:              "Not Found",
	http.StatusRequestEntityTooLarge: "Request Entity Too Large",
	http.StatusInternalServerError:   "Internal Server Error",
	http.StatusServiceUnavailable:    "Service Unavailable",
}

// refuse sends the gateway's own answer with the status, in the form of those of HTTP APIs.
func refuse(w http.ResponseWriter, requestID string, status int) {
	answer{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   []byte(`{"message":"` + messages[status] + `"}`),
	}.write(w, requestID)
}
