package ratelimit

import (
	"iter"

	"organizations-api/shared/organization"
)

const MaxOrganizations = maxOrganizations

// Organizations returns what the Limiter remembers.
func (l *Limiter) Organizations() iter.Seq[organization.ID] {
	return func(yield func(organization.ID) bool) {
		for of := range l.leases.Keys() {
			if !yield(of.organization) {
				return
			}
		}
	}
}
