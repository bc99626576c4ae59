package serve

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/web"
	"organizations-api/local/apigateway"
	"organizations-api/local/lambda"
	"organizations-api/shared/api"
	"organizations-api/shared/lambdahttp"
	"organizations-api/shared/openapi"
	"organizations-api/shared/telemetry"
)

// gateway is one run of serve.
type gateway struct {
	app     *cli.App
	store   *backend.Store
	options options
	addr    net.Addr  // that it listens on
	log     io.Writer // takes lines of JSON
	logger  *slog.Logger

	// welcome sets these before any request is served.
	demo   *demo   // the demo organization, if its keys are known
	kept   bool    // its keys can be shown again
	signIn *signIn // nil: there is no link
}

// redeem returns the key for the token of the sign-in link.
func (g *gateway) redeem(token string) (key string, ok bool) {
	if g.signIn == nil {
		return "", false
	}
	return g.signIn.redeem(token)
}

// handler returns the functions behind API Gateway and the pages beside them, and what ends the functions.
func (g *gateway) handler() (handler http.Handler, stop func(), err error) {
	service, err := g.service()
	if err != nil {
		return nil, nil, err
	}
	pages, err := web.New(web.Options{
		Contract: openapi.YAML,
		State:    g.pageState,
		Service:  service,
		Trail:    g.store,
		Logger:   g.logger,
		Loopback: isLoopback(g.addr),
		SignIn:   g.redeem,
	})
	if err != nil {
		return nil, nil, err
	}
	routes, stop, err := g.routes(service)
	if err != nil {
		return nil, nil, err
	}
	functions, err := apigateway.New(apigateway.Options{
		Routes: routes,
		// A process has a timeout of its own, which counts from when it has started.
		Timeout: functionTimeout + lambda.DefaultInitTimeout,
		Now:     g.app.Now,
		Logger:  g.logger,
		CORS:    crossOrigin(g.options.origins),
	})
	if err != nil {
		stop()
		return nil, nil, err
	}
	return pages.Before(functions), stop, nil
}

// service returns the API on the store.
func (g *gateway) service() (*api.Service, error) {
	o := api.Options{Records: g.store, Uses: g.store, Now: g.app.Now, Observe: telemetry.Log(g.logger, nil)}
	if g.options.limits {
		o.Counters = g.store
	}
	return api.New(o)
}

// routes returns the API's operations with the function that answers each, and what ends the functions.
func (g *gateway) routes(service *api.Service) ([]apigateway.Route, func(), error) {
	if g.options.functions != "" {
		return g.processes(service.Routes())
	}
	var routes []apigateway.Route
	for _, r := range service.Routes() {
		routes = append(routes, apigateway.Route{Method: r.Method, Path: r.Path, Function: lambdahttp.New(r.Handler, g.logger).Invoke})
	}
	return routes, func() {}, nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// crossOrigin returns the CORS configuration of template.yaml, for these origins.
func crossOrigin(origins []string) apigateway.CORS {
	return apigateway.CORS{
		Origins: origins,
		Methods: []string{"GET", "PATCH"},
		// x-namespace is a header that the provider's clients send with every request. It means nothing here.
		Headers: []string{"authorization", "content-type", "if-match", "if-none-match", "x-namespace"},
		Exposed: []string{"etag", "retry-after", "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining",
			"x-ratelimit-reset", "x-ratelimit-window"},
		MaxAge: 10 * time.Minute,
	}
}

// parseOrigins reads origins as the template's AllowedOrigins has them.
func parseOrigins(s string) ([]string, error) {
	origins := strings.Split(s, ",")
	if slices.ContainsFunc(origins, func(origin string) bool { return !isOrigin(origin) }) {
		return nil, errors.New("origins are such as http://localhost:3000, without a path, or http://*, https://* or *, " +
			"separated by commas")
	}
	return origins, nil
}

// isOrigin reports whether a browser could send this text as an Origin, or it stands for many of them.
func isOrigin(s string) bool {
	if s == "*" || s == "http://*" || s == "https://*" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return false
	}
	return s == u.Scheme+"://"+strings.ToLower(u.Host)
}
