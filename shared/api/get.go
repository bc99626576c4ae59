package api

import (
	"context"
	"net/http"
	"net/url"

	"organizations-api/shared/apikey"
	"organizations-api/shared/plainjson"
	"organizations-api/shared/store"
)

func (s *Service) getOrganization(_ context.Context, c *call) (response, error) {
	conditions, problems := readConditions(c.request)
	if len(problems) > 0 {
		return response{}, invalid(problems)
	}
	out, err := organizationResponse(c.found.Organization)
	if err != nil {
		return response{}, err
	}
	c.header.Set("ETag", out.etag)
	return conditions.forGet(out)
}

// ExtraGET is a GET that the contract does not have: something about the caller's organization. Only mains outside
// Lambda offer such routes.
type ExtraGET struct {
	ID         string // of the operation, in the log
	Path       string
	Permission apikey.Permission // the key needs it

	// Read returns the value whose JSON is the body. It runs when the key has the permission, and gets the caller's
	// organization and key, and the query. If it returns an *Error, the caller gets that. If it returns an error of a
	// store that is unavailable, the caller gets a 503.
	Read func(ctx context.Context, found store.Found, query url.Values) (any, error)
}

// ExtraGET returns the route of e. It works like an operation of the contract (authentication, errors, headers, log
// line), but it is not rate limited.
func (s *Service) ExtraGET(e ExtraGET) Route {
	return s.route(endpoint{
		id:         e.ID,
		method:     http.MethodGet,
		path:       e.Path,
		permission: e.Permission,
		perform: func(ctx context.Context, c *call) (response, error) {
			value, err := e.Read(ctx, c.found, c.request.URL.Query())
			if err != nil {
				return response{}, c.storeError(err, "The store cannot be read at the moment.")
			}
			body, err := plainjson.Marshal(value)
			return response{status: http.StatusOK, body: body}, err
		},
	})
}
