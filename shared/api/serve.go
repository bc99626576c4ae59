package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// RequestIDHeader carries the identifier of a request: inwards from the gateway, outwards on every response.
const RequestIDHeader = "X-Request-Id"

// requestTimeout is how long the service works on one request. It is below the ten seconds that a function is given, so
// that the caller gets our answer and not the gateway's.
const requestTimeout = 8 * time.Second

// call is one request on its way to a response.
type call struct {
	request   *http.Request
	requestID string
	started   time.Time
	header    http.Header // goes out with whatever the response is
	found     store.Found // set once the key is authenticated
	countErr  error       // why the request was not counted
	useErr    error       // why the use of the key was not noted
}

// serve runs one request from its arrival to its report.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, op operation) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	ctx, _ = store.WithUsage(ctx)
	c := &call{request: r, requestID: requestID(r), started: s.now(), header: make(http.Header)}
	c.header.Set(RequestIDHeader, c.requestID)
	c.header.Set("Cache-Control", "no-store")
	c.header.Set("X-Content-Type-Options", "nosniff")

	out, err := s.answer(ctx, c, op)
	if err != nil {
		out = errorResponse(err)
	}
	for name, values := range c.header {
		w.Header()[name] = values
	}
	out.write(w)
	s.report(ctx, c, op, out.status, err)
}

// answer goes through what all operations have in common. A panic comes back as an error.
func (s *Service) answer(ctx context.Context, c *call, op operation) (out response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	// A custom domain may put a base path before ours.
	if c.request.Method != op.method || !strings.HasSuffix(c.request.URL.Path, op.path) {
		return response{}, &Error{Kind: NotFound, Code: "route_not_found", Message: "There is no such operation."}
	}
	if err := s.authenticate(ctx, c); err != nil {
		return response{}, err
	}
	defer s.noteUse(ctx, c)
	if !op.uncounted {
		if err := s.limit(ctx, c); err != nil {
			return response{}, err
		}
	}
	if err := authorize(c, op.permission); err != nil {
		return response{}, err
	}
	if err := checkQuery(c.request); err != nil {
		return response{}, err
	}
	return op.perform(ctx, c)
}

// requestID returns the gateway's identifier where it can stand in a header and a log, and else a new one.
func requestID(r *http.Request) string {
	const longest = 128
	id := r.Header.Get(RequestIDHeader)
	printable := strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
	if id == "" || len(id) > longest || !printable {
		return base62.Random(22)
	}
	return id
}

// report tells the observer of the request: never a body, a key or a credential.
func (s *Service) report(ctx context.Context, c *call, op operation, status int, err error) {
	usage := store.UsageOf(ctx)
	r := telemetry.Request{
		ID:             c.requestID,
		Operation:      op.id,
		Route:          op.method + " " + op.path,
		Status:         status,
		Started:        c.started,
		Duration:       s.now().Sub(c.started),
		StoreCalls:     usage.Calls,
		ReadUnits:      usage.ReadUnits,
		WriteUnits:     usage.WriteUnits,
		StoreThrottles: usage.Throttles,
		Err:            err,
		CountErr:       c.countErr,
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

// retryAfter sets the header to whole seconds, at least one.
func (c *call) retryAfter(d time.Duration) {
	seconds := max(1, int64((d+time.Second-1)/time.Second))
	c.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
}
