package apigateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// answer is the response of a function, checked and decoded.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// newAnswer reads the response of a function in payload format 2.0, which has no multiValueHeaders. If the JSON has no
// statusCode, it is the body of a 200. The rules are in "Lambda function response for format 2.0" in "Create AWS Lambda
// proxy integrations for HTTP APIs in API Gateway" of the API Gateway Developer Guide. A status 1xx is an error,
// because no final response has one.
func newAnswer(response []byte) (answer, error) {
	if !json.Valid(response) {
		return answer{}, errors.New("the function returned what is no JSON")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(response, &members); err != nil || members["statusCode"] == nil {
		return inferred(response), nil
	}
	var r struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Cookies         []string          `json:"cookies"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return answer{}, fmt.Errorf("the function returned no response of format 2.0: %w", err)
	}
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
	return answer{status: r.StatusCode, header: newHeader(r.Headers, r.Cookies), body: body}, nil
}

// inferred returns the answer for JSON without a statusCode. A JSON string is sent as its text, without the quotes.
func inferred(response []byte) answer {
	a := answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: response}
	var text string
	if json.Unmarshal(response, &text) == nil && bytes.HasPrefix(bytes.TrimSpace(response), []byte{'"'}) {
		a.body = []byte(text)
	}
	return a
}

// newHeader returns the headers of a response. It drops the headers that say where the body ends, because the gateway
// decides that.
func newHeader(headers map[string]string, cookies []string) http.Header {
	all := make(http.Header, len(headers)+1)
	for name, value := range headers {
		all.Add(name, value)
	}
	for _, cookie := range cookies {
		all.Add("Set-Cookie", cookie)
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		all.Del(name)
	}
	return all
}

// write sends the answer. If the function gave no content type, it is text/plain, as in an HTTP API.
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

// messages are the texts of the gateway's own answers.
var messages = map[int]string{
	http.StatusBadRequest:            "Bad Request",
	http.StatusNotFound:              "Not Found",
	http.StatusRequestEntityTooLarge: "Request Entity Too Large",
	http.StatusInternalServerError:   "Internal Server Error",
	http.StatusServiceUnavailable:    "Service Unavailable",
}

// refuse sends an answer of the gateway itself, with the status. It looks like the answers of HTTP APIs.
func refuse(w http.ResponseWriter, requestID string, status int) {
	answer{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   []byte(`{"message":"` + messages[status] + `"}`),
	}.write(w, requestID)
}
