package contracttests

import (
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

// Exchange is one request and its response, as plain data. A Validator does not modify it, and neither may a report
// function that it is given to.
type Exchange struct {
	Request  Request
	Response Response
}

// Operation says which operation of the document an exchange belongs to.
type Operation struct {
	ID     string // operationId, empty where the document gives none
	Method string
	Path   string // the template, as the document writes it
}

// String returns the operationId, or method and path template where there is none.
func (o Operation) String() string {
	if o.ID != "" {
		return o.ID
	}
	return o.Method + " " + o.Path
}

// path returns the decoded path of the request's URL, or "" where the URL cannot be parsed.
func (r Request) path() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return u.Path
}

// canonical returns the header with canonical names. Captured headers need not have them (the events of a gateway
// do not), and a name that is given in two spellings is one header with two values.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for _, name := range sortedKeys(h) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		out[key] = append(out[key], h[name]...)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
