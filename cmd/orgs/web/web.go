// Package web is the pages that the local gateway shows to a browser: a welcome page, the API reference, and a console in
// which the holder of a key sees an organization and changes it. Everything comes from the binary; no page loads
// anything from elsewhere.
//
// The pages are clients of the API like any other: a user types a key, or comes by a one-time link, which gives the key
// of the demo organization. The key stays in the tab and goes out in the Authorization header of requests to the same
// origin. The contract has no operation for the audit trail and for where limits come from. The console reads these
// below /console/data, from handlers of package api with the same authentication.
//
// It may import the domain, api, the store's interfaces, the JSON of package admin, term, and what it embeds. It must
// import no engine of the store and nothing of AWS. Only package serve may import it.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Options are what Pages are made from. All but Loopback and SignIn must be set.
type Options struct {
	Contract []byte                               // the OpenAPI document, in YAML
	State    func(context.Context) (State, error) // what the pages say of the gateway; called for each request
	Service  *api.Service                         // authenticates the caller of /console/data
	Trail    Trail
	Logger   *slog.Logger // gets one error for each page that could not be made, and nothing else

	// Loopback says that only this machine reaches the pages. Then the host of a request must name this machine: another
	// site could point a name of its own here and read the pages (DNS rebinding). If Loopback is false there is no
	// console, as keys would be typed into a page without TLS, and the welcome page shows no organization.
	Loopback bool

	// SignIn returns the API key for the token of a sign-in link. It returns false for a token that is unknown, used or
	// too old. nil: there are no links.
	SignIn func(token string) (key string, ok bool)
}

// Trail is what the console's audit trail is read from.
type Trail interface {
	store.Trail
	// Get is that of store.Directory. It tells the names of keys.
	Get(context.Context, organization.ID) (organization.Organization, []apikey.Record, error)
}

// State is what the pages show of the gateway.
type State struct {
	Store      string // as in --store
	RateLimits bool   // they are enforced

	Organization *organization.Organization // nil: the pages show none
	ShowKeys     string                     // the command that shows the demo keys again; "": nobody knows them
	IssueKey     string                     // the command that issues an admin key of the organization, or of any
	List         string                     // the command that lists the organizations
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
	signInPath  = "/console/sign-in"
)

// SignInFragment comes before the token in a sign-in link. Browsers do not send what is behind the # of an address, so
// the token is in no log. The console's script reads it.
const SignInFragment = "#sign-in="

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
	described, errDocs := newReference(o.Contract)
	routes, errAssets := assets()
	if err := errors.Join(errYAML, errJSON, errDocs, errAssets); err != nil {
		return nil, fmt.Errorf("making the pages: %w", err)
	}
	routes[WelcomePath] = page{"welcome.html", policy, o.welcome, o.Logger}
	docs := func(r *http.Request) any { return docs(r, described, o.Loopback) }
	routes[DocsPath] = page{"docs.html", policy, docs, o.Logger}
	routes[ContractYAMLPath] = inYAML
	routes[ContractJSONPath] = inJSON
	routes[DocsPath+"/"] = http.RedirectHandler(DocsPath, http.StatusPermanentRedirect)
	if o.Loopback {
		routes[ConsolePath] = page{"console.html", consolePolicy, o.console, o.Logger}
		routes[ConsolePath+"/"] = http.RedirectHandler(ConsolePath, http.StatusPermanentRedirect)
		routes[accountPath] = sameOrigin(accountHandler(o.Service))
		routes[auditPath] = sameOrigin(auditHandler(o.Service, o.Trail))
		routes[signInPath] = sameOrigin(signIn{o.SignIn})
	} else {
		routes[ConsolePath] = noConsole{}
	}
	return &Pages{routes, o.Loopback}, nil
}

// Before returns a handler that answers requests for the pages and passes all others to next. An unknown address that is
// opened in a browser gets a page too, unless it is one of the API's.
func (p *Pages) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, found := p.routes[r.URL.Path]
		if !found && !ours(r) {
			next.ServeHTTP(w, r)
			return
		}
		setHeaders(w.Header())
		switch {
		case p.loopback && !isThisMachine(r.Host):
			refuse(w, r, http.StatusMisdirectedRequest,
				"This address is for this machine alone. Open it as http://127.0.0.1 or http://localhost, with the port.")
		case !found:
			refuse(w, r, http.StatusNotFound, "There is no such page.")
		case !allowed(r):
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, r, http.StatusMethodNotAllowed, "This can only be read.")
		default:
			handler.ServeHTTP(w, r)
		}
	})
}

func allowed(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == signInPath
}

// ours reports whether a request is for the pages, even if there is no such page.
func ours(r *http.Request) bool {
	for _, prefix := range []string{assetsPath, DocsPath + "/", ConsolePath + "/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return true
		}
	}
	return wantsPage(r) && allowed(r) && !strings.HasPrefix(r.URL.Path, "/v1/")
}

// noConsole answers at the path of the console if there is none.
type noConsole struct{}

func (noConsole) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, "The console is on loopback addresses only, because this one has no TLS. "+
		"Start serve with --addr 127.0.0.1:8080 to have it.")
}

// console returns what the page at /console shows.
func (o Options) console(r *http.Request) any {
	state, err := o.State(r.Context())
	if err != nil {
		o.Logger.ErrorContext(r.Context(), "reading what the console tells", "error", err)
	}
	return struct {
		top
		State
	}{top{
		Title: "Console · Organizations API", Path: ConsolePath, Loopback: true,
		Styles: []string{"console", "form"}, Script: "console",
		Description: "See and change the organization behind an API key.",
	}, state}
}

// docs returns what the page at /docs shows.
func docs(r *http.Request, described *reference, loopback bool) any {
	return struct {
		top
		*reference
		URL string
	}{top{
		Title: "Reference · Organizations API", Path: DocsPath, Loopback: loopback,
		Styles: []string{"form", "docs"}, Script: "docs",
		Description: "Every operation, field and error of the organizations API, with examples.",
	}, described, cmp.Or(addressOf(r), "http://127.0.0.1:8080")}
}
