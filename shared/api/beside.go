package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
)

// Beside is a read that stands beside the contract: something about the caller's organization for which the API has no
// operation, and which only a main outside Lambda offers.
type Beside struct {
	ID         string // of the operation, in the log
	Path       string
	Permission apikey.Permission // that a key needs

	// Read returns what encoding/json makes the body of. It is called when the key has the permission, with the caller's
	// organization and key and the query of the request. An *Error reaches the caller as it is, and one of the store as a 503
	// where the store is unavailable.
	Read func(ctx context.Context, found store.Found, query url.Values) (any, error)
}

// Beside returns the route of GET requests for b. It differs from the API's operations in nothing that they have in
// common, errors, headers and reports included, but that it counts against no rate limit.
func (s *Service) Beside(b Beside) Route {
	return s.route(operation{
		id:         b.ID,
		method:     http.MethodGet,
		path:       b.Path,
		uncounted:  true,
		permission: b.Permission,
		perform: func(ctx context.Context, c *call) (response, error) {
			value, err := b.Read(ctx, c.found, c.request.URL.Query())
			if err != nil {
				return response{}, c.storeError(err, "The store cannot be read at the moment.")
			}
			return besideResponse(value)
		},
	})
}

func besideResponse(value any) (response, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return response{}, fmt.Errorf("encoding an answer: %w", err)
	}
	return response{status: http.StatusOK, body: out.Bytes()}, nil
}
