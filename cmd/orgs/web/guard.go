package web

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// policyBut has a place for the sources of pictures. A page loads what the gateway itself serves, but no script or style
// that is written into the page, and its scripts cannot make elements from text. The browser may send no form by itself:
// the key would be in the URL.
const policyBut = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src %s; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

var (
	policy = fmt.Sprintf(policyBut, "'self'")
	// The console shows the logo of an organization, when a person asks for it.
	consolePolicy = fmt.Sprintf(policyBut, "'self' https:")
)

// setHeaders sets the headers of every answer of this package.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// isThisMachine reports whether the host of a request always means this machine: a loopback address, localhost, or a name
// below localhost (RFC 6761, section 6.3).
func isThisMachine(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// sameOrigin refuses requests that a browser sends for a page of another origin. A request from elsewhere has neither of
// the headers, and no more authority than the key that its sender knows.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin, Sec-Fetch-Site")
		site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
		if site != "" && site != "same-origin" || origin != "" && origin != "http://"+r.Host {
			refuse(w, r, http.StatusForbidden, "Only the console's own page may read this.")
			return
		}
		next.ServeHTTP(w, r)
	})
}
