package judge

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
)

// Middleware returns a wrapper of handlers that judges every response. It calls report in the handler's goroutine after
// the handler has returned. The client sees what the handler writes at once, and the handler can use what else the
// writer below can do: http.Flusher, http.Hijacker, http.Pusher. A handler that panics or takes the connection over is
// not reported.
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
			next.ServeHTTP(tap.able(), r)
			if tap.hijacked {
				return
			}
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

	hijacked bool
}

// able returns the recorder as a writer of the interfaces that the writer below has, and of no others: a handler asks
// for them to choose how it answers.
func (t *Recorder) able() http.ResponseWriter {
	_, flushes := t.ResponseWriter.(http.Flusher)
	_, hijacks := t.ResponseWriter.(http.Hijacker)
	pusher, pushes := t.ResponseWriter.(http.Pusher)
	f, h := flusher{t}, hijacker{t}
	switch {
	case flushes && hijacks && pushes:
		return struct {
			*Recorder
			http.Flusher
			http.Hijacker
			http.Pusher
		}{t, f, h, pusher}
	case flushes && hijacks:
		return struct {
			*Recorder
			http.Flusher
			http.Hijacker
		}{t, f, h}
	case flushes && pushes:
		return struct {
			*Recorder
			http.Flusher
			http.Pusher
		}{t, f, pusher}
	case hijacks && pushes:
		return struct {
			*Recorder
			http.Hijacker
			http.Pusher
		}{t, h, pusher}
	case flushes:
		return struct {
			*Recorder
			http.Flusher
		}{t, f}
	case hijacks:
		return struct {
			*Recorder
			http.Hijacker
		}{t, h}
	case pushes:
		return struct {
			*Recorder
			http.Pusher
		}{t, pusher}
	default:
		return t
	}
}

type flusher struct{ tap *Recorder }

// Flush implements http.Flusher.
func (f flusher) Flush() { _ = f.tap.FlushError() }

type hijacker struct{ tap *Recorder }

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	connection, buffered, err := http.NewResponseController(h.tap.ResponseWriter).Hijack()
	h.tap.hijacked = err == nil
	return connection, buffered, err
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
