package local

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// operator does to organizations what no request can. It is safe for concurrent use.
type operator struct {
	engine Engine

	mu   sync.Mutex
	keys map[string]string // identifiers of keys, by the keys
}

// provision makes an organization for a check.
func (op *operator) provision(ctx context.Context, spec harness.TenantSpec) (harness.Tenant, error) {
	ctx, cancel := withinReason(ctx)
	defer cancel()
	o := newOrganization(spec)
	made := harness.Tenant{ID: string(o.ID), Keys: map[harness.KeyKind]string{}, Secrets: []string{o.InternalID.Reveal()}}
	first, record := op.issue(&made, o.ID, harness.KeyAdmin)
	if err := op.engine.Create(ctx, o, record, entry(store.Created)); err != nil {
		return made, fmt.Errorf("creating %s: %w", o.ID, err)
	}
	made.Keys[harness.KeyAdmin] = first
	for _, kind := range wanted(spec) {
		key, record := op.issue(&made, o.ID, kind)
		made.Keys[kind] = key
		if kind == harness.KeyUnknown {
			continue
		}
		if err := op.engine.AddKey(ctx, o.ID, record, entry(store.KeyIssued)); err != nil {
			return made, fmt.Errorf("issuing a key: %w", err)
		}
		if kind == harness.KeyRevoked {
			if err := op.engine.RevokeKey(ctx, o.ID, record.ID, time.Now(), entry(store.KeyRevoked)); err != nil {
				return made, fmt.Errorf("revoking a key: %w", err)
			}
		}
	}
	if spec.Deleted {
		return made, op.engine.Delete(ctx, o.ID, time.Now(), entry(store.Deleted))
	}
	return made, nil
}

// wanted returns the kinds of keys to issue besides the first, an admin's.
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

// issue makes a key and its record, and notes what is secret about it.
func (op *operator) issue(made *harness.Tenant, id organization.ID, kind harness.KeyKind) (string, apikey.Record) {
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
		expires = new(time.Now().Add(-time.Hour))
	case harness.KeyWrite:
		expires = new(time.Now().Add(time.Hour))
	case harness.KeyRead:
		mode = apikey.Test
	}
	if expires != nil {
		made.Expiring = append(made.Expiring, kind)
	}
	key := apikey.New(id, mode)
	record := apikey.NewRecord(key, permission, time.Now(), expires)
	made.Secrets = append(made.Secrets, key.Hash().Hex())
	op.mu.Lock()
	defer op.mu.Unlock()
	op.keys[key.Reveal()] = record.ID
	return key.Reveal(), record
}

// revoke revokes a key that provision issued.
func (op *operator) revoke(ctx context.Context, t harness.Tenant, kind harness.KeyKind) error {
	op.mu.Lock()
	id := op.keys[t.Keys[kind]]
	op.mu.Unlock()
	ctx, cancel := withinReason(ctx)
	defer cancel()
	return op.engine.RevokeKey(ctx, organization.ID(t.ID), id, time.Now(), entry(store.KeyRevoked))
}

func entry(action store.Action) store.Entry {
	return store.Entry{ID: store.NewEntryID(time.Now()), Action: action, Actor: store.OperatorActor}
}

// newOrganization returns the record of an organization that is as the spec says.
func newOrganization(spec harness.TenantSpec) organization.Organization {
	tier := organization.Tier(spec.Tier)
	if tier == "" {
		tier = organization.Pro
	}
	o := organization.New("Northwind Video", tier, nil, time.Now().Add(-time.Hour))
	if spec.Full {
		fill(&o)
	}
	o.Override.Metadata = organization.MaxLimit
	if spec.Limit > 0 {
		o.Override.Metadata = spec.Limit
	}
	return o
}

// fill gives every property a value. What can be told from another organization's can be told by its identifier.
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
}
