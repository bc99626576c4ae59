package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/telemetry"
)

func (a *app) serveCommand() *cobra.Command {
	addr := newParsed("host:port", "127.0.0.1:8080", parseAddress)
	limits := newParsed("on|off", "on", parseSwitch)
	origins := newParsed("origins", "", parseOrigins)
	var functions string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API on this machine, as API Gateway and Lambda do",
		Long: `Serve the API on this machine. Each request becomes the event that API Gateway makes of it and goes through the
code that runs in Lambda. On an empty store it makes a demo organization first and shows its keys, once.

With --functions the code is that of the built bootstraps, each run as a process as Lambda runs it. They must be built for
this machine (make build ARCH=amd64), and they know no store but DynamoDB.

With --allowed-origins pages of those origins may call the API from a browser, as with the template's AllowedOrigins.

SIGINT and SIGTERM end it when the running requests are answered.`,
		Example: `  orgs serve
  orgs serve --addr 127.0.0.1:0 --rate-limits off
  orgs serve --allowed-origins http://localhost:3000
  orgs --store dynamodb:dev serve --functions build`,
		Args: cobra.NoArgs,
		RunE: a.does(func(ctx context.Context, _ []string) error {
			return a.serve(ctx, serving{addr.value, limits.value, functions, origins.value})
		}),
	}
	c.Flags().Var(addr, "addr", "address to listen on; port 0 picks a free one")
	c.Flags().Var(limits, "rate-limits", "whether to enforce rate limits")
	c.Flags().Var(origins, "allowed-origins", "whose pages may call the API from a browser, separated by commas (default nobody's)")
	c.Flags().StringVar(&functions, "functions", "", "folder of built functions to run, such as build or .aws-sam/build")
	return c
}

func parseAddress(s string) (string, error) {
	_, port, err := net.SplitHostPort(s)
	if _, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil {
		return "", errors.New("an address is HOST:PORT, such as 127.0.0.1:8080")
	}
	return s, nil
}

func parseSwitch(s string) (bool, error) {
	switch s {
	case "on", "off":
		return s == "on", nil
	default:
		return false, errors.New("it is on or off")
	}
}

// serving is what serve was told.
type serving struct {
	addr      string
	limits    bool
	functions string   // a folder, or "" for the code in this process
	origins   []string // that may call from a browser
}

// serve answers requests until ctx is done. It listens before anything else, so that a taken port leaves no traces.
func (a *app) serve(ctx context.Context, told serving) (err error) {
	if told.functions != "" {
		if err := a.needsDynamoDB("built functions know no store but DynamoDB"); err != nil {
			return err
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", told.addr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer listener.Close() // again, where the server has done it
	s, err := openStorage(ctx, a.storeChoice(), a.getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()

	logger := slog.New(slog.NewJSONHandler(a.stderr, nil))
	handler, stop, err := a.handler(s, told, listener.Addr(), logger)
	if err != nil {
		return err
	}
	defer stop()
	if err := a.welcome(ctx, s, listener.Addr()); err != nil {
		return err
	}
	logger.InfoContext(ctx, "serving", "address", listener.Addr().String(), "store", s.choice, "rate_limits", told.limits)
	if !isLoopback(listener.Addr()) {
		logger.WarnContext(ctx, "other machines can reach this address, and it has no TLS")
	}
	err = serveUntilDone(ctx, newServer(handler, logger), listener)
	logger.InfoContext(ctx, "stopped")
	return err
}

// service returns the API on the store.
func (a *app) service(s *storage, limits bool, logger *slog.Logger) (*api.Service, error) {
	options := api.Options{Records: s, Uses: s, Now: a.now, Observe: telemetry.Log(logger, nil)}
	if limits {
		options.Counters = s
	}
	return api.New(options)
}

// routes returns the API's operations, each by the function that answers for it, and what ends those that are processes.
func (a *app) routes(
	service *api.Service, s *storage, limits bool, functions string, logger *slog.Logger,
) ([]apigateway.Route, func(), error) {
	if functions != "" {
		return a.processes(service.Routes(), s, limits, functions)
	}
	var routes []apigateway.Route
	for _, r := range service.Routes() {
		routes = append(routes, apigateway.Route{
			Method:   r.Method,
			Path:     r.Path,
			Function: lambdahttp.New(r.Handler, logger).Handle,
		})
	}
	return routes, func() {}, nil
}

// handler puts the functions behind the gateway, and the pages beside them. It also returns what ends the functions.
func (a *app) handler(s *storage, told serving, addr net.Addr, logger *slog.Logger) (_ http.Handler, stop func(), err error) {
	service, err := a.service(s, told.limits, logger)
	if err != nil {
		return nil, nil, err
	}
	pages, err := a.pages(service, s, told.limits, addr, logger)
	if err != nil {
		return nil, nil, err
	}
	routes, stop, err := a.routes(service, s, told.limits, told.functions, logger)
	if err != nil {
		return nil, nil, err
	}
	functions, err := apigateway.New(apigateway.Options{
		Routes: routes,
		// A process has a timeout of its own, which counts from when it has started.
		Timeout: functionTimeout + lambda.DefaultInitTimeout,
		Now:     a.now,
		Logger:  logger,
		CORS:    crossOrigin(told.origins),
	})
	if err != nil {
		stop()
		return nil, nil, err
	}
	return pages.Before(functions), stop, nil
}

// Bounds of the server. Headers: "total combined size of request line and header values" in "Quotas for configuring and
// running an HTTP API" of the API Gateway Developer Guide, where also the 30 seconds of a whole request come from.
const (
	maxHeaderBytes = 10240
	headerTimeout  = 5 * time.Second
	requestTimeout = 30 * time.Second
	idleTimeout    = time.Minute
	shutdownGrace  = 25 * time.Second // longer than any function takes
)

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// serveUntilDone accepts connections until ctx is done, and then waits for running requests, but not for ever.
func serveUntilDone(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("waiting for running requests: %w", err), server.Close())
	}
	return nil
}
