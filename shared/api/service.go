// Package api is the HTTP of the service: one handler for each operation of the contract, over net/http, the same in
// Lambda, behind the local gateway and in tests. It decides who may do what, reads and validates requests, and writes
// every response, errors included.
//
// It must import no engine of the store, nothing of AWS and no other adapter; mains wire those.
package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// Options is what a Service is made of.
type Options struct {
	Records  store.Records
	Counters store.Counters // nil: rate limits are not enforced
	Uses     store.UseNotes // nil: when keys are used is not noted
	Now      func() time.Time
	Observe  telemetry.Observer // told of every request
}

// Service answers requests. It is safe for concurrent use and holds no state that anything is decided by: every request
// reads that anew, so that a revoked key is refused at once. All it remembers is of which keys it has noted the use.
type Service struct {
	records  store.Records
	counters store.Counters
	uses     uses
	now      func() time.Time
	observe  telemetry.Observer
}

// New returns a Service. All options but Counters and Uses must be set.
func New(o Options) (*Service, error) {
	if o.Records == nil || o.Now == nil || o.Observe == nil {
		return nil, errors.New("making the API: Records, Now or Observe is not set")
	}
	return &Service{records: o.Records, counters: o.Counters, uses: uses{notes: o.Uses}, now: o.Now, observe: o.Observe}, nil
}

// Route is one operation of the contract.
type Route struct {
	Method      string
	Path        string
	OperationID string
	Handler     http.Handler
}

const organizationsPath = "/v1/organizations"

// Routes returns all operations.
func (s *Service) Routes() []Route { return []Route{s.GetOrganization(), s.UpdateOrganization()} }

// GetOrganization returns the operation that reads the caller's organization.
func (s *Service) GetOrganization() Route {
	return s.route(operation{
		id:         "get_organization_v1_organizations_get",
		method:     http.MethodGet,
		path:       organizationsPath,
		permission: apikey.Read,
		perform:    s.getOrganization,
	})
}

// UpdateOrganization returns the operation that changes the caller's organization.
func (s *Service) UpdateOrganization() Route {
	return s.route(operation{
		id:         "update_organization_v1_organizations_patch",
		method:     http.MethodPatch,
		path:       organizationsPath,
		permission: apikey.Admin,
		perform:    s.updateOrganization,
	})
}

// operation is what tells one operation from another.
type operation struct {
	id         string
	method     string
	path       string
	uncounted  bool                                           // it is none of the API's, so no limit is about it
	permission apikey.Permission                              // that a key needs
	perform    func(context.Context, *call) (response, error) // called when the key has it
}

func (s *Service) route(op operation) Route {
	return Route{
		Method:      op.method,
		Path:        op.path,
		OperationID: op.id,
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, op) }),
	}
}
