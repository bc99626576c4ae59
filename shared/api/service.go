// Package api is the HTTP of the service: one http.Handler for each operation of the contract. Lambda, the local
// gateway and the tests serve the same handlers. The package decides who may do what, reads and validates requests, and
// writes every response and error.
//
// Follow a request through the files: serve.go, auth.go, ratelimit.go, then get.go or patch.go with conditional.go, and
// response.go or errors.go.
//
// This package must import no engine of the store, nothing of AWS and no other adapter. The mains wire those.
package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/ratelimit"
	"organizations-api/shared/store"
	"organizations-api/shared/telemetry"
)

// Options are the parts of a Service.
type Options struct {
	Records  store.Records
	Counters store.Counters // nil: no rate limits
	Uses     store.UseNotes // nil: the use of keys is not noted
	Now      func() time.Time
	Observe  telemetry.Observer // called once for each request
}

// Service answers requests. It is safe for concurrent use. It caches no key and no organization: every request reads
// both, so a revoked key is refused at once. What it remembers authorises nothing: hashes of keys that were accepted
// lately, which keys' uses it has noted, numbers of requests that it has drawn, and the secrets with which keys are
// made.
type Service struct {
	records  store.Records
	limiter  *ratelimit.Limiter // nil: no rate limits
	accepted acceptedKeys
	uses     keyUses
	secrets  keySecrets
	now      func() time.Time
	observe  telemetry.Observer
}

// New returns a Service. It returns an error if an option other than Counters and Uses is not set.
func New(o Options) (*Service, error) {
	if o.Records == nil || o.Now == nil || o.Observe == nil {
		return nil, errors.New("making the API: Records, Now or Observe is not set")
	}
	s := &Service{
		records:  o.Records,
		accepted: newAcceptedKeys(),
		uses:     newKeyUses(o.Uses),
		secrets:  keySecrets{store: o.Records, turn: make(chan struct{}, 1)},
		now:      o.Now,
		observe:  o.Observe,
	}
	if o.Counters != nil {
		s.limiter = ratelimit.New(o.Counters)
	}
	return s, nil
}

// Prepare makes the first call of the store: it reads the secrets with which keys are made. So the first request finds
// them known, and the connection open. Prepare gives up when ctx is done. It reports no error: if something is wrong,
// the first request finds it out.
func (s *Service) Prepare(ctx context.Context) { _ = s.secrets.refresh(ctx, s.now()) }

// Route is one operation with its handler.
type Route struct {
	Method      string
	Path        string
	OperationID string
	Handler     http.Handler
}

const organizationsPath = "/v1/organizations"

// Routes returns the operations of the contract.
func (s *Service) Routes() []Route { return []Route{s.GetOrganization(), s.UpdateOrganization()} }

// GetOrganization returns the operation that reads the caller's organization.
func (s *Service) GetOrganization() Route {
	return s.route(endpoint{
		id:          "get_organization_v1_organizations_get",
		method:      http.MethodGet,
		path:        organizationsPath,
		rateLimited: true,
		permission:  apikey.Read,
		perform:     s.getOrganization,
	})
}

// UpdateOrganization returns the operation that changes the caller's organization.
func (s *Service) UpdateOrganization() Route {
	return s.route(endpoint{
		id:          "update_organization_v1_organizations_patch",
		method:      http.MethodPatch,
		path:        organizationsPath,
		rateLimited: true,
		permission:  apikey.Admin,
		perform:     s.updateOrganization,
	})
}
