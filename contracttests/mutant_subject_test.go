package contracttests

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"organizations-api/shared/api"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// bench is the service in process on a store in memory, with what it takes to stand a mutant in front of it.
type bench struct {
	shelf *shelf
	world *World
}

// mutantSubject returns a new service with the mutant in front of it.
func mutantSubject(t *testing.T, mutant Mutant) *Subject {
	t.Helper()
	b := bench{newShelf(), &World{}}
	b.world.Direct = serviceTarget(t, b.shelf, nil)
	faulty := map[Fault]Target{}
	for _, fault := range []Fault{FaultUnavailable, FaultBroken, FaultWrites} {
		faulty[fault] = mutant.Wrap(b.world, serviceTarget(t, faultyShelf{b.shelf, fault}, b.shelf))
	}
	return &Subject{
		Name:      "mutant " + mutant.Name,
		Target:    mutant.Wrap(b.world, serviceTarget(t, b.shelf, b.shelf)),
		Validator: organizationValidator(),
		Provision: b.provision,
		Faulty:    func(fault Fault) Target { return faulty[fault] },
		Revoke: func(_ context.Context, tenant Tenant, kind KeyKind) error {
			key, err := apikey.Parse(tenant.Keys[kind])
			if err != nil {
				return err
			}
			return b.shelf.revoke(key.Hash(), time.Now())
		},
	}
}

// serviceTarget returns the API on the stores as a Target. No counters: limits are not enforced.
func serviceTarget(t *testing.T, records store.Records, counters store.Counters) Target {
	t.Helper()
	service, err := api.New(api.Options{Records: records, Counters: counters, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, route := range service.Routes() {
		mux.Handle(route.Method+" "+route.Path, route.Handler)
	}
	return HandlerTarget(mux)
}

func (b bench) provision(_ context.Context, spec TenantSpec) (Tenant, error) {
	now := time.Now()
	tier := organization.Pro
	if spec.Tier != "" {
		tier = organization.Tier(spec.Tier)
	}
	o := organization.New("Northwind Video", tier, nil, now.Add(-time.Hour))
	if spec.Full {
		fill(&o)
	}
	o.Override.Metadata = spec.Limit
	if spec.Deleted {
		o.DeletedAt = &now
	}
	tenant := Tenant{ID: string(o.ID), Keys: map[KeyKind]string{}, Secrets: []string{o.InternalID.Reveal()}}
	var records []apikey.Record
	for kind, permission := range map[KeyKind]apikey.Permission{
		KeyAdmin: apikey.Admin, KeyDelete: apikey.Delete, KeyWrite: apikey.Write, KeyRead: apikey.Read, KeyNone: apikey.None,
		KeyRevoked: apikey.Admin, KeyExpired: apikey.Admin, KeyUnknown: apikey.Admin,
	} {
		key := apikey.New(o.ID, apikey.Live)
		record := apikey.NewRecord(key, permission, now.Add(-time.Hour), nil)
		tenant.Keys[kind] = key.Reveal()
		tenant.Secrets = append(tenant.Secrets, record.Hash.Hex())
		switch kind {
		case KeyUnknown:
			continue
		case KeyRevoked:
			record.RevokedAt = &now
		case KeyExpired:
			record.ExpiresAt = &now
		}
		records = append(records, record)
	}
	b.shelf.put(o, spec.Limit > 0, records...)
	b.world.Add(tenant, spec)
	return tenant, nil
}

// fill gives every property a value.
func fill(o *organization.Organization) {
	text := func(s string) *string { return &s }
	o.LogoURL, o.APIURL = text("https://logo.example/"+string(o.ID)), text("https://"+string(o.ID)+".example")
	o.BillingEmail, o.NotificationsEmail = text("billing@northwind.example"), text("news@northwind.example")
	o.Metadata = organization.NewObject(`{"region":"eu","of":"` + string(o.ID) + `"}`)
	o.Credentials = organization.NewObject(`{"openai":"credential-of-` + string(o.ID) + `"}`)
	o.Users = text(`[{"name":"Ada"}]`)
	o.AuthProviderOrgID = text("auth-" + string(o.ID))
	o.AutoBilling, o.CurrentMonthUsage = true, 7
}
