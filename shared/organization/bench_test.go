package organization_test

import (
	"testing"
	"time"

	"organizations-api/shared/organization"
)

func BenchmarkApply(b *testing.B) {
	now := time.Now()
	o := organization.New("Northwind Video", organization.Pro, nil, now)
	patch := organization.Patch{
		Name:       organization.Set("Northwind Media"),
		Metadata:   organization.Set(organization.NewObject(`{"region":"eu"}`)),
		RateLimits: organization.Set(organization.RateLimits{Search: 120}),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, changes := o.Apply(patch, now); len(changes) != 3 {
			b.Fatalf("%d changes, want 3", len(changes))
		}
	}
}
