// Package web is the pages that the local gateway shows to a browser: a welcome page, the API reference, and a console in
// which the holder of a key sees an organization and changes it. Everything comes from the binary; no page loads
// anything from elsewhere.
//
// The pages are clients of the API like any other: a user types a key, which stays in the tab and goes out in the
// Authorization header of requests to the same origin. The contract has no operation for the audit trail and for where
// limits come from. The console reads these below /console/data, from handlers of package api with the same
// authentication.
//
// It may import the domain, api, the store's interfaces, the JSON of package admin, term, and what it embeds. It must
// import no engine of the store and nothing of AWS. Only package serve may import it.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"organizations-api/shared/api"
	"organizations-api/shared/store"
)

// Options are what Pages are made from. All but Loopback must be set.
type Options struct {
	Contract []byte                               // the OpenAPI document, in YAML
	State    func(context.Context) (State, error) // what the welcome page shows; called for each request
	Service  *api.Service                         // authenticates the caller of /console/data
	Trail    store.Trail
	Logger   *slog.Logger // gets one error for each page that could not be made, and nothing else

	// Loopback says that only this machine reaches the pages. Then the host of a request must name this machine: another
	// site could point a name of its own here and read the pages (DNS rebinding). If Loopback is false there is no
	// console, as keys would be typed into a page without TLS, and the welcome page shows no organization.
	Loopback bool
}

// Pages answers requests for the pages. It is safe for concurrent use.
type Pages struct {
	routes   map[string]http.Handler // by path
	loopback bool
}

// The paths that people and programs know.
const (
	WelcomePath      = "/"
	DocsPath         = "/docs"
	ConsolePath      = "/console"
	ContractYAMLPath = "/openapi.yaml"
	ContractJSONPath = "/openapi.json"

	assetsPath  = "/assets/"
	accountPath = "/console/data/account"
	auditPath   = "/console/data/audit"
)

// New returns the pages, or an error that says what is wrong with the options.
func New(o Options) (*Pages, error) {
	if o.State == nil || o.Service == nil || o.Trail == nil || o.Logger == nil {
		return nil, errors.New("making the pages: State, Service, Trail or Logger is not set")
	}
	contractJSON, err := toJSON(o.Contract)
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", ContractJSONPath, err)
	}
	inYAML, errYAML := newContract("application/yaml", o.Contract, "  - url: ", "/\n")
	inJSON, errJSON := newContract("application/json", contractJSON, `"url": "`, `/"`)
	if err := errors.Join(errYAML, errJSON); err != nil {
		return nil, fmt.Errorf("making the document: %w", err)
	}
	routes, err := assets()
	if err != nil {
		return nil, fmt.Errorf("making the pages: %w", err)
	}
	routes[WelcomePath] = welcome{o.State, o.Loopback, o.Logger}
	routes[ContractYAMLPath] = inYAML
	routes[ContractJSONPath] = inJSON
	routes[DocsPath+"/"] = http.RedirectHandler(DocsPath, http.StatusPermanentRedirect)
	if o.Loopback {
		routes[ConsolePath+"/"] = http.RedirectHandler(ConsolePath, http.StatusPermanentRedirect)
		routes[accountPath] = sameOrigin(accountHandler(o.Service))
		routes[auditPath] = sameOrigin(auditHandler(o.Service, o.Trail))
	} else {
		routes[ConsolePath] = noConsole{}
	}
	return &Pages{routes, o.Loopback}, nil
}

// Before returns a handler that answers requests for the pages and passes all others to next.
func (p *Pages) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, found := p.routes[r.URL.Path]
		if !found && !ours(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		setHeaders(w.Header())
		switch {
		case p.loopback && !isThisMachine(r.Host):
			refuse(w, http.StatusMisdirectedRequest,
				"This address is for this machine alone; open it as http://127.0.0.1 or http://localhost, with the port.")
		case !found:
			refuse(w, http.StatusNotFound, "There is no such page.")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "This can only be read.")
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// ours reports whether a path belongs to the pages, even if there is no such page.
func ours(path string) bool {
	for _, prefix := range []string{assetsPath, DocsPath + "/", ConsolePath + "/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// noConsole answers at the path of the console if there is none.
type noConsole struct{}

func (noConsole) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusNotFound, "The console is there on loopback addresses only, because this one has no TLS. "+
		"Start serve with --addr 127.0.0.1:8080 to have it.")
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, message, status)
}
