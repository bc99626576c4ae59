package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"organizations-api/local/apigateway"
)

// crossOrigin returns the CORS configuration of template.yaml, for these origins.
func crossOrigin(origins []string) apigateway.CORS {
	return apigateway.CORS{
		Origins: origins,
		Methods: []string{"GET", "PATCH"},
		Headers: []string{"authorization", "content-type", "if-match", "if-none-match"},
		Exposed: []string{"etag", "retry-after", "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
		MaxAge:  10 * time.Minute,
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
