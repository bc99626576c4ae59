// Package serve is the command orgs serve: the API on this machine, behind a local API Gateway, with pages for a browser
// and a demo organization for a newcomer.
//
// It may import what imitates AWS, in local. It must import no engine of the store.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/telemetry"
)

// Command returns the command serve.
func Command(a *cli.App) *cobra.Command {
	addr := cli.NewFlag("host:port", "127.0.0.1:8080", parseAddress)
	limits := cli.NewFlag("on|off", "on", parseSwitch)
	origins := cli.NewFlag("origins", "", parseOrigins)
	format := cli.NewFlag("auto|pretty|json", logAuto, parseLog)
	var functions string
	var browse bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API on this machine, as API Gateway and Lambda do",
		Long: `Serve the API on this machine. Each request becomes the event that API Gateway makes of it and goes through the
code that runs in Lambda. On an empty store it makes a demo organization first and shows its keys, and a link that signs
in to the console. The link works once, on this machine, within 10 minutes.

On a terminal the log has a short line for each request. Elsewhere it has lines of JSON.

With --functions the code is that of the built bootstraps, each run as a process as Lambda runs it. They must be built for
this machine (make build ARCH=amd64), and they know no store but DynamoDB.

With --allowed-origins pages of those origins may call the API from a browser, as with the template's AllowedOrigins.

SIGINT and SIGTERM end it when the running requests are answered.`,
		Example: `  orgs serve
  orgs serve --open
  orgs serve --addr 127.0.0.1:0 --rate-limits off
  orgs serve --allowed-origins http://localhost:3000
  orgs --store dynamodb:dev serve --functions build`,
		Args: cli.Arguments,
		RunE: a.Run(func(ctx context.Context, _ []string) error {
			return serve(ctx, a, options{addr.Value, limits.Value, functions, origins.Value, format.Value, browse})
		}),
	}
	c.Flags().Var(addr, "addr", "address to listen on; port 0 picks a free one")
	c.Flags().Var(limits, "rate-limits", "whether to enforce rate limits")
	c.Flags().Var(origins, "allowed-origins", "whose pages may call the API from a browser, separated by commas (default nobody's)")
	c.Flags().Var(format, "log", "how to log requests; auto is pretty on a terminal and json elsewhere")
	c.Flags().BoolVar(&browse, "open", false, "open the console in a browser, signed in to the demo organization")
	c.Flags().StringVar(&functions, "functions", "", "folder of built functions to run, such as build or .aws-sam/build")
	c.AddCommand(keysCommand(a))
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

// options are the flags of serve.
type options struct {
	addr      string
	limits    bool
	functions string   // a folder of built functions, or "" for the code in this process
	origins   []string // that may call from a browser
	log       string   // logAuto, logPretty or logJSON
	browse    bool     // open a browser
}

// serve answers requests until ctx is done. It listens before it does anything else, so that nothing is made if the port
// is taken.
func serve(ctx context.Context, a *cli.App, o options) error {
	if o.functions != "" {
		if err := a.Choice().NeedsDynamoDB("built functions know no store but DynamoDB"); err != nil {
			return err
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer listener.Close() // the server may have closed it already
	return a.With(ctx, backend.Open, func(s *backend.Store) error {
		g := &gateway{app: a, store: s, options: o, addr: listener.Addr(), log: newLog(a.Stderr, o.log)}
		g.logger = slog.New(slog.NewJSONHandler(g.log, nil))
		log.SetOutput(telemetry.Libraries(g.logger)) // no writer but ours reaches the log
		handler, stop, err := g.handler()
		if err != nil {
			return err
		}
		defer stop()
		address, err := g.welcome(ctx)
		if err != nil {
			return err
		}
		if o.browse {
			remove, err := openBrowser(ctx, address)
			defer remove()
			if err != nil {
				a.Stderr.Warn(&term.Failure{Kind: term.Failed, Message: err.Error() + "; open the address yourself"}, a.JSON)
			}
		}
		g.logger.InfoContext(ctx, "serving", "address", g.addr.String(), "store", string(s.Choice), "rate_limits", o.limits)
		if !isLoopback(g.addr) {
			g.logger.WarnContext(ctx, "other machines can reach this address, and it has no TLS")
		}
		err = serveUntilDone(ctx, newServer(handler, g.logger), listener)
		g.logger.InfoContext(ctx, "stopped")
		return err
	})
}

// Bounds of the server. "Quotas for configuring and running an HTTP API" in the API Gateway Developer Guide has the size
// of the headers ("total combined size of request line and header values") and the 30 seconds of a request.
const (
	maxHead        = 10240
	headerTimeout  = 5 * time.Second
	requestTimeout = 30 * time.Second
	idleTimeout    = time.Minute
	shutdownGrace  = 25 * time.Second // longer than any function takes
)

// headSlop is how many bytes more than MaxHeaderBytes net/http reads of a head.
const headSlop = 4096

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHead - headSlop,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          log.New(telemetry.Libraries(logger), "", 0),
	}
}

// serveUntilDone accepts connections until ctx is done. Then it waits for running requests, but not for ever.
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
