package live

import (
	"context"
	"errors"
	"time"

	"organizations-api/contracttests/harness"
)

// Keys are the keys that a run is given. All but Admin may be "".
type Keys struct {
	Admin string // its organization is changed and put back
	Read  string // of the same organization, and can only read
	Other string // an admin key of a second organization, which is only read
}

// AtURL returns the service at a URL as a subject. The keys are the only access to it.
func AtURL(url string, keys Keys) (*harness.Subject, error) {
	reached, err := harness.URLTarget(url)
	if err != nil {
		return nil, err
	}
	if keys.Admin == "" {
		return nil, errors.New("an admin key is missing")
	}
	subject := &harness.Subject{
		Name:      "at-url",
		Target:    harness.HonourRetryAfter(harness.WithoutCancel(reached)),
		Validator: harness.BehindGateway(),
		Given:     harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: keys.Admin}},
	}
	if keys.Read != "" {
		subject.Given.Keys[harness.KeyRead] = keys.Read
	}
	if keys.Other != "" {
		subject.Other = &harness.Tenant{Keys: map[harness.KeyKind]string{harness.KeyAdmin: keys.Other}}
	}
	return subject, nil
}

// Operator makes organizations in the store of the service, in any state.
type Operator interface {
	Provision(ctx context.Context, spec harness.TenantSpec) (harness.Tenant, error)
	Revoke(ctx context.Context, t harness.Tenant, kind harness.KeyKind) error
}

// OperatedAt returns the service at a URL as a subject whose organizations the operator makes. So the run needs no key,
// shows what only an operator can bring about, and touches no organization that was there before. If the run waits, it
// takes up to two minutes longer, and shows that the window of the rate limit ends.
func OperatedAt(url string, op Operator, waits bool) (*harness.Subject, error) {
	reached, err := harness.URLTarget(url)
	if err != nil {
		return nil, err
	}
	subject := &harness.Subject{
		Name: "at-url", Target: reached, Validator: harness.BehindGateway(), Provision: op.Provision, Revoke: op.Revoke,
	}
	if waits {
		subject.Later = func(ctx context.Context, at time.Time) harness.Target {
			select {
			case <-time.After(time.Until(at)):
			case <-ctx.Done():
			}
			return reached
		}
	}
	return subject, nil
}
