package judge

import (
	"bytes"
	"net/http"
)

// Middleware returns a wrapper of handlers that judges every response. It calls report in the handler's goroutine after
// the handler has returned. The client sees what the handler writes at once. A handler that panics is not reported.
//
// Servers discard what handlers write in answer to HEAD, so that a body is no violation here.
func (v *Validator) Middleware(report ReportFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := drain(r.Body)
			x := Exchange{Request: requestOf(r, sent)}
			r.Body = replay(sent, r.Body)
			if err != nil { // the handler has to see it too
				r.Body = breaking(sent, err)
			}
			tap := &Recorder{ResponseWriter: w}
			next.ServeHTTP(tap, r)
			x.Response = tap.Response()
			if r.Method == http.MethodHead {
				x.Response.Body = nil
			}
			report(x, v.Check(x))
		})
	}
}

// Recorder is an http.ResponseWriter that passes on and copies what a handler writes.
type Recorder struct {
	http.ResponseWriter
	status int
	header http.Header // when the status was written; later changes do not reach the client
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (t *Recorder) WriteHeader(status int) {
	if t.status == 0 && status >= 200 {
		t.status = status
		t.header = t.Header().Clone()
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. It also copies data that the writer below refuses.
func (t *Recorder) Write(data []byte) (int, error) {
	if t.status == 0 {
		t.WriteHeader(http.StatusOK)
	}
	t.body.Write(data)
	return t.ResponseWriter.Write(data)
}

// FlushError sends what was written so far, for http.ResponseController.
func (t *Recorder) FlushError() error {
	if t.status == 0 {
		t.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(t.ResponseWriter).Flush()
}

// Unwrap returns the writer below, for http.ResponseController.
func (t *Recorder) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Response returns what the handler has written.
func (t *Recorder) Response() Response {
	if t.status == 0 { // a handler that writes nothing answers 200
		return Response{Status: http.StatusOK, Header: t.Header().Clone()}
	}
	return Response{Status: t.status, Header: t.header, Body: t.body.Bytes()}
}
