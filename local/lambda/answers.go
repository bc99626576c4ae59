package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Quotas of a synchronous invocation: 6 MB each way, by "Lambda quotas". Lambda allows a response 100 bytes more, which
// shows in its message for one that is too large.
const (
	maxEvent    = 6 << 20
	maxResponse = 6<<20 + 100
)

const errorTypeHeader = "Lambda-Runtime-Function-Error-Type"

// response takes what the function returned. A runtime that fails while it sends says so in trailers.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome {
		kind := r.Trailer.Get(errorTypeHeader)
		if kind == "" {
			return outcome{payload: body}
		}
		report, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil {
			report = nil
		}
		return outcome{err: newFunctionError(report, kind)}
	})
}

// errorReport takes the error that the function returned.
func (a *runtimeAPI) errorReport(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome {
		return outcome{err: newFunctionError(body, r.Header.Get(errorTypeHeader))}
	})
}

// answer takes a request as the one answer to the current invocation, whose outcome is made from its body. A request that
// breaks off is no answer. One that is too large is: the function failed.
func (a *runtimeAPI) answer(w http.ResponseWriter, r *http.Request, made func(body []byte) outcome) {
	inv := a.claim(w, r.PathValue("id"))
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		const kind = "Function.ResponseSizeTooLarge"
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
		a.finish(inv, outcome{err: newFunctionError(encodeError(kind, message), "")})
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", message)
	case err != nil:
		a.unclaim(inv)
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "the request broke off")
	default:
		a.finish(inv, made(body))
		accept(w)
	}
}

// claim returns the current invocation for the one answer that it may get, or nil where it refused the request.
func (a *runtimeAPI) claim(w http.ResponseWriter, id string) *invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == nil || a.current.progress != running:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "no invocation waits for an answer")
		return nil
	case a.current.id != id:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	a.current.progress = answering
	return a.current
}

func (a *runtimeAPI) unclaim(inv *invocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	inv.progress = running
}

func (a *runtimeAPI) finish(inv *invocation, o outcome) {
	o.at = time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	inv.progress = answered
	inv.outcome <- o
}

// initError takes the reason why a process cannot start.
func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "the request broke off or is too large")
		return
	}
	if !a.reportInit(newFunctionError(body, r.Header.Get(errorTypeHeader))) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the init phase is over")
		return
	}
	accept(w)
}

// reportInit keeps the first report, unless the init phase is over.
func (a *runtimeAPI) reportInit(report *FunctionError) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.readyAt.IsZero() {
		return false
	}
	select {
	case a.initReport <- report:
		return true
	default:
		return false
	}
}

// wireError is an error in the form that runtimes report and get them.
type wireError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// newFunctionError reads a report. What it does not say is left to kind, and a report that cannot be read is kept whole.
func newFunctionError(report []byte, kind string) *FunctionError {
	var said wireError
	if err := json.Unmarshal(report, &said); err != nil {
		said = wireError{Message: "a report that is no JSON object"}
	}
	for _, t := range []string{kind, "Function.Unknown"} {
		if said.Type == "" {
			said.Type = t
		}
	}
	return &FunctionError{Type: said.Type, Message: said.Message, Payload: report}
}

func encodeError(kind, message string) []byte {
	text, err := json.Marshal(wireError{Message: message, Type: kind})
	if err != nil {
		panic(err) // two strings always encode
	}
	return text
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encodeError(kind, message))
}
