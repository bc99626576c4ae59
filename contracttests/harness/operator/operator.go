// Package operator makes organizations and keys for the checks, in states that no request can bring about, in the store
// of the service that is tested. It removes them again.
//
// It works on any engine, as the operator's own tool does. With package local it is all of contracttests that knows the
// service's code, so no check may import it.
package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// Operator makes organizations and keys in states that no request can produce. It is safe for concurrent use.
type Operator struct {
	engine store.Operator
	now    func() time.Time

	mu   sync.Mutex
	keys map[string]string // identifiers of keys, by the keys
	made []organization.ID
}

// New returns the operator of an engine. If now is nil, the clock is time.Now.
func New(engine store.Operator, now func() time.Time) *Operator {
	if now == nil {
		now = time.Now
	}
	return &Operator{engine: engine, now: now, keys: map[string]string{}}
}

// timeout is the longest time for making an organization.
const timeout = 30 * time.Second

// Provision makes an organization with keys.
func (op *Operator) Provision(ctx context.Context, spec harness.TenantSpec) (harness.Tenant, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	o := newOrganization(spec, op.now().Add(-time.Hour))
	made := harness.Tenant{ID: string(o.ID), Keys: map[harness.KeyKind]string{},
		Secrets: []string{o.InternalID.Reveal()}}
	secrets, err := op.engine.EnsureKeySecrets(ctx)
	if err != nil {
		return made, fmt.Errorf("getting the secret for keys: %w", err)
	}
	op.mu.Lock()
	op.made = append(op.made, o.ID) // before it is there, so that Purge finds one whose answer was lost
	op.mu.Unlock()
	first, record := op.issue(&made, secrets[0], o.ID, harness.KeyAdmin)
	if err := op.engine.Create(ctx, o, record, op.entry(store.Created)); err != nil {
		return made, fmt.Errorf("creating %s: %w", o.ID, err)
	}
	made.Keys[harness.KeyAdmin] = first
	for _, kind := range wanted(spec) {
		key, record := op.issue(&made, secrets[0], o.ID, kind)
		made.Keys[kind] = key
		if kind == harness.KeyUnknown {
			continue
		}
		if err := op.engine.AddKey(ctx, o.ID, record, op.entry(store.KeyIssued)); err != nil {
			return made, fmt.Errorf("issuing a key: %w", err)
		}
		if kind == harness.KeyRevoked {
			if err := op.engine.RevokeKey(ctx, o.ID, record.ID, op.now(), op.entry(store.KeyRevoked)); err != nil {
				return made, fmt.Errorf("revoking a key: %w", err)
			}
		}
	}
	if spec.Deleted {
		return made, op.engine.Delete(ctx, o.ID, op.now(), op.entry(store.Deleted))
	}
	return made, nil
}

// wanted returns the kinds of keys to issue besides the admin key.
func wanted(spec harness.TenantSpec) []harness.KeyKind {
	kinds := spec.Keys
	if kinds == nil {
		kinds = []harness.KeyKind{
			harness.KeyDelete, harness.KeyWrite, harness.KeyRead, harness.KeyNone,
			harness.KeyRevoked, harness.KeyExpired, harness.KeyUnknown,
		}
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k harness.KeyKind) bool {
		return k == harness.KeyAdmin || k == ""
	})
}

// issue makes a key of a kind and its record, with the secret of the store, and adds the secrets of the key to the
// tenant.
func (op *Operator) issue(
	made *harness.Tenant, secret apikey.Secret, id organization.ID, kind harness.KeyKind,
) (string, apikey.Record) {
	permission, known := map[harness.KeyKind]apikey.Permission{
		harness.KeyDelete: apikey.Delete, harness.KeyWrite: apikey.Write,
		harness.KeyRead: apikey.Read, harness.KeyNone: apikey.None,
	}[kind]
	if !known {
		permission = apikey.Admin
	}
	var expires *time.Time
	mode := apikey.Live
	switch kind {
	case harness.KeyExpired:
		expires = new(op.now().Add(-time.Hour))
	case harness.KeyWrite:
		expires = new(op.now().Add(time.Hour))
	case harness.KeyRead:
		mode = apikey.Test
	}
	if expires != nil {
		made.Expiring = append(made.Expiring, kind)
	}
	key := apikey.New(id, mode, secret)
	record := apikey.NewRecord(key, permission, op.now(), expires)
	made.Secrets = append(made.Secrets, key.Hash().Hex(), secret.Reveal())
	op.mu.Lock()
	defer op.mu.Unlock()
	op.keys[key.Reveal()] = record.ID
	return key.Reveal(), record
}

// Revoke revokes a key that Provision issued.
func (op *Operator) Revoke(ctx context.Context, t harness.Tenant, kind harness.KeyKind) error {
	op.mu.Lock()
	id := op.keys[t.Keys[kind]]
	op.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return op.engine.RevokeKey(ctx, organization.ID(t.ID), id, op.now(), op.entry(store.KeyRevoked))
}

// Purge removes every organization that Provision made. It goes on after an error. The errors name what is left.
func (op *Operator) Purge(ctx context.Context) error {
	op.mu.Lock()
	made := op.made
	op.made = nil
	op.mu.Unlock()
	var all []error
	for _, id := range made {
		if err := op.purge(ctx, id); err != nil {
			all = append(all, fmt.Errorf("removing %s: %w", id, err))
		}
	}
	return errors.Join(all...)
}

func (op *Operator) purge(ctx context.Context, id organization.ID) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return op.engine.Purge(ctx, id)
}

func (op *Operator) entry(action store.Action) store.Entry {
	return store.Entry{ID: store.NewEntryID(op.now()), Action: action, Actor: store.OperatorActor}
}

// newOrganization returns the record of an organization with the properties of the spec, created at now.
func newOrganization(spec harness.TenantSpec, created time.Time) organization.Organization {
	tier := organization.Tier(spec.Tier)
	if tier == "" {
		tier = organization.Pro
	}
	o := organization.New("Northwind Video", tier, nil, created)
	if spec.Full {
		fill(&o)
	}
	o.Override.Metadata = organization.MaxLimit
	if spec.Limit > 0 {
		o.Override.Metadata = spec.Limit
	}
	return o
}

// fill gives every property a value. Each text contains the public part of the identifier, so that it shows which
// organization it belongs to.
func fill(o *organization.Organization) {
	part := o.ID.PublicPart()
	o.Name = "Full " + part + " & 東京 🧪"
	o.LogoURL = new("https://logo.example/" + part)
	o.Credits = 987_654
	o.Metadata = organization.NewObject(`{"region":"eu-` + part + `","seats":[1,2,3],"exact":12345678901234567890.10}`)
	o.BillingEmail = new("billing-" + part + "@example.com")
	o.NotificationsEmail = new("news-" + part + "@example.com")
	o.Override = organization.RateLimits{Data: 2_000, Search: 3_000, Upload: 4_000, Compute: 5_000}
	o.AutoBilling = true
	o.BillingCycleStart = 28
	o.CurrentMonthUsage = 12_345
	o.Users = new(`[{"user_id":"user-` + part + `","roles":["admin"]},{"user_id":"u2","roles":[]}]`)
	o.AuthProviderOrgID = new("provider-" + part)
	o.Credentials = organization.NewObject(`{"openai":"credential-` + part + `"}`)
	o.APIURL = new("https://" + part + ".api.example.com")
	o.NSFWCheck = true
	o.NSFWFailClosed = true
}
