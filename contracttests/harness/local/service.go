// Package local starts the organizations API for tests: in this process, behind the gateway as Lambda functions, and as
// the built processes; on memory, SQLite and DynamoDB Local. It also makes all sorts of organizations for them.
//
// It is the only package of contracttests that imports the service's own code, so only tests may import it.
package local

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/local/apigateway"
	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// Store has the methods of a store that the service uses.
type Store interface {
	store.Records
	store.Counters
	store.UseNotes
}

// Options configure a service. The zero Options are a service with rate limits, over net/http.
type Options struct {
	// ThroughEvents puts the gateway and the Lambda adapter in front: each request becomes the event that a function
	// gets.
	ThroughEvents bool
	Unlimited     bool             // requests are not counted
	Log           io.Writer        // gets the log lines; nil drops them
	Now           func() time.Time // nil is time.Now
}

// Service is the organizations API in this process.
type Service struct {
	routes  []api.Route
	log     *slog.Logger
	handler http.Handler
}

// NewService puts the service together on a store.
func NewService(t testing.TB, s Store, o Options) *Service {
	t.Helper()
	settings := api.Options{Records: s, Uses: s, Now: time.Now, Observe: func(context.Context, telemetry.Request) {}}
	log := slog.New(slog.DiscardHandler)
	if o.Log != nil {
		log = slog.New(slog.NewJSONHandler(o.Log, nil))
		settings.Observe = telemetry.Log(log, nil)
	}
	if !o.Unlimited {
		settings.Counters = s
	}
	if o.Now != nil {
		settings.Now = o.Now
	}
	service, err := api.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	made := &Service{routes: service.Routes(), log: log}
	if o.ThroughEvents {
		made.handler = made.gateway(t)
	} else {
		made.handler = made.mux()
	}
	return made
}

// Target returns the service as a target of checks.
func (s *Service) Target() harness.Target { return harness.HandlerTarget(s.handler) }

// Functions returns the Lambda functions, by the method that each answers.
func (s *Service) Functions() map[string]*lambdahttp.Adapter {
	functions := map[string]*lambdahttp.Adapter{}
	for _, r := range s.routes {
		functions[r.Method] = lambdahttp.New(r.Handler, s.log)
	}
	return functions
}

func (s *Service) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes {
		mux.Handle(r.Method+" "+r.Path, r.Handler)
	}
	return mux
}

func (s *Service) gateway(t testing.TB) http.Handler {
	t.Helper()
	functions := s.Functions()
	var routes []apigateway.Route
	for _, r := range s.routes {
		routes = append(routes, apigateway.Route{Method: r.Method, Path: r.Path, Function: functions[r.Method].Invoke})
	}
	gateway, err := apigateway.New(apigateway.Options{Routes: routes, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return gateway
}
