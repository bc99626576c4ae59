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

// The quotas of a synchronous invocation are 6 MB in each direction ("Lambda quotas"). Lambda allows 100 bytes more for
// a response, as its error message shows.
const (
	maxEvent    = 6 << 20
	maxResponse = 6<<20 + 100
)

const errorTypeHeader = "Lambda-Runtime-Function-Error-Type"

// response accepts the function's result. If the runtime fails while it sends the result, it says so in trailers.
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

// errorReport accepts the error that the function returned.
func (a *runtimeAPI) errorReport(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(body []byte) outcome {
		return outcome{err: newFunctionError(body, r.Header.Get(errorTypeHeader))}
	})
}

// answer accepts a request as the one answer to the current invocation, and makes the outcome from the body. A request
// that breaks off is no answer. A request that is too large is an answer: the function failed.
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

// claim returns the current invocation, which may get one answer only. It returns nil if it has refused the request.
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

// initError accepts the reason why a process cannot start.
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

// wireError is the JSON of an error, as runtimes report it and as they receive it.
type wireError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// newFunctionError reads a report. If the report does not name the error's type, it is kind. A report that cannot be
// read is kept whole.
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
