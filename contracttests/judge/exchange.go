package judge

import (
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
)

// Request is the request half of an exchange.
type Request struct {
	Method string
	// URL is absolute, or a path with an optional query.
	URL    string
	Header http.Header
	Body   []byte
}

// Response is the response half of an exchange.
type Response struct {
	Status int
	Header http.Header
	// Body holds the bytes as they were sent. A Content-Encoding is not undone.
	Body []byte
}

// Exchange is one request and its response, as plain data. A Validator does not modify it. A ReportFunc must not
// either.
type Exchange struct {
	Request  Request
	Response Response
}

// EscapedPath returns the path of the request's URL as the URL writes it, or "" where the URL cannot be parsed.
func (r Request) EscapedPath() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// Canonical returns the header with canonical names. Captured headers may have others: those of a gateway's events do.
// A name in two spellings becomes one header with two values. A header whose names are canonical is returned as it is:
// clone it before you change it.
func Canonical(h http.Header) http.Header {
	if isCanonical(h) {
		return h
	}
	out := make(http.Header, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		out[key] = append(out[key], h[name]...)
	}
	return out
}

func isCanonical(h http.Header) bool {
	if h == nil {
		return false
	}
	for name := range h {
		if textproto.CanonicalMIMEHeaderKey(name) != name {
			return false
		}
	}
	return true
}
