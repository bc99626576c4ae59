// Package apigateway is an API Gateway HTTP API on a laptop. It turns each HTTP request into the event that an HTTP API
// makes of it, in payload format 2.0. It calls a function with the event as JSON, as Lambda does, and turns the result
// into the HTTP response. So the code that runs on the laptop is the code that runs in Lambda. docs/local.md compares
// events and answers with those of AWS, field by field.
//
// It must import nothing of this module except base62: it knows neither organizations nor what the functions do. No
// Lambda binary may import it.
package apigateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"organizations-api/shared/base62"
)

// Function handles an event and returns the response, both as JSON. TraceID(ctx) returns the trace of the event.
type Function func(ctx context.Context, event []byte) (response []byte, err error)

// Route says which requests a function gets: those with exactly this method and this path, after percent-decoding.
type Route struct {
	Method   string
	Path     string
	Function Function
}

// DefaultTimeout is the time limit of a function if Options has none.
const DefaultTimeout = 10 * time.Second

// Options configure a Gateway.
type Options struct {
	Routes  []Route
	Timeout time.Duration    // of every function; 0 stands for DefaultTimeout
	Now     func() time.Time // the clock
	Logger  *slog.Logger     // gets one error for each invocation that failed, and nothing else
	CORS    CORS             // must not be changed afterwards
}

// Gateway is an HTTP API. It is safe for concurrent use.
type Gateway struct {
	functions map[string]Function // by route key, such as "GET /v1/organizations"
	timeout   time.Duration
	now       func() time.Time
	logger    *slog.Logger
	cors      CORS
}

// New returns a gateway. The error says what is wrong with the options.
func New(o Options) (*Gateway, error) {
	switch {
	case o.Now == nil:
		return nil, errors.New("a gateway needs a clock")
	case o.Logger == nil:
		return nil, errors.New("a gateway needs a logger")
	case o.Timeout < 0:
		return nil, fmt.Errorf("a timeout of %v is negative", o.Timeout)
	case o.Timeout == 0:
		o.Timeout = DefaultTimeout
	}
	functions := make(map[string]Function, len(o.Routes))
	for _, r := range o.Routes {
		key := routeKey(r.Method, r.Path)
		switch {
		case r.Method == "" || !strings.HasPrefix(r.Path, "/"):
			return nil, fmt.Errorf("the route %q has no method, or a path without a leading slash", key)
		case r.Function == nil:
			return nil, fmt.Errorf("the route %q has no function", key)
		case functions[key] != nil:
			return nil, fmt.Errorf("there are two routes %q", key)
		}
		functions[key] = r.Function
	}
	return &Gateway{functions: functions, timeout: o.Timeout, now: o.Now, logger: o.Logger, cors: o.CORS}, nil
}

// routeKey returns the name of a route, as HTTP APIs write it.
func routeKey(method, path string) string { return method + " " + path }

// maxBody is the largest body of a request: 10 MB, by the "Quotas for configuring and running an HTTP API" of the API
// Gateway Developer Guide.
const maxBody = 10 << 20

// ServeHTTP answers as an HTTP API with these routes and this CORS configuration does. It compares paths as they are:
// it does not clean them up and does not redirect. A route for GET does not answer HEAD.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	key := routeKey(r.Method, r.URL.Path)
	function, found := g.functions[key]
	switch {
	case !found && r.Method == http.MethodOptions && g.cors.on():
		g.cors.preflight(r).write(w, id)
		return
	case !found:
		refuse(w, id, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, id, http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil { // the client broke off, or its chunks are malformed
		refuse(w, id, http.StatusBadRequest)
		return
	}
	event, err := newEvent(r, body, key, id, g.now())
	if err == nil && len(event.text) > maxEvent {
		refuse(w, id, http.StatusRequestEntityTooLarge)
		return
	}
	var answer answer
	if err == nil {
		answer, err = g.invoke(r.Context(), function, event)
	}
	if err != nil {
		g.logger.ErrorContext(r.Context(), "invoking the function of a route", "route", key, "request_id", id, "error", err)
		refuse(w, id, statusOf(err))
		return
	}
	g.cors.amend(answer.header, r)
	answer.write(w, id)
}

// newRequestID returns a new identifier in the format of HTTP APIs, such as "JKJaXmPLvHcESHA=".
func newRequestID() string { return base62.Random(15) + "=" }
