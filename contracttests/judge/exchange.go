package judge

import (
	"net/http"
	"net/textproto"
	"net/url"

	"organizations-api/contracttests/spec"
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

// Exchange is one request and its response, as plain data. A Validator does not modify it, and neither may a report
// function that it is given to.
type Exchange struct {
	Request  Request
	Response Response
}

// Path returns the decoded path of the request's URL, or "" where the URL cannot be parsed.
func (r Request) Path() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return u.Path
}

// Canonical returns the header with canonical names. Captured headers need not have them (the events of a gateway
// do not), and a name that is given in two spellings is one header with two values.
func Canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for _, name := range spec.SortedKeys(h) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		out[key] = append(out[key], h[name]...)
	}
	return out
}
