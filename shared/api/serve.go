package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"organizations-api/shared/base62"
	"organizations-api/shared/store"
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
}

// serve runs one request from its arrival to its log line.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, op operation) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	c := &call{request: r, requestID: requestID(r), started: s.now(), header: make(http.Header)}
	c.header.Set(RequestIDHeader, c.requestID)
	c.header.Set("Cache-Control", "no-store")

	out, err := s.answer(ctx, c, op)
	if err != nil {
		out = errorResponse(err)
	}
	for name, values := range c.header {
		w.Header()[name] = values
	}
	out.write(w)
	s.logRequest(ctx, c, op, out.status, err)
}

// answer goes through what all operations have in common. A panic comes back as an error.
func (s *Service) answer(ctx context.Context, c *call, op operation) (out response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	// A custom domain may put a base path before ours.
	if c.request.Method != op.method || !strings.HasSuffix(c.request.URL.Path, organizationsPath) {
		return response{}, &Error{Kind: NotFound, Code: "route_not_found", Message: "There is no such operation."}
	}
	if err := s.authenticate(ctx, c); err != nil {
		return response{}, err
	}
	if err := s.limit(ctx, c); err != nil {
		return response{}, err
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

// logRequest writes the one line that a request leaves: never a body, a key or a credential.
func (s *Service) logRequest(ctx context.Context, c *call, op operation, status int, err error) {
	attributes := []slog.Attr{
		slog.String("request_id", c.requestID),
		slog.String("route", op.method+" "+organizationsPath),
		slog.Int("status", status),
		slog.Float64("duration_ms", float64(s.now().Sub(c.started).Microseconds())/1000),
	}
	if key := c.found.Key; key != nil {
		attributes = append(attributes,
			slog.String("organization_id", string(c.found.Organization.ID)), slog.String("key_id", key.ID))
	}
	level := slog.LevelInfo
	if err != nil {
		attributes = append(attributes, slog.String("code", asError(err).code()))
	}
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(ctx, level, "request", attributes...)
}

// retryAfter sets the header to whole seconds, at least one.
func (c *call) retryAfter(d time.Duration) {
	seconds := max(1, int64((d+time.Second-1)/time.Second))
	c.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
}
