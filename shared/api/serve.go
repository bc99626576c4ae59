package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/base62"
	"organizations-api/shared/ratelimit"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// RequestIDHeader carries the identifier of a request: from the gateway to us, and from us to the client.
const RequestIDHeader = "X-Request-Id"

// requestTimeout is how long the service works on one request. A function has ten seconds, so the client gets our
// answer before the gateway gives up.
const requestTimeout = 8 * time.Second

// endpoint is what differs between operations.
type endpoint struct {
	id          string
	method      string
	path        string
	route       string // method and path; set by Service.route
	rateLimited bool
	permission  apikey.Permission                              // the key needs it
	perform     func(context.Context, *call) (response, error) // runs when the key has the permission
}

func (s *Service) route(e endpoint) Route {
	e.route = e.method + " " + e.path
	return Route{
		Method:      e.method,
		Path:        e.path,
		OperationID: e.id,
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) }),
	}
}

// call is one request on its way to a response.
type call struct {
	request   *http.Request
	requestID string
	started   time.Time
	header    http.Header // of the response, which is not written yet

	key        apikey.Key // that the caller presents
	hash       apikey.Hash
	remembered bool        // the key was accepted lately
	known      acceptance  // what was known then
	found      store.Found // set when the key is authenticated
	count      counting
	useErr     error // why the use of the key was not noted
}

// serve answers one request and reports it.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	ctx, meter := store.WithMeter(ctx)
	c := &call{request: r, requestID: requestID(r), started: s.now(), header: w.Header()}
	c.header.Set(RequestIDHeader, c.requestID)
	c.header["Cache-Control"] = noStore
	c.header["X-Content-Type-Options"] = noSniff

	out, err := s.answer(ctx, c, e)
	if err != nil {
		out = errorResponse(err)
	}
	out.write(w)
	s.report(ctx, c, e, meter.Sum(), out.status, err)
}

// Values of headers that are the same in all responses. They are shared and never changed.
var (
	noStore         = []string{"no-store"}
	noSniff         = []string{"nosniff"}
	jsonContentType = []string{jsonType}
	windowSeconds   = []string{strconv.Itoa(int(ratelimit.Window / time.Second))}
)

// answer runs the steps that all operations share, then the operation. It returns a panic as an error.
func (s *Service) answer(ctx context.Context, c *call, e endpoint) (out response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	// A stage or a custom domain's base path may be before our path.
	if c.request.Method != e.method || !strings.HasSuffix(c.request.URL.Path, e.path) {
		return response{}, &Error{Type: NotFound, Code: "route_not_found", Message: "There is no such operation."}
	}
	if err := s.receiveKey(ctx, c); err != nil {
		return response{}, err
	}
	if e.rateLimited {
		s.countBeside(ctx, c)
		defer c.count.beside.Wait() // also after a panic
	}
	err = s.authenticate(ctx, c)
	c.count.beside.Wait()
	if err != nil {
		return response{}, err
	}
	defer s.noteUse(ctx, c)
	if e.rateLimited {
		if err := s.limit(ctx, c); err != nil {
			return response{}, err
		}
	}
	if err := authorize(c, e.permission); err != nil {
		return response{}, err
	}
	// The operations have no query parameters and ignore what is there, but they refuse what cannot be read.
	if _, err := url.QueryUnescape(c.request.URL.RawQuery); err != nil {
		return response{}, &Error{Type: BadRequest, Message: "The query string has a malformed percent-encoding."}
	}
	return e.perform(ctx, c)
}

// requestID returns the gateway's identifier of the request. It returns a new one if there is none, or if a header or a
// log cannot hold it.
func requestID(r *http.Request) string {
	const longest = 128
	id := r.Header.Get(RequestIDHeader)
	printable := strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
	if id == "" || len(id) > longest || !printable {
		return base62.Random(22)
	}
	return id
}

// report tells the observer about the request. A report holds no body, key or credential.
func (s *Service) report(ctx context.Context, c *call, e endpoint, usage store.Usage, status int, err error) {
	r := telemetry.Request{
		ID:             c.requestID,
		Operation:      e.id,
		Route:          e.route,
		Status:         status,
		Started:        c.started,
		Duration:       s.now().Sub(c.started),
		StoreCalls:     usage.Calls,
		ReadUnits:      usage.ReadUnits,
		WriteUnits:     usage.WriteUnits,
		StoreThrottles: usage.Throttles,
		Err:            err,
		CountErr:       c.count.err,
		UseErr:         c.useErr,
	}
	if err != nil {
		r.Code = asError(err).code()
	}
	if key := c.found.Key; key != nil {
		r.OrganizationID, r.KeyID = string(c.found.Organization.ID), key.ID
	}
	s.observe(ctx, r)
}

// retryAfter sets the Retry-After header to whole seconds, at least one, and returns them.
func (c *call) retryAfter(d time.Duration) int64 {
	seconds := max(1, int64((d+time.Second-1)/time.Second))
	c.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	return seconds
}
