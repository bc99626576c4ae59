package lambdahttp

import (
	"bytes"
	"net/http"
	"strings"
)

// recorder takes a handler's response as net/http would: the first final status counts, the header is fixed with it, and
// a handler that says nothing says 200.
type recorder struct {
	header http.Header
	status int         // 0 until written
	sent   http.Header // the header as it was then
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || status < 200 || status > 999 {
		return
	}
	r.status = status
	r.sent = r.header.Clone()
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// lineBreaks become spaces, as they do in net/http; a header value must not end its line.
var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ")

// send passes the response on. The gateway sets the length, and a response that has no body gets none.
func (r *recorder) send(w http.ResponseWriter, method string) {
	r.WriteHeader(http.StatusOK)
	header := w.Header()
	for name, values := range r.sent {
		if name == "Content-Length" {
			continue
		}
		for i, value := range values {
			values[i] = lineBreaks.Replace(value)
		}
		header[name] = values
	}
	w.WriteHeader(r.status)
	if method == http.MethodHead || r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		return
	}
	if r.body.Len() > 0 {
		_, _ = w.Write(r.body.Bytes()) // into memory
	}
}
